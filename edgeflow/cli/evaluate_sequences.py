"""``edgeflow evaluate-sequences``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.cli.options import Device, Model, ModelsDir, Quality, Runtime, Zoom, one_of
from edgeflow.cli.report_outputs import check_report_outputs
from edgeflow.data.base import DatasetError
from edgeflow.errors import EdgeFlowError
from edgeflow.evaluate.figures import interval, plain
from edgeflow.evaluate.machine import describe_machine
from edgeflow.evaluate.sequences.generated import KINDS, generated
from edgeflow.evaluate.sequences.reading import open_sequences
from edgeflow.evaluate.sequences.report import REPORT_FILES, RESULTS, write_report
from edgeflow.evaluate.sequences.results import SequenceEvaluation, check_results, write_json
from edgeflow.evaluate.sequences.sequence import PageSequence
from edgeflow.evaluate.sequences.summary import Figures
from edgeflow.evaluate.sequences.trials import Conditions, FirstMask, try_sequence
from edgeflow.inference.predictor import load_predictor
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.zoom import POLICIES
from edgeflow.propagate.options import PropagateOptions


def evaluate_sequences(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of DAVIS, or of frames in images/ and masks in masks/; several sequences "
            "each in its own folder.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    generate: Annotated[
        int,
        typer.Option(help=f"Make so many sequences of each kind: {', '.join(KINDS)}.", min=0),
    ] = 0,
    model: Model = DEFAULT_MODEL,
    models_dir: ModelsDir = None,
    runtime: Runtime = "torch",
    device: Device = "auto",
    zoom: Zoom = "edgeflow",
    quality: Quality = "fast",
    first: Annotated[
        str,
        typer.Option(
            help="What is carried on: truth, the annotated mask of the first page; or clicks, one "
            "clicked until it is good.",
            callback=one_of(("truth", "clicks"), "first mask"),
        ),
    ] = "truth",
    pages: Annotated[int, typer.Option(help="Most pages of a sequence.", min=2)] = 20,
    objects: Annotated[int, typer.Option(help="Most objects of a folder of frames.", min=1)] = 5,
    max_sequences: Annotated[
        int | None, typer.Option(help="Most objects in all; all by default.", min=1)
    ] = None,
    target: Annotated[
        float, typer.Option(help="IoU from which on a mask is good.", min=0.0, max=1.0)
    ] = 0.8,
    max_clicks: Annotated[
        int,
        typer.Option(
            help="Most clicks on one page; 0 leaves the clicks of whole stacks out.", min=0
        ),
    ] = 10,
    least_score: Annotated[
        float, typer.Option(help="Score at which carrying ends.", min=0.0, max=1.0)
    ] = PropagateOptions().least_score,
    json: Annotated[Path | None, typer.Option(help="JSON file to write the figures to.")] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder to write a page with the figures and the worst sequences to."),
    ] = None,
) -> None:
    """Measure how far one mask reaches in a sequence of frames or a stack of slices."""
    if (data is None) == (generate == 0):
        raise EdgeFlowError(
            "either a folder or generated sequences are measured",
            hint="name a folder with --data, or a number with --generate",
        )
    if first == "clicks" and max_clicks == 0:
        raise EdgeFlowError(
            "without clicks there is no clicked first mask",
            hint="raise --max-clicks, or leave --first out",
        )
    check_report_outputs(
        json,
        report,
        [data] if data else [],
        files=REPORT_FILES,
        results=RESULTS,
        recognise=check_results,
    )
    sequences = _sequences(data, generate, pages, objects)[:max_sequences]
    predictor = load_predictor(
        model,
        folder=models_dir,
        device=device,
        runtime=runtime,
        policy=POLICIES[zoom],
        quality=QUALITIES[quality],
    )
    conditions = Conditions(
        first=cast("FirstMask", first),
        target=target,
        max_clicks=max_clicks,
        least_score=least_score,
        stacks=max_clicks > 0,
    )
    name = "generated" if data is None else data.resolve().name
    with typer.progressbar(sequences, label=name) as bar:
        trials = [try_sequence(predictor, sequence, conditions) for sequence in bar]
    evaluation = SequenceEvaluation(
        name=name,
        model=predictor.version,
        zoom=zoom,
        machine=describe_machine(predictor.execution),
        conditions=conditions,
        trials=trials,
    )
    for title, figures in evaluation.figures().items():
        typer.echo("\n".join(describe(title, figures, target)))
    typer.echo(f"{predictor.version}, {predictor.execution}, zoom {zoom}")
    if json is not None:
        write_json(evaluation, json)
    if report is not None:
        shown = {sequence.name: sequence for sequence in sequences}
        typer.echo(f"report: {write_report(report, evaluation, shown)}")


def describe(name: str, figures: Figures, target: float) -> list[str]:
    """A few lines for the terminal."""
    ious = "  ".join(
        f"+{distance} {'–' if mean is None else f'{mean.mean:.2f}'}"
        for distance, (_, mean) in figures.iou.items()
    )
    answered = figures.answered
    good = f"{plain(answered.good)} of them good; score off by {plain(answered.error)}"
    lines = [
        f"{name}: {figures.sequences} sequences, {figures.pages} pages behind the first",
        f"  IoU {ious}; {figures.milliseconds:.0f} ms a page",
        f"  answered {answered.share:.0%}, IoU {plain(answered.iou)}, {good}",
    ]
    if clicks := figures.clicks:
        lines.append(
            f"  clicks to {target:g}: {interval(clicks.clicked, 1)} each page by itself, "
            f"{interval(clicks.carried, 1)} carried and corrected, share {clicks.share:.2f}; "
            f"{clicks.unreached} of {clicks.pages} pages not reached"
        )
    return lines


def _sequences(data: Path | None, generate: int, pages: int, objects: int) -> list[PageSequence]:
    if data is None:
        return list(generated(tuple(KINDS), generate, pages))
    found: list[PageSequence] = [
        each for opened in open_sequences(data) for each in opened.objects(objects, pages)
    ]
    if not found:
        raise DatasetError(
            f"{data}: no object is shown on two pages", hint="look whether its masks are empty"
        )
    return found
