"""The errors of this room."""

from __future__ import annotations

from edgeflow.errors import EdgeFlowError

GEO = "pip install '.[geo]' in a checkout of this project"
"""How the extra is installed."""


class TilesError(EdgeFlowError):
    """A picture or its tiles that cannot be used."""

    code = "tiles"
