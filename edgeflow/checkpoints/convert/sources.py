"""Opening of foreign weights: one file, a static export's two, a zip or a folder of those."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edgeflow.arrays import FloatArray
from edgeflow.checkpoints.convert.archive import (
    ZIP_ERRORS,
    Member,
    damaged_zip,
    members_of_folder,
    members_of_zip,
    open_zip,
    read_file,
)
from edgeflow.checkpoints.convert.kinds import (
    FORMATS,
    Kind,
    kind_of,
    promised_by,
    refuse_by_names,
)
from edgeflow.checkpoints.convert.paddle_params import read_pdparams
from edgeflow.checkpoints.convert.paddle_static import read_static
from edgeflow.checkpoints.convert.recognise import rename_static
from edgeflow.checkpoints.convert.state_dict import with_our_names
from edgeflow.checkpoints.convert.torch_file import (
    PICKLE,
    read_old_checkpoint,
    read_safetensors,
    read_zipped_checkpoint,
)
from edgeflow.errors import ConversionError

NESTED = 2
"""How deep a zip may lie in a zip: a PyTorch checkpoint, which is one, in an archive."""


@dataclass(frozen=True)
class Source:
    """Foreign weights under EdgeFlow's tensor names.

    Attributes:
        tensors: float32 arrays by name.
        name: Name of the file that they came from.
        sha256: Digest of the file that holds the parameters, or of the zip, in hex.
    """

    tensors: Mapping[str, FloatArray]
    name: str
    sha256: str


def open_source(path: Path) -> Source:
    """Read weights of any supported format.

    Raises:
        ConversionError: The format is unknown or not supported, or the file is damaged or hostile.
    """
    if path.is_dir():
        member, tensors = _open_members(members_of_folder(path), str(path), NESTED)
        return _source(tensors, member.name, member.read())
    if not path.is_file():
        raise ConversionError(f"there is no {path}", hint="check the path")
    data = read_file(path)
    kind = kind_of(path.name, data)
    if kind in (Kind.PROGRAM, Kind.PARAMETERS):
        member, tensors = _open_pair(_with_partner(path), str(path.parent))
        return _source(tensors, member.name, member.read())
    return _source(_read(path.name, kind, data, NESTED), path.name, data)


def _source(tensors: Mapping[str, FloatArray], name: str, data: bytes) -> Source:
    return Source(tensors, name, hashlib.sha256(data).hexdigest())


def _read(name: str, kind: Kind, data: bytes, depth: int) -> Mapping[str, FloatArray]:
    """Tensors of one file that needs no other."""
    if kind is Kind.ZIP:
        return _read_zip(name, data, depth)
    if kind is Kind.PICKLE:
        return with_our_names(read_pdparams(data))
    if kind is Kind.SAFETENSORS:
        return with_our_names(read_safetensors(data))
    return with_our_names(read_old_checkpoint(data))


def _read_zip(name: str, data: bytes, depth: int) -> Mapping[str, FloatArray]:
    if depth == 0:
        raise ConversionError(f"{name} is a zip in a zip in a zip", hint="unpack the outer ones")
    with open_zip(data) as archive:
        members = members_of_zip(archive)
        pickles = [each.name for each in members if PurePosixPath(each.name).name == PICKLE]
        programs = [each for each in members if PurePosixPath(each.name).name == "constants.pkl"]
        try:
            if len(pickles) == 1 and not programs:
                return with_our_names(read_zipped_checkpoint(archive, pickles[0]))
            return _open_members(members, name, depth)[1]
        except ZIP_ERRORS as error:
            raise damaged_zip(error) from error


def _open_members(
    members: Sequence[Member], where: str, depth: int
) -> tuple[Member, Mapping[str, FloatArray]]:
    """The one model among the files of a zip or folder, and the file that holds its parameters.

    Paddle's files count first: PyTorch's and safetensors beside them may be what they became.
    """
    promised = [(each, promised_by(each.name)) for each in members]
    dynamic = [each for each, kind in promised if kind is Kind.PICKLE]
    static = [each for each, kind in promised if kind in (Kind.PROGRAM, Kind.PARAMETERS)]
    static = [each for each in static if not _is_json(each.name) or _is_program(each)]
    if static and not dynamic:
        return _open_pair(static, where)
    if not dynamic:
        refuse_by_names(where, [each.name for each in members])
    others = [each for each, kind in promised if kind in (Kind.TORCH, Kind.SAFETENSORS, Kind.ZIP)]
    files = [*dynamic, *static] or others
    if len(files) != 1:
        raise ConversionError(
            f"{where} holds {len(files)} weights files instead of one model",
            hint="unpack it, if it is packed, and give the path of one of them"
            if files
            else f"supported: {FORMATS}",
        )
    data = files[0].read()
    kind = kind_of(files[0].name, data)
    return files[0], _read(files[0].name, kind, data, depth - 1)


def _open_pair(members: Sequence[Member], where: str) -> tuple[Member, Mapping[str, FloatArray]]:
    """A static export, and the file that holds its parameters."""
    programs = [each for each in members if promised_by(each.name) is Kind.PROGRAM]
    older = [each for each in programs if not _is_json(each.name)]
    programs = older or programs  # a JSON beside a .pdmodel is not its program
    parameters = [each for each in members if promised_by(each.name) is Kind.PARAMETERS]
    for found, what in (
        (programs, ".pdmodel, .json or __model__"),
        (parameters, ".pdiparams or __params__"),
    ):
        if len(found) != 1:
            count = f"there are {len(found)}" if found else "there is no"
            raise ConversionError(
                f"{count} {what} in {where}",
                hint="a static export is two files, its program and its parameters, in one folder; "
                "of several, give the path of the program",
            )
    tensors = rename_static(read_static(programs[0].read(), parameters[0].read()))
    return parameters[0], tensors


def _with_partner(path: Path) -> list[Member]:
    """One file of an export, and the other: that of the same name, or the only ones beside it."""
    own = promised_by(path.name)
    beside = [
        each
        for each in members_of_folder(path.parent)
        if promised_by(each.name) in (Kind.PROGRAM, Kind.PARAMETERS)
        and promised_by(each.name) is not own
        and (not _is_json(each.name) or _is_program(each))
    ]
    same = [each for each in beside if PurePosixPath(each.name).stem == path.stem]
    mine = [each for each in members_of_folder(path.parent) if each.name == path.name]
    return mine + (same or beside)


def _is_json(name: str) -> bool:
    return name.lower().endswith(".json")


def _is_program(member: Member) -> bool:
    return b'"base_code"' in member.read()[:4096]
