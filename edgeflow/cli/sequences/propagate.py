"""``edgeflow propagate``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.cli.label_studio import URL, APIKey, open_api, split_login
from edgeflow.cli.options import (
    Device,
    MaxImageMB,
    MaxPixels,
    Model,
    ModelsDir,
    Quality,
    Runtime,
    Zoom,
    one_of,
)
from edgeflow.cli.preannotation.options import (
    INCOMPLETE,
    ControlKind,
    Tolerance,
    tag_of,
    what_is_shown,
)
from edgeflow.cli.predict import parse_click
from edgeflow.cli.sequences.through_folder import Given, through_folder
from edgeflow.errors import EdgeFlowError, counted
from edgeflow.images import MAX_PIXELS, quiet_decoders
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.zoom import POLICIES
from edgeflow.label_studio.api.records import Project
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.preannotation.tasks import Report, TaskForm
from edgeflow.prompts.click import Click
from edgeflow.propagate.options import PropagateOptions
from edgeflow.propagate.propagator import Propagator
from edgeflow.pull.fetch import Pictures
from edgeflow.sequences.project import Limits, ProjectPropagate

DEFAULTS = PropagateOptions()
DIRECTIONS = {"both": (True, True), "forward": (True, False), "backward": (False, True)}
"""Whether later and earlier frames are answered, by the name of the direction."""


def propagate(
    frames: Annotated[
        Path | None, typer.Argument(help="Folder of frames, without --project.")
    ] = None,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Folder for index masks (PNG) and scores.json: a new one, or that of an earlier "
            "run over these frames.",
        ),
    ] = Path("masks"),
    mask: Annotated[
        list[Path] | None,
        typer.Option(
            help="Index mask of a frame, named like the frame, or a folder of them; repeat it. "
            "0 is background, k object k; black and white is one object.",
            exists=True,
        ),
    ] = None,
    click: Annotated[
        list[str] | None,
        typer.Option(
            "--click",
            "-c",
            metavar="X,Y",
            help="A click on an object of --frame, as in `edgeflow predict`; repeat it.",
        ),
    ] = None,
    frame: Annotated[
        str | None,
        typer.Option(help="Name of the frame that clicks are on.", show_default="the first"),
    ] = None,
    direction: Annotated[
        str,
        typer.Option(help=f"{', '.join(DIRECTIONS)}.", callback=one_of(DIRECTIONS, "direction")),
    ] = "both",
    least_score: Annotated[
        float,
        typer.Option(help="End a direction where the score falls below this.", min=0, max=1),
    ] = DEFAULTS.least_score,
    most_pages: Annotated[
        int | None,
        typer.Option(help="Most frames or pages of an object.", min=1, show_default="all"),
    ] = None,
    url: URL = "",
    project: Annotated[
        int | None,
        typer.Option(
            help="Add predictions to this Label Studio project over its API, with the token in "
            "LABEL_STUDIO_API_KEY: for each task with masks on some pages those on the others."
        ),
    ] = None,
    api_key: APIKey = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --project: say what there is to do, alone.")
    ] = False,
    control: ControlKind = None,
    model_version: Annotated[
        str | None,
        typer.Option(
            help="Model version that predictions are stored under.",
            show_default="propagate and the model's version",
        ),
    ] = None,
    tolerance: Tolerance = 1.0,
    model: Model = DEFAULT_MODEL,
    models_dir: ModelsDir = None,
    zoom: Zoom = "edgeflow",
    quality: Quality = "fast",
    runtime: Runtime = "torch",
    device: Device = "auto",
    max_pixels: MaxPixels = MAX_PIXELS,
    max_image_mb: MaxImageMB = 64,
) -> None:
    """Carry masks of one frame through all others: of a folder, or of a project's tasks.

    A second run goes on where the first was interrupted. Exits with 3 if something was lost.
    """
    forward, backward = DIRECTIONS[direction]
    options = PropagateOptions(least_score, most_pages, None, forward=forward, backward=backward)
    kind, clicks, report = tag_of(control), [parse_click(text) for text in click or ()], Report()
    _check(frames, project, mask or [], clicks, frame, dry_run=dry_run)
    given = Given.find(frames, mask or [], clicks, frame) if frames is not None else None
    if given is not None:
        given.check(output)
    api = open_api(url, api_key) if project is not None else None
    record = api.project(project) if api is not None and project is not None else None
    # By the manifest alone: --dry-run reads no weights.
    version = model_version or f"propagate {find(model, models_dir).version}"

    def load() -> Predictor:
        return load_predictor(
            model,
            folder=models_dir,
            device=device,
            runtime=runtime,
            policy=POLICIES[zoom],
            quality=QUALITIES[quality],
        )

    with quiet_decoders():
        if api is not None and record is not None:
            form = TaskForm("predictions", version, PolygonOptions(tolerance=tolerance))
            config = parse_label_config(record.label_config)
            into = ProjectPropagate(api, record.id, config, kind, form)
            if dry_run:
                steps = into.work(report)
            else:
                pictures = Pictures(split_login(url)[0], api.credentials)
                limits = Limits(int(max_image_mb * 1e6), max_pixels)
                steps = into.run(Propagator(load()), pictures, options, limits, report)
            for work in steps:
                typer.echo(work.told)
            _tell_project(record, form, report, dry_run=dry_run)
        elif given is not None:
            through_folder(given, output, load(), options, max_pixels, report)
    for line in report.lines():
        typer.echo(line)
    if not report.complete:
        raise typer.Exit(INCOMPLETE)


def _check(
    frames: Path | None,
    project: int | None,
    masks: Sequence[Path],
    clicks: Sequence[Click],
    frame: str | None,
    *,
    dry_run: bool,
) -> None:
    """Refuse a command line that says too little, or two things."""
    if (frames is None) == (project is None):
        raise EdgeFlowError(
            "what to carry masks through is not clear",
            hint="name a folder of frames, or a project with --project",
        )
    if project is not None and (masks or clicks or frame):
        raise EdgeFlowError(
            "a project's masks are those of its annotations",
            hint="leave --mask, --click and --frame out",
        )
    if project is None and dry_run:
        raise EdgeFlowError("--dry-run is for a project", hint="name it with --project")
    if project is None and not masks and not clicks:
        raise EdgeFlowError(
            "there is no object to carry",
            hint="click on one with --click X,Y, or name masks with --mask",
        )


def _tell_project(record: Project, form: TaskForm, report: Report, *, dry_run: bool) -> None:
    count = report.count
    there = f"{counted(count['there'], 'task')} had theirs already"
    if dry_run:
        typer.echo(f"project {record.id}: nothing was changed; {there}")
        return
    typer.echo(
        f"project {record.id}: {counted(count['objects'], 'mask')}; predictions for "
        f"{counted(count['added'], 'task')}, {there}"
    )
    for line in what_is_shown(record, form):
        typer.echo(line)
