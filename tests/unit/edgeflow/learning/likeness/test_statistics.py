from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from edgeflow.arrays import FloatArray
from edgeflow.checkpoints.checkpoint import Checkpoint, find, shipped_models
from edgeflow.checkpoints.manifest import StatisticsFile
from edgeflow.errors import CheckpointError
from edgeflow.learning.likeness.statistics import (
    MANY,
    ImageStatistics,
    LikenessError,
    shipped_statistics,
)

FILE = "some.statistics.safetensors"


def statistics() -> ImageStatistics:
    drawn = np.random.default_rng(1)
    return ImageStatistics.of([drawn.normal(2, 3, 8).astype(np.float32) for _ in range(400)])


def weights_with(folder: Path, data: bytes, *, pinned: bytes | None = None) -> Checkpoint:
    """Weights that have a file with statistics beside them."""
    (folder / FILE).write_bytes(data)
    digest = hashlib.sha256(data if pinned is None else pinned).hexdigest()
    file = StatisticsFile(file=FILE, sha256=digest, made_of="a test")
    base = find("edgeflow_lite")
    entry = base.entry.model_copy(update={"statistics": file})
    return replace(base, entry=entry, path=folder / "some.safetensors")


def test_they_say_where_summaries_lie_and_how_far_they_spread() -> None:
    found = statistics()
    assert found.mean == pytest.approx(np.full(8, 2), abs=0.5)
    assert 1 / found.scale == pytest.approx(np.full(8, 3), abs=0.4)
    assert found.images == 400


def test_they_are_read_as_they_were_written(tmp_path: Path) -> None:
    written = statistics()
    read = shipped_statistics(weights_with(tmp_path, written.to_bytes()))
    assert read is not None
    assert read.images == written.images
    assert np.array_equal(read.mean, written.mean)
    assert np.array_equal(read.scale, written.scale)


@pytest.mark.parametrize("weights", shipped_models(), ids=lambda each: each.name)
def test_the_shipped_weights_come_with_some(weights: Checkpoint) -> None:
    found = shipped_statistics(weights)
    assert found is not None
    assert found.images >= MANY


def test_weights_may_come_without(tmp_path: Path) -> None:
    base = weights_with(tmp_path, b"")
    bare = replace(base, entry=base.entry.model_copy(update={"statistics": None}))
    assert shipped_statistics(bare) is None


@pytest.mark.parametrize(
    "change",
    [
        {"mean": np.full(8, np.nan, dtype=np.float32)},
        {"mean": np.zeros(9, dtype=np.float32)},
        {"mean": np.zeros((8, 1), dtype=np.float32)},
        {"mean": np.zeros(8, dtype=np.int64)},
        {"scale": np.full(8, np.inf, dtype=np.float32)},
        {"scale": -np.ones(8, dtype=np.float32)},
        {"scale": np.ones(8, dtype=np.float64)},
        {"images": np.array([1], dtype=np.int64)},
        {"images": np.array([200.5], dtype=np.float32)},
        {"images": np.array([200, 200], dtype=np.int64)},
        {"images": None},
    ],
    ids=repr,
)
def test_damage_is_told(tmp_path: Path, change: dict[str, FloatArray | None]) -> None:
    tensors = {**load(statistics().to_bytes()), **change}
    data = save({name: value for name, value in tensors.items() if value is not None})
    with pytest.raises(CheckpointError, match="edgeflow_lite cannot be used") as told:
        shipped_statistics(weights_with(tmp_path, data))
    assert "make the statistics again" in told.value.hint


@pytest.mark.parametrize("data", [b"", b"none", b"\xff" * 64, b"\0" * 2_000_000])
def test_what_is_no_file_of_them_is_told(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(CheckpointError):
        shipped_statistics(weights_with(tmp_path, data))


def test_a_file_that_the_manifest_does_not_mean_is_told(tmp_path: Path) -> None:
    base = weights_with(tmp_path, statistics().to_bytes(), pinned=b"another one")
    with pytest.raises(CheckpointError, match=r"some\.statistics.* its manifest says"):
        shipped_statistics(base)
    (tmp_path / FILE).unlink()
    with pytest.raises(CheckpointError, match=r"some\.statistics.*No such file"):
        shipped_statistics(base)


def test_one_image_says_nothing() -> None:
    with pytest.raises(LikenessError, match="too few"):
        ImageStatistics.of([np.zeros(8, dtype=np.float32)])
