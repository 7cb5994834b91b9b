"""A video taken apart, and one click carried through its frames: what the documentation shows."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from typer.testing import CliRunner

from edgeflow.arrays import BoolMask
from edgeflow.cli import app
from edgeflow.cli.image_output import encode_overlay
from edgeflow.geometry import ImagePoint
from edgeflow.images import decode_image
from edgeflow.overlay import draw_overlay
from edgeflow.prompts.click import Click
from tests import pictures
from tests.unit.edgeflow.samples import PHOTOS

TAKES_PICTURES = pictures.wanted()
"""Asked for here, since unit tests see no settings of the environment."""

COUNT, WIDTH, HEIGHT = 20, 288, 224
COIN = (60, 146)
"""Where a coin is on the first frame, x and y."""

SHOWN = (0, 6, 13, 19)


def view(number: int) -> npt.NDArray[np.float64]:
    """From the photograph to a frame: the camera moves, turns and comes nearer."""
    turned = cv2.getRotationMatrix2D((150, 170), -1.5 * number, 1 + 0.015 * number)
    return np.add(turned, [[0, 0, 3.0 * number - 48], [0, 0, -1.5 * number - 39]])


def moved(mask: BoolMask, number: int) -> BoolMask:
    """A mask of the first frame on another one."""
    whole = [np.vstack((view(each), [0, 0, 1])) for each in (0, number)]
    way = (whole[1] @ np.linalg.inv(whole[0]))[:2]
    carried = cv2.warpAffine(mask.astype(np.uint8), way, (WIDTH, HEIGHT))
    return np.asarray(carried > 0)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "walk.mp4"
    photo = cv2.imread(str(PHOTOS / "coins.jpg"))
    assert photo is not None
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (WIDTH, HEIGHT))
    for number in range(COUNT):
        writer.write(cv2.warpAffine(photo, view(number), (WIDTH, HEIGHT)))
    writer.release()
    return path


@pytest.mark.slow
def test_a_click_on_a_coin_of_the_first_frame_finds_it_on_all(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk, masks = tmp_path / "walk", tmp_path / "masks"
    for arguments in (
        ("frames", video, walk, "--label", "Coin"),
        ("propagate", walk, "--click", "{},{}".format(*COIN), "-o", masks),
    ):
        result = CliRunner().invoke(app, [*map(str, arguments)])
        assert result.exit_code == 0, result.output
    assert f"1 object on {COUNT} of {COUNT} frames" in result.output
    found = []
    for number in range(COUNT):
        with Image.open(masks / f"frame-{number:06}.png") as image:
            found.append(np.asarray(image) > 0)
        truth = moved(found[0], number)
        assert (found[-1] & truth).sum() >= 0.85 * (found[-1] | truth).sum()
    if TAKES_PICTURES:
        monkeypatch.setenv(pictures.WANTED, "1")
        shown = []
        for number in SHOWN:
            frame = decode_image((walk / f"frame-{number:06}.jpg").read_bytes())
            clicks = [] if number else [Click(ImagePoint(*COIN))]
            shown.append(encode_overlay(draw_overlay(frame, found[number], clicks), Path("a.png")))
        pictures.keep(pictures.FRAMES, *shown)
