"""Files and folders to volumes. A format is a row of :data:`READERS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeflow.data.left_out import LeftOut
from edgeflow.volumes.dicom.files import is_dicom
from edgeflow.volumes.dicom.frames import Frame, NoPicturesError, frames_of
from edgeflow.volumes.dicom.series import volumes_of
from edgeflow.volumes.nifti import is_nifti, read_nifti
from edgeflow.volumes.volume import Volume, VolumeError

MAX_FILES = 100_000


@dataclass(frozen=True)
class Reader:
    """A format that volumes are read from.

    Attributes:
        name: What people call it.
        takes: Whether a file is of it, quickly.
        read: Volumes of all such files, and what is left out.
    """

    name: str
    takes: Callable[[Path], bool]
    read: Callable[[Sequence[Path]], Iterator[Volume | LeftOut]]


def _read_dicom(paths: Sequence[Path]) -> Iterator[Volume | LeftOut]:
    frames: list[Frame] = []
    for path in paths:
        try:
            frames += frames_of(path)
        except NoPicturesError as error:
            yield LeftOut(error.message)
        except VolumeError as error:
            yield LeftOut(error.message.removeprefix(f"{path} "), path.name)
    yield from volumes_of(frames)


def _read_nifti(paths: Sequence[Path]) -> Iterator[Volume | LeftOut]:
    known: set[str] = set()
    for path in paths:
        try:
            volume = read_nifti(path)
        except VolumeError as error:
            yield LeftOut(error.message.removeprefix(f"{path} "), path.name)
            continue
        if volume.name not in known:
            known.add(volume.name)
            yield volume


READERS = (
    Reader("NIfTI", is_nifti, _read_nifti),
    Reader("DICOM", is_dicom, _read_dicom),
)


def open_volumes(sources: Iterable[Path]) -> Iterator[Volume | LeftOut]:
    """The volumes in files and folders, subfolders included, in no order that people should use.

    Args:
        sources: Files and folders.

    Raises:
        VolumeError: There is no such path, or a file that was named is of no format.
    """
    taken: dict[str, list[Path]] = {reader.name: [] for reader in READERS}
    for source in sources:
        if not source.exists():
            raise VolumeError(f"there is no {source}", hint="check the path")
        for path in _files(source):
            kind = next((each.name for each in READERS if _takes(each, path)), None)
            if kind is not None:
                taken[kind].append(path)
            elif path == source:
                raise VolumeError(
                    f"{path} is neither DICOM nor NIfTI",
                    hint="name a .dcm or .nii.gz file, or a folder with such files",
                )
            else:
                yield LeftOut("files that are neither DICOM nor NIfTI")
    for reader in READERS:
        if paths := taken[reader.name]:
            yield from reader.read(paths)


def _files(source: Path) -> Iterator[Path]:
    if not source.is_dir():
        yield source
        return
    for count, path in enumerate(sorted(each for each in source.rglob("*") if each.is_file())):
        if count >= MAX_FILES:
            raise VolumeError(
                f"{source} holds more than {MAX_FILES} files", hint="name its folders one by one"
            )
        yield path


def _takes(reader: Reader, path: Path) -> bool:
    try:
        return reader.takes(path)
    except OSError:
        return False
