from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from edgeflow.checkpoints.checkpoint import Checkpoint, find
from edgeflow.data.base import Sample
from edgeflow.learning.adaptation.adapt import Stopped, adapt
from edgeflow.learning.adaptation.options import AdaptationOptions
from edgeflow.learning.adaptation.turns import rest
from edgeflow.runtime.devices import DeviceError
from edgeflow.train.errors import TrainingError

OPTIONS = AdaptationOptions(
    steps=3, per_object=3, batch=1, precision="float32", side=64, save_every=1
)


def picture(number: int = 0) -> Sample:
    rng = np.random.default_rng(number)
    rgb = rng.integers(0, 80, (96, 128, 3), dtype=np.uint8)
    mask = np.zeros((96, 128), dtype=np.bool_)
    mask[20:60, 30:80] = True
    rgb[mask] += 100
    return Sample(f"picture {number}", rgb, (mask,))


def interrupt(base: Checkpoint, sample: Sample, folder: Path, after: int) -> None:
    """Train for some steps and stop."""
    asked = iter([False] * after + [True])
    with pytest.raises(Stopped):
        adapt(base, [sample], OPTIONS, folder=folder, stop=lambda: next(asked))


@pytest.fixture(scope="module")
def base() -> Checkpoint:
    return find("edgeflow_lite", None)


def test_a_share_of_none_is_the_base_and_norms_keep_their_statistics(base: Checkpoint) -> None:
    adaptation = adapt(base, [picture()], OPTIONS)
    before = dict(base.load().named_parameters())
    none, learnt = adaptation.tensors(0), adaptation.tensors(1)
    assert all(torch.equal(none[name], tensor) for name, tensor in before.items())
    assert any(not torch.equal(learnt[name], tensor) for name, tensor in before.items())
    statistics = [name for name in learnt if name.endswith(("running_mean", "running_var"))]
    assert statistics
    assert all(torch.equal(none[name], learnt[name]) for name in statistics)
    half = adaptation.tensors(0.5)
    name = "coarse.logits.weight"
    torch.testing.assert_close(half[name], (none[name] + learnt[name]) / 2)
    assert (adaptation.objects, adaptation.steps) == (1, 3)


def test_a_device_that_is_not_there_is_refused_before_anything_is_read(base: Checkpoint) -> None:
    class Unread(list[Sample]):
        def __iter__(self) -> Iterator[Sample]:
            raise AssertionError("read")

    with pytest.raises(DeviceError, match="cuda:99"):
        adapt(base, Unread([picture()]), replace(OPTIONS, device="cuda:99"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_what_a_gpu_has_learnt_is_on_the_cpu(base: Checkpoint) -> None:
    one, other = (
        adapt(base, [picture()], replace(OPTIONS, device=device)) for device in ("cpu", "cuda")
    )
    assert one.steps == other.steps
    assert all(tensor.device.type == "cpu" for tensor in other.learnt.values())
    assert set(one.learnt) == set(other.learnt)


def test_a_training_rests_on_a_gpu_as_long_as_it_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _device: None)
    rest(torch.device("cuda"), time.perf_counter() - 5, waited.append)
    rest(torch.device("cpu"), time.perf_counter() - 5, waited.append)
    assert waited == [pytest.approx(5, abs=1)]


def test_few_objects_are_learnt_from_in_few_steps(base: Checkpoint) -> None:
    adaptation = adapt(base, [picture()], replace(OPTIONS, per_object=2))
    assert adaptation.steps == 2


def test_a_training_that_ends_early_goes_on_to_the_same_weights(
    base: Checkpoint, tmp_path: Path
) -> None:
    whole = adapt(base, [picture()], OPTIONS)
    interrupt(base, picture(), tmp_path, 2)
    told: list[str] = []
    resumed = adapt(base, [picture()], OPTIONS, folder=tmp_path, say=told.append)
    assert "continuing at step 2" in told
    assert all(torch.equal(whole.learnt[name], each) for name, each in resumed.learnt.items())


def test_a_stop_within_a_step_keeps_the_steps_before_it(base: Checkpoint, tmp_path: Path) -> None:
    options = replace(OPTIONS, batch=2, save_every=100)
    whole = adapt(base, [picture()], options)
    asked = iter([False] * 3 + [True])  # before and within each step
    with pytest.raises(Stopped):
        adapt(base, [picture()], options, folder=tmp_path, stop=lambda: next(asked))
    told: list[str] = []
    resumed = adapt(base, [picture()], options, folder=tmp_path, say=told.append)
    assert "continuing at step 1" in told
    assert all(torch.equal(whole.learnt[name], each) for name, each in resumed.learnt.items())
    told.clear()
    again = adapt(base, [picture()], options, folder=tmp_path, say=told.append)
    assert "continuing at step 3" in told, "what was learnt is kept while it is judged"
    assert again.steps == 3


def test_progress_on_other_objects_is_not_gone_on_from(base: Checkpoint, tmp_path: Path) -> None:
    interrupt(base, picture(), tmp_path, 1)
    told: list[str] = []
    other = adapt(base, [picture(1)], OPTIONS, folder=tmp_path, say=told.append)
    assert other.steps == 3
    assert not any("continuing" in line for line in told)


def test_a_damaged_state_is_passed_over(base: Checkpoint, tmp_path: Path) -> None:
    interrupt(base, picture(), tmp_path, 2)
    newest = max(tmp_path.glob("*.safetensors"))
    newest.write_bytes(newest.read_bytes()[:1000])
    told: list[str] = []
    adapt(base, [picture()], OPTIONS, folder=tmp_path, say=told.append)
    assert "continuing at step 1" in told


def test_nothing_to_learn_from_is_said(base: Checkpoint) -> None:
    with pytest.raises(TrainingError, match="no object"):
        adapt(base, [], OPTIONS)


def test_nothing_of_serving_or_exporting_is_loaded() -> None:
    script = (
        "import sys, numpy as np\n"
        "from edgeflow.checkpoints.checkpoint import find\n"
        "from edgeflow.data.base import Sample\n"
        "from edgeflow.learning.adaptation.adapt import adapt\n"
        "from edgeflow.learning.adaptation.options import AdaptationOptions\n"
        "mask = np.zeros((64, 64), np.bool_); mask[9:40, 9:40] = True\n"
        "options = AdaptationOptions(steps=1, batch=1, side=32, precision='float32')\n"
        "sample = Sample('a', np.zeros((64, 64, 3), np.uint8), (mask,))\n"
        "adapt(find('edgeflow_lite'), [sample], options)\n"
        "unwanted = {'shapely', 'openvino', 'onnx', 'onnxruntime', 'flask'}\n"
        "print(sorted(unwanted & set(sys.modules)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300
    )
    assert ran.stdout.strip() == "[]"
