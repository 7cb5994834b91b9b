"""Small libraries."""

from __future__ import annotations

import numpy as np

from edgeflow.similar.descriptor import Descriptor
from edgeflow_backend.examples.library import Category, Example, Limits, ReadTask

COIN = Category("mask", ("coin",))
NUT = Category("mask", ("nut",))
ROOMY = Limits(examples=16, tasks=100, nbytes=1_000_000)
MODEL = "edgeflow_lite-1"


def descriptor(seed: int = 0) -> Descriptor:
    values = np.random.default_rng(seed).normal(size=(2, 8)).round(3).astype(np.float32)
    return Descriptor(values[0], values[1], area=400.0, height=20.0, width=21.0)


def example(name: str = "ef1", category: Category = COIN, annotation: int = 7) -> Example:
    return Example(category, annotation, name, descriptor(sum(map(ord, name))))


def read(number: int, *examples: Example, stamp: str = "", model: str = MODEL) -> ReadTask:
    """A task that was read; later numbers changed later."""
    return ReadTask(number, stamp or f"2026-11-28T00:00:{number:02}Z 1", model, examples)
