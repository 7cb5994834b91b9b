"""A run that takes seconds: tiny images, the smallest network of the paper's architecture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from edgeflow.train.config import Config
from edgeflow.train.distributed import Processes
from edgeflow.train.trainer import Trainer, make_trainer, train
from edgeflow.train.training_data import open_material
from tests.training.shapes import write_shapes

ONE = Processes(0, 1, torch.device("cpu"))
TINY = {"width": 2, "ocr_width": 4}
"""Options of the smallest EdgeFlow on HRNet."""


def small_config(tmp_path: Path, **schedule: object) -> Config:
    """A configuration; its images are written on first use."""
    data = tmp_path / "shapes"
    if not data.is_dir():
        write_shapes(data, 12, seed=1)
    return Config.model_validate(
        {
            "model": {"architecture": "edgeflow_hrnet", "options": TINY},
            "data": {"sources": [{"path": data}], "side": 64, "held_out": 0.3},
            "views": {"side": 64},
            "optimiser": {"warm_up": 2},
            "schedule": {
                "steps": 4,
                "batch": 3,
                "save_every": 2,
                "log_every": 1,
                "validate_every": 0,
                "validation_objects": 2,
                "validation_side": 64,
                **schedule,
            },
            "output": {"folder": tmp_path / "run", "name": "tiny"},
        }
    )


def make(config: Config) -> Trainer:
    return make_trainer(config, open_material(config.data, 0), ONE)


def run(config: Config, say: Callable[[str], None] = lambda _text: None) -> Path:
    material = open_material(config.data, config.schedule.validation_objects)
    path = train(config, material, ONE, say)
    assert path is not None
    return path
