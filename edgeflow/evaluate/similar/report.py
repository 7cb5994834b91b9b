"""An HTML page: figures of each set, and the worst images with what was suggested."""

from __future__ import annotations

import html
from pathlib import Path

from PIL import Image

from edgeflow.data.base import Dataset
from edgeflow.evaluate.figures import STYLE, html_interval, number, table
from edgeflow.evaluate.similar.results import SimilarEvaluation, write_json
from edgeflow.evaluate.similar.sheet import contact_sheet, worst_of
from edgeflow.evaluate.similar.summary import (
    ACTION_SECONDS,
    Alone,
    Group,
    Several,
    by_set,
    summarise,
)

PAGE, WORST_CASES, RESULTS = REPORT_FILES = ("index.html", "worst.png", "results.json")
"""Files of a report's folder."""

WORST = 24


def write_report(folder: Path, evaluation: SimilarEvaluation, dataset: Dataset) -> Path:
    """Write ``index.html``, ``worst.png`` and ``results.json``.

    Args:
        folder: Output folder, made if it does not exist; files of these names are replaced.
        evaluation: Evaluation to show.
        dataset: Dataset of the evaluation, for the images.

    Returns:
        The page's path.

    Raises:
        OSError: The folder cannot be written to.
        DatasetError: An image cannot be read any more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    worst = worst_of(evaluation.trials, WORST)
    if worst:
        Image.fromarray(contact_sheet(worst, dataset)).save(folder / WORST_CASES)
    else:
        (folder / WORST_CASES).unlink(missing_ok=True)
    write_json(evaluation, folder / RESULTS)
    page = folder / PAGE
    page.write_text(_page(evaluation, len(worst)), encoding="utf-8")
    return page


def groups_of(evaluation: SimilarEvaluation) -> dict[str, Group]:
    """The figures of each set by its name, and of all sets together if there are several."""
    groups = by_set(evaluation.trials)
    if len(groups) == 1:
        return {name or evaluation.dataset: group for name, group in groups.items()}
    return {**groups, "all": summarise(evaluation.trials)}


def _page(evaluation: SimilarEvaluation, worst: int) -> str:
    conditions = evaluation.conditions
    choice, options = conditions.choice, conditions.options
    title = html.escape(f"{evaluation.model} on {evaluation.dataset}: one example, and its like")
    machine = "; ".join(f"{key}: {value}" for key, value in evaluation.machine.items())
    given = "the mask of one click" if conditions.example == "click" else "the annotated mask"
    groups = groups_of(evaluation)
    several = {name: each.several for name, each in groups.items() if each.several}
    alone = {name: each.alone for name, each in groups.items() if each.alone}
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>{STYLE}</style>
<h1>{title}</h1>
<p>Images with at least {choice.least_objects} objects of a kind; up to {choice.examples} of them
are examples, one at a time, as {given}. At most {options.limit} suggestions in
{options.seconds:g} s. Means over images; in brackets: 95 % bootstrap intervals over images.
Zoom policy {html.escape(evaluation.zoom)}.</p>
{_several_tables(several)}
{_alone_table(alone)}
{_worst(worst)}
<p><small>{html.escape(machine)}</small></p>
</html>
"""


def _several_tables(groups: dict[str, Several]) -> str:
    if not groups:
        return ""
    head = (
        "set", "images", "examples", "others", "IoU from", "precision", "recall", "F1",
        "precision, all together", "recall, all together",
    )  # fmt: skip
    rows = [
        (
            html.escape(name), str(each.images), str(each.trials), number(each.objects, 1),
            f".{percent}", *map(html_interval, (
                accuracy.precision, accuracy.recall, accuracy.f1,
                accuracy.all_precision, accuracy.all_recall,
            )),
        )
        for name, each in groups.items()
        for percent, accuracy in each.accuracy.items()
    ]  # fmt: skip
    more = [
        (
            html.escape(name), html_interval(each.iou), html_interval(each.example_iou),
            html_interval(each.seconds), html_interval(each.steps, 0),
            f"{each.cut_short} of {each.trials}",
        )
        for name, each in groups.items()
    ]  # fmt: skip
    return (
        f"<h2>What is found</h2>{table(head, rows)}"
        + table(("set", "IoU of hits", "IoU of examples", "seconds", "steps", "cut short"), more)
        + _savings_table(groups)
    )


def _savings_table(groups: dict[str, Several]) -> str:
    rows = [
        (
            html.escape(name), html_interval(savings.clicked, 1), kind,
            html_interval(saving.actions, 1), html_interval(saving.share),
            html_interval(saving.time),
        )
        for name, each in groups.items()
        if (savings := each.savings)
        for kind, saving in (
            ("as found", savings.as_found), ("corrected to .8", savings.corrected),
        )
    ]  # fmt: skip
    if not rows:
        return ""
    head = ("set", "clicking each", "suggestions", "actions with them", "share", "share of time")
    return f"""<h2>What it saves</h2>
<p>Clicking each object takes its clicks to an IoU of .8. With suggestions: one action for the
example, one to accept, one for each wrong suggestion, and the clicks on each object that was not
found; suggestions are right from an IoU of .5 on, and either left so or corrected to .8 by clicks.
For the time, an action takes {ACTION_SECONDS:g} s, and waiting is added.</p>{table(head, rows)}"""


def _alone_table(groups: dict[str, Alone]) -> str:
    if not groups:
        return ""
    rows = [
        (
            html.escape(name), str(each.images), html_interval(each.false), str(each.with_any),
            html_interval(each.seconds),
        )
        for name, each in groups.items()
    ]  # fmt: skip
    head = ("set", "images", "suggestions an image", "images with any", "seconds")
    return (
        "<h2>Images with one object</h2>"
        f"<p>There is nothing to find: each suggestion is wrong.</p>{table(head, rows)}"
    )


def _worst(count: int) -> str:
    if not count:
        return ""
    return f"""<h2>The worst {count} images</h2>
<p>White: the example. Green: right suggestions. Red: wrong ones. Yellow: missed objects.</p>
<p><img src="{WORST_CASES}" alt="contact sheet of the worst images"></p>"""
