"""Tar files of images and masks: one file to copy, read at random without being unpacked."""

from __future__ import annotations

import tarfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from edgeflow.data.base import DatasetError, Sample, set_of
from edgeflow.data.files import IMAGES, image_for
from edgeflow.data.label_maps import numbered
from edgeflow.data.listed import ListedDataset, check_name, count_and_first

MASK = ".png"


class Member(NamedTuple):
    """A file in a tar: bytes that can be read by themselves."""

    tar: Path
    offset: int
    length: int
    suffix: str


class Shard(NamedTuple):
    """A sample's image and mask."""

    image: Member
    mask: Member


class Shards(ListedDataset[Shard]):
    """``*.tar`` with pairs ``<set>/<id>.jpg`` and ``<set>/<id>.png``, named ``<set>/<id>``.

    Masks have one channel: 0 background or unlabelled, k object k; in 8 bits 255 is ignored.
    Several tars are one dataset, sorted by name, in their own order. Images may be of another
    format than JPEG; without a mask they are left out. Nothing is unpacked, and members' names are
    never used as paths.

    Args:
        root: Uncompressed tar, or folder of such tars.
        only: Sets to take; None takes all.
        without: Sets to leave out.

    Raises:
        DatasetError: A tar is damaged, compressed or has names that point outside of it; a mask has
            no image; two tars hold the same sample; there is no such set.
    """

    def __init__(
        self, root: Path, *, only: Collection[str] | None = None, without: Collection[str] = ()
    ) -> None:
        shards: dict[str, Shard] = {}
        for tar in _tars(root):
            pairs = _pairs(tar)
            if twice := shards.keys() & pairs.keys():
                raise DatasetError(
                    f"{tar}: {count_and_first(sorted(twice))} also in an earlier tar",
                    hint="remove one of the two from the folder",
                )
            shards |= pairs
        sets = {set_of(name) for name in shards}
        if unknown := sorted({*(only or ()), *without} - sets):
            raise DatasetError(
                f"{root}: no set {', '.join(unknown)}", hint=f"sets: {', '.join(sorted(sets))}"
            )
        chosen = (sets if only is None else set(only)) - set(without)
        super().__init__(
            root.stem if root.is_file() else root.name,
            {name: shard for name, shard in shards.items() if set_of(name) in chosen},
        )

    @classmethod
    def of_sets(cls, root: Path, sets: str | None) -> Shards:
        """Like the constructor, with sets as on a command line: ``a,b``, or ``-c,-d`` without."""
        words = [word.strip() for word in (sets or "").split(",") if word.strip()]
        only = [word for word in words if not word.startswith("-")]
        return cls(root, only=only or None, without=[w[1:] for w in words if w.startswith("-")])

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the path is a tar, or a folder with one."""
        if path.is_dir():
            return any(path.glob("*.tar"))
        return path.suffix.lower() == ".tar" and path.is_file()

    def _read(self, name: str, entry: Shard) -> Sample:
        where = f"{entry.mask.tar}, {name}"
        annotation = numbered(_read(entry.mask), f"{where}{MASK}")
        rgb = image_for(_read(entry.image), annotation.size, where, f"{name}{MASK}")
        file_name = name + entry.image.suffix
        return Sample(name, rgb, annotation.objects, annotation.ignore, file_name=file_name)


def _tars(root: Path) -> list[Path]:
    tars = [root] if root.is_file() else sorted(root.glob("*.tar"))
    if not tars:
        raise DatasetError(f"{root} holds no .tar", hint="see shards in docs/datasets.md")
    return tars


def _pairs(tar: Path) -> dict[str, Shard]:
    """A tar's samples; only the headers are read."""
    images: dict[str, Member] = {}
    masks: dict[str, Member] = {}
    for info in _headers(tar):
        path = PurePosixPath(info.name)
        if path.name.startswith("."):
            continue
        check_name(str(path), str(tar))
        suffix, name = path.suffix.lower(), str(path.with_suffix(""))
        table = masks if suffix == MASK else images
        if suffix not in IMAGES:
            continue
        if name in table:
            raise DatasetError(f"{tar}: {name} is in it twice", hint="make the tar again")
        table[name] = Member(tar, info.offset_data, info.size, path.suffix)
    if alone := [name for name in masks if name not in images]:
        raise DatasetError(
            f"{tar}: {count_and_first(alone)} masks without an image",
            hint="a sample is an image and a .png of the same name",
        )
    return {name: Shard(image, masks[name]) for name, image in images.items() if name in masks}


def _headers(tar: Path) -> list[tarfile.TarInfo]:
    try:
        end = tar.stat().st_size
        with tarfile.open(tar, "r:") as file:
            headers = [info for info in file if info.isreg() and not info.issparse()]
    except (tarfile.TarError, OSError, ValueError, OverflowError, RecursionError) as error:
        raise DatasetError(
            f"{tar} is not a readable tar: {error}",
            hint="copy it again; compressed tars must be uncompressed first",
        ) from error
    if any(info.size < 0 or info.offset_data + info.size > end for info in headers):
        raise DatasetError(f"{tar} ends too early", hint="copy it again")
    return headers


def _read(member: Member) -> bytes:
    try:
        with member.tar.open("rb") as file:
            file.seek(member.offset)
            return file.read(member.length)
    except OSError as error:
        raise DatasetError(
            f"cannot read {member.tar}: {error.strerror}", hint="check the path"
        ) from error
