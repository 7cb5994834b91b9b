"""Small files that would be minutes of work, or gigabytes, end in a sentence within bounds."""

from __future__ import annotations

import io
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit

from edgeflow.volumes.dicom import decoder
from edgeflow.volumes.dicom.frames import frames_of
from edgeflow.volumes.dicom.pixels import DicomPages
from edgeflow.volumes.volume import VolumeError
from tests.unit.edgeflow.volumes.dicom.test_encodings import BYTES, GREY, wrapped
from tests.unit.edgeflow.volumes.scans import slice_of

pytestmark = pytest.mark.slow

SIDE = 4000
KILOBYTE = 1 << 10


def jpeg2000(tile: int, *, style: bytes, components: int = 1) -> bytes:
    """A codestream of SIDE×SIDE pixels of which a few bytes of the first tile are there.

    Args:
        tile: Side of a tile.
        style: What follows the number of levels: code blocks, transform, precincts.
        components: How many it claims.
    """
    sizes = struct.pack(">HIIIIIIIIH", 0, SIDE, SIDE, 0, 0, tile, tile, 0, 0, components) + bytes(
        (15, 1, 1)
    ) * min(components, 16384)
    levels = 0
    coding = bytes((len(style) > 4, 0)) + struct.pack(">HBB", 1, 0, levels) + style
    steps = bytes((0x40, 0x48))
    part = b"\xff\x90" + struct.pack(">HHIBB", 10, 0, 14 + 9, 0, 1) + b"\xff\x93" + bytes(9)
    segments = ((b"\xff\x51", sizes), (b"\xff\x52", coding), (b"\xff\x5c", steps))
    head = b"".join(mark + struct.pack(">H", 2 + len(body)) + body for mark, body in segments)
    return b"\xff\x4f" + head + part + b"\xff\xd9"


def many_scans() -> bytes:
    """A progressive JPEG of SIDE×SIDE pixels that are gone over a thousand times."""
    buffer = io.BytesIO()
    Image.new("L", (SIDE, SIDE)).save(buffer, "JPEG", progressive=True)
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x01\x05\x65\x00"
    return buffer.getvalue()[:-2] + 1000 * scan + b"\xff\xd9"


BLOCKS = bytes((2, 2, 0, 1))
"""Code blocks of 16×16, reversible."""


def written(data: bytes, path: Path) -> DicomPages:
    claim = slice_of(GREY, 0, Rows=SIDE, Columns=SIDE, PixelRepresentation=0)
    wrapped(claim, data, JPEG2000Lossless)(path)
    return DicomPages(tuple(frames_of(path)))


def peak_of_children() -> int:
    """Most memory that a child of this process has or had, kibibytes."""
    found = [0]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            said = dict(line.split(":\t", 1) for line in status.read_text().splitlines())
        except (OSError, ValueError):
            continue
        if "edgeflow.volumes.dicom.child" in (status.parent / "cmdline").read_text():
            found.append(int(said["VmHWM"].split()[0]))
    return max(found)


@pytest.mark.parametrize(
    "data",
    [
        jpeg2000(SIDE, style=bytes((2, 2, 0, 1, 0x00))),  # a precinct for each pixel
        jpeg2000(16, style=BLOCKS, components=16384),
        jpeg2000(16, style=BLOCKS),
    ],
    ids=["precincts", "components", "tiles"],
)
def test_a_kilobyte_takes_no_gigabytes(data: bytes, tmp_path: Path) -> None:
    pages = written(data, tmp_path / "a.dcm")
    with pytest.raises(VolumeError, match="is damaged, or of a rare kind of JPEG 2000"):
        pages[0]
    assert peak_of_children() < 1200 * KILOBYTE


def test_what_takes_too_long_is_ended_and_the_next_page_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "CPU_S", 1)
    monkeypatch.setattr(decoder, "VALUES_A_SECOND", 1 << 40)
    tags = BYTES | {"Rows": SIDE, "Columns": SIDE}
    wrapped(slice_of(GREY, 0, **tags), many_scans(), JPEGBaseline8Bit)(tmp_path / "a.dcm")
    sound = slice_of(GREY, 1)
    sound.compress(JPEG2000Lossless)
    sound.save_as(tmp_path / "b.dcm", enforce_file_format=True)
    pages = DicomPages((*frames_of(tmp_path / "a.dcm"), *frames_of(tmp_path / "b.dcm")))
    begun = time.monotonic()
    with pytest.raises(VolumeError, match="takes more time than pictures of its size do"):
        pages[0]
    assert time.monotonic() - begun < 60
    np.testing.assert_array_equal(pages[1].values, GREY)


def test_sequences_in_sequences_end_in_a_sentence(tmp_path: Path) -> None:
    group = Dataset()
    dataset = slice_of(GREY, 0, SharedFunctionalGroupsSequence=[group])
    dataset.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    item, sequence = b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\x00\x52\x29\x92SQ\0\0\xff\xff\xff\xff"
    data = (tmp_path / "a.dcm").read_bytes()
    at = data.index(b"\x00\x52\x29\x92")
    (tmp_path / "a.dcm").write_bytes(data[:at] + (sequence + item) * 20_000)
    with pytest.raises(VolumeError, match="is damaged"):
        frames_of(tmp_path / "a.dcm")
