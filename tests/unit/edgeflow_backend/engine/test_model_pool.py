from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.errors import CheckpointError, LabelConfigError
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.quality import QUALITIES
from edgeflow_backend.engine import model_pool as models
from edgeflow_backend.engine.model_pool import ModelPool, model_name
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.samples import disk_image


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models that are loaded."""
    names: list[str] = []
    real = load_predictor

    def load(name: str, **kwargs: Any) -> Predictor:
        names.append(name)
        time.sleep(0.05)
        return real(name, **kwargs)

    monkeypatch.setattr(models, "load_predictor", load)
    return names


def pool(predictor: Predictor, folder: Path | None = None, **projects: str) -> ModelPool:
    """Models by project; a project ``p5`` stands for the id 5."""
    chosen = {project[1:]: name for project, name in projects.items()}
    settings = Settings(models_dir=str(folder) if folder else "", project_models=chosen)
    return ModelPool(settings, predictor)


def choose(models: ModelPool, project: str, hint: str | None) -> Predictor:
    return models.load(model_name(models._settings, project, hint))


@pytest.mark.parametrize("project", ["", "5", "nonsense"])
@pytest.mark.parametrize("hint", [None, "", DEFAULT_MODEL])
def test_unless_another_is_asked_for_the_default_model_answers(
    predictor: Predictor, loads: list[str], project: str, hint: str | None
) -> None:
    assert choose(pool(predictor), project, hint) is predictor
    assert loads == []


@pytest.mark.slow
def test_another_model_looks_as_often_as_the_default(models_dir: Path) -> None:
    default = load_predictor(device="cpu", quality=QUALITIES["best"])
    other = choose(pool(default, models_dir, p5="other"), "5", None)
    assert other.version.startswith("other-")
    assert other.quality == default.quality


@pytest.mark.slow
def test_the_setting_chooses_by_project(predictor: Predictor, models_dir: Path) -> None:
    chosen = pool(predictor, models_dir, p5="other", p6=DEFAULT_MODEL)
    assert choose(chosen, "5", None).version.startswith("other-")
    assert choose(chosen, "6", None) is predictor
    assert choose(chosen, "7", None) is predictor


def test_the_labelling_config_comes_before_the_setting(
    predictor: Predictor, models_dir: Path
) -> None:
    chosen = pool(predictor, models_dir, p5="nothing-like-this")
    assert choose(chosen, "5", "other").version.startswith("other-")
    assert choose(chosen, "5", DEFAULT_MODEL) is predictor


def test_another_model_sees_images_as_the_default_one_does(
    predictor: Predictor, models_dir: Path
) -> None:
    other = choose(pool(predictor, models_dir), "", "other")
    assert other.policy == predictor.policy
    assert other.runtime.device == predictor.runtime.device
    image = disk_image()
    assert (other.encode(image).overview == predictor.encode(image).overview).all()


def test_a_model_is_loaded_at_its_first_use_and_once(
    predictor: Predictor, models_dir: Path, loads: list[str]
) -> None:
    chosen = pool(predictor, models_dir, p5="other")
    assert loads == []
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: choose(chosen, "5", None), range(8)))
    assert loads == ["other"]
    assert all(one is found[0] for one in found)


@pytest.mark.parametrize("hint", ["zebra", "/etc/passwd", "../other", "other.safetensors", "~"])
def test_a_name_that_is_none_is_refused_with_the_names_there_are(
    predictor: Predictor, models_dir: Path, loads: list[str], hint: str
) -> None:
    with pytest.raises(LabelConfigError, match="no model named") as caught:
        choose(pool(predictor, models_dir), "5", hint)
    assert hint in caught.value.message
    assert "edgeflow_lite, edgeflow_lite_v2, other" in caught.value.hint
    assert loads == []


def test_a_labelling_config_cannot_open_a_file_of_its_choice(
    predictor: Predictor, models_dir: Path
) -> None:
    with pytest.raises(LabelConfigError):
        choose(pool(predictor), "5", str(models_dir / "other.safetensors"))


def test_a_long_name_does_not_make_a_long_message(predictor: Predictor) -> None:
    with pytest.raises(LabelConfigError) as caught:
        choose(pool(predictor), "5", "x" * 100_000)
    assert len(caught.value.message) < 300


@pytest.mark.slow
def test_damaged_weights_are_refused_and_can_be_put_right(
    predictor: Predictor, models_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(models_dir, folder)
    weights = folder / "other.safetensors"
    weights.write_bytes(b"damaged")
    chosen = pool(predictor, folder)
    with pytest.raises(CheckpointError, match="sha256"):
        choose(chosen, "5", "other")
    shutil.copy(models_dir / weights.name, weights)
    assert choose(chosen, "5", "other").version.startswith("other-")
