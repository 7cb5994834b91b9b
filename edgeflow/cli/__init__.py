"""The ``edgeflow`` command."""

from edgeflow.cli.main import app

__all__ = ["app"]
