"""Lock files: that they are whole, agree with pyproject.toml, and let nothing else in."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.environments import lock
from tools.environments.check_python import PYPROJECT
from tools.environments.commands import Tools, from_lock, install
from tools.supply.lock_file import applying, read_lock

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = PYPROJECT.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PYTHON = {"python_version": "3.11", "python_full_version": "3.11.7"}
PROJECT: dict[str, Any] = tomllib.loads(PYPROJECT.read_text())


def versions(name: str) -> dict[str, str]:
    """What a lock file gives its Python on this machine."""
    path = ROOT / "requirements" / f"{name}-py3.11.txt"
    return {each.name: each.version for each in applying(path, PYTHON).values()}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_every_requirement_is_one_version_with_hashes(path: Path) -> None:
    packages = list(read_lock(path))
    assert len(packages) == len(re.findall("^[a-zA-Z]", path.read_text(), flags=re.MULTILINE)) > 0


@pytest.mark.parametrize(
    "text",
    [
        "tiny>=1.0 --hash=sha256:" + 64 * "0",
        "tiny --hash=sha256:" + 64 * "0",
        "tiny==1.0",
        "tiny==1.0 --hash=md5:" + 32 * "0",
        "tiny==1.0 --hash=sha256:0",
    ],
)
def test_others_are_noticed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lock.txt"
    path.write_text(f"--only-binary :all:\n{text}\n")
    with pytest.raises(ValueError, match="tiny"):
        list(read_lock(path))


def asked(variable: str) -> list[str]:
    """What pyproject.toml requires for a variable of the Makefile, such as ``-e .[train]``."""
    (line,) = re.findall(rf"^{variable} = (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    requirements, options = lock.split(shlex.split(line))
    extras = [each for text in requirements for each in re.findall(r"[\w-]+", text[len("-e ") :])]
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    tables = [project["optional-dependencies"][each] for each in extras]
    tables += [groups[each] for each in options if each != "--group"]
    if requirements:
        tables.append(project["dependencies"])
    return [each for table in tables for each in table]


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("backend", "backend"),
        ("main", "main"),
        ("label-studio-ml", "peer"),
        ("export-readers", "readers"),
        ("lock", "locker"),
    ],
)
def test_what_pyproject_asks_for_is_in_the_lock_file(name: str, variable: str) -> None:
    """Otherwise: make lock."""
    locked = versions(name)
    assert "torch" not in locked, "PyTorch has lock files of its own"
    check(asked(variable), locked | versions("torch-cpu"))


def test_what_builds_the_project_is_in_the_lock_file() -> None:
    check(PROJECT["build-system"]["requires"], versions("build"))


def check(wanted: list[str], locked: dict[str, str]) -> None:
    assert wanted
    for requirement in map(Requirement, wanted):
        if requirement.marker is None or requirement.marker.evaluate(PYTHON):
            version = locked.get(canonicalize_name(requirement.name))
            assert version is not None, f"{requirement} is asked for and not locked"
            assert requirement.specifier.contains(version, prereleases=True), (
                f"{requirement} is asked for and {version} locked"
            )


def test_images_and_tests_use_the_same_versions() -> None:
    backend, everything, cuda = map(versions, ("backend", "main", "torch-cu130"))
    assert backend.items() <= everything.items()
    for name in cuda.keys() & backend.keys():
        assert cuda[name] == backend[name]


def test_the_makefiles_own_versions_are_locked() -> None:
    defaults = dict(
        re.findall(r"^(\w+) \?= ([\w-]+==.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    )
    assert set(defaults) == {"TORCH", "LABEL_STUDIO"}
    for lock_name, asked in [
        ("torch-cpu", defaults["TORCH"] + "+cpu"),
        ("torch-cu130", defaults["TORCH"]),
        ("label-studio", defaults["LABEL_STUDIO"]),
    ]:
        name, _, version = asked.partition("==")
        assert versions(lock_name)[name] == version


class TestWriting:
    def test_a_pip_install_is_taken_apart(self) -> None:
        assert lock.split(["-e", ".[train]", "--group", "test", "lvis", "--no-deps"]) == (
            ["-e .[train]", "lvis"],
            ["--group", "test", "--no-deps"],
        )

    def test_pytorch_and_its_cuda_libraries_are_left_out(self) -> None:
        text = "# by\na==1 \\\n    --hash=x\n    # via b\n"
        torch = "torch==2 \\\n    --hash=y\n    # via a\n"
        nvidia = "nvidia-nccl-cu13==2 ; sys_platform == 'linux' \\\n    --hash=z\n"
        last = "torchmetrics==1 \\\n    --hash=w\n"
        assert lock.without_pytorch(text + nvidia + torch + last) == text + last

    def test_without_its_index_a_lock_file_stays_as_it_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "torch-cpu-py3.11.txt"
        monkeypatch.setattr(
            sys, "argv", ["lock", str(path), "--index", "http://127.0.0.1:9", "--", "torch==2"]
        )
        lock.main()
        assert "cannot be reached" in capsys.readouterr().out
        assert not path.exists()


def wheel(folder: Path) -> Path:
    """A package of one line."""
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", "WHOLE = True\n")
        archive.writestr(
            "tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
        )
        archive.writestr(
            "tiny-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    return path


@pytest.mark.parametrize("honest", [True, False])
def test_a_file_with_another_hash_is_refused(tmp_path: Path, honest: bool) -> None:
    """By the command that `make` runs, with a real pip."""
    digest = hashlib.sha256(wheel(tmp_path).read_bytes() + (b"" if honest else b"!")).hexdigest()
    path = tmp_path / "lock.txt"
    path.write_text(f"--only-binary :all:\ntiny==1.0 \\\n    --hash=sha256:{digest}\n")
    target = tmp_path / "site"
    here = ["--no-index", "--find-links", str(tmp_path), "--target", str(target)]
    step = install("x", Path(sys.prefix), Tools(sys.executable, None), [*from_lock(path), *here])
    done = subprocess.run(step.ways[0], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == honest, done.stderr
    assert (target / "tiny.py").exists() == honest
    assert ("DO NOT MATCH THE HASHES" in done.stderr) != honest
