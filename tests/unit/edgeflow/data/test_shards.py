from __future__ import annotations

import io
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.shards import Shards
from tests.unit.edgeflow.data.making import (
    FIRST,
    IGNORED,
    SECOND,
    TWO_OBJECTS,
    encoded,
    image_file,
    objects,
    pixels,
    put,
    put_tar,
)

MASK = encoded(TWO_OBJECTS)


def pair(name: str, mask: bytes = MASK) -> list[tuple[str, bytes]]:
    return [(f"{name}.jpg", image_file()), (f"{name}.png", mask)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put_tar(tmp_path / "train_01.tar", pair("cats/9") + pair("dogs/1"))
    regions = encoded(np.arange(24, dtype=np.uint16).reshape(4, 6) + 250)
    put_tar(tmp_path / "train_00.tar", pair("cats/2") + pair("cats/1") + pair("maps/x.y", regions))
    put(tmp_path, {"README.md": b""})
    return tmp_path


def test_several_tars_are_one_dataset_in_their_own_order(root: Path) -> None:
    assert Shards.recognise(root)
    dataset = Shards(root)
    assert dataset.sample_names == ("cats/2", "cats/1", "maps/x.y", "cats/9", "dogs/1")
    assert objects(dataset, 4) == [FIRST, SECOND]
    assert pixels(dataset[4].ignore) == IGNORED


def test_maps_of_16_bits_have_a_region_a_value(root: Path) -> None:
    sample = Shards(root)[2]
    assert len(sample.objects) == 24
    assert sample.ignore is None
    assert pixels(sample.objects[5]) == [(0, 5)]


def test_one_tar_is_a_dataset_too(root: Path) -> None:
    assert Shards.recognise(root / "train_01.tar")
    dataset = Shards(root / "train_01.tar")
    assert (dataset.name, dataset.sample_names) == ("train_01", ("cats/9", "dogs/1"))


def test_sets_are_chosen_and_left_out(root: Path) -> None:
    assert Shards(root, only=["dogs", "maps"]).sample_names == ("maps/x.y", "dogs/1")
    assert Shards(root, without=["cats"]).sample_names == ("maps/x.y", "dogs/1")
    assert Shards.of_sets(root, "dogs, maps").sample_names == ("maps/x.y", "dogs/1")
    assert Shards.of_sets(root, "-cats,-maps").sample_names == ("dogs/1",)
    assert len(Shards.of_sets(root, None)) == 5


def test_unknown_sets_are_refused_with_those_that_are_there(root: Path) -> None:
    for choice in ("dogs,birds", "-birds"):
        with pytest.raises(DatasetError, match="no set birds") as caught:
            Shards.of_sets(root, choice)
        assert caught.value.hint == "sets: cats, dogs, maps"
    with pytest.raises(DatasetError, match="no annotated image"):
        Shards(root, only=["dogs"], without=["dogs"])


def test_threads_may_read_at_once(root: Path) -> None:
    dataset = Shards(root, without=["maps"])
    with ThreadPoolExecutor(8) as pool:
        samples = list(pool.map(dataset.__getitem__, list(range(4)) * 50))
    assert all([pixels(mask) for mask in sample.objects] == [FIRST, SECOND] for sample in samples)


def test_nothing_is_unpacked(root: Path) -> None:
    before = sorted(root.rglob("*"))
    for index in range(5):
        Shards(root)[index]
    assert sorted(root.rglob("*")) == before


def test_images_alone_and_other_files_are_left_out(tmp_path: Path) -> None:
    more = [("a/2.jpg", image_file()), ("a/._1.png", b""), ("a/notes.txt", b"")]
    assert Shards(put_tar(tmp_path / "x.tar", pair("a/1") + more)).sample_names == ("a/1",)


def test_masks_alone_are_refused(tmp_path: Path) -> None:
    tar = put_tar(tmp_path / "x.tar", [*pair("a/1"), ("a/2.png", MASK)])
    with pytest.raises(DatasetError, match=r"1 \(a/2\) masks without an image"):
        Shards(tar)


def test_a_sample_in_two_tars_is_refused(root: Path) -> None:
    put_tar(root / "train_02.tar", pair("dogs/1"))
    with pytest.raises(DatasetError, match=r"train_02\.tar: 1 \(dogs/1\) also in an earlier tar"):
        Shards(root)


def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    for more in (pair("a/1"), [("a/1.webp", image_file())], [("./a/1.png", MASK)]):
        with pytest.raises(DatasetError, match="a/1 is in it twice"):
            Shards(put_tar(tmp_path / "x.tar", pair("a/1") + more))


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "a/../../evil", "a\\evil", "a\nb"])
def test_names_that_could_leave_a_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="not a name for an image"):
        Shards(put_tar(tmp_path / "x.tar", pair(name)))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_links_and_devices_are_not_followed(tmp_path: Path, kind: bytes) -> None:
    (tmp_path / "secret.png").write_bytes(MASK)
    with tarfile.open(tmp_path / "x.tar", "w") as file:
        for name, data in pair("a/1"):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
        for name in ("a/2.jpg", "a/2.png"):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, str(tmp_path / "secret.png")
            file.addfile(info)
    assert Shards(tmp_path / "x.tar").sample_names == ("a/1",)


@pytest.mark.parametrize("kept", [600, 1500, -2000])
def test_a_tar_that_ends_too_early_is_refused(tmp_path: Path, kept: int) -> None:
    tar = put_tar(tmp_path / "x.tar", [*pair("a/1"), ("a/2.jpg", image_file(400, 400))])
    whole = tar.read_bytes().rstrip(b"\0")
    tar.write_bytes(whole[:kept])
    with pytest.raises(DatasetError, match=r"x\.tar"):
        Shards(tar)


@pytest.mark.parametrize("data", [b"", b"no tar" * 300, bytes(10240)])
def test_what_is_no_tar_is_refused(tmp_path: Path, data: bytes) -> None:
    put(tmp_path, {"x.tar": data})
    with pytest.raises(DatasetError, match="x"):
        Shards(tmp_path / "x.tar")


def test_compressed_tars_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w:gz") as file:
        file.addfile(tarfile.TarInfo("a"))
    with pytest.raises(DatasetError, match="not a readable tar") as caught:
        Shards(tmp_path / "x.tar")
    assert "compressed" in caught.value.hint


def test_broken_members_are_named_when_they_are_read(tmp_path: Path) -> None:
    tar = put_tar(
        tmp_path / "x.tar", pair("a/1", b"broken") + pair("a/2", encoded(TWO_OBJECTS[:3]))
    )
    dataset = Shards(tar)
    with pytest.raises(DatasetError, match=r"x\.tar, a/1\.png is not a readable mask"):
        dataset[0]
    with pytest.raises(DatasetError, match=r"a/2 has 6×4 pixels, a/2\.png has 6×3"):
        dataset[1]
    tar.unlink()
    with pytest.raises(DatasetError, match="cannot read"):
        dataset[0]


def test_long_names_are_read_whole(tmp_path: Path) -> None:
    name = "set/" + "ü" * 150
    assert Shards(put_tar(tmp_path / "x.tar", pair(name))).sample_names == (name,)
