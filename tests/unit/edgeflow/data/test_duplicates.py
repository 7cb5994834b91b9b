from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from typer.testing import CliRunner

from edgeflow.cli import app
from edgeflow.data.duplicates import near_duplicates, thumbnail
from tests.training.shapes import write_shapes

RGB = npt.NDArray[np.uint8]


def scene(seed: int) -> RGB:
    """An image with structure at the size of thumbnails."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC))


def alike(image: RGB, other: RGB) -> bool:
    first, second = thumbnail(image)[None], thumbnail(other)[None]
    return bool(list(near_duplicates(["a"], first, ["b"], second)))


def compressed(image: RGB) -> RGB:
    _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 30])
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), dtype=np.uint8)


@pytest.mark.parametrize("seed", range(4))
def test_copies_are_found_in_other_sizes_mirrored_compressed_and_slightly_cropped(
    seed: int,
) -> None:
    image = scene(seed)
    smaller = np.asarray(cv2.resize(image, (131, 97), interpolation=cv2.INTER_AREA))
    darker = (image * 0.6 + 10).astype(np.uint8)
    for copy in (image, smaller, image[:, ::-1], darker, compressed(image), image[3:, 3:]):
        assert alike(np.ascontiguousarray(copy), image)


def test_other_images_and_flat_ones_are_not_alike() -> None:
    images = [scene(seed) for seed in range(30)]
    assert not any(alike(images[0], other) for other in images[1:])
    flat = np.full((50, 60, 3), 128, dtype=np.uint8)
    assert not alike(flat, flat)


def test_each_is_named_with_the_one_it_resembles_most() -> None:
    images = np.stack([thumbnail(scene(seed)) for seed in range(5)])
    found = list(near_duplicates(["x"], images[3:4], "abcde", images))
    assert [(each.name, each.other) for each in found] == [("x", "d")]
    assert found[0].correlation == pytest.approx(1, abs=1e-5)


def test_the_command_writes_an_exclude_file(tmp_path: Path) -> None:
    training = write_shapes(tmp_path / "training", 3, seed=1)
    benchmark = write_shapes(tmp_path / "benchmark", 2, seed=2)
    for folder, index in ((training, 1), (benchmark, 0)):
        Image.fromarray(scene(7)).save(folder / "images" / f"{index:03}.png")
        Image.fromarray(np.ones((240, 320), np.uint8)).save(folder / "masks" / f"{index:03}.png")
    output = tmp_path / "exclude.txt"
    arguments = ["--data", training, "--against", benchmark, "-o", output]
    result = CliRunner().invoke(app, ["near-duplicates", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    lines = [line.split("\t") for line in output.read_text().splitlines()[1:]]
    assert [(line[0], line[1]) for line in lines] == [("001", "benchmark/000")]


def test_a_dataset_is_counted_by_set(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "shapes", 3, seed=1)
    result = CliRunner().invoke(app, ["datasets", str(folder)])
    assert "all: 3 pictures, 6 objects" in result.output
    missing = CliRunner().invoke(app, ["datasets", str(tmp_path / "none")])
    assert missing.exit_code == 1
    assert "Traceback" not in missing.output
