"""The public API: ``from edgeflow import …``."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

import edgeflow
from edgeflow.inference.predictor import Predictor

SURFACE = {
    "Box",
    "Click",
    "EdgeFlowError",
    "ImagePoint",
    "Outline",
    "Prediction",
    "Predictor",
    "PriorMask",
    "Size",
    "__version__",
    "decode_image",
    "draw_overlay",
    "load_predictor",
}


def test_the_public_names_are_exactly_these() -> None:
    assert len(edgeflow.__all__) == len(SURFACE)
    assert set(edgeflow.__all__) == SURFACE
    assert set(dir(edgeflow)) >= SURFACE


@pytest.mark.parametrize("name", sorted(SURFACE))
def test_every_public_name_is_there(name: str) -> None:
    value = getattr(edgeflow, name)
    if name != "__version__":
        assert value.__name__ == name


def test_a_public_name_is_the_thing_itself() -> None:
    assert edgeflow.Predictor is Predictor
    assert edgeflow.__version__ == version("edgeflow-backend")


def test_another_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="'edgeflow' has no attribute 'nonsense'"):
        edgeflow.nonsense  # type: ignore[attr-defined]  # noqa: B018


def test_importing_edgeflow_loads_nothing_heavy() -> None:
    code = "import sys, edgeflow; print(*{'torch', 'numpy', 'cv2', 'PIL'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


BARE_CHECKOUT = """
import importlib.metadata, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"shapely", "openvino", "onnx", "onnxruntime", "flask"}:
            raise ModuleNotFoundError(name)

def version(name):
    raise importlib.metadata.PackageNotFoundError(name)

sys.meta_path.insert(0, Absent())
importlib.metadata.version = version
import edgeflow, edgeflow.cli, edgeflow.train.trainer
print(edgeflow.__version__)
"""


def test_a_checkout_that_is_not_installed_trains_without_what_serving_needs() -> None:
    command = [sys.executable, "-c", BARE_CHECKOUT]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == "0+source\n"
