"""EdgeFlow: masks from clicks. The model, and all that needs no server."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("edgeflow-backend")
