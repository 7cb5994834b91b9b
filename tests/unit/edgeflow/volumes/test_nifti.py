"""NIfTI files that are no stack of slices, lie about their size, or unpack without end."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from edgeflow.volumes import nifti
from edgeflow.volumes.nifti import read_nifti
from edgeflow.volumes.volume import VolumeError


def saved(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]], path: Path) -> Path:
    nibabel.save(nibabel.Nifti1Image(values, np.diag([1, 1, 3, 1])), path)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(VolumeError) as caught:
        read_nifti(path)
    assert caught.value.hint
    return caught.value.message


def test_a_volume_has_its_spacing_and_place(tmp_path: Path) -> None:
    values = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
    volume = read_nifti(saved(values[..., None], tmp_path / "a.nii"))
    assert (volume.size, len(volume.planes), volume.distance) == ((3, 2), 4, 3)
    # Stored to the right and forward, shown to the left and back: both are turned round.
    np.testing.assert_array_equal(volume.pages[1].values, values[::-1, ::-1, 1].T)


def test_several_times_are_refused(tmp_path: Path) -> None:
    path = saved(np.zeros((4, 4, 4, 2), dtype=np.uint8), tmp_path / "a.nii.gz")
    assert "an array of 4 axes" in refusal(path)


def test_claims_and_cuts_are_refused(tmp_path: Path) -> None:
    path = saved(np.zeros((4, 4, 4), dtype=np.uint8), tmp_path / "a.nii")
    data = bytearray(path.read_bytes())
    data[42:48] = np.array([30000, 30000, 30000], dtype="<i2").tobytes()
    path.write_bytes(bytes(data))
    assert "is cut off: its 30000×30000×30000 values" in refusal(path)
    path.write_bytes(bytes(data[:100]))
    assert "is not readable NIfTI" in refusal(path)
    packed = tmp_path / "b.nii.gz"
    packed.write_bytes(gzip.compress(bytes(data))[:-20])
    assert "is cut off or damaged" in refusal(packed)


def test_a_file_unpacks_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(bytes(4 << 20)))
    monkeypatch.setattr(nifti, "MAX_BYTES", 1 << 20)
    assert "holds more than 1 MiB" in refusal(path)
