"""``make dist``: what the wheel holds runs by itself, with its weights."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edgeflow import __version__
from tests.e2e.conftest import PHOTOS, ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an installer would put into site-packages."""
    folder = tmp_path_factory.mktemp("dist")
    command = ["pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, "-m", *command], check=True)
    (wheel,) = folder.glob("edgeflow_backend-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.mark.parametrize("module", ["edgeflow.cli", "edgeflow_backend.cli"])
def test_the_commands_tell_their_version(unpacked: Path, module: str) -> None:
    assert run(unpacked, module, "--version").split()[1] == __version__


def test_a_mask_is_made_with_the_weights_in_the_wheel(unpacked: Path) -> None:
    photo = str(PHOTOS / "coffee.jpg")
    command = ["edgeflow.cli", "predict", photo, "--click", "310,160", "-o", "mask.png"]
    run(unpacked, *command)
    assert (unpacked / "mask.png").stat().st_size > 1000
    weights = unpacked / "edgeflow" / "weights"
    weights.rename(unpacked / "elsewhere")
    with pytest.raises(subprocess.CalledProcessError) as caught:  # so those were the ones
        run(unpacked, *command)
    assert "edgeflow_lite" in caught.value.stderr


def run(site: Path, module: str, *arguments: str) -> str:
    """Run a command of the unpacked wheel, away from the checkout."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=site, env={**os.environ, "PYTHONPATH": str(site)},
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
