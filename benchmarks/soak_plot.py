"""The course of a soak: memory, open files, and how long each click waited, with its faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tests.faults.injectors import FAULTS


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw a report of :mod:`benchmarks.soak`."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    options = report["options"]
    faults = report["faults"]
    figure.suptitle(
        f"{options['annotators']} annotators; {len(faults)} faults of "
        f"{len({fault['name'] for fault in faults})} kinds, restarts in red; "
        f"{report['machine']['processor']}",
        fontsize="small",
    )
    restarts = {name for name, fault in FAULTS.items() if fault.restarts}
    memory, files, waits = figure.subplots(3, 1, sharex=True)
    times = [sample["at"] / 60 for sample in report["samples"]]
    memory.plot(times, [sample["memory_mb"] for sample in report["samples"]])
    memory.set_ylabel("PSS, MB")
    files.plot(times, [sample["descriptors"] for sample in report["samples"]])
    files.set_ylabel("open files")
    answers = report["answers"]
    waits.plot([at / 60 for at, _ in answers], [s * 1000 for _, s in answers], ".", markersize=2)
    waits.set(ylabel="ms to a right answer", yscale="log", xlabel="minutes")
    for axes in (memory, files, waits):
        if axes is not waits:
            axes.set_ylim(bottom=0)
        for fault in faults:
            colour = "tab:red" if fault["name"] in restarts else "tab:orange"
            axes.axvspan(fault["begun"] / 60, fault["over"] / 60, color=colour, alpha=0.25, lw=0)
    FigureCanvasAgg(figure).print_png(str(path))  # type: ignore[no-untyped-call]
