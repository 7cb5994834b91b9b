"""A library as bytes and back: lines of JSON behind a checksum, each checked before it is believed.

Never a pickle: whoever can write to the folder could run code with one.
"""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict, ValidationError

from edgeflow.errors import PromptError
from edgeflow.similar.descriptor import Descriptor
from edgeflow_backend.examples.library import Category, Example, Library, ReadTask

MAGIC = b"EdgeFlow examples 1 "
"""Kind of file; the number is the version of its layout."""


class SpoiledLibraryError(ValueError):
    """Bytes that are no library."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _ExampleRow(_Row):
    control: str
    labels: list[str]
    annotation: int
    object: str
    descriptor: str


class _TaskRow(_Row):
    id: int
    stamp: str
    model: str
    examples: list[_ExampleRow]


def pack(library: Library) -> bytes:
    """A library as bytes."""
    lines = b"".join(_task_row(task).model_dump_json().encode() + b"\n" for task in library.tasks)
    return MAGIC + hashlib.sha256(lines).hexdigest().encode() + b"\n" + lines


def unpack(data: bytes) -> Library:
    """What :func:`pack` made.

    Raises:
        SpoiledLibraryError: It made something else, or the bytes have changed since.
    """
    head, _, lines = data.partition(b"\n")
    if head != MAGIC + hashlib.sha256(lines).hexdigest().encode():
        raise SpoiledLibraryError("its checksum is another one")
    try:
        rows = [_TaskRow.model_validate_json(line) for line in lines.splitlines()]
        return Library(tuple(map(_task, rows)))
    except (ValidationError, PromptError) as error:
        raise SpoiledLibraryError("a line is not what it should be") from error


def _task_row(task: ReadTask) -> _TaskRow:
    examples = [
        _ExampleRow(
            control=example.category.control,
            labels=list(example.category.labels),
            annotation=example.annotation,
            object=example.object,
            descriptor=example.descriptor.to_json(),
        )
        for example in task.examples
    ]
    return _TaskRow(id=task.id, stamp=task.stamp, model=task.model, examples=examples)


def _task(row: _TaskRow) -> ReadTask:
    examples = tuple(
        Example(
            Category(each.control, tuple(each.labels)),
            each.annotation,
            each.object,
            Descriptor.from_json(each.descriptor),
        )
        for each in row.examples
    )
    return ReadTask(row.id, row.stamp, row.model, examples)
