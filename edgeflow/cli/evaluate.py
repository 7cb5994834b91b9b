"""``edgeflow evaluate``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

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
)
from edgeflow.cli.report_outputs import check_report_outputs
from edgeflow.data.base import Dataset, DatasetError
from edgeflow.data.left_out import LeftOut, left_out_lines
from edgeflow.data.listed import left_out_of
from edgeflow.data.opening import open_dataset
from edgeflow.evaluate.jitter.aim import jittered_run
from edgeflow.evaluate.jitter.summary import summarise_jitter
from edgeflow.evaluate.machine import describe_machine
from edgeflow.evaluate.report import REPORT_FILES, RESULTS, write_report
from edgeflow.evaluate.results import Evaluation, read_curve, write_json
from edgeflow.evaluate.starts.sources import find_start_masks
from edgeflow.evaluate.summary import Estimate, summarise
from edgeflow.evaluate.traces import Rules, Trace, click_dataset
from edgeflow.inference.predictor import load_predictor
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.zoom import POLICIES
from edgeflow.masks.cleanup import UNTOUCHED, Cleanup


def evaluate(
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
    max_clicks: Annotated[int, typer.Option(help="Most clicks on one object.", min=1)] = 20,
    all_clicks: Annotated[
        bool, typer.Option(help="Make all clicks; by default an object is done at an IoU of .95.")
    ] = False,
    as_served: Annotated[
        bool,
        typer.Option(
            help="Measure masks as annotators get them, cleaned up; by default as the network "
            "answers them."
        ),
    ] = False,
    start_masks: Annotated[
        str | None,
        typer.Option(
            help="Imperfect masks that clicks begin from: generated; sp or stm, which DAVIS585 "
            "brings; or a folder of PNG named as the images.",
            metavar="FOLDER",
        ),
    ] = None,
    jitter: Annotated[
        int | None,
        typer.Option(
            help="Click each object this often again, each click anywhere in the largest error.",
            min=2,
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="JSON file to write the figures to.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder to write a page with curves and the worst cases to.")
    ] = None,
    compare: Annotated[
        list[Path] | None,
        typer.Option(help="Earlier --json files, whose curves are drawn for comparison."),
    ] = None,
) -> None:
    """Count the clicks that a model needs, after RITM's protocol."""
    starts = None if start_masks is None else find_start_masks(start_masks)
    read = [data, images, *(compare or ()), *([Path(start_masks)] if start_masks else [])]
    check_report_outputs(
        json,
        report,
        [path for path in read if path and path.exists()],
        files=REPORT_FILES,
        results=RESULTS,
        recognise=read_curve,
    )
    others = [read_curve(path) for path in compare or ()]
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
        cleanup=Cleanup() if as_served else UNTOUCHED,
    )
    left_out: list[LeftOut] = []
    rules = Rules(max_clicks=max_clicks, stop_at=1.01 if all_clicks else Rules.stop_at)
    click = partial(click_dataset, predictor, dataset, rules, starts=starts)
    traces = _click_all(dataset, dataset.name, partial(click, tell=left_out.extend))
    for line in left_out_lines(left_out):
        typer.echo(line, err=True)
    if not traces:
        raise DatasetError(
            f"{dataset.name}: there is nothing to click",
            hint="it needs objects with a pixel that is not ignored, and start masks with an error",
        )
    runs = [
        _click_all(
            dataset,
            f"{dataset.name}, jittered, {run + 1} of {jitter}",
            partial(click, aim_of=jittered_run(run)),
        )
        for run in range(jitter or 0)
    ]
    evaluation = Evaluation(
        dataset=dataset.name,
        model=predictor.version,
        zoom=zoom,
        machine=describe_machine(predictor.execution),
        rules=rules,
        summary=summarise(traces, rules),
        traces=traces,
        as_served=as_served,
        start_masks=None if starts is None else starts.kind,
        jitter=summarise_jitter(traces, runs, rules) if runs else None,
    )
    typer.echo(describe(evaluation))
    served = ", masks as served" if as_served else ""
    typer.echo(f"{predictor.version}, {predictor.execution}, zoom {zoom}{served}")
    if json is not None:
        write_json(evaluation, json)
    if report is not None:
        typer.echo(f"report: {write_report(report, evaluation, dataset, others)}")


def describe(evaluation: Evaluation) -> str:
    """A few lines for the terminal."""
    summary, jitter = evaluation.summary, evaluation.jitter
    failures = "  ".join(f"{percent} %: {count}" for percent, count in summary.failures.items())
    milliseconds = round(summary.seconds_per_click * 1000)
    lines = [f"{summary.objects} objects, {summary.clicks} clicks, {milliseconds} ms a click"]
    if (start := summary.start_iou) is not None:
        lines.append(f"from start masks: {evaluation.start_masks}; mean IoU {start.mean:.3f}")
    lines += [
        _nocs(summary.noc),
        f"not in {evaluation.rules.max_clicks} clicks  {failures}",
        f"IoU after clicks           {_means(summary.iou_at)}",
        f"boundary IoU after clicks  {_means(summary.boundary_iou_at)}",
    ]
    if jitter is not None:
        lines += [
            f"with jittered clicks, {jitter.runs} times:",
            _nocs(jitter.noc),
            f"more than without          {_signed(jitter.added)}",
            f"spread of one object       {_spreads(jitter.spread)}",
            f"IoU after clicks           {_means(jitter.iou_at)}",
        ]
    return "\n".join(lines)


def _nocs(noc: Mapping[int, Estimate]) -> str:
    return "  ".join(
        f"NoC@{percent} {each.mean:.2f} [{each.low:.2f}, {each.high:.2f}]"
        for percent, each in noc.items()
    )


def _signed(added: Mapping[int, Estimate]) -> str:
    return "  ".join(
        f"@{percent} {each.mean:+.2f} [{each.low:+.2f}, {each.high:+.2f}]"
        for percent, each in added.items()
    )


def _spreads(spread: Mapping[int, float]) -> str:
    return "  ".join(f"@{percent} {each:.2f}" for percent, each in spread.items())


def _means(estimates: Mapping[int, Estimate]) -> str:
    return "  ".join(f"{count}: {each.mean:.3f}" for count, each in estimates.items())


def _click_all(dataset: Dataset, label: str, click: Callable[..., Iterator[Trace]]) -> list[Trace]:
    """Click every object of a dataset under a progress bar."""
    with typer.progressbar(length=len(dataset), label=label) as bar:
        return list(click(progress=lambda done, _total: bar.update(done - bar.pos)))
