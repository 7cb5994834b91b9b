"""The score: an estimate of a mask's IoU with the object, from the network's probabilities."""

from __future__ import annotations

import math

import numpy as np
from pydantic import BaseModel, ConfigDict

from edgeflow.arrays import FloatMap
from edgeflow.masks.patch import MASK_THRESHOLD


class Calibration(BaseModel):
    """A logistic curve over the mean probability, fitted for one model's weights.

    ``score = sigmoid(bias + slope · logit(mean probability) + clicks · log(number of clicks))``,
    after Platt scaling. The defaults leave the mean probability as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    bias: float = 0.0
    slope: float = 1.0
    clicks: float = 0.0

    def __call__(self, probability: FloatMap, clicks: int) -> float:
        """Estimate the IoU of a map's mask.

        Args:
            probability: h×w float32, 0 to 1.
            clicks: Number of the annotator's clicks; 0 counts as 1.

        Returns:
            0 to 1; 0 for an empty mask.
        """
        inside = probability[probability > MASK_THRESHOLD]
        if not inside.size:
            return 0.0
        return self.of(float(inside.mean(dtype=np.float64)), clicks)

    def of(self, mean: float, clicks: int) -> float:
        """The estimate for a mean probability inside the mask, 0 to 1."""
        value = self.bias + self.slope * logit(mean) + self.clicks * math.log(max(clicks, 1))
        return 0.5 * (1 + math.tanh(value / 2))  # the logistic function, which never overflows


def logit(value: float) -> float:
    """Inverse of the logistic function; 0 and 1 are moved inwards by a millionth."""
    value = min(max(value, 1e-6), 1 - 1e-6)
    return math.log(value / (1 - value))
