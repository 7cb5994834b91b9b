"""Stores the masks of an annotation's prompts in Label Studio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow_backend.repair.found import Found
from edgeflow_backend.repair.replay import Replayed

Form = Literal["predictions", "annotations"]
"""What masks are stored as."""


class NotStoredError(EdgeFlowError):
    """Somebody else's work would be overwritten."""

    code = "not_stored"


def check_untouched(found: Found) -> None:
    """Check that nobody works on an annotation now.

    A draft holds changes that are not submitted; submitting them later would undo the repair.

    Raises:
        NotStoredError: Somebody has unsaved changes in the task.
    """
    if found.task.get("draft_exists") or found.task.get("drafts"):
        raise NotStoredError(
            "somebody has a draft in this task",
            hint="have it submitted or discarded, or repair with --as predictions",
        )


def store_prediction(api: LabelStudioAPI, found: Found, replayed: Replayed) -> None:
    """Store the masks as a prediction, beside what people did.

    Raises:
        LabelStudioError: Label Studio does not take it.
    """
    answers = replayed.answers
    api.create_prediction(
        int(found.task["id"]),
        replayed.masks,
        model_version=answers[0].model_version,
        score=sum(answer.score for answer in answers) / len(answers),
    )


def store_annotation(api: LabelStudioAPI, found: Found, replayed: Replayed) -> None:
    """Put the masks into the annotation, in the place of the prompts.

    Raises:
        NotStoredError: The annotation is not the one that was read any more.
        LabelStudioError: Label Studio does not take it.
    """
    number = int(found.annotation["id"])
    if api.annotation(number).get("updated_at") != found.annotation.get("updated_at"):
        raise NotStoredError(
            "somebody has changed the annotation meanwhile", hint="run the repair again"
        )
    api.update_annotation(number, {"result": replayed.result})


STORE: dict[Form, Callable[[LabelStudioAPI, Found, Replayed], None]] = {
    "predictions": store_prediction,
    "annotations": store_annotation,
}
"""What stores masks, by what they are stored as."""
