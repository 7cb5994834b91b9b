"""``edgeflow prelabel``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
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
)
from edgeflow.cli.preannotation.options import (
    INCOMPLETE,
    ControlKind,
    Label,
    LocalFiles,
    Output,
    Project,
    TargetConfig,
    Tolerance,
    URLPrefix,
    check_tasks_file,
    image_urls,
    path_of,
    tag_of,
    what_is_shown,
)
from edgeflow.data.boxes import ImageBoxes
from edgeflow.data.drawn_tasks import read_label_config
from edgeflow.errors import EdgeFlowError
from edgeflow.files import write_atomically
from edgeflow.images import MAX_PIXELS, quiet_decoders
from edgeflow.inference.predictor import load_predictor
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.zoom import POLICIES
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.records import Project as ProjectRecord
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.config.labels import Label as ConfigLabel
from edgeflow.label_studio.config.recommended import OBJECT, recommended_config
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.preannotation.image_urls import BelowPrefix, ImageURLs
from edgeflow.preannotation.journal import Journal
from edgeflow.preannotation.mask_controls import KINDS, mask_controls
from edgeflow.preannotation.name_index import NameIndex, folder_index
from edgeflow.preannotation.prelabel import FolderPrelabel, labels_in, one_each, read_prompts
from edgeflow.preannotation.prelabel_project import Folder, ProjectPrelabel
from edgeflow.preannotation.project import Upload
from edgeflow.preannotation.segmenter import Segmenter
from edgeflow.preannotation.tasks import Report, TaskForm, fits_config
from edgeflow.pull.fetch import Pictures


def prelabel(
    boxes: Annotated[
        Path,
        typer.Argument(
            help="Boxes or points: COCO (instances or results), YOLO, labelme, VOC, or a CSV table."
        ),
    ],
    images: Annotated[
        Path | None, typer.Option(help="Folder of the images, subfolders included.")
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(
            help="File that names what numbers stand for: for COCO's results a COCO file, for "
            "YOLO's labels a data.yaml or a text with a class a line."
        ),
    ] = None,
    output: Output = Path("tasks.json"),
    url: URL = "",
    project: Project = None,
    api_key: APIKey = "",
    min_score: Annotated[
        float, typer.Option(help="Leave out what the detector was less sure of.", min=0)
    ] = 0.0,
    control: ControlKind = None,
    label_config: TargetConfig = None,
    image_url_prefix: URLPrefix = None,
    local_files: LocalFiles = None,
    label: Label = None,
    model_version: Annotated[
        str | None,
        typer.Option(
            help="Model version that predictions are stored under.",
            show_default="prelabel and the model's version",
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
    """Turn another tool's boxes, or points, into masks, as Label Studio's predictions.

    A second run goes on where the first was interrupted. Exits with 3 if something was lost.
    """
    kind, urls, report = tag_of(control), image_urls(image_url_prefix, local_files), Report()
    if project is None:
        if images is None:
            raise EdgeFlowError(
                "where the images are is not known",
                hint="name their folder with --images, or a project with --project",
            )
        read = [each for each in (boxes, images, names, label_config) if each is not None]
        check_tasks_file(output, None if label_config else output.with_suffix(".xml"), read)
    elif label_config is not None:
        raise EdgeFlowError(
            "the project has a labelling config of its own", hint="leave --label-config out"
        )
    prompts = read_prompts(boxes, names, report)
    api = open_api(url, api_key) if project is not None else None
    record = api.project(project) if api is not None and project is not None else None
    folder = (images, folder_index(images)) if images is not None else None
    predictor = load_predictor(
        model,
        folder=models_dir,
        device=device,
        runtime=runtime,
        policy=POLICIES[zoom],
        quality=QUALITIES[quality],
    )
    version = model_version or f"prelabel {predictor.version}"
    form = TaskForm("predictions", version, PolygonOptions(tolerance=tolerance), label)
    segmenter = Segmenter(predictor, label, min_score, max_pixels)
    work = Work(prompts, segmenter, form, kind, urls, folder, report)
    with quiet_decoders():
        if api is not None and record is not None:
            _into_project(work, api, record, url, int(max_image_mb * 1e6))
        elif folder is not None:
            _into_file(work, folder, label_config, output, zoom)
    for line in report.lines():
        typer.echo(line)
    if not report.complete:
        raise typer.Exit(INCOMPLETE)


class Work(NamedTuple):
    """What is done, wherever its result goes.

    Attributes:
        prompts: Boxes and points by image.
        segmenter: Makes the masks.
        form: What tasks are like.
        kind: Of mask control; None for any.
        urls: How images' URLs are made; None for the default.
        folder: Of images, with these by name; None for none.
        report: Told what becomes of them.
    """

    prompts: list[ImageBoxes]
    segmenter: Segmenter
    form: TaskForm
    kind: str | None
    urls: ImageURLs | None
    folder: tuple[Path, NameIndex[str]] | None
    report: Report


def _into_project(
    work: Work, api: LabelStudioAPI, record: ProjectRecord, url: str, max_bytes: int
) -> None:
    upload = Upload(api, record.id, path_of(url))
    into = ProjectPrelabel(
        api,
        record.id,
        parse_label_config(record.label_config),
        work.kind,
        work.segmenter,
        work.form,
        Pictures(split_login(url)[0], api.credentials),
        max_bytes,
        Folder(*work.folder, work.urls or upload) if work.folder is not None else None,
    )
    _follow(into.run(work.prompts, work.report), work.prompts, f"project {record.id}")
    count = work.report.count
    typer.echo(
        f"project {record.id}: {count['objects']} masks; predictions for {count['added']} tasks, "
        f"{count['tasks']} new tasks, {count['there']} were there"
    )
    for line in what_is_shown(record, work.form):
        typer.echo(line)


def _into_file(
    work: Work,
    folder: tuple[Path, NameIndex[str]],
    label_config: Path | None,
    output: Path,
    zoom: str,
) -> None:
    labels = [*labels_in(work.prompts), *([work.form.label] if work.form.label else [])]
    xml = _config(label_config, work.kind, labels)
    controls = mask_controls(parse_label_config(xml).for_task(None), work.kind)
    urls = work.urls or BelowPrefix()
    run = FolderPrelabel(*folder, work.segmenter, controls, urls, work.form)
    predictor = work.segmenter.predictor
    made_by = (predictor.version, predictor.execution, zoom)
    prompts = one_each(work.prompts, folder[1].find, work.report)
    read = (prompts, str(folder[0].resolve()), xml)
    identity = repr((made_by, read, work.form, work.kind, urls, work.segmenter.min_score))
    _write(run, prompts, identity, output, work.report)
    if label_config is None:
        write_atomically(output.with_suffix(".xml"), xml.encode())
        typer.echo(f"{output.with_suffix('.xml')}: the labelling config for the project")


def _write(
    run: FolderPrelabel, prompts: list[ImageBoxes], identity: str, output: Path, report: Report
) -> None:
    """Make the tasks, and write them; the journal stays while something is lost."""
    fingerprint = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
    with Journal(journal_of(output), fingerprint) as journal:
        _follow(run.run(prompts, journal, report), prompts, output.name)
        run.write(prompts, journal, output)
        there = report.count["there"]
        earlier = f", {there} of them by an earlier run" if there else ""
        typer.echo(f"{output}: {len(journal)} tasks, {report.count['objects']} masks{earlier}")
        if report.complete:
            journal.remove()
        else:
            typer.echo(f"{journal_of(output)}: a second run tries the images again that failed")


def journal_of(output: Path) -> Path:
    """The file from which an interrupted run is taken up."""
    return output.with_name(f"{output.name}.journal")


def _config(path: Path | None, kind: str | None, labels: Sequence[str]) -> str:
    """The labelling config that tasks are for: a file's, or the recommended one."""
    if path is not None:
        read_label_config(path)
        return path.read_text(encoding="utf-8-sig")
    known = [ConfigLabel(each) for each in dict.fromkeys(labels) if fits_config(each)]
    return recommended_config(kind or KINDS["brush"], known or [OBJECT])


def _follow(steps: Iterator[ImageBoxes], prompts: Sequence[ImageBoxes], name: str) -> None:
    with typer.progressbar(steps, length=len(prompts), label=name) as bar:
        for _ in bar:
            pass
