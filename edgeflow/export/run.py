"""An export: each image through every format, then the files of the whole."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath

from edgeflow.annotated import AnnotatedImage, digest_of
from edgeflow.data.base import DatasetError
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import EdgeFlowError, FileWriteError
from edgeflow.export.format import Format, Page, Plan
from edgeflow.export.journal import Entry, Journal
from edgeflow.export.names import Names
from edgeflow.export.output import File, Record
from edgeflow.export.pictures import Bring, Copy, copy_of
from edgeflow.export.splits import Splits
from edgeflow.files import UNFINISHED, replacing

SKIPPED = "objects without a label"

VERSION = 1
"""Changes when the same annotations give other files."""


class Export:
    """One export of annotated images, to one or several formats at once.

    Files are written whole, those of each image as soon as it is there; a run that was interrupted
    goes on where it stopped, and the same annotations give the same bytes.

    Args:
        targets: Formats by the folder that each is written to.
        plan: What holds for the whole.
        splits: Parts of the export.
        bring: What becomes of pictures.
    """

    def __init__(
        self, targets: Mapping[Path, Format], plan: Plan, splits: Splits, bring: Bring
    ) -> None:
        self._targets = [_Target(folder, each, plan, bring) for folder, each in targets.items()]
        self._plan, self._splits, self._names = plan, splits, Names()
        self._unlabelled = False
        self._keys: set[str] = set()

    def add(self, image: AnnotatedImage) -> Iterator[LeftOut]:
        """Write an image's files; yields what of it they do not hold, and of which format."""
        several = len(self._targets) > 1
        if self._plan.choices.unlabelled == "skip":
            labelled = tuple(each for each in image.objects if each.labels)
            yield from [LeftOut(SKIPPED)] * (len(image.objects) - len(labelled))
            if image.objects and not labelled:
                return  # trainers would take it for an image of background alone
            image = replace(image, objects=labelled)
        image = replace(image, key=self._own_key(image.key))
        name, suffix = self._names.of(image.file_name, image.key, image.annotation)
        try:
            page = Page(image, name, suffix, image.file_name, self._splits.of(image))
        except EdgeFlowError as error:
            yield _fault(image, error)
            return
        self._unlabelled |= any(each.label is None for each in image.objects)
        for target in self._targets:
            for each in target.add(page):
                yield each._replace(reason=f"{target.name}: {each.reason}") if several else each

    def _own_key(self, key: str) -> str:
        """The key, with a number behind it if an image before has it, as in merged exports."""
        own, number = key, 1
        while own in self._keys:
            number += 1
            own = f"{key}\n#{number}"
        self._keys.add(own)
        return own

    def finish(self) -> Iterator[Path]:
        """Write the files of the whole, and yield their paths."""
        classes = replace(self._plan.classes, unlabelled=self._unlabelled)
        plan = replace(self._plan, classes=classes)
        for target in self._targets:
            yield from target.finish(plan)


class _Target:
    """A format in its folder."""

    def __init__(self, folder: Path, format: Format, plan: Plan, bring: Bring) -> None:
        self.name = folder.name
        self._folder, self._format, self._plan = folder, format, plan
        self._bring = ("copy" if format.copies else "leave") if bring == "auto" else bring
        self._journal = Journal(folder)
        self._read: set[Path] = set()
        self._taken = {
            str(PurePosixPath(split, path)).casefold()  # in some formats each part is a folder
            for path in format.always
            for split in ("", *plan.splits)
        }
        choices = json.dumps(
            {
                "version": VERSION,
                "format": format.what,
                "pictures": self._bring,
                "classes": plan.classes.labels,
                "choices": asdict(plan.choices),
            }
        )
        self._choices = choices.encode("utf-8", "surrogatepass")

    def add(self, page: Page) -> Iterator[LeftOut]:
        """Write an image's files, unless they are there; yields what they do not hold."""
        if page.image.path is not None:
            self._read.add(page.image.path.resolve())
        digest = self._digest(page)
        entry = self._journal.recall(page.image.key, digest, self._taken)
        if entry is None:
            try:
                entry = self._write(page, digest)
            except FileWriteError:
                raise
            except EdgeFlowError as error:
                yield _fault(page.image, error)
                return
            self._journal.add(entry)
        self._taken.update(map(str.casefold, entry.files))
        yield from entry.left_out

    def _write(self, page: Page, digest: str) -> Entry:
        """Write an image's files.

        Raises:
            FileWriteError: A file cannot be written.
            EdgeFlowError: The image cannot be written in this format.
        """
        picture, left_out = None, []
        if self._bring != "leave" and self._format.pictures is not None:
            page = replace(page, picture_name=page.name + page.suffix)
            if page.image.picture is None:
                left_out.append(LeftOut("its picture is not at hand", page.image.file_name))
            else:
                picture = copy_of(page.image.picture)
                if picture.suffix is not None:
                    page = replace(page, picture_name=page.name + picture.suffix)
        files, record, more = self._format.image(page, self._plan)
        paths = [file.path for file in files]
        place = self._format.picture_path(page)
        there = picture is not None and _is(self._folder / place, picture.original)
        if picture is not None and (not there or self._journal.holds(place)):
            paths.append(place)
        if not self._taken.isdisjoint(map(str.casefold, paths)):
            raise DatasetError(
                f"a file of the name {page.name} is that of another image",
                hint="give one of the two pictures another name",
            )
        self._journal.claim(paths)
        for file in files:
            write_parts(self._folder / file.path, file)
        if picture is not None and not there:
            self._bring_picture(self._folder / place, picture)
        return Entry(page.image.key, digest, tuple(paths), record, (*left_out, *more))

    def _bring_picture(self, path: Path, picture: Copy) -> None:
        if self._bring == "link" and picture.original is not None:
            _link(path, picture.original)
        else:
            write_parts(path, File(path.name, picture.data))

    def _digest(self, page: Page) -> str:
        """Of all that an image's files depend on, 64 hex digits."""
        image = page.image
        picture = image.picture.stamp() if image.picture is not None else None
        objects = [(each.key, each.labels, digest_of(each.shape)) for each in image.objects]
        described = (
            image.key,
            image.file_name,
            image.size,
            picture,
            page.name,
            page.split,
            objects,
        )
        text = json.dumps(described).encode("utf-8", "surrogatepass")
        return hashlib.sha256(self._choices + text).hexdigest()

    def finish(self, plan: Plan) -> Iterator[Path]:
        """Write the files of the whole, and take away those that are out of date."""
        paths = []
        for file in self._format.whole(_Records(self._journal), plan):
            self._journal.claim([file.path])
            write_parts(self._folder / file.path, file)
            paths.append(file.path)
            yield self._folder / file.path
        self._journal.finish(paths, self._read)


class _Records:
    """The records of a journal, which can be read several times."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __iter__(self) -> Iterator[Record]:
        return self._journal.records()


def write_parts(path: Path, file: File) -> None:
    """Write a file whole, however large it is; a link is replaced, and its target left alone.

    Args:
        path: Where to.
        file: Its content, perhaps in parts.

    Raises:
        FileWriteError: It cannot be written.
    """
    try:
        with replacing(path) as stream:
            stream.writelines([file.data] if isinstance(file.data, bytes) else file.data)
    except OSError as error:
        raise FileWriteError(
            f"cannot write {path}: {error.strerror}", hint="check the folder and its permissions"
        ) from error


def _is(path: Path, original: Path | None) -> bool:
    """Whether a picture lies where it would be brought; a link to it is none."""
    return (
        original is not None and path.is_file() and os.path.samestat(path.lstat(), original.lstat())
    )


def _link(path: Path, original: Path) -> None:
    """A symbolic link in place of whatever is there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=UNFINISHED) as folder:
            part = Path(folder) / "link"
            part.symlink_to(original.resolve())
            part.replace(path)
    except OSError as error:
        raise FileWriteError(
            f"cannot link {path}: {error.strerror}", hint="choose --pictures copy"
        ) from error


def _fault(image: AnnotatedImage, error: EdgeFlowError) -> LeftOut:
    reason = f"{error.message}; {error.hint}" if error.hint else error.message
    return LeftOut(reason, image.file_name)
