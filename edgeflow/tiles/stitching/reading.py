"""What is drawn on the tiles of a project, found by what its tasks say of themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgeflow.agreement.packed import PackedMask
from edgeflow.annotated import AnnotatedImage, mask_of
from edgeflow.data.annotators import choose_annotations
from edgeflow.data.base import DatasetError
from edgeflow.data.drawn_tasks import key_of
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import brief
from edgeflow.export.classes import Classes
from edgeflow.export.flat import BOXES
from edgeflow.export.reading.finder import Finder, Found
from edgeflow.export.reading.tasks import annotations_of_tasks
from edgeflow.geometry import Size
from edgeflow.label_studio.config.label_config import LabelConfig
from edgeflow.tiles.sidecar import ENDING, TileSet
from edgeflow.tiles.stitching.pieces import Piece
from edgeflow.tiles.tasks import TileKey, tile_key


@dataclass
class DrawnTiles:
    """What is drawn on the tiles of pictures.

    Attributes:
        classes: Of all of them.
        pieces: By the id of the tile set, in the order of the tasks.
        left_out: What is not among them.
    """

    classes: Classes
    pieces: dict[str, list[Piece]] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)


class _Tasks:
    """Tasks, of which it is noted as they pass whose tiles they show, and who annotated them."""

    def __init__(self, tasks: Iterable[dict[str, Any]], annotator: str) -> None:
        self._tasks, self._annotator = tasks, annotator
        self.keys: dict[str, TileKey | None] = {}
        self.by: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for task in self._tasks:
            self.keys[key_of(task)] = tile_key(task.get("data"))
            chosen = choose_annotations(task, "", self._annotator).annotations
            self.by = tuple(dict.fromkeys(each.by for each in chosen))
            yield task


class _TileFinder(Finder):
    """Finds the windows of tiles in place of pictures."""

    def __init__(self, tasks: _Tasks, sets: dict[str, TileSet]) -> None:
        super().__init__()
        self._tasks = tasks
        self._sizes = {
            TileKey(each.id, tile.name): tile.box.size
            for each in sets.values()
            for tile in each.tiles
        }
        self._sets = sets

    def find(self, location: str, task: str, number: int, drawn_on: list[Size | None]) -> Found:
        """See :meth:`Finder.find`; the name is the tile's, as :func:`_name` makes it."""
        del location, drawn_on
        key = self._tasks.keys.get(task)
        if key is None:
            raise DatasetError(
                "it is no task that `edgeflow tile` made: its data names no tile",
                hint="import the tasks.json that it wrote",
            )
        if key.tiles not in self._sets:
            raise DatasetError(
                f"it shows a tile of a set that is not named, {brief(key.tiles, 40)!a}",
                hint=f"name that picture's file *{ENDING}, too",
            )
        if key not in self._sizes:
            raise DatasetError(
                f"{self._sets[key.tiles].source} has no tile {brief(key.tile)!a}",
                hint="tile it again with the same options, and take that list of tiles",
            )
        if number > 1:
            raise DatasetError("it shows several images", hint="a tile's task has one")
        return Found(_name(key), _name(key), self._sizes[key], None)


def _name(key: TileKey) -> str:
    return f"{key.tiles}/{key.tile}"


def drawn_tiles(
    sets: Sequence[TileSet],
    tasks: Iterable[dict[str, Any]],
    config: LabelConfig | None,
    annotator: str,
) -> DrawnTiles:
    """What is drawn on tiles.

    Args:
        sets: Those that the tasks may show.
        tasks: As Label Studio's API lists them, untrusted; read twice.
        config: The project's labelling config, where it is at hand.
        annotator: Whose annotation of a task counts.
    """
    by_id = {each.id: each for each in sets}
    places = {
        _name(TileKey(each.id, tile.name)): (each, place)
        for each in sets
        for place, tile in enumerate(each.tiles)
    }
    noted = _Tasks(tasks, annotator)
    annotations = annotations_of_tasks("tasks", noted, config, _TileFinder(noted, by_id), annotator)
    drawn = DrawnTiles(Classes(annotations.labels))
    seen: set[str] = set()
    faults: Counter[LeftOut] = Counter()
    for each in annotations.images:
        if isinstance(each, LeftOut):
            faults[each] += 1  # a fault of each of a hundred regions is told once
            if not each.fault or faults[each] == 1:
                drawn.left_out.append(each)
        elif each.file_name in seen:
            source = f"task {each.key.partition(chr(10))[0]}"
            fault = f"its tile {each.file_name.partition('/')[2]} is drawn on in an earlier task"
            drawn.left_out.append(LeftOut(fault, source))
        else:
            seen.add(each.file_name)
            tiles, place = places[each.file_name]
            boxes = [one for one in each.objects if mask_of(one.shape) is None]
            drawn.left_out += [LeftOut(BOXES)] * len(boxes)
            found = list(_pieces(each, tiles, place, noted.by))
            drawn.pieces.setdefault(tiles.id, []).extend(found)
    unlabelled = any(each.label is None for pieces in drawn.pieces.values() for each in pieces)
    drawn.classes = Classes(annotations.labels, unlabelled=unlabelled)
    drawn.left_out += list(_without_task(sets, noted))
    return drawn


def _pieces(
    image: AnnotatedImage, tiles: TileSet, place: int, by: tuple[str, ...]
) -> Iterator[Piece]:
    """The objects of a tile, moved to where the tile lies."""
    window = tiles.tiles[place].box
    for each in image.objects:
        mask = mask_of(each.shape)
        if mask is not None:
            moved = mask._replace(
                box=mask.box.shifted(window.top, window.left), image_size=tiles.size
            )
            yield Piece(each.label, PackedMask.of(moved), place, by)


def _without_task(sets: Sequence[TileSet], noted: _Tasks) -> Iterator[LeftOut]:
    """Tiles that no task shows, of pictures of which some do."""
    shown = {key for key in noted.keys.values() if key is not None}
    begun = {key.tiles for key in shown}
    for each in sets:
        if each.id in begun:
            for tile in each.tiles:
                if TileKey(each.id, tile.name) not in shown:
                    yield LeftOut(f"tiles of {each.source} that no task shows")
