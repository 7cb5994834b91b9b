from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load, save

from edgeflow.arrays import FloatArray
from edgeflow.errors import CheckpointError
from edgeflow.learning.likeness.likeness import Likeness
from edgeflow.learning.likeness.statistics import MANY, ImageStatistics, LikenessError

CHANNELS = 24


def kind(seed: int, count: int, *, spread: float = 0.3) -> list[FloatArray]:
    """Summaries of images of one kind: around a direction of its own."""
    drawn = np.random.default_rng(seed)
    centre = drawn.normal(size=CHANNELS)
    return [
        (centre + spread * drawn.normal(size=CHANNELS)).astype(np.float32) for _ in range(count)
    ]


def others(count: int = 40) -> list[FloatArray]:
    return [each for seed in range(100, 100 + count) for each in kind(seed, 1)]


def of(learnt: list[FloatArray], general: list[FloatArray]) -> Likeness:
    return Likeness.of(learnt, ImageStatistics.of(general))


def test_images_of_the_kind_are_accepted_and_others_are_not() -> None:
    accepted = []
    for seed in range(10):
        images = kind(seed, 40)
        likeness = of(images[:20], others())
        accepted += [likeness.accepts(each) for each in images[20:]]
        assert not any(likeness.accepts(each) for each in others())
        assert not any(likeness.accepts(each) for each in kind(seed + 10, 20))
    assert 0.8 < np.mean(accepted) < 0.95


def test_images_learnt_from_are_accepted_and_most_of_them_by_the_others() -> None:
    images = kind(1, 20)
    likeness = of(images, others())
    assert all(likeness.accepts(each) for each in images)
    alone = [of([*images[:n], *images[n + 1 :]], others()) for n in range(20)]
    assert sum(one.accepts(each) for one, each in zip(alone, images, strict=True)) >= 16


def test_the_scale_of_a_channel_does_not_matter() -> None:
    images, general = kind(1, 30), others()
    scale = np.geomspace(1e-3, 1e3, CHANNELS).astype(np.float32)
    plain = of(images[:20], general)
    scaled = of([each * scale for each in images[:20]], [each * scale for each in general])
    assert [scaled.distance(each * scale) for each in images] == pytest.approx(
        [plain.distance(each) for each in images], abs=1e-5
    )
    assert scaled.reach == pytest.approx(plain.reach, abs=1e-5)


def test_a_channel_that_never_varies_tells_nothing() -> None:
    images, general = kind(1, 20), others()
    for each in (*images, *general):
        each[0] = 5
    likeness = of(images, general)
    apart = images[0].copy()
    apart[0] = 900
    assert likeness.distance(apart) == likeness.distance(images[0])


def test_summaries_of_another_network_are_not_like_any() -> None:
    likeness = of(kind(1, 9), others())
    assert not likeness.accepts(np.zeros(CHANNELS + 1, dtype=np.float32))


def test_statistics_of_many_images_let_it_reach_further() -> None:
    images, general = kind(1, 20), others()
    few, many = of(images, general), of(images, general * MANY)
    alone = [of([*images[:n], *images[n + 1 :]], general) for n in range(20)]
    farthest = max(one.distance(each) for one, each in zip(alone, images, strict=True))
    assert few.reach < many.reach < farthest


def test_statistics_of_another_network_are_told() -> None:
    with pytest.raises(CheckpointError, match=r"24 channels.* has 25"):
        Likeness.of([np.zeros(CHANNELS + 1, dtype=np.float32)] * 3, ImageStatistics.of(others()))


@pytest.mark.parametrize(("learnt", "general"), [(1, 9), (0, 9), (9, 1)])
def test_one_image_tells_nothing(learnt: int, general: int) -> None:
    with pytest.raises(LikenessError, match="too few"):
        of(kind(1, learnt), others(general))


def test_it_is_read_as_it_was_written() -> None:
    likeness = of(kind(1, 9), others())
    read = Likeness.from_bytes(likeness.to_bytes())
    assert read.reach == pytest.approx(likeness.reach)
    for name in ("mean", "scale", "known"):
        assert np.array_equal(getattr(read, name), getattr(likeness, name))


@pytest.mark.parametrize(
    "change",
    [
        {"reach": np.array([np.nan], dtype=np.float32)},
        {"reach": np.zeros(2, dtype=np.float32)},
        {"known": np.zeros((0, CHANNELS), dtype=np.float32)},
        {"known": np.zeros((3, CHANNELS + 1), dtype=np.float32)},
        {"known": np.zeros((3, CHANNELS), dtype=np.int64)},
        {"mean": np.zeros((CHANNELS, 1), dtype=np.float32)},
        {"scale": -np.ones(CHANNELS, dtype=np.float32)},
        {"scale": None},
    ],
    ids=repr,
)
def test_damage_is_told(change: dict[str, FloatArray | None]) -> None:
    tensors = {**load(of(kind(1, 9), others()).to_bytes()), **change}
    data = save({name: value for name, value in tensors.items() if value is not None})
    with pytest.raises(LikenessError, match="cannot be read"):
        Likeness.from_bytes(data)


@pytest.mark.parametrize("data", [b"", b"none", b"\xff" * 64])
def test_what_is_no_file_of_it_is_told(data: bytes) -> None:
    with pytest.raises(LikenessError, match="cannot be read"):
        Likeness.from_bytes(data)
