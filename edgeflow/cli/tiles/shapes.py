"""The shapes of a map that commands on tiles take."""

from __future__ import annotations

from pathlib import Path

from edgeflow.errors import EdgeFlowError
from edgeflow.tiles.errors import GEO
from edgeflow.tiles.sources.opening import has_extra
from edgeflow.tiles.vectors.layer import Layer


def read_shapes(vectors: Path | None, field: str | None, layer: str | None) -> Layer | None:
    """What ``--vectors`` names; None without it.

    Args:
        vectors: A GeoJSON, GeoPackage or Shapefile.
        field: Attribute with the label.
        layer: Of a file with several.

    Raises:
        EdgeFlowError: It cannot be read, or something is asked of no file.
    """
    if vectors is None:
        if field is not None or layer is not None:
            raise EdgeFlowError("there are no shapes to read", hint="name --vectors")
        return None
    if not has_extra():
        raise EdgeFlowError("what reads shapes of maps is not installed", hint=GEO)
    from edgeflow.tiles.vectors.reading import read_layer  # noqa: PLC0415 - of an extra

    return read_layer(vectors, field, layer)
