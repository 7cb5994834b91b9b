"""Many annotators for half an hour, and every so often something breaks.

Usage: ``python -m benchmarks.soak [--minutes 30] [--annotators 20] [--fault-every 20]``. The faults
are those of ``tests/faults``, in an order drawn by lot, and so is the oracle, which judges every
answer. Restarts come in the first third only, so that the memory and the open files of one process
can be watched through the rest. Prints a line for each fault and a verdict, writes
``artifacts/soak.json`` and ``.png``, and exits with 1 if anything was lost or wrong, or grew.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgeflow.evaluate.machine import describe_machine
from tests.faults.annotators import AT_ANY_TIME, Event, Tally
from tests.faults.backends import descriptors, health, memory_mb, until
from tests.faults.injectors import FAULTS
from tests.faults.oracle import RIGHT
from tests.faults.world import World, world

OUTPUT = Path("artifacts") / "soak.json"
SAMPLE_S = 5.0
LASTS_S = 3.0
"""How long a fault goes on."""

AFTERMATH_S = 8.0
"""How long after it a request may still get its error: downloads and waits end by then."""

ALL_ANSWERED_S = 60.0
"""In which everybody must get a right answer at the end."""

RESTARTS_UNTIL = 1 / 3
SETTLES_S = 180.0
"""In which a new process's caches may fill."""

WATCHED_S = 300.0
"""A process that was watched for a shorter time tells nothing of its growth."""

MOST_GROWTH = 1.1
MORE_FILES = 16


@dataclass(frozen=True)
class Broken:
    """A fault that was injected; times are seconds since the start.

    Attributes:
        name: Of :data:`FAULTS`.
        begun: When it began.
        over: When it was over, and what was ended started again.
    """

    name: str
    begun: float
    over: float

    def touches(self, event: Event) -> bool:
        """Whether a request may have been under way during it or its aftermath."""
        return event.at - event.seconds < self.over + AFTERMATH_S and event.at > self.begun

    def allows(self, outcome: str) -> bool:
        """Whether a request may have an outcome because of it."""
        fault = FAULTS[self.name]
        return outcome == fault.felt or outcome in fault.codes


@dataclass(frozen=True)
class Sample:
    """The backend's processes at a moment, seconds since the start."""

    at: float
    memory_mb: float
    descriptors: int


class Sampler:
    """Measures the backend's processes until told to stop."""

    def __init__(self, made: World, started: float) -> None:
        self.samples: list[Sample] = []
        self._world = made
        self._started = started
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            backend = self._world.backend
            at = time.monotonic() - self._started
            self.samples.append(Sample(at, memory_mb(backend), descriptors(backend)))


def order(names: Sequence[str], seed: int) -> Iterator[str]:
    """Each fault once in an order drawn by lot, then again in another."""
    chance = random.Random(seed)
    for _ in itertools.count():
        yield from chance.sample(names, len(names))


def break_things(
    made: World, names: Sequence[str], started: float, seconds: float, every_s: float, seed: int
) -> list[Broken]:
    """Inject a fault every so often until the time is over."""
    faults, broken = order(names, seed), []
    for number in itertools.count(1):
        if number * every_s + LASTS_S + AFTERMATH_S > seconds:
            break
        time.sleep(max(0.0, started + number * every_s - time.monotonic()))
        calm = number * every_s > seconds * RESTARTS_UNTIL
        name = next(each for each in faults if not (calm and FAULTS[each].restarts))
        begun = time.monotonic() - started
        with FAULTS[name].inject(made):
            time.sleep(LASTS_S)
        broken.append(Broken(name, begun, time.monotonic() - started))
        print(f"{begun:7.0f} s  {name:<20} {broken[-1].over - begun:5.1f} s", flush=True)
    time.sleep(max(0.0, started + seconds - time.monotonic()))
    return broken


def unexplained(events: Sequence[Event], broken: Sequence[Broken]) -> list[Event]:
    """Errors, however honest, that no fault excuses."""
    return [
        event
        for event in events
        if event.outcome not in {RIGHT, *AT_ANY_TIME}
        and not any(each.touches(event) and each.allows(event.outcome) for each in broken)
    ]


def growth(samples: Sequence[Sample], broken: Sequence[Broken], seconds: float) -> dict[str, Any]:
    """Memory and open files of the process that lived last, early and late in its life.

    Medians of the first and the last quarter, once the caches had time to fill.
    """
    begins = max((each.over for each in broken if FAULTS[each.name].restarts), default=0.0)
    life = [sample for sample in samples if begins + SETTLES_S < sample.at < seconds]
    if not life or life[-1].at - life[0].at < WATCHED_S:
        return {}
    quarter = max(1, len(life) // 4)
    found: dict[str, Any] = {"seconds": round(life[-1].at - life[0].at)}
    for name in ("memory_mb", "descriptors"):
        values = [getattr(sample, name) for sample in life]
        early, late = statistics.median(values[:quarter]), statistics.median(values[-quarter:])
        found[name] = {"early": round(early, 1), "late": round(late, 1), "most": max(values)}
    return found


def judge(report: dict[str, Any]) -> list[str]:
    """What speaks against the backend; empty if all is well."""
    against = [f"wrong: {text}" for text in report["wrong"]]
    against += [f"no fault explains: {text}" for text in report["unexplained"]]
    if not report["all_answered"]:
        against.append("somebody got no answer at the end")
    if grown := report["growth"]:
        memory, files = grown["memory_mb"], grown["descriptors"]
        if memory["late"] > memory["early"] * MOST_GROWTH:
            against.append(f"memory grew from {memory['early']} to {memory['late']} MB")
        if files["late"] > files["early"] + MORE_FILES:
            against.append(f"open files grew from {files['early']} to {files['late']}")
    if "log" in report:
        against.append(f"the log: {report['log'][:1000]}")
    return against


def soak(options: argparse.Namespace) -> dict[str, Any]:
    """Let people work while things break; returns what happened."""
    report: dict[str, Any] = {}
    try:
        with world() as made:
            report |= work_in(made, options)
    except AssertionError as error:  # of the backend's log, when all is over
        if not report:
            raise
        report["log"] = str(error)
    return report | {"against": judge(report)}


def work_in(made: World, options: argparse.Namespace) -> dict[str, Any]:
    """What happened, without a judgement."""
    seconds, tally = options.minutes * 60, Tally()
    machine = describe_machine(str(health(made.backend.url).json()["runtime"]))
    print(machine, flush=True)
    started = time.monotonic()
    with made.team(options.annotators, tally, options.think) as team:
        with Sampler(made, started) as sampler:
            broken = break_things(
                made, options.faults, started, seconds, options.fault_every, options.seed
            )
        ended = time.monotonic()
        answered = _comes_true(lambda: team.everybody_since(ended))
    events = tally.since(started)
    seen = [event for event in events if event.outcome == RIGHT]
    return {
        "machine": machine,
        "options": vars(options),
        "outcomes": dict(Counter(event.outcome or "wrong" for event in events)),
        "latency_ms": latency(seen),
        "wrong": tally.wrong,
        "unexplained": [str(event) for event in unexplained(events, broken)],
        "all_answered": answered,
        "growth": growth(sampler.samples, broken, seconds),
        "faults": [_described(each, events) for each in broken],
        "samples": [asdict(sample) for sample in sampler.samples],
        "answers": [[round(event.at, 2), round(event.seconds, 3)] for event in seen],
    }


def latency(events: Sequence[Event]) -> dict[str, float]:
    """Median and 95th percentile of right answers, milliseconds."""
    times = [event.seconds * 1000 for event in events]
    if len(times) < 2:
        return {}
    p95 = statistics.quantiles(times, n=20, method="inclusive")[-1]
    return {"p50": round(statistics.median(times)), "p95": round(p95)}


def _described(fault: Broken, events: Sequence[Event]) -> dict[str, Any]:
    touched = [event for event in events if fault.touches(event)]
    after = [e for e in touched if e.outcome == RIGHT and e.at > fault.over]
    outcomes = dict(Counter(event.outcome or "wrong" for event in touched))
    return asdict(fault) | {"outcomes": outcomes, "latency_ms_after": latency(after)}


def _comes_true(condition: Any) -> bool:  # noqa: ANN401 - any callable
    try:
        until(condition, ALL_ANSWERED_S)
    except TimeoutError:
        return False
    return True


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--annotators", type=int, default=20)
    parser.add_argument("--fault-every", type=float, default=20.0, help="seconds")
    parser.add_argument("--think", type=float, default=2.0, help="mean seconds between clicks")
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=list(FAULTS))
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def main() -> None:
    """Run, write, judge."""
    from benchmarks.soak_plot import draw  # noqa: PLC0415 - matplotlib is optional

    report = soak(parse())
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(report, indent=1))
    draw(report, OUTPUT.with_suffix(".png"))
    for name in ("outcomes", "latency_ms", "growth"):
        print(name, report[name])
    print("\n".join(report["against"]) or "nothing lost, nothing wrong, nothing grew")
    print(OUTPUT)
    sys.exit(bool(report["against"]))


if __name__ == "__main__":
    main()
