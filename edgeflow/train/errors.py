"""What can go wrong in training."""

from __future__ import annotations

from edgeflow.errors import EdgeFlowError


class TrainingError(EdgeFlowError):
    """A training run that cannot start or continue."""

    code = "training"
