"""``python -m edgeflow.cli``, which ``torchrun`` needs."""

from edgeflow.cli import app

app()
