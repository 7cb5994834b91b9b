"""What is known of a picture's tiles, in a JSON file beside them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Self

from edgeflow.checkpoints.manifest import is_plain_name
from edgeflow.errors import brief
from edgeflow.files import write_atomically
from edgeflow.geometry import Box, Size
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.georeference import Georeference, Transform, is_usable
from edgeflow.tiles.grid import Grid

ENDING = ".tiles.json"
"""Of the file's name."""

MAX_BYTES = 1 << 30
MAX_SIDE = 1 << 31
MOST_BANDS = 65_535


def _plain(name: str) -> str:
    if not is_plain_name(name):
        raise ValueError("not a plain file name")
    return name


def _number(value: object) -> object:
    """A number that JSON has no way to write, from its name."""
    return float(value) if value in ("nan", "inf", "-inf") else value


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_plain)]


class Tile(_Record):
    """A tile.

    Attributes:
        name: File name of its image.
        box: Its window in the picture.
    """

    name: Name
    box: Box


class Stretch(_Record):
    """Which values of a band become black and white.

    Attributes:
        low: Becomes 0.
        high: Becomes 255; above ``low``.
    """

    low: float
    high: float


class TileSet(_Record):
    """A picture and its tiles.

    Attributes:
        id: Digest of the picture and of how it was cut; the same for the same tiles.
        source: The picture's file name, without its folder.
        size: In pixels.
        crs: As in :class:`~edgeflow.tiles.georeference.Georeference`.
        transform: As there.
        nodata: Value of pixels that show nothing; None if there is none.
        side: Of the grid.
        overlap: Of the grid.
        bands: Which bands are shown, from 1: one as grey, or three as red, green and blue.
        stretch: For each of ``bands``; empty if values were left as they are.
        tiles: Those that were written; the grid's other windows show nothing.
    """

    format: int = Field(default=1, ge=1, le=1)
    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    source: Name
    size: Size
    crs: str | None = Field(default=None, max_length=1 << 20)
    transform: Transform | None = None
    nodata: Annotated[float | None, Field(allow_inf_nan=True)] = None
    side: int = Field(ge=1, le=MAX_SIDE)
    overlap: int = Field(ge=0, le=MAX_SIDE)
    bands: tuple[Annotated[int, Field(ge=1, le=MOST_BANDS)], ...] = Field(min_length=1)
    stretch: tuple[Stretch, ...] = ()
    tiles: tuple[Tile, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _named_numbers(cls, values: Any) -> Any:  # noqa: ANN401 - whatever is in the file
        if isinstance(values, dict) and "nodata" in values:
            return {**values, "nodata": _number(values["nodata"])}
        return values

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not all(0 < length <= MAX_SIDE for length in self.size):
            raise ValueError("a picture without pixels, or with too many")
        if self.overlap >= self.side:
            raise ValueError("tiles overlap by their whole side")
        if self.transform is not None and not is_usable(self.transform):
            raise ValueError("the transform cannot be turned back")
        names = {tile.name for tile in self.tiles}
        if len(names) < len(self.tiles):
            raise ValueError("two tiles have one name")
        whole = Box.whole(self.size)
        if any(
            not tile.box.area or tile.box.intersection(whole) != tile.box for tile in self.tiles
        ):
            raise ValueError("a tile lies outside the picture")
        return self

    @property
    def georeference(self) -> Georeference:
        """Where the picture lies."""
        return Georeference(self.crs, self.transform)

    @property
    def grid(self) -> Grid:
        """How it was cut."""
        return Grid(self.size, self.side, self.overlap)


def sidecar_path(folder: Path, name: str) -> Path:
    """The file of a picture's tiles.

    Args:
        folder: Output folder.
        name: Of the folder of tiles in it.
    """
    return folder / f"{name}{ENDING}"


def write_tile_set(path: Path, tiles: TileSet) -> None:
    """Write the file, a line for each tile.

    Raises:
        FileWriteError: It cannot be written.
    """
    document = tiles.model_dump(mode="python")
    listed = document.pop("tiles")
    if tiles.nodata is not None and not math.isfinite(tiles.nodata):
        document["nodata"] = str(tiles.nodata)
    head = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False).removesuffix("\n}")
    rows = ",\n".join(f"  {json.dumps(each, ensure_ascii=False)}" for each in listed)
    write_atomically(path, f'{head},\n "tiles": [\n{rows}\n ]\n}}\n'.encode())


def read_tile_set(path: Path) -> TileSet:
    """Read the file.

    Raises:
        TilesError: It is missing, too large, or not such a file.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TilesError(
                f"{path} is too large for a list of tiles", hint=f"name a file *{ENDING}"
            )
        return TileSet.model_validate(json.loads(path.read_bytes()))
    except OSError as error:
        raise TilesError(
            f"no list of tiles at {path}: {error.strerror}",
            hint=f"`edgeflow tile` writes *{ENDING} beside its folders of tiles",
        ) from error
    except (ValidationError, ValueError, RecursionError) as error:
        raise TilesError(
            f"{path} is not a list of tiles: {brief(error, 500)}",
            hint="take the file that `edgeflow tile` wrote",
        ) from error
