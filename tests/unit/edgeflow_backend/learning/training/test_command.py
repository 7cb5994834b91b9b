from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edgeflow_backend.learning.store import StoreError
from edgeflow_backend.learning.training import command as module
from edgeflow_backend.learning.training import run
from edgeflow_backend.learning.training.command import train_now
from edgeflow_backend.learning.training.process import train
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.learning.learning import REF
from tests.unit.edgeflow_backend.learning.training.projects import (
    Learner,
    label,
    making,
    networks,
)


@pytest.fixture
def settings(
    learning_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> Settings:
    def quick(*arguments: Any, **options: Any) -> object:
        return train(*arguments, make=making(Learner()), **options)

    monkeypatch.setattr(module, "train", quick)
    monkeypatch.setattr(module, "give_way", lambda _threads: None)
    monkeypatch.setattr(run, "predictor_of", networks())
    monkeypatch.setattr(run, "start_runtime", lambda *_, **__: None)
    return learning_settings()


def test_it_says_what_happens_and_what_the_gate_found(settings: Settings) -> None:
    label(settings, 30)
    lines = list(train_now(settings, REF))
    assert any("pictures clicked" in line for line in lines)
    assert any(line.startswith("project 5: accepted in") for line in lines)
    assert any("held-out objects, against the base weights" in line for line in lines)
    assert any("→ 1.00 clicks to 85 %" in line for line in lines)


def test_a_refusal_says_why(settings: Settings) -> None:
    label(settings, 5)
    lines = list(train_now(settings, REF))
    assert lines[-2].startswith("project 5: refused")
    assert "too few to judge by" in lines[-1]


def test_an_error_is_raised_where_it_is_waited_for(settings: Settings) -> None:
    with pytest.raises(StoreError, match="nothing is kept"):
        list(train_now(settings, REF))
