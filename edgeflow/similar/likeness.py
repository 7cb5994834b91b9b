"""How much an object resembles examples, and what that says about its being one of their kind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edgeflow.arrays import FloatArray
from edgeflow.masks.score import logit
from edgeflow.similar.descriptor import Descriptor


class Likeness(NamedTuple):
    """What is measured on an object that the network answered.

    Attributes:
        inside: Cosine of its mean feature and an example's.
        contrast: Cosine of what tells each of them from its surroundings.
        size: Absolute logarithm of the ratio of their areas.
        certainty: Logit of the network's mean probability on it.
        firmness: How sharp its outline is; see :class:`edgeflow.similar.window.Segmented`.
    """

    inside: float
    contrast: float
    size: float
    certainty: float
    firmness: float

    @property
    def score(self) -> float:
        """Estimate of its IoU with an object of the kind, 0 to 1."""
        value = BIAS + sum(weight * x for weight, x in zip(WEIGHTS, self, strict=True))
        return 0.5 * (1 + math.tanh(value / 2))


WEIGHTS = (6.0, 1.1, -0.1, 0.3, 3.5)
BIAS = -6.8
"""A logistic curve, fitted on ten sets of pictures at once; docs/experiments.md has the figures of
each set with the curve that was fitted on the others."""


def likeness(own: Descriptor, certainty: float, firmness: float, example: Descriptor) -> Likeness:
    """Measure an object against one example."""
    return Likeness(
        cosine(own.inside, example.inside),
        cosine(own.contrast, example.contrast),
        abs(math.log(own.area / example.area)),
        logit(certainty),
        firmness,
    )


def nearest(
    own: Descriptor, certainty: float, firmness: float, examples: Sequence[Descriptor]
) -> Likeness:
    """Measure an object against the example that it resembles most."""
    each = (likeness(own, certainty, firmness, example) for example in examples)
    return max(each, key=lambda measured: measured.score)


def cosine(one: FloatArray, other: FloatArray) -> float:
    """Cosine of the angle between two vectors; 0 if one has no length."""
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norms if norms else 0.0
