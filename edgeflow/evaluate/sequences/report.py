"""An HTML page: figures of each set, and the worst sequences with what was carried."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from edgeflow.evaluate.figures import STYLE, interval, plain, table
from edgeflow.evaluate.sequences.results import SequenceEvaluation, write_json
from edgeflow.evaluate.sequences.sequence import PageSequence
from edgeflow.evaluate.sequences.sheet import contact_sheet, worst_of
from edgeflow.evaluate.sequences.summary import DISTANCES, Figures

PAGE, WORST_CASES, RESULTS = REPORT_FILES = ("index.html", "worst.png", "results.json")
"""Files of a report's folder."""

WORST = 12


def write_report(
    folder: Path, evaluation: SequenceEvaluation, sequences: Mapping[str, PageSequence]
) -> Path:
    """Write ``index.html``, ``worst.png`` and ``results.json``.

    Args:
        folder: Output folder, made if it does not exist; files of these names are replaced.
        evaluation: Evaluation to show.
        sequences: Its sequences by name, for the pictures.

    Returns:
        The page's path.

    Raises:
        OSError: The folder cannot be written to.
        DatasetError: A page cannot be read any more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    worst = worst_of(evaluation.trials, WORST)
    Image.fromarray(contact_sheet(worst, sequences)).save(folder / WORST_CASES)
    write_json(evaluation, folder / RESULTS)
    page = folder / PAGE
    page.write_text(_page(evaluation, len(worst)), encoding="utf-8")
    return page


def _page(evaluation: SequenceEvaluation, worst: int) -> str:
    conditions = evaluation.conditions
    title = html.escape(f"{evaluation.model} on {evaluation.name}: one mask, all pages")
    machine = "; ".join(f"{key}: {value}" for key, value in evaluation.machine.items())
    given = (
        "the annotated mask of the first page"
        if conditions.first == "truth"
        else f"the first page's mask, clicked to an IoU of {conditions.target:g}"
    )
    figures = evaluation.figures()
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>{STYLE}</style>
<h1>{title}</h1>
<p>Carried on: {given}. Means over sequences; in brackets: 95 % bootstrap intervals. All pages are
looked at for the IoU; answered are those before the score falls below {conditions.least_score:g}.
Zoom policy {html.escape(evaluation.zoom)}.</p>
<h2>IoU so many pages behind the first</h2>
{_ious(figures)}
<h2>What is answered</h2>
{_answered(figures, conditions.target)}
{_clicks(figures, conditions.target)}
<h2>The worst {worst} sequences</h2>
<p>White: the object on the first page. Green: what was carried. Yellow: the truth.</p>
<p><img src="{WORST_CASES}" alt="contact sheet of the worst sequences"></p>
<p><small>{html.escape(machine)}</small></p>
</html>
"""


def _ious(figures: Mapping[str, Figures]) -> str:
    rows = [
        (
            html.escape(name),
            str(each.sequences),
            *(f"{interval(mean)} ({count})" for count, mean in each.iou.values()),
        )
        for name, each in figures.items()
    ]
    return table(("set", "sequences", *(f"+{distance}" for distance in DISTANCES)), rows)


def _answered(figures: Mapping[str, Figures], target: float) -> str:
    rows = [
        (
            html.escape(name),
            f"{each.answered.share:.0%}",
            plain(each.answered.iou),
            plain(each.answered.good),
            plain(each.answered.error),
            f"{each.milliseconds:.0f}",
        )
        for name, each in figures.items()
    ]
    head = (
        "set", "pages answered", "their IoU", f"share of IoU ≥ {target:g}", "score off by",
        "ms a page",
    )  # fmt: skip
    return table(head, rows)


def _clicks(figures: Mapping[str, Figures], target: float) -> str:
    rows = [
        (
            html.escape(name), str(clicks.pages), interval(clicks.clicked, 1),
            interval(clicks.carried, 1), f"{clicks.share:.2f}", interval(clicks.corrected, 1),
            str(clicks.unreached),
        )
        for name, each in figures.items()
        if (clicks := each.clicks)
    ]  # fmt: skip
    if not rows:
        return ""
    head = (
        "set", "pages", "each page clicked", "carried and corrected", "share", "pages corrected",
        "pages never reached",
    )  # fmt: skip
    return f"""<h2>Clicks for a whole sequence</h2>
<p>Until each page has an IoU of {target:g}: each page clicked by itself, or the first one clicked,
its mask carried on, and the worst page corrected until all are good.</p>
{table(head, rows)}"""
