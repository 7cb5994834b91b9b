"""Which of a project's tasks are looked at, and the version that their places are stored as."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.ordering import Head, task_heads
from edgeflow.label_studio.api.records import MLBackend, Project

UNTITLED = "EdgeFlow"
"""Where no ML backend is connected; `connect` gives one this title."""


@dataclass(frozen=True)
class Chosen:
    """Tasks to look at.

    Attributes:
        tasks: Those without annotations, and those that have had a place before.
        left: How many more there are without annotations.
    """

    tasks: tuple[Head, ...]
    left: int


def version_of(project: Project, backends: Sequence[MLBackend]) -> str:
    """Model version of the predictions that hold places.

    It is the title of the project's ML backend. Then Label Studio orders by these predictions, and
    shows annotators those that the backend itself makes, as ever: a project whose model version is
    a backend's title shows what that backend answers, and the title names no prediction of its own.

    Args:
        project: The project.
        backends: Its ML backends.
    """
    titles = [each.title for each in backends if each.title]
    if project.model_version in titles:
        return project.model_version
    interactive = [each.title for each in backends if each.is_interactive and each.title]
    return next(iter([*interactive, *titles, UNTITLED]))


def choose_tasks(api: LabelStudioAPI, project: int, version: str, most: int) -> Chosen:
    """Which tasks are looked at.

    Of many without annotations it is some that follow from their ids alone, so that each call looks
    at those of the last one, and at new ones in the place of those that are labelled by now.
    Annotated ones that have a place keep it: Label Studio counts an annotator's tasks of each kind.

    Args:
        api: The project's Label Studio.
        project: Its id.
        version: Model version of the predictions that hold places.
        most: Tasks without annotations, at most.

    Raises:
        LabelStudioError: There is no answer, or not the expected one.
    """
    heads = list(task_heads(api, project, version))
    waiting = [head for head in heads if not head.annotated]
    done = [head for head in heads if head.annotated and head.placed]
    waiting.sort(key=lambda head: _rank(head.id))
    return Chosen((*waiting[:most], *done), len(waiting[most:]))


def _rank(task: int) -> bytes:
    return hashlib.sha256(f"order {task}".encode()).digest()
