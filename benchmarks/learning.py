"""What a project's accepted objects teach: clicks on its next pictures, with and without.

Usage: ``python -m benchmarks.learning FOLDER DATA [--sets a,b] [--counts 50,100] [--shares 1]``,
where DATA holds ``adapt`` and ``benchmarks``; more sets by name are taken from ``train``, which the
base weights have seen. For each set, some pictures are kept for testing, the same at every call;
the first so many objects of the others are learnt from, in a process of its own, with one thread;
then every object of the test pictures is clicked by a simulated annotator, at most twenty times.
Prints and writes (``learning.json``, ``learning.png``) the clicks to an IoU of .85 and .9 and the
IoU after one click, each with the paired difference to the base weights and its standard error, and
what the training took. What is in FOLDER already is not trained or measured again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from safetensors.torch import load_file, save, save_file

from benchmarks.peak import peak_kilobytes
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.checkpoints.manifest import add_to_manifest
from edgeflow.data.base import Dataset, Sample, set_of
from edgeflow.data.opening import open_dataset
from edgeflow.evaluate.machine import describe_machine
from edgeflow.evaluate.traces import Rules, click_object
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.learning.adaptation.adapt import Adaptation, adapt
from edgeflow.learning.adaptation.options import AdaptationOptions
from edgeflow.masks.cleanup import UNTOUCHED

RULES = Rules(stop_at=0.9)
LEAST = 30
"""Pixels of the smallest object that is learnt from or clicked."""
TESTED = 0.4
"""Most objects of a set that are tested on, as a share of all."""
GENERAL = ("grabcut", "berkeley")


class Figures(NamedTuple):
    """One object's: clicks to .85 and to .9, and IoU after the first."""

    noc85: int
    noc90: int
    iou1: float


@dataclass(frozen=True)
class Project:
    """Pictures to learn from, and pictures to test on.

    Attributes:
        name: Of the set.
        training: In the order in which they are labelled.
        test: None of them in ``training``.
    """

    name: str
    training: tuple[Sample, ...]
    test: tuple[Sample, ...]

    def first(self, count: int) -> list[Sample]:
        """The first so many objects, with their pictures."""
        chosen: list[Sample] = []
        for sample in self.training:
            left = count - sum(len(each.objects) for each in chosen)
            if left > 0:
                chosen.append(replace(sample, objects=sample.objects[:left], labels=()))
        return chosen


def project(dataset: Dataset, name: str, tested: int) -> Project:
    """Part a set: test pictures until there are so many objects, and the others."""
    members = [n for n, each in enumerate(dataset.sample_names) if set_of(each) == name]
    members.sort(key=lambda n: hashlib.sha256(dataset.sample_names[n].encode()).digest())
    samples = [_usable(dataset[n]) for n in members]
    enough = min(tested, TESTED * sum(len(each.objects) for each in samples))
    test: list[Sample] = []
    while sum(len(each.objects) for each in test) < enough:
        left = tested - sum(len(each.objects) for each in test)
        sample = samples.pop(0)
        test.append(replace(sample, objects=sample.objects[:left], labels=()))
    return Project(name, tuple(samples), tuple(test))


def _usable(sample: Sample) -> Sample:
    """Without specks; in an order that has nothing to do with how they were annotated."""
    rng = np.random.default_rng(0)
    kept = [mask for mask in sample.objects if np.count_nonzero(mask) >= LEAST]
    objects = tuple(kept[n] for n in rng.permutation(len(kept)))
    return replace(sample, objects=objects, labels=())


def clicked(predictor: Predictor, samples: Sequence[Sample]) -> list[Figures]:
    """Click every object."""
    figures = []
    for sample in samples:
        image = predictor.encode(sample.rgb)
        for truth in sample.objects:
            trace = click_object(predictor, image, truth, sample.ignore, RULES)
            counts = [trace.clicks_to(target, RULES.max_clicks) for target in (0.85, 0.9)]
            figures.append(Figures(counts[0], counts[1], round(trace.ious[0], 4)))
    return figures


def train(samples: list[Sample], options: AdaptationOptions, folder: Path) -> None:
    """Learn, and write what was learnt and what it took; in a process of its own."""
    began = time.process_time()
    adaptation = adapt(find(DEFAULT_MODEL), samples, options, say=print)
    took = {
        "objects": adaptation.objects,
        "steps": adaptation.steps,
        "seconds": round(adaptation.seconds, 1),
        "CPU seconds": round(time.process_time() - began, 1),
        "peak MB": peak_kilobytes() // 1024,
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(adaptation.learnt, folder / "learnt.safetensors")
    (folder / "took.json").write_text(json.dumps(took))


def predictor_of(folder: Path, share: float) -> Predictor:
    """Weights between the base's and the learnt, as the backend would run them."""
    base = find(DEFAULT_MODEL)
    start = base.load().state_dict()
    learnt = load_file(folder / "learnt.safetensors")
    adaptation = Adaptation({name: start[name] for name in learnt}, learnt, 0, 0, 0.0)
    data = save({name: each.half() for name, each in adaptation.tensors(share).items()})
    name = f"share{round(share * 100)}"
    path = folder / f"{name}.safetensors"
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    add_to_manifest(
        folder, name, base.entry.model_copy(update={"file": path.name, "sha256": digest})
    )
    return load_predictor(
        str(path), runtime="openvino", cleanup=UNTOUCHED, exports=folder / "exports"
    )


def compare(figures: list[Figures], base: list[Figures]) -> dict[str, Any]:
    """Means, relative changes in percent, and standard errors of the paired difference."""
    row: dict[str, Any] = {"objects": len(figures)}
    for key in Figures._fields:
        mine = np.array([getattr(each, key) for each in figures], dtype=np.float64)
        other = np.array([getattr(each, key) for each in base], dtype=np.float64)
        row[key] = round(float(mine.mean()), 3)
        row[f"{key} base"] = round(float(other.mean()), 3)
        row[f"{key} %"] = round(100 * float(mine.mean() / other.mean() - 1), 1)
        row[f"{key} ±"] = round(float((mine - other).std() / np.sqrt(len(mine))), 3)
    return row


def remembered(path: Path, measure: Any) -> list[Figures]:  # noqa: ANN401
    """Figures from a file, or measured and left there."""
    if path.is_file():
        return [Figures(*each) for each in json.loads(path.read_text())]
    figures: list[Figures] = measure()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures))
    return figures


def general_sets(data: Path, count: int) -> Iterator[tuple[str, list[Sample]]]:
    """What no project labels: photographs with one object each."""
    for name in GENERAL if count else ():
        dataset = open_dataset(data / "benchmarks" / name)
        yield name, [dataset[n] for n in range(min(count, len(dataset)))]


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train and measure whatever is asked for."""
    torch.set_num_threads(1)
    folder, data = arguments.folder, arguments.data
    options = AdaptationOptions(**json.loads(arguments.options))
    base = load_predictor(runtime="openvino", cleanup=UNTOUCHED)
    adapt_set, train_set = open_dataset(data / "adapt"), open_dataset(data / "train")
    general = list(general_sets(data, arguments.general))
    rows = []
    for name in arguments.sets.split(","):
        source = adapt_set if any(set_of(n) == name for n in adapt_set.sample_names) else train_set
        each = project(source, name, arguments.tested)
        kept = folder.parent / f"base-{arguments.tested}"
        before = remembered(kept / f"{name}.json", lambda p=each: clicked(base, p.test))
        done = 0
        for count in map(int, arguments.counts.split(",")):
            samples = each.first(count)
            objects = sum(len(sample.objects) for sample in samples)
            if objects == done:
                continue
            done = objects
            place = folder / f"{name}-{objects}"
            if not (place / "took.json").is_file():
                process = multiprocessing.get_context("spawn").Process(
                    target=train, args=(samples, options, place)
                )
                process.start()
                process.join()
            took = json.loads((place / "took.json").read_text())
            for share in map(float, arguments.shares.split(",")):
                predictor = predictor_of(place, share)
                path = place / f"{name}-{arguments.tested}-{share}.json"
                after = remembered(path, lambda p=predictor, e=each: clicked(p, e.test))
                row = {"set": name, "learnt from": objects, "share": share, "took": took}
                row |= compare(after, before)
                for other, pictures in general:
                    first = remembered(
                        kept / f"{other}-{arguments.general}.json",
                        lambda s=pictures: clicked(base, s),
                    )
                    then = remembered(
                        place / f"{other}-{arguments.general}-{share}.json",
                        lambda s=pictures, p=predictor: clicked(p, s),
                    )
                    row[other] = compare(then, first)
                rows.append(row)
                print(_line(row), flush=True)
    return {"machine": describe_machine(base.execution), "options": vars(options), "rows": rows}


def _line(row: dict[str, Any]) -> str:
    def part(figures: dict[str, Any], key: str) -> str:
        return f"{key} {figures[f'{key} base']}→{figures[key]} ({figures[f'{key} %']:+.1f} %)"

    others = "  ".join(f"{name} {row[name]['noc90 %']:+.1f} %" for name in GENERAL if name in row)
    shown = "  ".join(part(row, key) for key in Figures._fields)
    return (
        f"{row['set']} {row['learnt from']} objects, share {row['share']}: {shown}  {others}  "
        f"{row['took']['CPU seconds']} s CPU, {row['took']['peak MB']} MB"
    )


def draw(rows: list[dict[str, Any]], share: float) -> Figure:
    """Clicks to .85 against accepted objects, a line for each set, with standard errors."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for name in dict.fromkeys(row["set"] for row in rows):
        mine = [row for row in rows if row["set"] == name and row["share"] == share]
        axes.errorbar(
            [0, *(row["learnt from"] for row in mine)],
            [mine[0]["noc85 base"], *(row["noc85"] for row in mine)],
            [0, *(row["noc85 ±"] for row in mine)],
            marker="o",
            capsize=3,
            label=name,
        )
    axes.set_xlabel("accepted objects that were learnt from")
    axes.set_ylabel("clicks to an IoU of .85 on other pictures")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize="small")
    axes.grid(alpha=0.3)
    return figure


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default="dsmlr_carparts,roboflow_medical_waste,roboflow_plants")
    parser.add_argument("--counts", default="50,100")
    parser.add_argument("--shares", default="1")
    parser.add_argument("--tested", type=int, default=50, help="objects to test on")
    parser.add_argument("--general", type=int, default=100, help="pictures of each general set")
    parser.add_argument("--options", default="{}", help="fields of AdaptationOptions, as JSON")
    arguments = parser.parse_args()
    report = run(arguments)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    (arguments.folder / "learning.json").write_text(json.dumps(report, indent=1))
    share = float(arguments.shares.split(",")[0])
    FigureCanvasAgg(draw(report["rows"], share)).print_png(  # type: ignore[no-untyped-call]
        str(arguments.folder / "learning.png")
    )


if __name__ == "__main__":
    main()
