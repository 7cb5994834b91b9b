"""What a process shares with others of its recent answers and signs."""

from __future__ import annotations

import uuid

from edgeflow_backend.objects.recent_answers import AnswerStore
from edgeflow_backend.objects.shared.answers import SharedAnswers
from edgeflow_backend.objects.shared.place_signs import SignStore
from edgeflow_backend.objects.shared.signs import SharedSigns
from edgeflow_backend.shared.tier import Tier


def share(tier: Tier | None) -> tuple[AnswerStore | None, SignStore | None]:
    """The stores behind a process's memory, under a name that no other process has.

    Args:
        tier: Where they are; None for nowhere, and so no stores.
    """
    if tier is None:
        return None, None
    writer = uuid.uuid4().hex
    return SharedAnswers(tier, writer), SharedSigns(tier, writer)
