"""Trainings and backends that are killed at random moments: nothing half-made may ever be served.

Usage: ``python -m benchmarks.learning_kills training|backend [--kills 20] [--seed 0] [--first 0]``.

``training``: a process that learns from drawings in earnest, stores a version, makes its export and
has it served, as a backend's does; but it is judged by few clicks, and let pass, so that a run
takes little time. It is killed (SIGKILL) after a random time, at ``--first`` of what a whole one
takes or later, and started again. After each kill
every version that is listed must be whole and load, what is served must be one of them or nothing,
and the accepted objects must be those that were put on record.

``backend``: four annotators click while versions take turns being served, and the backend is killed
and started again. Each answer must be, byte for byte, what the version that it names gives.

Prints what happened, and ends with 1 at the first thing that is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import requests

from benchmarks.click import body, jpeg
from benchmarks.learning_load import PROJECT, put_on_record, settings_of
from demo.label_studio import Service, free_port, start_backend
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.geometry import Size
from edgeflow.learning.gate.bounds import STANDARD
from edgeflow.learning.gate.general import general_set
from edgeflow_backend.learning.pictures import Pictures
from edgeflow_backend.learning.shelf import Shelf
from edgeflow_backend.learning.training.process import train
from edgeflow_backend.learning.training.record import read_record
from edgeflow_backend.learning.training.run import Training
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import project_folder, versions_of
from tests.unit.edgeflow_backend.samples import data_uri

SIZE = Size(240, 320)
PLACES = ((50.0, 50.0), (30.0, 60.0), (70.0, 40.0))
TASKS = 45
LENIENT = replace(
    STANDARD, objects=8, max_clicks=1, general_max_clicks=1, level=1.0, least_effect=-9
)
"""Every object takes one click, before and after, and no gain is asked for."""


def child(folder: Path) -> None:
    """A training that is judged by little."""
    make = partial(Training, bounds=LENIENT, general=lambda: general_set()[:2])
    settings = settings_of(folder).model_copy(update={"learn_minutes": 0.2})
    record = train(settings, PROJECT, say=partial(print, flush=True), make=make)
    print(record.state, record.version, record.message, flush=True)


def start(folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start such a training."""
    command = [sys.executable, "-m", "benchmarks.learning_kills", "child", "--folder", str(folder)]
    with log.open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)


def check(settings: Settings, objects: list[Any]) -> str:
    """What is served, and how many versions there are; ends the program if anything is wrong."""
    versions = versions_of(settings, PROJECT)
    found = versions.all()
    for version in found:
        version.checkpoint.load()
    wrong = versions.ignored()
    if wrong:
        raise SystemExit(f"what is no version is listed: {wrong}")
    served = [version.number for version in found if version.state == "served"]
    if Shelf(settings, Pictures(settings)).files(PROJECT).store.objects() != objects:
        raise SystemExit("the accepted objects are others")
    record = read_record(project_folder(settings, PROJECT))
    return f"served {served or 'base'}, versions {len(found)}, record {record and record.state}"


def kill_trainings(kills: int, chance: random.Random, folder: Path, first: float) -> None:
    """Kill trainings."""
    settings, log = settings_of(folder), folder / "training.log"
    put_on_record(settings, TASKS)
    objects = Shelf(settings, Pictures(settings)).files(PROJECT).store.objects()
    began = time.monotonic()
    start(folder, log).wait()
    whole_s = time.monotonic() - began
    print(f"one that nobody kills: {whole_s:.0f} s; {check(settings, objects)}", flush=True)
    for number in range(1, kills + 1):
        process, after_s = start(folder, log), chance.uniform(first * whole_s, whole_s)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(after_s)
        ended = process.poll() is not None
        process.kill()
        process.wait()
        said = log.read_text(encoding="utf-8").splitlines()[-1:]
        how = "had ended" if ended else "killed"
        print(
            f"{number}: {how} after {after_s:.0f} s at {said}; {check(settings, objects)}",
            flush=True,
        )
    process = start(folder, log)
    process.wait()
    print(f"the last one ends with {process.returncode}; {check(settings, objects)}")


def ask(url: str, place: int) -> tuple[str, str]:
    """The version that answered a click, and its mask's digest."""
    asked = body(SIZE, data_uri(jpeg(SIZE, 1)), [PLACES[place]])
    asked["project"] = f"{PROJECT.id}.1"
    answer = requests.post(f"{url}/predict", json=asked, timeout=60)
    answer.raise_for_status()
    (prediction,) = answer.json()["results"]
    (region,) = prediction["result"]
    digest = hashlib.sha256(bytes(region["value"]["rle"])).hexdigest()
    return str(prediction["model_version"]), digest


@contextlib.contextmanager
def backend(settings: Settings, port: int, folder: Path) -> Iterator[Service]:
    """A backend with the project switched on."""
    command = Path(sys.executable).with_name("edgeflow-backend")
    environment = {
        "EDGEFLOW_LEARN_PROJECTS": settings.learn_projects,
        "EDGEFLOW_LEARN_DIR": settings.learn_dir,
        "EDGEFLOW_LEARN_TRAIN": "false",
        "EDGEFLOW_LOG_LEVEL": "ERROR",
    }
    log = folder / "backend.log"
    with start_backend(command, port, log, environment, session=False) as service:
        yield service


def make_versions(settings: Settings) -> dict[int, str]:
    """Store two versions; returns their names by number, and the base weights' as that of 0."""
    base, versions = find(DEFAULT_MODEL), versions_of(settings, PROJECT)
    names = {0: base.version}
    for number, factor in enumerate((1.03, 1.06), start=1):
        tensors = {name: tensor * factor for name, tensor in base.load().state_dict().items()}
        made = versions.add(tensors, base, objects=1, verdict={}, accepted=True)
        names[number] = made.checkpoint.version
    return names


def true_answers(settings: Settings, names: dict[int, str], url: str) -> dict[tuple[str, int], str]:
    """The digest of each version's mask at each place, from a backend that nobody kills."""
    truth: dict[tuple[str, int], str] = {}
    for number, name in names.items():
        if number:
            versions_of(settings, PROJECT).serve(number)
        while ask(url, 0)[0] != name:
            time.sleep(0.5)
        truth |= {(name, place): ask(url, place)[1] for place in range(len(PLACES))}
    if len(set(truth.values())) != len(truth):
        raise SystemExit("two versions give the same mask: they could not be told apart")
    return truth


def kill_backends(kills: int, chance: random.Random, folder: Path) -> None:
    """Kill backends."""
    settings, port = settings_of(folder), free_port()
    put_on_record(settings, 2)
    url, versions = f"http://127.0.0.1:{port}", versions_of(settings, PROJECT)
    names = make_versions(settings)
    with backend(settings, port, folder) as service:
        service.wait(300)
        truth = true_answers(settings, names, url)
    answers: Counter[str] = Counter()
    wrong: list[str] = []
    over = threading.Event()

    def annotate(seed: int) -> None:
        place = random.Random(seed)
        while not over.is_set():
            number = place.randrange(len(PLACES))
            try:
                name, digest = ask(url, number)
            except requests.RequestException:
                answers["none"] += 1
                time.sleep(0.2)
                continue
            answers[name] += 1
            if truth.get((name, number)) != digest:
                wrong.append(f"{name} at {PLACES[number]}")

    annotators = [threading.Thread(target=annotate, args=(seed,)) for seed in range(4)]
    for each in annotators:
        each.start()
    try:
        for number in range(1, kills + 1):
            with backend(settings, port, folder) as service:
                if chance.random() < 0.7:  # others die while they start
                    service.wait(300)
                after_s = chance.uniform(0, 8)
                time.sleep(after_s / 2)
                versions.serve(1 + number % 2)
                time.sleep(after_s / 2)
                os.kill(service.process.pid, signal.SIGKILL)
            print(
                f"{number}: killed {after_s:.1f} s on; {dict(answers)}, wrong {wrong}", flush=True
            )
            if wrong:
                raise SystemExit(1)
    finally:
        over.set()
        for each in annotators:
            each.join()


def main() -> None:
    """Kill, check, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("training", "backend", "child"))
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=float, default=0, help="0 to 1, of a whole training")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.what == "child":
        child(options.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        asked = (options.kills, random.Random(options.seed), options.folder or Path(name))
        if options.what == "training":
            kill_trainings(*asked, options.first)
        else:
            kill_backends(*asked)


if __name__ == "__main__":
    main()
