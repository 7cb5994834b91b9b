"""The environments of the Makefile: which commands make them, and what happens when one fails."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tools.environments import __main__ as environments
from tools.environments import progress
from tools.environments.check_python import PYPROJECT, fault, supported
from tools.environments.commands import (
    Tools,
    empty,
    from_lock,
    install,
    locked_torch,
    torch_arguments,
    torch_requirement,
)

ROOT = PYPROJECT.parent
CPU = "https://download.pytorch.org/whl/cpu"


class TestPython:
    def test_supported_versions_are_those_of_the_project_file(self) -> None:
        first, end = supported(PYPROJECT.read_text())
        assert fault(3, first, PYPROJECT.read_text()) == ""
        assert fault(3, end - 1, PYPROJECT.read_text()) == ""

    @pytest.mark.parametrize(("major", "minor"), [(3, 9), (3, 14), (2, 7), (4, 10)])
    def test_others_are_refused_with_the_way_out(self, major: int, minor: int) -> None:
        text = fault(major, minor, 'requires-python = ">=3.10,<3.14"')
        assert text.startswith(f"Python 3.10 to 3.13 is needed, and this is {major}.{minor};")
        assert "make demo PYTHON=python3.1" in text
        assert "\n" not in text

    @pytest.mark.parametrize("version", ["3.9", "3.14", "missing"])
    def test_make_refuses_in_one_line_before_anything_is_made(
        self, tmp_path: Path, version: str
    ) -> None:
        """And the next try, with another Python, begins from nothing."""
        python = tmp_path / "python"
        if version != "missing":
            parts = tuple(map(int, version.split(".")))
            python.write_text(
                f"#!{sys.executable}\n"
                "import runpy, sys\n"
                f"sys.version_info = {(*parts, 0, 'final', 0)}\n"
                "if sys.argv[1] == '-c': exec(sys.argv[2])\n"
                "else: sys.path.insert(0, '.'); "
                "runpy.run_module(sys.argv[2], run_name='__main__')\n"
            )
            python.chmod(0o755)
        made = tmp_path / "envs"
        # A make that runs these tests would have its options taken over.
        outside = {name: value for name, value in os.environ.items() if "MAKE" not in name}
        for target in ("demo", "test-fast"):
            result = subprocess.run(
                ["make", target, f"PYTHON={python}", f"ENVS={made}"],
                cwd=ROOT, env=outside, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert result.returncode == 2
            assert result.stdout == ""
            (line,) = result.stderr.splitlines()
            assert ("not found" if version == "missing" else f"this is {version};") in line
            assert not made.exists()


class TestCommands:
    def test_a_build_of_torch_is_asked_for_that_no_cuda_build_is(self) -> None:
        assert torch_requirement("torch==2.13.0", CPU, "linux") == "torch==2.13.0+cpu"
        assert torch_requirement("torch==2.13.0", f"{CPU}/", "linux") == "torch==2.13.0+cpu"
        assert torch_requirement("torch==2.13.0", CPU[:-3] + "cu130", "linux").endswith("+cu130")
        for torch, index, platform in (
            ("torch==2.13.0", CPU, "darwin"),
            ("torch==2.13.0", "", "linux"),
            ("torch>=2.4", CPU, "linux"),
            ("torch==2.13.0+cpu", CPU, "linux"),
        ):
            assert torch_requirement(torch, index, platform) == torch

    def test_its_own_index_is_asked_for_torch_alone(self) -> None:
        assert torch_arguments("torch==1", CPU) == ["--no-deps", "--index-url", CPU, "torch==1"]
        assert torch_arguments("torch==1", "") == ["--no-deps", "torch==1"]

    def test_a_locked_build_comes_with_its_hash_from_the_index_that_has_it(
        self, tmp_path: Path
    ) -> None:
        cpu, cuda = tmp_path / "cpu.txt", tmp_path / "cuda.txt"
        cpu.write_text("# by uv\ntorch==2.13.0+cpu ; sys_platform == 'linux' \\\n    --hash=x\n")
        cuda.write_text("sympy==1 \\\n    --hash=x\ntorch==2.13.0 \\\n    --hash=x\n")
        assert locked_torch("torch==2.13.0+cpu", CPU, cpu) == [
            "--index-url", CPU, "--require-hashes", "--no-deps", "-r", str(cpu),
        ]  # fmt: skip
        assert locked_torch("torch==2.13.0+cpu", "", cpu) == from_lock(cpu)
        assert locked_torch("torch==2.13.0+cu130", CPU, cuda) == from_lock(cuda)
        for other in ("torch==2.13.1+cpu", "torch==2.13", "torch>=2.4"):
            assert locked_torch(other, CPU, cpu) == []

    def test_uv_comes_first_and_pip_after_it(self) -> None:
        folder = Path("e")
        step = install("x", folder, Tools("python3", "/uv"), ["a"], compile_all=False)
        assert [way[:3] for way in step.ways] == [
            ["/uv", "pip", "install"],
            ["e/bin/python", "-m", "pip"],
        ]
        (step,) = empty(folder, Tools("python3", "/uv"))
        assert step.ways[0][:3] == ["/uv", "venv", "--seed"]
        (step,) = empty(folder, Tools("python3", "/uv"), locked=True)
        assert "--seed" not in step.ways[0], "pip comes from the lock file"

    def test_pip_alone(self) -> None:
        folder = Path("e")
        assert len(install("x", folder, Tools("python3", None), ["a"]).ways) == 1
        assert len(empty(folder, Tools("python3", None))) == 2
        assert len(empty(folder, Tools("python3", None), locked=True)) == 1


class TestProgress:
    def test_a_line_for_every_few_seconds(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(progress, "SECONDS", 0.05)
        said: list[str] = []
        script = "import time; print('Collecting numpy==2'); time.sleep(0.6)"
        command = [sys.executable, "-c", script]
        assert progress.run(command, tmp_path / "log", lambda: 0, said.append)
        assert len(said) >= 3
        assert "fetching numpy, package 1" in said

    def test_a_failure_is_told(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        command = [sys.executable, "-c", "raise SystemExit('reason')"]
        assert not progress.run(command, log, lambda: 0, lambda _: None)
        assert "reason" in log.read_text()

    @pytest.mark.parametrize(
        ("output", "text"),
        [
            ("", ""),
            ("Collecting numpy==2.1 (from x)\nCollecting pillow", "fetching pillow, package 2"),
            ("Collecting a\nInstalling collected packages: a, b", "unpacking: 7 packages"),
            ("Resolved 156 packages in 2s", "fetching 156 packages"),
            ("Resolved 156 packages in 2s\nPrepared 156 packages in 3s", "unpacking: 7 packages"),
        ],
        ids=["nothing", "pip fetches", "pip unpacks", "uv fetches", "uv unpacks"],
    )
    def test_what_pip_and_uv_are_doing(self, output: str, text: str) -> None:
        said = progress.describe(output, 7)
        assert said.startswith(text)
        assert bool(said) == bool(text)


FAKE = """#!{python}
import pathlib, sys
with open({calls!r}, "a") as file: print(*sys.argv[1:], file=file)
if {fail!r} in sys.argv: sys.exit("no such wheel")
if sys.argv[1] == "venv":
    site = pathlib.Path(sys.argv[-1], "lib", "python3", "site-packages")
    (site / "torch-2.13.0+cpu.dist-info").mkdir(parents=True)
    (site.parents[2] / "bin").mkdir()
    (site.parents[2] / "bin" / "python").symlink_to({python!r})
"""


class TestMaking:
    """With a fake uv, which writes down what it is asked for."""

    def make(self, tmp_path: Path, fail: str = "", **locks: Path) -> list[list[str]]:
        """Make an environment; the commands of uv."""
        uv, calls = tmp_path / "uv", tmp_path / "calls"
        uv.write_text(FAKE.format(python=sys.executable, calls=str(calls), fail=fail or "-"))
        uv.chmod(0o755)
        calls.write_text("")
        arguments = argparse.Namespace(
            folder=tmp_path / "envs" / "demo", what="all", torch="torch==2.13.0+cpu",
            torch_index="", no_compile=True, packages=["-e", "."],
            **{"lock": None, "build_lock": None, "torch_lock": None, **locks},
        )  # fmt: skip
        self.said: list[str] = []
        try:
            environments.make(arguments, Tools(sys.executable, str(uv)), self.said.append)
        finally:
            lines = calls.read_text().splitlines()
        return [shlex.split(line) for line in lines]

    def test_torch_is_a_constraint_on_all_that_follows(self, tmp_path: Path) -> None:
        calls = self.make(tmp_path)
        assert [call[0] for call in calls] == ["venv", "pip", "pip"]
        assert calls[1][-2:] == ["--no-deps", "torch==2.13.0+cpu"]
        folder = tmp_path / "envs" / "demo"
        assert calls[2][-4:] == ["-c", str(folder / "torch.txt"), "-e", "."]
        assert (folder / "torch.txt").read_text() == "torch==2.13.0+cpu\n"
        assert (folder / ".made").is_file()

    def test_with_lock_files_nothing_is_fetched_without_a_hash(self, tmp_path: Path) -> None:
        torch = tmp_path / "torch.txt"
        torch.write_text("torch==2.13.0+cpu \\\n    --hash=sha256:0\n")
        calls = self.make(
            tmp_path, lock=Path("lock"), build_lock=Path("build"), torch_lock=torch
        )  # fmt: skip
        assert [call[-4:] for call in calls[1:4]] == [
            from_lock(Path("build")), from_lock(torch), from_lock(Path("lock")),
        ]  # fmt: skip
        assert calls[4][-4:] == ["--no-index", "--no-build-isolation", "-e", "."]
        assert len(calls) == 5

    def test_a_lock_file_of_another_pytorch_checks_nothing_and_that_is_said(
        self, tmp_path: Path
    ) -> None:
        torch = tmp_path / "torch.txt"
        torch.write_text("torch==2.14.0+cpu \\\n    --hash=sha256:0\n")
        calls = self.make(tmp_path, lock=Path("lock"), torch_lock=torch)
        assert calls[1][-2:] == ["--no-deps", "torch==2.13.0+cpu"]
        assert "which no lock file checks" in self.said[-4]

    def test_a_half_made_environment_is_made_anew(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        folder = tmp_path / "envs" / "demo"
        with pytest.raises(environments.InstallError, match="failed at: all") as caught:
            self.make(tmp_path, fail="-e")
        assert "demo.log" in str(caught.value)
        assert not (folder / ".made").exists()
        (folder / "rest").touch()
        self.make(tmp_path)
        assert (folder / ".made").is_file()
        assert not (folder / "rest").exists()

    def test_a_whole_one_is_brought_up_to_date_in_place(self, tmp_path: Path) -> None:
        self.make(tmp_path)
        (tmp_path / "envs" / "demo" / "mine").touch()
        calls = self.make(tmp_path)
        assert [call[0] for call in calls] == ["pip", "pip"]
        assert (tmp_path / "envs" / "demo" / "mine").exists()

    def test_one_of_another_python_is_made_anew(self, tmp_path: Path) -> None:
        self.make(tmp_path)
        (tmp_path / "envs" / "demo" / ".made").write_text("3.9")
        assert self.make(tmp_path)[0][0] == "venv"


def test_an_activated_environment_is_not_made_anew_by_its_own_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    monkeypatch.setattr(sys, "prefix", str(folder))
    arguments = argparse.Namespace(folder=folder)
    with pytest.raises(environments.InstallError, match="deactivate"):
        environments.make(arguments, Tools(sys.executable, None), lambda _: None)
    assert folder.is_dir()


def test_an_index_that_does_not_answer_is_passed_over() -> None:
    assert not environments.reaches("http://127.0.0.1:9")
    assert not environments.reaches("not a url")


def test_the_demo_installs_no_tools_for_developers() -> None:
    """What it adds to the backend's own dependencies: nothing."""
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    printed = subprocess.run(
        ["make", "-n", "demo", "ENVS=none"],
        cwd=ROOT, capture_output=True, text=True, check=True, env=environment,
    ).stdout  # fmt: skip
    (line,) = (each for each in printed.splitlines() if "tools.environments none/demo" in each)
    assert line.endswith("-- -e .")
