"""Files to volumes: order, what belongs together, what is told apart, what is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset

from edgeflow.data.left_out import LeftOut
from edgeflow.volumes.sources import open_volumes
from edgeflow.volumes.volume import Volume
from tests.unit.edgeflow.volumes.scans import scan, slice_of, uid, write_series


def opened(folder: Path) -> tuple[list[Volume], list[LeftOut]]:
    found = list(open_volumes([folder]))
    volumes = [each for each in found if isinstance(each, Volume)]
    return volumes, [each for each in found if isinstance(each, LeftOut)]


def pages_of(volume: Volume) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.stack([volume.pages[page].values for page in range(len(volume.planes))])


def test_slices_follow_each_other_along_their_normal(tmp_path: Path) -> None:
    def tilt(dataset: FileDataset, page: int) -> None:
        """Sagittal slices, of which the first has the highest x: the normal runs to -x."""
        dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, 1]
        dataset.ImagePositionPatient = [3.0 * page, -10, -20]

    write_series(tmp_path, scan(5, 16), tilt)
    ((volume,), left_out) = opened(tmp_path)
    assert left_out == []
    assert [plane.uid for plane in volume.planes] == [uid("A", page) for page in range(5)]
    np.testing.assert_array_equal(pages_of(volume), scan(5, 16))
    assert volume.affine is not None
    np.testing.assert_allclose(volume.affine @ [1, 2, 3, 1], [9, -10 + 0.8, -20 + 1.6, 1])


def test_series_of_one_folder_stay_apart_and_a_copy_counts_once(tmp_path: Path) -> None:
    write_series(tmp_path / "one", scan(3, 16))
    write_series(tmp_path / "copy", scan(3, 16))
    write_series(tmp_path / "two", scan(4, 16), series="B")
    volumes, left_out = opened(tmp_path)
    assert {volume.name: len(volume.planes) for volume in volumes} == {uid("A"): 3, uid("B"): 4}
    assert left_out == []


def test_a_localizer_in_a_series_becomes_a_volume_of_its_own(tmp_path: Path) -> None:
    write_series(tmp_path, scan(3, 16))
    localizer = slice_of(scan(1, 24)[0], 9, ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    localizer.save_as(tmp_path / "localizer", enforce_file_format=True)
    volumes, _ = opened(tmp_path)
    assert [len(volume.planes) for volume in volumes] == [3, 1]
    assert [volume.name for volume in volumes] == [f"{uid('A')}-1", f"{uid('A')}-2"]
    assert "differ in size, spacing or orientation" in volumes[0].notes[0]


def two_at_each_position(dataset: FileDataset, page: int) -> None:
    dataset.ImagePositionPatient = [0, 0, 5.0 * (page // 2)]


def test_two_slices_at_each_position_are_told_apart_by_what_differs(tmp_path: Path) -> None:
    def echoes(dataset: FileDataset, page: int) -> None:
        two_at_each_position(dataset, page)
        dataset.EchoNumbers = page % 2 + 1
        dataset.AcquisitionNumber = 1

    write_series(tmp_path, scan(6, 16), echoes, Modality="MR")
    volumes, left_out = opened(tmp_path)
    assert left_out == []
    pages = sorted(tuple(plane.uid for plane in volume.planes) for volume in volumes)
    assert pages == sorted(tuple(uid("A", page) for page in range(e, 6, 2)) for e in (0, 1))


def test_two_slices_at_each_position_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path, scan(6, 16), two_at_each_position)
    volumes, left_out = opened(tmp_path)
    assert volumes == []
    assert "several lie at the same position, and nothing" in left_out[0].reason


def test_two_different_files_with_one_uid_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path / "one", scan(2, 16))
    write_series(tmp_path / "two", scan(2, 16) + np.int16(1))
    volumes, left_out = opened(tmp_path)
    assert volumes == []
    assert left_out[0].reason == "two different files have one SOPInstanceUID"


def without_position(dataset: FileDataset, page: int) -> None:
    del dataset.ImagePositionPatient
    dataset.InstanceNumber = 10 - page


def test_without_positions_numbers_put_pages_in_order_and_it_is_said(tmp_path: Path) -> None:
    write_series(tmp_path, scan(4, 16), without_position)
    ((volume,), _) = opened(tmp_path)
    assert [plane.uid for plane in volume.planes] == [uid("A", page) for page in (3, 2, 1, 0)]
    assert "in the order of their numbers" in volume.notes[0]
    assert volume.affine is None


def test_without_positions_and_numbers_there_is_no_order(tmp_path: Path) -> None:
    def bare(dataset: FileDataset, page: int) -> None:
        without_position(dataset, page)
        del dataset.InstanceNumber

    write_series(tmp_path, scan(4, 16), bare)
    volumes, left_out = opened(tmp_path)
    assert volumes == []
    assert "does not put them in order" in left_out[0].reason


def test_uneven_distances_and_tall_pixels_are_said(tmp_path: Path) -> None:
    def gap(dataset: FileDataset, page: int) -> None:
        dataset.ImagePositionPatient = [0, 0, 5.0 * page + 3 * (page > 1)]

    write_series(tmp_path, scan(4, 16), gap, PixelSpacing=[2, 0.8])
    ((volume,), _) = opened(tmp_path)
    assert volume.affine is None
    assert "not evenly apart" in volume.notes[0]
    assert "2.5 times as high as wide" in volume.notes[1]
    assert volume.size == (16, 16)


@pytest.mark.parametrize("modality", ["SEG", "SR", "RTSTRUCT"])
def test_objects_without_pictures_are_counted(modality: str, tmp_path: Path) -> None:
    write_series(tmp_path, scan(1, 16), Modality=modality)
    volumes, left_out = opened(tmp_path)
    assert volumes == []
    assert left_out == [LeftOut(f"{modality} objects, which hold no pictures")]
