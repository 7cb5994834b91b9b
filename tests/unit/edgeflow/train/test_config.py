from __future__ import annotations

from pathlib import Path

from edgeflow.train.config import Config


def test_a_run_may_be_made_longer_but_not_otherwise_changed() -> None:
    config = Config.model_validate(
        {
            "data": {"sources": [{"path": "images"}]},
            "output": {"folder": "run", "name": "mine"},
        }
    )

    def changed(section: str, **values: object) -> Config:
        part = getattr(config, section).model_copy(update=values)
        return config.model_copy(update={section: part})

    assert changed("schedule", steps=5, minutes=1.0, log_every=1).digest == config.digest
    assert changed("output", folder=Path("/elsewhere")).digest == config.digest
    assert changed("schedule", batch=5).digest != config.digest
    assert changed("optimiser", rate=1.0).digest != config.digest
