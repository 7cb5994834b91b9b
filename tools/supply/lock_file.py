"""Reads lock files: which files of which packages an installation may consist of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


class Locked(NamedTuple):
    """One package of a lock file.

    Attributes:
        name: In its canonical form.
        version: The only one that is installed.
        hashes: SHA-256 in hexadecimal, of each file that may be it.
        requirement: The requirement as it stands there.
    """

    name: str
    version: str
    hashes: tuple[str, ...]
    requirement: Requirement


def read_lock(path: Path) -> Iterator[Locked]:
    """Every package of a lock file, whatever platform it is for.

    Raises:
        ValueError: A line that pins no version, or has no SHA-256.
    """
    for line in path.read_text().replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith(("#", "--")):
            continue
        text, *hashes = re.split(r"\s+--hash=sha256:", line.split(" #")[0].rstrip())
        requirement = Requirement(text)
        pins = [pin.version for pin in requirement.specifier if pin.operator == "=="]
        if len(requirement.specifier) != 1 or len(pins) != 1:
            raise ValueError(f"{path.name}: {text} is not one version")
        if not hashes or not all(re.fullmatch("[0-9a-f]{64}", each) for each in hashes):
            raise ValueError(f"{path.name}: {text} has no hash, or one that is not SHA-256")
        yield Locked(canonicalize_name(requirement.name), pins[0], tuple(hashes), requirement)


def applying(path: Path, platform: Mapping[str, str] | None = None) -> dict[str, Locked]:
    """The packages of a lock file that one platform gets, by name.

    Args:
        path: Lock file.
        platform: Variables of environment markers that differ from this machine's.

    Raises:
        ValueError: As :func:`read_lock`, or a package that comes in two versions.
    """
    found: dict[str, Locked] = {}
    for each in read_lock(path):
        marker = each.requirement.marker
        if marker is None or marker.evaluate(dict(platform or {})):
            if each.name in found:
                raise ValueError(f"{path.name} pins {each.name} twice")
            found[each.name] = each
    return found
