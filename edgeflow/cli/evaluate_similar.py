"""``edgeflow evaluate-similar``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.cli.options import (
    Device,
    Images,
    LabelConfigFile,
    Layout,
    Model,
    ModelsDir,
    Quality,
    Runtime,
    Split,
    Zoom,
    one_of,
)
from edgeflow.cli.report_outputs import check_report_outputs
from edgeflow.data.base import DatasetError
from edgeflow.data.left_out import LeftOut, left_out_lines
from edgeflow.data.listed import left_out_of
from edgeflow.data.opening import open_dataset
from edgeflow.evaluate.figures import interval, number
from edgeflow.evaluate.machine import describe_machine
from edgeflow.evaluate.similar.choosing import Choice
from edgeflow.evaluate.similar.report import REPORT_FILES, RESULTS, groups_of, write_report
from edgeflow.evaluate.similar.results import SimilarEvaluation, check_results, write_json
from edgeflow.evaluate.similar.summary import Alone, Several
from edgeflow.evaluate.similar.trials import Conditions, ExampleMask, try_dataset
from edgeflow.inference.predictor import load_predictor
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.zoom import POLICIES
from edgeflow.similar.finder import SimilarFinder
from edgeflow.similar.found import SimilarOptions

DEFAULTS = SimilarOptions()


def evaluate_similar(
    data: Annotated[Path, typer.Option(help="Folder or file with annotated images.", exists=True)],
    layout: Layout = "auto",
    split: Split = None,
    images: Images = None,
    label_config: LabelConfigFile = None,
    model: Model = DEFAULT_MODEL,
    models_dir: ModelsDir = None,
    runtime: Runtime = "torch",
    device: Device = "auto",
    zoom: Zoom = "edgeflow",
    quality: Quality = "fast",
    objects: Annotated[
        int, typer.Option(help="Try images with at least so many objects of a kind.", min=2)
    ] = 5,
    examples: Annotated[
        int, typer.Option(help="Objects of each kind that are the example, one at a time.", min=1)
    ] = 3,
    example: Annotated[
        str,
        typer.Option(
            help="What a search is given: click, the mask of one click; or truth, the annotated "
            "one.",
            callback=one_of(("click", "truth"), "mask of an example"),
        ),
    ] = "click",
    any_example: Annotated[
        bool,
        typer.Option(
            help="Draw examples from all objects; by default from those that people would choose: "
            "not cut off by the image's border, and of a usual size."
        ),
    ] = False,
    max_images: Annotated[
        int | None,
        typer.Option(help="Most such images of each set; all by default.", min=0),
    ] = None,
    max_alone: Annotated[
        int,
        typer.Option(help="Most images of each set that show one object alone.", min=0),
    ] = 50,
    limit: Annotated[int, typer.Option(help="Most suggestions.", min=1)] = DEFAULTS.limit,
    seconds: Annotated[
        float, typer.Option(help="Time after which a search ends.", min=0.1)
    ] = DEFAULTS.seconds,
    max_clicks: Annotated[
        int,
        typer.Option(
            help="Most clicks on one object, for the annotator's cost; 0 leaves the cost out, and "
            "with it most of the work.",
            min=0,
        ),
    ] = 5,
    json: Annotated[Path | None, typer.Option(help="JSON file to write the figures to.")] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder to write a page with the figures and the worst images to."),
    ] = None,
) -> None:
    """Measure how many of an example's like are found, and what that saves."""
    check_report_outputs(
        json,
        report,
        [path for path in (data, images) if path],
        files=REPORT_FILES,
        results=RESULTS,
        recognise=check_results,
    )
    dataset = open_dataset(
        data, layout=layout, split=split, images=images, label_config=label_config
    )
    for line in left_out_lines(left_out_of(dataset)):
        typer.echo(line, err=True)
    predictor = load_predictor(
        model,
        folder=models_dir,
        device=device,
        runtime=runtime,
        policy=POLICIES[zoom],
        quality=QUALITIES[quality],
    )
    conditions = Conditions(
        Choice(objects, examples, max_images, max_alone, typical=not any_example),
        SimilarOptions(limit=limit, seconds=seconds),
        cast("ExampleMask", example),
        max_clicks,
    )
    left_out: list[LeftOut] = []
    with typer.progressbar(length=len(dataset), label=dataset.name) as bar:
        trials = list(
            try_dataset(
                predictor,
                SimilarFinder(predictor),
                dataset,
                conditions,
                progress=lambda done, _total: bar.update(done - bar.pos),
                tell=left_out.extend,
            )
        )
    for line in left_out_lines(left_out):
        typer.echo(line, err=True)
    if not trials:
        raise DatasetError(
            f"{dataset.name}: there is no image to try",
            hint=f"it needs images with at least {objects} objects of a kind (--objects), or "
            "with one object alone",
        )
    evaluation = SimilarEvaluation(
        dataset=dataset.name,
        model=predictor.version,
        zoom=zoom,
        machine=describe_machine(predictor.execution),
        conditions=conditions,
        trials=trials,
    )
    typer.echo(describe(evaluation))
    typer.echo(f"{predictor.version}, {predictor.execution}, zoom {zoom}")
    if json is not None:
        write_json(evaluation, json)
    if report is not None:
        typer.echo(f"report: {write_report(report, evaluation, dataset)}")


def describe(evaluation: SimilarEvaluation) -> str:
    """A few lines for the terminal, for each set."""
    lines: list[str] = []
    for name, group in groups_of(evaluation).items():
        if group.several:
            lines += _several(name, group.several)
        if group.alone:
            lines.append(_alone(name, group.alone))
    return "\n".join(lines)


def _several(name: str, figures: Several) -> list[str]:
    tried = f"{figures.images} images, {figures.trials} examples"
    lines = [f"{name}: {tried}, {number(figures.objects, 1)} others to find"]
    for percent, each in figures.accuracy.items():
        shares = f"precision {interval(each.precision)}  recall {interval(each.recall)}"
        lines.append(f"  IoU .{percent}  {shares}  F1 {interval(each.f1)}")
    lines.append(
        f"  IoU of hits {number(figures.iou)}, of examples {number(figures.example_iou)}; "
        f"{number(figures.seconds)} s, {number(figures.steps, 0)} steps; "
        f"{figures.cut_short} of {figures.trials} cut short"
    )
    if savings := figures.savings:
        found, corrected = savings.as_found, savings.corrected
        shares = f"{number(found.actions, 1)}, share {interval(found.share)}"
        lines.append(f"  actions: {number(savings.clicked, 1)} to click each; suggestions {shares}")
        shares = f"{number(corrected.actions, 1)}, share {interval(corrected.share)}"
        lines.append(f"  all corrected to an IoU of .8: {shares}")
    return lines


def _alone(name: str, figures: Alone) -> str:
    return (
        f"{name}: {figures.images} images with one object, {interval(figures.false)} "
        f"suggestions an image, {figures.with_any} with any"
    )
