from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from edgeflow_backend.examples.codec import MAGIC, SpoiledLibraryError, pack, unpack
from edgeflow_backend.examples.library import Category, Library
from tests.unit.edgeflow_backend.examples.library_samples import NUT, ROOMY, example, read

LIBRARY = (
    Library()
    .add(read(1, example("a"), example("ünï \n", NUT)), ROOMY)
    .add(read(2), ROOMY)
    .add(read(3, example("c", Category("brush", ()))), ROOMY)
)


def sealed(*lines: object) -> bytes:
    """A file with a right checksum."""
    text = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return MAGIC + hashlib.sha256(text).hexdigest().encode() + b"\n" + text


def row(**changes: object) -> dict[str, object]:
    return {**json.loads(pack(LIBRARY).splitlines()[1]), **changes}


def test_what_is_packed_comes_back() -> None:
    again = unpack(pack(LIBRARY))
    assert [task.id for task in again.tasks] == [3, 2, 1]
    for one, other in zip(LIBRARY.tasks, again.tasks, strict=True):
        assert (one.stamp, one.model) == (other.stamp, other.model)
        for mine, theirs in zip(one.examples, other.examples, strict=True):
            assert mine.category == theirs.category
            assert (mine.annotation, mine.object) == (theirs.annotation, theirs.object)
            assert np.allclose(mine.descriptor.inside, theirs.descriptor.inside, atol=1e-4)
            assert mine.descriptor.area == theirs.descriptor.area
    assert pack(again) == pack(LIBRARY)
    assert unpack(pack(Library())) == Library()


def test_no_changed_or_missing_byte_is_believed() -> None:
    data = pack(LIBRARY)
    for at in range(0, len(data), 7):
        with pytest.raises(SpoiledLibraryError):
            unpack(data[:at])
        with pytest.raises(SpoiledLibraryError):
            unpack(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    with pytest.raises(SpoiledLibraryError):
        unpack(b"")


@pytest.mark.parametrize(
    "line",
    [
        5,
        {},
        [],
        {"id": 1},
        row(id="1"),
        row(model=None),
        row(more=1),
        row(examples=[{}]),
        row(examples=[{**row()["examples"][0], "descriptor": "[]"}]),  # type: ignore[index]
        row(examples=[{**row()["examples"][0], "descriptor": "{}"}]),  # type: ignore[index]
        row(examples=[{**row()["examples"][0], "labels": "coin"}]),  # type: ignore[index]
    ],
)
def test_a_line_of_another_form_is_refused_whatever_its_checksum(line: object) -> None:
    assert len(unpack(sealed(row())).tasks) == 1
    with pytest.raises(SpoiledLibraryError):
        unpack(sealed(row(), line))


def test_a_descriptor_must_have_a_size() -> None:
    broken = json.loads(row()["examples"][0]["descriptor"])  # type: ignore[index]
    for area in (0, -1):
        text = json.dumps({**broken, "area": area})
        with pytest.raises(SpoiledLibraryError):
            unpack(sealed(row(examples=[{**row()["examples"][0], "descriptor": text}])))  # type: ignore[index]
