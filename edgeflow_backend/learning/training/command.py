"""``edgeflow-backend learn train``: a training now, in this process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from edgeflow.learning.gate.comparison import Comparison
from edgeflow.learning.gate.verdict import Verdict
from edgeflow_backend.learning.training.process import give_way, train
from edgeflow_backend.learning.training.record import TrainingRecord
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.redact.texts import clean
from edgeflow_backend.settings import Settings


def train_now(settings: Settings, project: ProjectRef) -> Iterator[str]:
    """Train a project's version, and say what happens and what the gate found.

    Args:
        settings: The backend's.
        project: One of those in the settings.

    Raises:
        EdgeFlowError: See :func:`.train`.
    """
    give_way(settings.learn_threads)
    said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    ended: list[TrainingRecord | BaseException] = []

    def work() -> None:
        try:
            ended.append(train(settings, project, say=said.put))
        except BaseException as error:  # noqa: BLE001 - raised again below
            ended.append(error)
        said.put(None)

    threading.Thread(target=work, daemon=True).start()
    while (text := said.get()) is not None:
        yield f"  {clean(text)}"
    (end,) = ended
    if isinstance(end, BaseException):
        raise end
    yield f"project {project}: {end.state} in {end.seconds:.0f} s"
    if end.verdict is not None:
        yield from _lines(Verdict.from_json(end.verdict))


def _lines(verdict: Verdict) -> Iterator[str]:
    for reason in verdict.reasons:
        yield f"  {clean(reason)}"
    for tried in verdict.tried:
        yield (
            f"  {'taken' if tried.accepted else 'refused'}: a share of {tried.share:g} of what was "
            f"learnt, clicks saved {tried.saved:.1%}, p = {tried.p:.3f}, needed ≤ {tried.level:g}"
        )
    for what, each in (
        ("held-out objects, against the base weights", verdict.held_out),
        ("held-out objects, against what was served", verdict.served),
        ("general set, against the base weights", verdict.general),
    ):
        if each is not None:
            yield f"  {what}: {_figures(each)}"


def _figures(comparison: Comparison) -> str:
    clicks = ", ".join(
        f"{before:.2f} → {comparison.after.clicks[target]:.2f} clicks to {target} %"
        for target, before in comparison.before.clicks.items()
    )
    return f"{comparison.objects} objects, {clicks}; p = {comparison.p:.3f}"
