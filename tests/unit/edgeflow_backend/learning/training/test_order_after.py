"""What the process of a training does once it has a verdict."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow_backend.learning.training import __main__ as module
from edgeflow_backend.learning.training.record import TrainingRecord
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings


class Orders:
    """Stands where tasks are put in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[ProjectRef, int, bool]] = []
        self.fails: Exception | None = None

    def __call__(
        self, _settings: Settings, project: ProjectRef, *, most: int, apply: bool, **_: Any
    ) -> Iterator[str]:
        self.asked.append((project, most, apply))
        yield "task 1: sure 0.5, kind 0"
        if self.fails is not None:
            raise self.fails


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Orders:
    orders = Orders()
    monkeypatch.setattr(module, "order_tasks", orders)
    monkeypatch.setattr(module, "give_way", lambda _threads: None)
    monkeypatch.setattr(module, "train", _trained)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["training", "", "5"])
    monkeypatch.setenv("EDGEFLOW_LEARN_DIR", str(tmp_path))
    return orders


def _trained(*_: object, **__: object) -> TrainingRecord:
    return TrainingRecord(state="refused", objects=30)


def test_tasks_are_not_put_in_order_unless_that_is_switched_on(orders: Orders) -> None:
    assert module.main() == 0
    assert orders.asked == []


def test_after_a_verdict_so_many_tasks_are_put_in_order(
    orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFLOW_LEARN_ORDER", "50")
    assert module.main() == 0
    assert orders.asked == [(ProjectRef("", "5"), 50, True)]


@pytest.mark.parametrize(
    "error", [LabelStudioError("gone", hint="start it"), ValueError("unexpected")]
)
def test_a_training_stands_whatever_comes_of_the_order(
    orders: Orders, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setenv("EDGEFLOW_LEARN_ORDER", "50")
    orders.fails = error
    assert module.main() == 0


def test_no_order_is_made_where_there_is_no_verdict(
    orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> TrainingRecord:
        raise EdgeFlowError("nothing is kept", hint="label")

    monkeypatch.setenv("EDGEFLOW_LEARN_ORDER", "50")
    monkeypatch.setattr(module, "train", fails)
    assert module.main() == 1
    assert orders.asked == []
