from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from edgeflow.checkpoints.checkpoint import find
from edgeflow.geometry import ImagePoint
from edgeflow.inference.predictor import load_predictor
from edgeflow.nn.interface import NetworkOutput
from edgeflow.prompts.click import Click
from edgeflow.train.augment import Batch
from edgeflow.train.config import Config, Teacher
from edgeflow.train.errors import TrainingError
from edgeflow.train.teachers import Teachers
from edgeflow.train.trainer import make_trainer
from edgeflow.train.training_data import open_material
from tests.unit.edgeflow.train.small import ONE, make, run, small_config

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Path, list[str]]:
    config = small_config(tmp_path_factory.mktemp("training"), validate_every=3)
    said: list[str] = []
    return config, run(config, said.append), said


def test_a_run_leaves_weights_that_can_be_used_at_once(
    finished: tuple[Config, Path, list[str]],
) -> None:
    _, path, _ = finished
    predictor = load_predictor(str(path), device="cpu")
    image = predictor.encode(torch.zeros(40, 50, 3, dtype=torch.uint8).numpy())
    assert predictor.predict(image, [Click(ImagePoint(20, 20))]).mask.shape == (40, 50)


def test_the_manifest_says_what_they_are(finished: tuple[Config, Path, list[str]]) -> None:
    config, path, _ = finished
    entry = find(str(path)).entry
    assert entry.architecture == "edgeflow_hrnet"
    assert entry.options == config.model.options
    assert entry.metrics["held out"]["objects"] == 2
    assert "NoC@90" in entry.metrics["held out"]
    card = path.with_name("MODEL_CARD.md").read_text(encoding="utf-8")
    for needed in (entry.sha256, "4 steps of 3 views", "held out", "shapes"):
        assert needed in card


def test_samples_are_shown_before_it_starts_and_everything_is_logged(
    finished: tuple[Config, Path, list[str]],
) -> None:
    config, _, said = finished
    with Image.open(config.output.folder / "samples.png") as sheet:
        assert sheet.width > 300
    assert any("samples.png" in text for text in said)
    text = (config.output.folder / "log.jsonl").read_text()
    logged = [json.loads(line) for line in text.splitlines()]
    assert [each["step"] for each in logged if "loss" in each] == [1, 2, 3, 4]
    assert [each["step"] for each in logged if "validation/noc90" in each] == [3, 4]
    assert {"mask", "aux", "edge", "iou", "gradient", "seconds"} <= logged[0].keys()
    assert logged[0]["seconds"] > 0


def test_a_finished_run_is_not_run_again_but_may_be_made_longer(
    finished: tuple[Config, Path, list[str]],
) -> None:
    config, path, _ = finished
    before = path.read_bytes()
    said: list[str] = []
    assert run(config, said.append).read_bytes() == before
    assert "continuing at step 4" in said
    longer = config.model_copy(update={"schedule": config.schedule.model_copy(update={"steps": 5})})
    assert run(longer).read_bytes() != before


def test_the_time_may_end_it(tmp_path: Path) -> None:
    said: list[str] = []
    run(small_config(tmp_path, minutes=1e-6, validation_objects=0), said.append)
    assert sum(text.startswith("step ") for text in said) == 1


def test_every_architecture_can_be_trained(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    for architecture, options in (
        ("ritm_hrnet", config.model.options),
        ("edgeflow_hrnet", config.model.options),
        ("edgeflow_lite", {}),
    ):
        model = config.model.model_copy(update={"architecture": architecture, "options": options})
        figures = make(config.model_copy(update={"model": model})).step(0, 0.0)
        assert torch.isfinite(figures["loss"])
        assert ("edge" in figures) == (architecture != "ritm_hrnet")


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_step_changes_every_parameter_that_has_a_part_in_the_answer(
    tmp_path: Path, precision: str
) -> None:
    trainer = make(small_config(tmp_path, precision=precision))
    before = {name: p.detach().clone() for name, p in trainer.learner.network.named_parameters()}
    trainer.step(0, 0.0)
    trainer.step(1, 0.0)
    same = [
        name
        for name, parameter in trainer.learner.network.named_parameters()
        if torch.equal(parameter, before[name])
    ]
    # Stored but unused (FineNet), or without effect while there is one object (OCR's attention).
    assert all(".conv2" in name or ".bn2" in name or ".query." in name or ".key." in name
               for name in same), same  # fmt: skip


def test_frozen_norms_keep_their_statistics(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    frozen = config.optimiser.model_copy(update={"freeze_norms": True})
    for changed, options in ((True, config.optimiser), (False, frozen)):
        trainer = make(config.model_copy(update={"optimiser": options}))
        trainer.step(0, 0.0)
        mean = trainer.learner.network.get_buffer("backbone.bn1.running_mean")
        assert bool((mean != 0).any()) == changed


def test_views_that_are_learnt_from_one_after_the_other_teach_the_same(tmp_path: Path) -> None:
    config = small_config(tmp_path, precision="float32")
    frozen = config.optimiser.model_copy(update={"freeze_norms": True})
    trainers = []
    for at_once in (None, 2):
        schedule = config.schedule.model_copy(update={"at_once": at_once})
        torch.manual_seed(0)
        trainers.append(make(config.model_copy(update={"optimiser": frozen, "schedule": schedule})))
    whole, parted = (each.step(0, 0.0) for each in trainers)
    for name, figure in whole.items():
        torch.testing.assert_close(parted[name], figure, rtol=1e-3, atol=1e-5)


def test_a_teacher_pulls_the_answer_towards_its_own(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    teacher = Teacher(model="edgeflow_lite")
    taught = make(config.model_copy(update={"teacher": teacher}))
    figures = taught.step(0, 0.0)
    assert float(figures["teacher"]) > 0
    model = config.model.model_copy(update={"architecture": "ritm_hrnet"})
    with pytest.raises(TrainingError, match="feeds back"):
        make(config.model_copy(update={"teacher": teacher, "model": model}))


def test_drawings_and_what_was_taken_back_have_a_teacher_of_their_own() -> None:
    def teacher(logit: float) -> nn.Module:
        class Sure(nn.Module):
            def forward(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
                del prompt
                return NetworkOutput(*[torch.full_like(image[:, :1], logit)] * 4)

        return Sure()

    teachers = Teachers(teacher(9.0), teacher(-9.0), torch.tensor([False, True, False]))
    truth = torch.zeros(4, 1, 8, 8, dtype=torch.bool)
    batch = Batch(torch.zeros(4, 3, 8, 8), truth, ~truth, torch.tensor([2, 1, 0, 0]))
    void = torch.tensor([False, False, False, True])
    maps = torch.zeros(4, 3, 8, 8)
    assert teachers.masks(batch, maps, void).mean(dim=(1, 2, 3)).round().tolist() == [1, 0, 1, 0]
    assert teachers.masks(batch, maps, None).mean(dim=(1, 2, 3)).round().tolist() == [1, 0, 1, 1]


def test_a_loss_that_is_nan_ends_the_run_with_what_to_change(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=30)
    wild = config.optimiser.model_copy(update={"rate": 1e30, "clip": 1e30, "warm_up": 0})
    with pytest.raises(TrainingError, match="NaN") as caught:
        run(config.model_copy(update={"optimiser": wild}))
    assert "optimiser.rate" in caught.value.hint


def test_validation_images_are_never_trained_on(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    material = open_material(config.data, 100)
    held = set(material.held_out.sample_names)
    assert held
    assert not held & set(material.store.names)
    trainer = make_trainer(config, material, ONE)
    assert trainer.store.names == material.store.names
