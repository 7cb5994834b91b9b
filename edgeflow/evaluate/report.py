"""An HTML page: figures, IoU against clicks, and the worst cases with every click drawn."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from edgeflow.arrays import RGBImage
from edgeflow.data.base import Dataset
from edgeflow.errors import EdgeFlowError
from edgeflow.evaluate.jitter.summary import Jitter
from edgeflow.evaluate.results import JITTER_KIND, Curve, Evaluation, curve_of, write_json
from edgeflow.evaluate.summary import Estimate
from edgeflow.evaluate.tiles import tile
from edgeflow.evaluate.traces import Trace
from edgeflow.overlay import draw_overlay

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAGE, CURVES, WORST_CASES, RESULTS = REPORT_FILES = (
    "index.html", "curves.png", "worst.png", "results.json",
)  # fmt: skip
"""Files of a report's folder."""

WORST = 24
CELL = 320
CAPTION = 22
TRUTH = (255, 214, 0)


class ReportError(EdgeFlowError):
    """A report that cannot be drawn here."""

    code = "report"


def write_report(
    folder: Path, evaluation: Evaluation, dataset: Dataset, others: Sequence[Curve] = ()
) -> Path:
    """Write ``index.html``, ``curves.png``, ``worst.png`` and ``results.json``.

    Args:
        folder: Output folder, made if it does not exist; files of these names are replaced.
        evaluation: Evaluation to show.
        dataset: Dataset of the evaluation, for the images.
        others: Curves of other evaluations of the same dataset, for comparison.

    Returns:
        The page's path.

    Raises:
        ReportError: Matplotlib is not installed.
        OSError: The folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw_curves(folder / CURVES, evaluation, others)
    Image.fromarray(contact_sheet(worst_of(evaluation), dataset)).save(folder / WORST_CASES)
    write_json(evaluation, folder / RESULTS)
    page = folder / PAGE
    page.write_text(_page(evaluation), encoding="utf-8")
    return page


def worst_of(evaluation: Evaluation, count: int = WORST) -> list[Trace]:
    """The objects that took the most clicks to an IoU of .9; among equals, the lowest IoU first."""
    clicks = evaluation.rules.max_clicks

    def effort(trace: Trace) -> tuple[int, float]:
        return trace.clicks_to(0.9, clicks), -max(trace.ious)

    return sorted(evaluation.traces, key=effort, reverse=True)[:count]


def contact_sheet(traces: Sequence[Trace], dataset: Dataset) -> RGBImage:
    """Draw objects side by side: mask in blue, truth outlined in yellow, clicks numbered.

    Args:
        traces: Objects to draw; at least one.
        dataset: Dataset that they belong to.

    Returns:
        H×W×3 uint8 RGB.
    """
    return tile([_cell(trace, dataset) for trace in traces])


def draw_curves(path: Path, evaluation: Evaluation, others: Sequence[Curve]) -> None:
    """Plot mean IoU against clicks, and how many objects reach 90 % after how many.

    Raises:
        ReportError: Matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - optional
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise ReportError(
            "matplotlib is not installed, so no curves can be drawn",
            hint="pip install matplotlib",
        ) from error
    figure = Figure(figsize=(11, 4), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _plot_curves(left, [curve_of(evaluation), *others])
    _plot_reached(right, evaluation)
    canvas.print_png(str(path))  # type: ignore[no-untyped-call]


def _plot_curves(axes: Axes, curves: Sequence[Curve]) -> None:
    for curve in curves:
        axes.plot(range(1, len(curve.ious) + 1), curve.ious, marker=".", label=curve.label)
    axes.axhline(0.9, color="grey", linewidth=0.8, linestyle="--")
    axes.set(xlabel="clicks", ylabel="mean IoU", ylim=(None, 1), title="IoU against clicks")
    axes.locator_params(axis="x", integer=True)
    axes.legend(fontsize="small", loc="lower right")
    axes.grid(alpha=0.3)


def _plot_reached(axes: Axes, evaluation: Evaluation) -> None:
    counts = range(1, evaluation.rules.max_clicks + 1)
    for percent in evaluation.summary.noc:
        needed = [t.clicks_to(percent / 100, counts.stop) for t in evaluation.traces]
        share = [np.mean([clicks <= count for clicks in needed]) for count in counts]
        axes.step(counts, share, where="post", label=f"IoU ≥ {percent} %")
    axes.set(xlabel="clicks", ylabel="share of objects", ylim=(0, 1), title="Objects done")
    axes.locator_params(axis="x", integer=True)
    axes.legend(fontsize="small", loc="lower right")
    axes.grid(alpha=0.3)


def _cell(trace: Trace, dataset: Dataset) -> RGBImage:
    sample = dataset[dataset.sample_names.index(trace.sample)]
    drawn = draw_overlay(sample.rgb, trace.mask, trace.clicks)
    truth = sample.objects[trace.number - 1]
    contours, _ = cv2.findContours(truth.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, contours, -1, TRUTH, max(1, round(max(truth.shape) / 500)))
    scale = CELL / max(drawn.shape[:2])
    width, height = (max(1, round(side * scale)) for side in (drawn.shape[1], drawn.shape[0]))
    cell = np.full((CELL + CAPTION, CELL, 3), 255, dtype=np.uint8)
    cell[:height, :width] = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)
    name = f"{trace.sample[-24:]} #{trace.number}"
    text = f"{name}: {len(trace.clicks)} clicks, IoU {trace.ious[-1]:.2f}"
    cv2.putText(
        cell, text.encode("ascii", "replace").decode(), (4, CELL + 15), cv2.FONT_HERSHEY_SIMPLEX,
        0.42, (0, 0, 0), 1, cv2.LINE_AA,
    )  # fmt: skip
    return cell


def _page(evaluation: Evaluation) -> str:
    summary = evaluation.summary
    machine = "; ".join(f"{key}: {value}" for key, value in evaluation.machine.items())
    noc = "".join(
        f"<tr><th>NoC@{percent}</th><td>{_interval(estimate, 2)}</td>"
        f"<td>{summary.failures[percent]} not in {evaluation.rules.max_clicks}</td></tr>"
        for percent, estimate in summary.noc.items()
    )
    ious = "".join(
        f"<tr><th>{count}</th><td>{_interval(summary.iou_at[count], 3)}</td>"
        f"<td>{_interval(summary.boundary_iou_at[count], 3)}</td></tr>"
        for count in summary.iou_at
    )
    starts = (
        ""
        if summary.start_iou is None
        else f" Clicks begin from start masks ({html.escape(evaluation.start_masks or '')}), "
        f"IoU {_interval(summary.start_iou, 3)}."
    )
    jitter = "" if evaluation.jitter is None else _jitter_table(evaluation.jitter)
    served = "; masks as served" if evaluation.as_served else ""
    title = html.escape(f"{evaluation.model} on {evaluation.dataset}")
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
  body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 1100px; }}
  table {{ border-collapse: collapse; display: inline-table; margin: 0 2em 1em 0; }}
  td, th {{ border-bottom: 1px solid #ddd; padding: .2em .8em; text-align: left; }}
  img {{ max-width: 100%; }} small {{ color: #555; }}
</style>
<h1>{title}</h1>
<p>{summary.objects} objects, {summary.clicks} clicks, {summary.seconds_per_click * 1000:.0f} ms a
click. Protocol of RITM: deepest point of the larger error, threshold
{evaluation.rules.threshold:g}, at most {evaluation.rules.max_clicks} clicks; zoom policy
{html.escape(evaluation.zoom)}{served}. In brackets: 95 % bootstrap intervals over objects.
{starts}</p>
<table><tr><th>clicks to IoU</th><th>mean</th><th>failures</th></tr>{noc}</table>
<table><tr><th>after clicks</th><th>IoU</th><th>boundary IoU</th></tr>{ious}</table>
{jitter}<p><img src="curves.png" alt="mean IoU and share of objects done against clicks"></p>
<h2>The worst {min(WORST, summary.objects)}</h2>
<p>Blue: the last mask. Yellow: the truth. Clicks in order, green positive, red negative.</p>
<p><img src="worst.png" alt="contact sheet of the worst cases"></p>
<p><small>{html.escape(machine)}</small></p>
</html>
"""


def _jitter_table(jitter: Jitter) -> str:
    rows = "".join(
        f"<tr><th>NoC@{percent}</th><td>{_interval(jitter.noc[percent], 2)}</td>"
        f"<td>{_interval(jitter.added[percent], 2)}</td><td>{jitter.spread[percent]:.2f}</td></tr>"
        for percent in jitter.noc
    )
    return (
        f"<p>With jittered clicks, {jitter.runs} times: {JITTER_KIND}.</p>\n"
        "<table><tr><th>clicks to IoU</th><th>mean</th><th>more than without</th>"
        f"<th>spread of one object</th></tr>{rows}</table>\n"
    )


def _interval(estimate: Estimate, digits: int) -> str:
    return (
        f"{estimate.mean:.{digits}f} "
        f"<small>[{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]</small>"
    )
