"""The real benchmarks and training images."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from edgeflow.data.base import Sample
from edgeflow.data.opening import open_dataset
from tests.data_folder import DATA, needs_data

IMAGES = {
    "voc_aug_animals": 1074, "ecssd": 898, "coco_mini": 420, "bsds500": 377, "ccp_clothing": 419,
    "weizmann_horses": 302, "human290": 274, "via_food": 140, "labelmefacade": 115,
    "isaid_tiles": 110, "feral_cats": 91, "dsb2018_nuclei": 95, "via_bottles": 75, "camvid": 36,
    "football": 37, "cwfid_plants": 35, "via_fifa2016": 17,
}  # fmt: skip
"""As their README counts them."""


def check(sample: Sample) -> int:
    """Whether it keeps to what a sample is; how many objects it has."""
    height, width, channels = sample.rgb.shape
    assert channels == 3
    assert sample.rgb.dtype == np.uint8
    for mask in sample.objects:
        assert mask.shape == (height, width)
        assert mask.dtype == np.bool_
        assert mask.any()
    if sample.ignore is not None:
        assert sample.ignore.shape == (height, width)
        assert not any((sample.ignore & mask).any() for mask in sample.objects)
    return len(sample.objects)


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize(("name", "count", "ignoring"), [("grabcut", 50, 42), ("berkeley", 100, 0)])
def test_the_benchmarks_have_an_object_an_image(name: str, count: int, ignoring: int) -> None:
    dataset = open_dataset(DATA / "benchmarks" / name)
    samples = [dataset[index] for index in range(len(dataset))]
    assert [check(sample) for sample in samples] == [1] * count
    assert sum(sample.ignore is not None for sample in samples) == ignoring


@needs_data
@pytest.mark.slow
def test_the_training_images_are_all_readable() -> None:
    dataset = open_dataset(DATA / "train")
    sets = [name.split("/")[0] for name in dataset.sample_names]
    assert {each: sets.count(each) for each in set(sets)} == IMAGES
    assert len(dataset) == 4515
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda index: check(dataset[index]), range(len(dataset))))
    without = [name for name, n in zip(dataset.sample_names, counts, strict=True) if not n]
    assert without == ["ccp_clothing/0536"]  # its mask is black
    assert sum(counts) == 28690  # counted once by comparing each mask's values
