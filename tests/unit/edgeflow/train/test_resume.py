from __future__ import annotations

from pathlib import Path

import pytest
import torch

from edgeflow.train.config import Config
from edgeflow.train.errors import TrainingError
from edgeflow.train.resume import Position, resume, save_progress
from edgeflow.train.trainer import Trainer
from tests.unit.edgeflow.train.small import make, small_config


def steps(trainer: Trainer, first: int, last: int) -> list[float]:
    return [float(trainer.step(number, number / 10)["loss"]) for number in range(first, last)]


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {
        **{f"network.{k}": v for k, v in trainer.learner.network.state_dict().items()},
        **{f"average.{k}": v for k, v in trainer.learner.average.state_dict().items()},
    }


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return small_config(tmp_path)


@pytest.mark.slow
def test_a_resumed_run_is_the_same_to_the_last_bit(config: Config, tmp_path: Path) -> None:
    torch.manual_seed(1)
    straight = make(config)
    torch.manual_seed(1)
    interrupted = make(config)
    losses = steps(straight, 0, 5)
    assert steps(interrupted, 0, 3) == losses[:3]
    save_progress(tmp_path / "c", interrupted.learner, Position(3, 7.5, config.digest))
    torch.manual_seed(99)  # a new process begins with other random parameters
    resumed = make(config)
    position = resume(tmp_path / "c", resumed.learner, config.digest)
    assert position == Position(3, 7.5, config.digest)
    assert steps(resumed, 3, 5) == losses[3:]
    expected, actual = weights(straight), weights(resumed)
    assert actual.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, actual[name]), name


@pytest.mark.slow
def test_the_last_two_checkpoints_are_kept_and_a_damaged_one_is_passed_over(
    config: Config, tmp_path: Path
) -> None:
    trainer = make(config)
    for step in (1, 2, 3):
        path = save_progress(tmp_path, trainer.learner, Position(step, 0.0, config.digest))
    assert [each.name for each in sorted(tmp_path.glob("step-*"))] == [
        "step-00000002.safetensors",
        "step-00000003.safetensors",
    ]
    path.write_bytes(path.read_bytes()[:1000])
    found = resume(tmp_path, trainer.learner, config.digest)
    assert found is not None
    assert found.step == 2


def test_half_written_files_are_not_looked_at(config: Config, tmp_path: Path) -> None:
    (tmp_path / "step-00000009.part").write_bytes(b"half")
    assert resume(tmp_path, make(config).learner, config.digest) is None


@pytest.mark.slow
def test_a_checkpoint_of_another_configuration_is_refused(config: Config, tmp_path: Path) -> None:
    trainer = make(config)
    save_progress(tmp_path, trainer.learner, Position(1, 0.0, "other"))
    with pytest.raises(TrainingError, match="another configuration") as caught:
        resume(tmp_path, trainer.learner, config.digest)
    assert "output.folder" in caught.value.hint
