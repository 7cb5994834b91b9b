"""One click on a scan's middle slice, carried through its pages as `edgeflow dicom` makes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset

from edgeflow.cli.image_output import encode_overlay
from edgeflow.geometry import ImagePoint
from edgeflow.images import decode_image
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.overlay import draw_overlay
from edgeflow.prompts.click import Click
from edgeflow.propagate.propagator import Propagator
from edgeflow.volumes.pictures import pictures as pages_of
from edgeflow.volumes.sources import open_volumes
from edgeflow.volumes.volume import Volume
from tests import pictures
from tests.unit.edgeflow.volumes.scans import Change, organ, scan, write_series

TAKES_PICTURES = pictures.wanted()
"""Asked for here, since unit tests see no settings of the environment."""


class Encoded:
    """Pages of a volume for the network."""

    def __init__(self, predictor: Predictor, pages: list[bytes]) -> None:
        self._predictor, self._pages = predictor, pages

    def __len__(self) -> int:
        return len(self._pages)

    def __getitem__(self, index: int) -> EncodedImage:
        return self._predictor.encode(decode_image(self._pages[index]))


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return load_predictor()


def monochrome1(dataset: FileDataset, page: int) -> None:
    del page
    dataset.PhotometricInterpretation = "MONOCHROME1"


@pytest.mark.slow
@pytest.mark.parametrize("change", [None, monochrome1])
def test_one_click_segments_an_organ_on_nine_of_ten_slices(
    change: Change | None,
    predictor: Predictor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_series(tmp_path, scan(12, 320), change)
    (volume,) = open_volumes([tmp_path])
    assert isinstance(volume, Volume)
    files = list(pages_of(volume, "own"))
    pages = Encoded(predictor, files)
    truth = organ(12, 320)
    middle = len(pages) // 2
    row, column = (int(each.mean()) for each in np.nonzero(truth[middle]))
    click = Click(ImagePoint(column, row), positive=True)
    masks = {middle: predictor.predict(pages[middle], [click]).patch.whole()}
    found = Propagator(predictor).propagate(pages, masks)
    masks |= {each.index: each.mask for each in found}
    good = sum(
        (mask & truth[index]).sum() / (mask | truth[index]).sum() >= 0.9
        for index, mask in masks.items()
    )
    assert good >= 0.9 * len(pages)
    if change is None and TAKES_PICTURES:
        monkeypatch.setenv(pictures.WANTED, "1")
        shown = [
            draw_overlay(
                decode_image(files[index]), masks[index], [click] if index == middle else []
            )
            for index in (0, 3, middle, 9, 11)
        ]
        pictures.keep(pictures.SERIES, *(encode_overlay(each, Path("a.png")) for each in shown))
