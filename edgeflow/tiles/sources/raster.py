"""Pictures that GDAL reads window by window, with their place on the map; needs the extra."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.io import DatasetReader
from rasterio.windows import Window

from edgeflow.arrays import BoolMask
from edgeflow.errors import brief
from edgeflow.geometry import Box, Size
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.georeference import Georeference, Transform, is_usable
from edgeflow.tiles.sidecar import Stretch
from edgeflow.tiles.sources.checks import MAX_BLOCK_BYTES, check_layout, check_place
from edgeflow.tiles.sources.levels import PERCENTILES, Levels, stretch_of, valid_pixels
from edgeflow.tiles.sources.sampling import sampled_windows, sampled_zoom
from edgeflow.tiles.sources.source import Choice, Description, Samples, Shown
from edgeflow.tiles.sources.world_file import read_world_file

CACHE_MB = 64

_COLOURS = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


class RasterSource:
    """A file that GDAL reads. Only the file itself is looked at, nothing that lies beside it.

    Args:
        path: The file.
        driver: GDAL's only driver for it.
        choice: What is shown.

    Raises:
        TilesError: It cannot be read, or not in windows.
    """

    def __init__(self, path: Path, driver: str, choice: Choice) -> None:
        self._path = path
        with _readable(path), contextlib.ExitStack() as stack:
            self._data = stack.enter_context(_dataset(path, driver))
            check_layout(self._data, path.name)
            check_place(self._data, path.name)
            self._indexes = _bands(self._data, choice, path.name)
            self._palette = _palette(self._data, self._indexes)
            self._alpha = _alpha(self._data, self._indexes)
            flags = self._data.mask_flag_enums[self._indexes[0] - 1]
            self._masked = MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags
            self._nodata = [self._data.nodatavals[index - 1] for index in self._indexes]
            self._stretch = self._stretches(choice)
            self._levels = Levels(self._stretch, np.dtype(self._data.dtypes[self._indexes[0] - 1]))
            self._about = self._described(choice)
            self._stack = stack.pop_all()

    @property
    def about(self) -> Description:
        """See :class:`~edgeflow.tiles.sources.source.Source`."""
        return self._about

    def read(self, box: Box) -> Shown:
        """See :class:`~edgeflow.tiles.sources.source.Source`."""
        samples, valid = self._samples(box)
        if self._palette is None:
            return Shown(self._levels.pixels(samples, valid), valid)
        entries = np.take(self._palette, samples[0], axis=0)
        opaque = entries[..., 3] > 0
        if not opaque.all():
            valid = opaque if valid is None else valid & opaque
        pixels = np.ascontiguousarray(entries[..., :3])
        if valid is not None:
            pixels[~valid] = 0
        return Shown(pixels, valid)

    def close(self) -> None:
        """See :class:`~edgeflow.tiles.sources.source.Source`."""
        self._stack.close()

    def _samples(self, box: Box, zoom: Size | None = None) -> tuple[Samples, BoolMask | None]:
        """C×H×W samples of a window, and where there are some; all of it at another size."""
        window = Window(box.left, box.top, box.size.width, box.size.height)
        indexes = [*self._indexes, *([self._alpha] if self._alpha else [])]
        shape = tuple(zoom or box.size)
        try:
            samples = self._data.read(indexes, window=window, out_shape=(len(indexes), *shape))
            mask = None
            if self._masked:
                mask = self._data.read_masks(self._indexes[0], window=window, out_shape=shape) > 0
        except Exception as error:  # GDAL raises almost anything on damaged bytes
            said = _said(error, self._path)
            place = f"rows {box.top} to {box.bottom}"
            raise TilesError(
                f"{self._path.name} cannot be read at its {place}: {said}",
                hint="save it as a JPEG that is not progressive, or as PNG"
                if "libjpeg to allocate" in said
                else "it may be truncated or damaged: fetch it again from where it came",
            ) from error
        if self._alpha:
            mask = samples[-1] > 0
            samples = samples[:-1]
        valid = valid_pixels(samples, self._nodata)
        if mask is None or mask.all():
            return samples, valid
        return samples, mask if valid is None else valid & mask

    def _stretches(self, choice: Choice) -> tuple[Stretch, ...]:
        dtype = self._data.dtypes[self._indexes[0] - 1]
        if self._palette is not None:
            return ()
        if dtype == "uint8" and choice.percentiles is None:
            bits = int(self._data.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", 8))
            if bits == 8 or not choice.stretched:
                return ()
            return (Stretch(low=0, high=(1 << bits) - 1),) * len(self._indexes)
        if not choice.stretched:
            raise TilesError(
                f"the values of {self._path.name} are of type {dtype}, and tiles have 8 bits",
                hint="leave --no-stretch out",
            )
        parts: list[list[Samples]] = [[] for _ in self._indexes]
        for samples, valid in self._sampled():
            for part, band, none in zip(parts, samples, self._nodata, strict=True):
                kept = band[valid] if valid is not None else band.ravel()
                part.append(kept if none is None else kept[kept != none])
        chosen = choice.percentiles or PERCENTILES
        return tuple(stretch_of(np.concatenate(part), chosen) for part in parts)

    def _sampled(self) -> Iterator[tuple[Samples, BoolMask | None]]:
        size = Size(self._data.height, self._data.width)
        zoom = sampled_zoom(size, self._data.overviews(self._indexes[0]))
        if zoom is not None:
            yield self._samples(Box.whole(size), zoom)
            return
        for box in sampled_windows(size, Size(*self._data.block_shapes[self._indexes[0] - 1])):
            yield self._samples(box)

    def _described(self, choice: Choice) -> Description:
        data, notes = self._data, []
        transform: Transform | None = tuple(data.transform)[:6]
        if transform == _IDENTITY:
            transform = None
        elif transform is not None and not is_usable(transform):
            notes.append("its transform gives pixels no area, and is left out")
            transform = None
        if transform is None and (world := read_world_file(self._path)) is not None:
            name, transform = world
            notes.append(f"placed by {name}")
        crs = data.crs.to_wkt() if data.crs else None
        if transform is None and data.driver == "GTiff":
            notes.append("it has no place on a map, and its tiles have none")
        elif transform is not None and crs is None:
            notes.append("it names no coordinate reference system")
        if len(_plain(data)) > 3 and not choice.bands and self._palette is None:
            shown = ", ".join(map(str, self._indexes))
            notes.append(f"bands {shown} of {data.count} are shown; choose others with --bands")
        if data.subdatasets:
            notes.append(f"the first of its {len(data.subdatasets)} pictures is cut")
        return Description(
            size=Size(data.height, data.width),
            channels=3 if self._palette is not None else len(self._indexes),
            block=Size(*data.block_shapes[self._indexes[0] - 1]),
            georeference=Georeference(crs, transform),
            nodata=self._nodata[0],
            bands=self._indexes,
            stretch=self._stretch,
            notes=tuple(notes),
        )


@contextlib.contextmanager
def _dataset(path: Path, driver: str) -> Iterator[DatasetReader]:
    """GDAL's view of one local file, alone."""
    with rasterio.Env(
        GDAL_CACHEMAX=max(CACHE_MB, 2 * MAX_BLOCK_BYTES >> 20),
        GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR",
        GDAL_ERROR_ON_LIBJPEG_WARNING=True,  # a truncated JPEG would be grey from there on
        GDAL_NUM_THREADS=1,  # its threads end the process over damaged tiles of JPEG
        GDAL_PAM_ENABLED=False,
        GDAL_PNG_WHOLE_IMAGE_OPTIM=False,  # takes what memory holds for rows that are missing
        GTIFF_POINT_GEO_IGNORE=False,
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has no place, which is no fault
            data = rasterio.open(path.resolve(), driver=driver, sharing=False)
        with data:
            yield data


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Whatever GDAL raises, as a sentence."""
    try:
        yield
    except TilesError:
        raise
    except Exception as error:  # GDAL raises almost anything on damaged bytes
        raise TilesError(
            f"{path.name} cannot be read: {_said(error, path)}",
            hint="it may be truncated or damaged: fetch it again, or rewrite it with "
            f"`gdal_translate {path.name} OUT.tif -co TILED=YES -co COMPRESS=DEFLATE`",
        ) from error


def _bands(data: DatasetReader, choice: Choice, name: str) -> tuple[int, ...]:
    if choice.bands:
        if max(choice.bands) > data.count:
            raise TilesError(
                f"{name} has no band {max(choice.bands)}, but {data.count}",
                hint="choose others with --bands",
            )
        return choice.bands
    meanings = data.colorinterp
    if meanings[0] == ColorInterp.palette:
        return (1,)
    if all(colour in meanings for colour in _COLOURS):
        red, green, blue = (meanings.index(colour) + 1 for colour in _COLOURS)
        return red, green, blue
    plain = _plain(data)
    return tuple(plain[: 3 if len(plain) >= 3 else 1] or [1])


def _plain(data: DatasetReader) -> list[int]:
    """The first bands that hold values."""
    meanings = enumerate(data.colorinterp[:5], 1)
    return [number for number, each in meanings if each != ColorInterp.alpha]


def _alpha(data: DatasetReader, shown: tuple[int, ...]) -> int | None:
    """The band that says where there is something; None if there is none beside those shown."""
    found = [n for n, each in enumerate(data.colorinterp, 1) if each == ColorInterp.alpha]
    return found[0] if found and found[0] not in shown else None


def _palette(data: DatasetReader, indexes: tuple[int, ...]) -> np.ndarray | None:
    """N×4 uint8 colours of all values that the band can have; None if it has no palette."""
    if len(indexes) != 1 or data.colorinterp[indexes[0] - 1] != ColorInterp.palette:
        return None
    colours = data.colormap(indexes[0])
    table = np.zeros((1 << 8 * np.dtype(data.dtypes[indexes[0] - 1]).itemsize, 4), dtype=np.uint8)
    for value, colour in colours.items():
        table[value] = colour
    return table


def _said(error: Exception, path: Path) -> str:
    """What GDAL says, in one line and without the folder."""
    cause = error.__cause__ or error
    text = " ".join(str(cause).split()) or type(error).__name__
    return brief(text.replace(str(path.resolve()), path.name), 200)
