"""What tiles and tasks are to be like."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from edgeflow.preannotation.image_urls import BelowPrefix, ImageURLs
from edgeflow.preannotation.mask_controls import MaskControls
from edgeflow.preannotation.tasks import TaskForm
from edgeflow.tiles.grid import OVERLAP, SIDE, Grid
from edgeflow.tiles.sidecar import TileSet
from edgeflow.tiles.sources.digest import file_digest
from edgeflow.tiles.sources.source import Choice, Description
from edgeflow.tiles.vectors.layer import Layer

MOST_TILES = 100_000
"""Of a picture, unless more are allowed: files of a few bytes may claim any size."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What tiles and tasks are to be like.

    Attributes:
        controls: Where masks go.
        side: Of tiles, in pixels.
        overlap: Pixels that neighbours share.
        ending: Of tiles' files.
        most: Most tiles of a picture.
        choice: What is shown.
        urls: How tiles' URLs are made.
        form: What tasks are like.
        layer: What is drawn on the tasks; None for nothing.
        layer_digest: Of the layer's file.
    """

    controls: MaskControls
    side: int = SIDE
    overlap: int = OVERLAP
    ending: str = "png"
    most: int = MOST_TILES
    choice: Choice = field(default_factory=Choice)
    urls: ImageURLs = field(default_factory=BelowPrefix)
    form: TaskForm = field(default_factory=TaskForm)
    layer: Layer | None = None
    layer_digest: str = ""

    def tile_set(self, path: Path, about: Description, grid: Grid) -> TileSet:
        """What the sidecar says of a picture, without tiles.

        Args:
            path: The picture's file.
            about: The picture.
            grid: Its windows.
        """
        place = about.georeference
        known = TileSet(
            id="0" * 32,
            source=path.name,
            size=about.size,
            crs=place.crs,
            transform=place.transform,
            nodata=about.nodata,
            side=grid.side,
            overlap=grid.overlap,
            bands=about.bands,
            stretch=about.stretch,
        )
        text = f"{file_digest(path)}\n{self.ending}\n{known!r}"
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return known.model_copy(update={"id": digest})

    def fingerprint(self, path: Path, tiles: TileSet) -> str:
        """Digest of all that the tiles and tasks of a picture depend on."""
        changed = path.stat().st_mtime_ns
        parts = (tiles.id, changed, self.urls, self.form, self.controls, self.layer_digest)
        text = json.dumps([str(each) for each in parts])
        return hashlib.sha256(text.encode()).hexdigest()
