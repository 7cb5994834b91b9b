"""``edgeflow evaluate``."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

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
from edgeflow.data.left_out import LeftOut, left_out_lines
from edgeflow.data.listed import left_out_of
from edgeflow.data.opening import open_dataset
from edgeflow.evaluate.machine import describe_machine
from edgeflow.evaluate.report import REPORT_FILES, RESULTS, write_report
from edgeflow.evaluate.results import Evaluation, ResultsError, read_curve, write_json
from edgeflow.evaluate.summary import Summary, summarise
from edgeflow.evaluate.traces import Rules, click_dataset
from edgeflow.files import check_outputs, in_folders
from edgeflow.inference.predictor import load_predictor
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.zoom import POLICIES
from edgeflow.masks.cleanup import UNTOUCHED


def evaluate(
    data: Annotated[Path, typer.Option(help="Folder or file with annotated images.", exists=True)],
    layout: Layout = "auto",
    split: Split = None,
    images: Images = None,
    label_config: LabelConfigFile = None,
    model: Model = "edgeflow_lite",
    models_dir: ModelsDir = None,
    runtime: Runtime = "torch",
    device: Device = "auto",
    zoom: Zoom = "edgeflow",
    quality: Quality = "fast",
    max_clicks: Annotated[int, typer.Option(help="Most clicks on one object.", min=1)] = 20,
    all_clicks: Annotated[
        bool, typer.Option(help="Make all clicks; by default an object is done at an IoU of .95.")
    ] = False,
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
    _check_outputs(json, report, [path for path in (data, images, *(compare or ())) if path])
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
        cleanup=UNTOUCHED,  # the network itself is measured
    )
    left_out: list[LeftOut] = []
    rules = Rules(max_clicks=max_clicks, stop_at=1.01 if all_clicks else Rules.stop_at)
    with typer.progressbar(length=len(dataset), label=dataset.name) as bar:
        traces = list(
            click_dataset(
                predictor,
                dataset,
                rules,
                lambda done, _total: bar.update(done - bar.pos),
                left_out.extend,
            )
        )
    for line in left_out_lines(left_out):
        typer.echo(line, err=True)
    evaluation = Evaluation(
        dataset=dataset.name,
        model=predictor.version,
        zoom=zoom,
        machine=describe_machine(predictor.execution),
        rules=rules,
        summary=summarise(traces, rules),
        traces=traces,
    )
    typer.echo(describe(evaluation.summary, max_clicks))
    typer.echo(f"{predictor.version}, {predictor.execution}, zoom {zoom}")
    if json is not None:
        write_json(evaluation, json)
    if report is not None:
        typer.echo(f"report: {write_report(report, evaluation, dataset, others)}")


def describe(summary: Summary, max_clicks: int) -> str:
    """A few lines for the terminal."""
    noc = "  ".join(
        f"NoC@{percent} {estimate.mean:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"
        for percent, estimate in summary.noc.items()
    )
    ious = "  ".join(f"{count}: {each.mean:.3f}" for count, each in summary.iou_at.items())
    rims = "  ".join(f"{count}: {each.mean:.3f}" for count, each in summary.boundary_iou_at.items())
    failures = "  ".join(f"{percent} %: {count}" for percent, count in summary.failures.items())
    return (
        f"{summary.objects} objects, {summary.clicks} clicks, "
        f"{summary.seconds_per_click * 1000:.0f} ms a click\n"
        f"{noc}\n"
        f"not in {max_clicks} clicks  {failures}\n"
        f"IoU after clicks           {ious}\n"
        f"boundary IoU after clicks  {rims}"
    )


def _check_outputs(json: Path | None, report: Path | None, read: list[Path]) -> None:
    """Refuse, before anything is measured, to write over the dataset or an earlier result."""
    outputs = {} if json is None else {"JSON file": json}
    if report is not None:
        outputs |= {f"report's {name}": report / name for name in REPORT_FILES}
    check_outputs(outputs, [*read, *in_folders(outputs.values(), read, _made_here)])


def _made_here(path: Path) -> bool:
    """Whether a file is the result of an evaluation, or lies beside one."""
    for each in (path, path.with_name(RESULTS)):
        with contextlib.suppress(ResultsError):
            read_curve(each)
            return True
    return False
