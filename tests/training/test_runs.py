"""Whole training runs by the command, as a user starts them: minutes, not mocks.

Their length is in steps, so that what they learn does not depend on what else the machine does.
They give way to all other tests, so their time limits are long. The longest is the first, so that
another worker takes the rest meanwhile.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from edgeflow.checkpoints.checkpoint import shipped_folder
from edgeflow.data.base import Dataset
from edgeflow.data.opening import open_dataset
from edgeflow.evaluate.summary import Summary, summarise
from edgeflow.evaluate.traces import Rules, click_dataset
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.cleanup import UNTOUCHED
from edgeflow.runtime.torch_eager import TorchRuntime
from edgeflow.train.config_file import read_config
from edgeflow.train.image_store import is_held_out
from edgeflow.train.pretrained import build_network
from edgeflow.train.validation import HeldOut
from tests.data_folder import DATA, needs_data
from tests.training.shapes import SIDE, write_shapes

TRAINING = DATA / "train"
RULES = Rules(max_clicks=10, stop_at=0.9)
BODY = ("backbone", "prompt_stem", "early_fusion", "middle_fusion", "neck", "late_fusion")


def body_of_the_shipped_weights() -> str:
    """Everything but the heads (coarse, edge, fine), which begin at random."""
    file = shipped_folder() / "edgeflow_lite.safetensors"
    parts = [f'{{ file = "{file}", under = "{part}.", into = "{part}" }}' for part in BODY]
    return f"[model]\ninitial = [{', '.join(parts)}]\n"


def start(config: Path, *options: str) -> subprocess.Popen[str]:
    edgeflow = Path(sys.executable).with_name("edgeflow")
    return subprocess.Popen(
        [edgeflow, "train", config, "--device", "cpu", *options],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(config: Path, *options: str) -> str:
    with start(config, *options) as process:
        output, _ = process.communicate(timeout=3600)
    assert process.returncode == 0, output
    return output


def measure(predictor: Predictor, dataset: Dataset) -> Summary:
    return summarise(list(click_dataset(predictor, dataset, RULES)), RULES)


def before_and_after(
    config: Path, weights: Path, policy: ZoomPolicy, unseen: Dataset
) -> list[float]:
    """NoC@90 of the network as it began and as it was written, ten clicks at most."""
    torch.manual_seed(0)
    network = build_network(read_config(config).model).eval()
    untrained = Predictor(
        TorchRuntime(network, torch.device("cpu")),
        version="untrained",
        policy=policy,
        cleanup=UNTOUCHED,
    )
    trained = load_predictor(str(weights), device="cpu", policy=policy, cleanup=UNTOUCHED)
    return [measure(each, unseen).noc[90].mean for each in (untrained, trained)]


@needs_data
@pytest.mark.slow
def test_150_steps_on_a_slice_of_real_images_help_on_others(tmp_path: Path) -> None:
    config = tmp_path / "train.toml"
    config.write_text(
        body_of_the_shipped_weights()
        + f"""
[data]
sources = [{{ path = "{TRAINING}", split = "ecssd" }}]
side = 160
held_out = 0.1
[views]
side = 160
[losses]
coarse = 0.5
[optimiser]
rate = 5e-4
warm_up = 20
average = 0.98
[schedule]
steps = 150
batch = 8
validate_every = 0
validation_objects = 0
[output]
folder = "run"
name = "slice"
"""
    )
    finish(config)
    images = open_dataset(TRAINING, split="ecssd")
    held = [i for i, name in enumerate(images.sample_names) if is_held_out(name, 0.1)]
    unseen = HeldOut(tuple(images[index] for index in held[:30]))
    policy = ZoomPolicy(long_side=160)
    untrained, trained = before_and_after(
        config, tmp_path / "run/slice.safetensors", policy, unseen
    )
    print(f"NoC@90 on held-out images: {untrained:.2f} before, {trained:.2f} after")
    assert untrained > 8
    assert trained < 6


@pytest.mark.slow
def test_100_steps_teach_it_shapes_that_it_has_not_seen(tmp_path: Path) -> None:
    write_shapes(tmp_path / "shapes", 200, seed=1)
    unseen = open_dataset(write_shapes(tmp_path / "unseen", 20, seed=2))
    config = tmp_path / "train.toml"
    config.write_text(
        body_of_the_shipped_weights()
        + f"""
[data]
sources = [{{ path = "shapes" }}]
side = {SIDE}
held_out = 0.0
[views]
side = {SIDE}
aspect = 1.0
whole = 0.6
merge = 0.0
paste = 0.0
[losses]
coarse = 0.5
[optimiser]
rate = 1e-3
warm_up = 20
average = 0.98
[schedule]
steps = 100
batch = 8
precision = "float32"
validate_every = 0
validation_objects = 0
[output]
folder = "run"
name = "shapes"
"""
    )
    finish(config)
    policy = ZoomPolicy(long_side=SIDE, min_side=64)
    untrained, trained = before_and_after(
        config, tmp_path / "run/shapes.safetensors", policy, unseen
    )
    print(f"NoC@90 on unseen shapes: {untrained:.2f} before, {trained:.2f} after training")
    assert untrained > 8
    assert trained < 4


SMALL = """
[model]
architecture = "edgeflow_hrnet"
options = { width = 2, ocr_width = 4 }
[data]
sources = [{ path = "shapes" }]
side = 64
held_out = 0.0
[views]
side = 64
[schedule]
steps = 12
batch = 2
save_every = 2
log_every = 1
validate_every = 0
validation_objects = 0
[output]
folder = "NAME"
name = "tiny"
"""


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    write_shapes(tmp_path / "shapes", 8, seed=1)
    configs = {}
    for name in ("straight", "killed"):
        configs[name] = tmp_path / f"{name}.toml"
        configs[name].write_text(SMALL.replace("NAME", name))
    network = build_network(read_config(configs["straight"]).model)
    state = {f"{name}": tensor for name, tensor in network.state_dict().items()}
    # Both begin with the same parameters, which a process of its own would draw anew.
    save_file(state, tmp_path / "begin.safetensors")
    for path in configs.values():
        text = path.read_text().replace(
            "options = {", 'initial = [{ file = "begin.safetensors" }]\noptions = {'
        )
        path.write_text(text)
    finish(configs["straight"])
    log = tmp_path / "killed" / "log.jsonl"
    kills = 0
    while kills < 2:
        already = len(log.read_text().splitlines()) if log.is_file() else 0
        with start(configs["killed"]) as process:
            deadline = time.monotonic() + 900
            while time.monotonic() < deadline and process.poll() is None:
                if log.is_file() and len(log.read_text().splitlines()) >= already + 3:
                    break
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
        kills += 1
    output = finish(configs["killed"])
    assert "continuing at step" in output
    for name in ("checkpoints/step-00000012.safetensors", "tiny.safetensors"):
        ours, theirs = (load_file(tmp_path / run / name) for run in ("straight", "killed"))
        assert ours.keys() == theirs.keys()
        for key, tensor in ours.items():
            assert torch.equal(tensor, theirs[key]), key
    steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    assert steps == list(range(1, 13))


@pytest.mark.slow
def test_two_processes_learn_the_same_network(tmp_path: Path) -> None:
    write_shapes(tmp_path / "shapes", 8, seed=1)
    config = tmp_path / "train.toml"
    config.write_text(SMALL.replace("NAME", "run").replace("steps = 12", "steps = 4"))
    subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
            "-m", "edgeflow.cli", "train", config, "--device", "cpu",
        ],
        check=True,
        timeout=3600,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    first, second = (
        [
            json.loads(line)
            for line in (tmp_path / "run" / part / "log.jsonl").read_text().splitlines()
        ]
        for part in (".", "rank-1")
    )
    assert [line["step"] for line in first] == [1, 2, 3, 4]
    # Gradients are averaged, so their norm is the same in both; so are the averaged losses.
    for name in ("gradient", "loss"):
        assert [line[name] for line in first] == pytest.approx([line[name] for line in second])
    assert (tmp_path / "run" / "tiny.safetensors").is_file()
    assert not (tmp_path / "run" / "rank-1" / "checkpoints").exists()
