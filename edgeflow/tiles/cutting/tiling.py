"""One picture's tiles and tasks; what is finished is kept when a run is interrupted."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from edgeflow.annotated import AnnotatedImage
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import FileWriteError
from edgeflow.export.pictures import FilePicture
from edgeflow.files import write_atomically
from edgeflow.geometry import Box
from edgeflow.label_studio.values import JSONObject
from edgeflow.preannotation.journal import Journal
from edgeflow.preannotation.regions import Placed
from edgeflow.preannotation.tasks import Report, image_regions
from edgeflow.tiles.cutting.plan import Plan
from edgeflow.tiles.cutting.strips import Cut, cut
from edgeflow.tiles.cutting.tile_files import encode_tile, tile_name
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.grid import Grid
from edgeflow.tiles.sidecar import Tile, TileSet, sidecar_path, write_tile_set
from edgeflow.tiles.sources.opening import open_source
from edgeflow.tiles.tasks import task_data

if TYPE_CHECKING:
    from edgeflow.tiles.vectors.objects import PicturesShapes

JOURNAL_ENDING = ".tiling"
MOST_WRITERS = 8
MAX_PIXELS = 1 << 26
"""Of a tile."""


class Made(NamedTuple):
    """A window that is done.

    Attributes:
        key: Of the journal: the tile's name.
        note: What is remembered of it.
        task: Label Studio's; empty for a window without data.
    """

    key: str
    note: JSONObject
    task: JSONObject


class Tiling:
    """Cuts one picture.

    Args:
        path: Its file.
        name: Of its folder and of its tiles' files, safe.
        output: Folder of all.
        plan: What tiles and tasks are like.

    Attributes:
        tiles: What the sidecar says, without tiles.
        grid: The picture's windows.
        notes: What a user should know of it.

    Raises:
        TilesError: It cannot be read, or has too many windows.
        FileWriteError: There are tiles of another run.
    """

    def __init__(self, path: Path, name: str, output: Path, plan: Plan) -> None:
        self._name, self._output, self._plan = name, output, plan
        self._source = open_source(path, plan.choice)
        try:
            about = self._source.about
            self.notes = about.notes
            self.grid = Grid(about.size, plan.side, plan.overlap)
            self._check_size(path)
            self.tiles = plan.tile_set(path, about, self.grid)
            self._shapes = self._layers_shapes()
            self._journal = _opened(output, name, plan.fingerprint(path, self.tiles))
        except BaseException:
            self._source.close()
            raise

    def __enter__(self) -> Tiling:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._source.close()
        self._journal.__exit__(kind, error, trace)

    def run(self, report: Report) -> Iterator[int]:
        """Write the tiles that are not there yet, and the sidecar.

        Yields:
            How many windows are done, after each.

        Raises:
            TilesError: A part of the picture cannot be read.
        """
        done = 0
        for box in self.grid.windows():
            if self._is_done(box):
                done += 1
                yield done
        for made in self._made():
            self._journal.add(*made)
            done += 1
            yield done
        self._finish(report)

    def tasks(self) -> Iterator[bytes]:
        """The tasks of all tiles as JSON, in the grid's order, once all are done."""
        yield from self._journal.tasks(tile.name for tile in self._written())

    def _check_size(self, path: Path) -> None:
        size, count = self.grid.size, len(self.grid)
        if count > self._plan.most:
            raise TilesError(
                f"{path.name} has {size.width}×{size.height} pixels, which are {count} tiles",
                hint="choose a larger --size, or a higher --most",
            )
        width, height = (min(self.grid.side, length) for length in (size.width, size.height))
        if width * height > MAX_PIXELS:
            raise TilesError(
                f"tiles of {width}×{height} pixels are larger than browsers show",
                hint="choose a smaller --size",
            )

    def _layers_shapes(self) -> PicturesShapes | None:
        if self._plan.layer is None:
            return None
        # Not at the top: training from a checkout needs neither the extra nor shapely.
        from edgeflow.tiles.vectors.objects import PicturesShapes  # noqa: PLC0415

        return PicturesShapes.of(self._plan.layer, self.tiles)

    def _tile(self, box: Box) -> Tile:
        return Tile(name=tile_name(self._name, self.tiles.size, box, self._plan.ending), box=box)

    def _path(self, tile: Tile) -> Path:
        return self._output / self._name / tile.name

    def _is_done(self, box: Box) -> bool:
        tile = self._tile(box)
        if tile.name not in self._journal:
            return False
        length = self._journal.note(tile.name).get("bytes")
        if length == 0:
            return True
        path = self._path(tile)
        if path.is_file() and path.stat().st_size == length:
            return True
        self._journal.forget(tile.name)
        return False

    def _made(self) -> Iterator[Made]:
        """The windows that are not done, made by several threads and in order."""
        writers = min(os.cpu_count() or 1, MOST_WRITERS)
        pending: deque[Future[Made]] = deque()
        with ThreadPoolExecutor(writers) as pool:
            for each in cut(self._source, self.grid, lambda box: not self._is_done(box)):
                pending.append(pool.submit(self._make, each))
                if len(pending) > 2 * writers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()

    def _make(self, each: Cut) -> Made:
        tile = self._tile(each.box)
        if each.pixels is None:
            return Made(tile.name, {"bytes": 0}, {})
        data = encode_tile(each.pixels, self._plan.ending)
        write_atomically(self._path(tile), data)
        told = Report()
        regions: list[JSONObject] = []
        if self._shapes is not None:
            objects = self._shapes.objects(tile.box, told, tile.name)
            key = f"{self.tiles.id}\n{tile.name}"
            placed = Placed(self._plan.controls)
            regions = image_regions(
                key, tile.box.size, objects, placed, self._plan.form, told, tile.name
            )
        task = self._plan.form.task(
            task_data(self.tiles, tile, self._url(tile)),
            f"{self.tiles.id}-{tile.box.top}-{tile.box.left}",
            regions,
        )
        note = {
            "bytes": len(data),
            "count": dict(told.count),
            "least_iou": told.least_iou,
            "left_out": [list(lost) for lost in told.left_out],
        }
        return Made(tile.name, note, task)

    def _url(self, tile: Tile) -> str:
        # Label Studio serves no file right in its root of local files: the folder is named, too.
        name = f"{self._output.resolve().name}/{self._name}/{tile.name}"
        size = tile.box.size
        picture = FilePicture(self._path(tile), size)
        return self._plan.urls.url(AnnotatedImage(name, name, size, (), picture))

    def _written(self) -> Iterator[Tile]:
        for tile in map(self._tile, self.grid.windows()):
            if tile.name in self._journal and self._journal.note(tile.name).get("bytes") != 0:
                yield tile

    def _finish(self, report: Report) -> None:
        tiles = tuple(self._written())
        for tile in tiles:
            note = self._journal.note(tile.name)
            report.count.update(note["count"])
            report.least_iou = min(report.least_iou, note["least_iou"])
            report.left_out += [LeftOut(*each) for each in note["left_out"]]
        report.count["tiles"] += len(tiles)
        report.count["empty"] += len(self.grid) - len(tiles)
        if self._shapes is not None:
            missed = self._shapes.beside(tile.box for tile in tiles)
            report.left_out += self._shapes.left_out
            report.left_out += [LeftOut("shapes where the picture has no data")] * missed
        known: TileSet = self.tiles.model_copy(update={"tiles": tiles})
        write_tile_set(sidecar_path(self._output, self._name), known)


def _opened(output: Path, name: str, fingerprint: str) -> Journal:
    path = journal_path(output, name)
    there = path.exists() or (output / name).exists()
    if there and not Journal.continues(path, fingerprint):
        raise FileWriteError(
            f"{output / name} holds tiles that were cut otherwise, or of another picture",
            hint=f"name a new folder, or delete that one and {path.name} beside it",
        )
    return Journal(path, fingerprint)


def journal_path(output: Path, name: str) -> Path:
    """Where a picture's finished tiles are noted."""
    return output / f".{name}{JOURNAL_ENDING}"
