"""One image of what the benchmarks measured last: ``artifacts/bench.png``.

Usage: ``python -m benchmarks.plots``, after ``make bench`` or any of its parts. What has not been
measured is left out. Latency under load has its own image (``benchmarks.load``).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

FOLDER = Path("artifacts")
OUTPUT = FOLDER / "bench.png"

Bars = dict[str, float]
Panel = tuple[str, Bars]
"""A title and the length of each bar."""


def click_panels(report: dict[str, Any]) -> list[Panel]:
    """Stages and whole requests, a panel for each size of image."""
    runtime = report["machine"]["runtime and precision"]
    return [
        (f"a click, {size}, ms (p50), {runtime}", {name: row["p50"] for name, row in rows.items()})
        for size, rows in report["milliseconds"].items()
    ]


def runtime_panels(report: dict[str, Any]) -> list[Panel]:
    """The network's step on each runtime."""
    height, width = report["size"]
    bars = {name: row["median_ms"] for name, row in report["runtimes"].items()}
    return [(f"one step, {width}×{height} at the network, ms (p50), float32 unless named", bars)]


def network_panels(report: dict[str, Any]) -> list[Panel]:
    """Every network on every runtime, and OpenCV."""
    return [("networks and peers, 448×448, ms (p50), float32 unless named", report["p50"])]


def codec_panels(report: dict[str, Any]) -> list[Panel]:
    """The brush codec against the SDK's."""
    bars = {
        f"{row['mask']}, {way}": row[f"{way}_ratio"]
        for row in report["codec"]
        for way in ("encode", "decode")
    }
    return [("brush codec, times as fast as the SDK's", bars)]


SOURCES: dict[str, Callable[[dict[str, Any]], list[Panel]]] = {
    "bench-click.json": click_panels,
    "bench-runtimes.json": runtime_panels,
    "bench-networks.json": network_panels,
    "bench-codec.json": codec_panels,
}


def draw_bars(axes: Axes, title: str, bars: Bars) -> None:
    """Horizontal bars, the first on top, each with its number."""
    drawn = axes.barh(list(bars), list(bars.values()), color="tab:blue")
    axes.bar_label(drawn, fmt="%.3g", padding=3, fontsize="small")
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.tick_params(labelsize="small")
    axes.set_title(title, fontsize="medium", loc="left")


def draw(panels: list[Panel], note: str) -> Figure:
    """One panel below the other, as tall as they have bars."""
    heights = [len(bars) + 2 for _, bars in panels]
    figure = Figure(figsize=(9, 0.24 * sum(heights) + 0.6), layout="constrained")
    figure.suptitle(note, fontsize="small")
    rows = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
    for axes, (title, bars) in zip(rows[:, 0], panels, strict=True):
        draw_bars(axes, title, bars)
    return figure


def main() -> None:
    """Read what is there and draw it."""
    panels: list[Panel] = []
    machines: set[str] = set()
    for name, panels_of in SOURCES.items():
        if (path := FOLDER / name).is_file():
            report = json.loads(path.read_text(encoding="utf-8"))
            panels += panels_of(report)
            machine = report["machine"]
            machines.add(f"{machine['processor']}, {machine['network threads']} threads")
    if not panels:
        sys.exit(f"there is nothing in {FOLDER}: run `make bench` first")
    FigureCanvasAgg(draw(panels, "; ".join(sorted(machines)))).print_png(str(OUTPUT))  # type: ignore[no-untyped-call]
    print(OUTPUT)


if __name__ == "__main__":
    main()
