"""Files that are no pictures, or not such that can be cut: a sentence each."""

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.control import GroundControlPoint
from rasterio.rpc import RPC

from edgeflow.geometry import Box
from edgeflow.tiles.cutting.strips import cut
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.grid import Grid
from edgeflow.tiles.sources import opening, plain
from edgeflow.tiles.sources.opening import open_source
from edgeflow.tiles.sources.source import Choice
from tests.unit.edgeflow.tiles.rasters import noise, write_raster

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

VRT = (
    '<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand dataType="Byte" band="1">'
    "<SimpleSource><SourceFilename>/etc/passwd</SourceFilename></SimpleSource></VRTRasterBand>"
    "</VRTDataset>"
)


def read_top(path: Path) -> None:
    """Open a picture and read it from its top: some faults are only found there."""
    source = open_source(path, Choice())
    try:
        source.read(Box(0, 0, min(300, source.about.size.height), source.about.size.width))
    finally:
        source.close()


def cut_all(path: Path, choice: Choice | None = None) -> int:
    source = open_source(path, choice or Choice())
    try:
        grid = Grid(source.about.size, 128, 16)
        assert len(grid) < 1000
        return sum(each.pixels is not None for each in cut(source, grid, lambda _: True))
    finally:
        source.close()


def png(width: int, height: int, interlaced: int = 0) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, interlaced)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def patched(path: Path, tag: int, kind: int, value: bytes) -> None:
    """Overwrite the value of a tag."""
    data = bytearray(path.read_bytes())
    at = data.rfind(struct.pack("<HH", tag, kind)) + 8
    data[at : at + len(value)] = value
    path.write_bytes(bytes(data))


def gcps(path: Path) -> None:
    write_raster(path, noise(1, 9, 9), crs=None, transform=None)
    with rasterio.open(path, "r+") as data:
        points = [GroundControlPoint(0, 0, 5, 5), GroundControlPoint(0, 9, 6, 5)]
        data.gcps = (points, rasterio.crs.CRS.from_epsg(4326))


def rpcs(path: Path) -> None:
    write_raster(path, noise(1, 9, 9), crs=None, transform=None)
    names = [f"{what}_{each}" for what in ("height", "lat", "line", "long", "samp")
             for each in ("off", "scale")]  # fmt: skip
    terms = {
        f"{what}_{part}_coeff": [1.0] * 20 for what in ("line", "samp") for part in ("num", "den")
    }
    with rasterio.open(path, "r+") as data:
        data.rpcs = RPC(**dict.fromkeys(names, 1.0), **terms)


def truncated(path: Path) -> None:
    write_raster(path, noise(3, 300, 300), tiled=True, blockxsize=64, blockysize=64)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def zero_width(path: Path) -> None:
    write_raster(path, noise(3, 30, 30))
    patched(path, 256, 3, b"\0\0")


def no_rows_a_strip(path: Path) -> None:
    write_raster(path, noise(3, 30, 30))
    patched(path, 278, 3, b"\0\0")


def strips_elsewhere(path: Path) -> None:
    write_raster(path, noise(1, 30, 30))
    patched(path, 273, 4, struct.pack("<I", 0xFFFFFFF0))


def sparse(side: int, block: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with rasterio.open(
            path, "w", driver="GTiff", width=side, height=side, count=3, dtype="uint8", tiled=True,
            blockxsize=block, blockysize=block, SPARSE_OK="TRUE", BIGTIFF="YES",
        ):  # fmt: skip
            pass

    return write


def truncated_jpeg(path: Path) -> None:
    Image.fromarray(np.moveaxis(noise(3, 300, 300), 0, 2)).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:20_000])


def progressive_bomb(path: Path) -> None:
    Image.fromarray(np.moveaxis(noise(3, 64, 64), 0, 2)).save(path, "JPEG", progressive=True)
    data = bytearray(path.read_bytes())
    at = data.find(b"\xff\xc2")
    data[at + 5 : at + 9] = b"\x0f\x00\xff\x00"
    path.write_bytes(bytes(data))


CASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.tif": (lambda path: path.write_bytes(b""), "is empty"),
    "garbage.tif": (
        lambda path: path.write_bytes(b"II*\0" + bytes(range(256)) * 9),
        "cannot be read",
    ),
    "head.tif": (lambda path: path.write_bytes(b"II*\0\x08\0\0\0"), "cannot be read"),
    "text.tif": (lambda path: path.write_bytes(b"hello"), "is none of TIFF, PNG, JPEG"),
    "a.vrt": (lambda path: path.write_text(VRT), "is a VRT, which names other files"),
    "vrt.tif": (lambda path: path.write_text(VRT), "is a VRT, which names other files"),
    "a.jp2": (
        lambda path: path.write_bytes(b"\xff\x4f\xff\x51" + bytes(99)),
        "is a JPEG2000 image",
    ),
    "folder.tif": (lambda path: path.mkdir(), "is a folder"),
    "missing.tif": (lambda _: None, "there is no file"),
    "truncated.tif": (truncated, "cannot be read"),
    "zero.tif": (zero_width, "cannot be read"),
    "rows.tif": (no_rows_a_strip, "cannot be read"),
    "strips.tif": (strips_elsewhere, "cannot be read at its rows"),
    "complex.tif": (
        lambda path: write_raster(path, noise(1, 9, 9).astype(np.complex64)),
        "are complex numbers",
    ),
    "gcps.tif": (gcps, "ground control points alone"),
    "rpcs.tif": (rpcs, r"a camera model \(RPC\) alone"),
    "block.tif": (sparse(20_000, 16_384), "can only be read whole: 768 MB"),
    "bomb.png": (lambda path: path.write_bytes(png(2**31 - 1, 2**31 - 1)), "cannot be read"),
    "interlaced.png": (lambda path: path.write_bytes(png(30_000, 30_000, 1)), "an interlaced PNG"),
    "zero.png": (lambda path: path.write_bytes(png(0, 5)), "cannot be read"),
    "short.png": (lambda path: path.write_bytes(png(300, 300)), "cannot be read at its rows"),
    "short.jpg": (truncated_jpeg, "cannot be read at its rows"),
    "bomb.jpg": (progressive_bomb, "cannot be read at its rows"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_cut_is_told_in_a_sentence(tmp_path: Path, name: str) -> None:
    make, said = CASES[name]
    make(tmp_path / name)
    with pytest.raises(TilesError, match=said) as caught:
        read_top(tmp_path / name)
    assert caught.value.hint
    assert "Traceback" not in caught.value.message
    if name not in ("folder.tif", "missing.tif"):  # a path that a user typed
        assert str(tmp_path) not in caught.value.message


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["deflate", "lzw", "jpeg"])
def test_damaged_bytes_end_in_a_sentence_or_a_picture(tmp_path: Path, kind: str) -> None:
    """GDAL's own threads ended the process over some of these, so it is given none."""
    random = np.random.default_rng(5)
    more = {"photometric": "ycbcr"} if kind == "jpeg" else {}
    path = write_raster(tmp_path / "a.tif", noise(3, 90, 90), tiled=True, blockxsize=32,
                        blockysize=32, compress=kind, **more)  # fmt: skip
    whole, ends = path.read_bytes(), {"picture": 0, "sentence": 0}
    for _ in range(60):
        data = bytearray(whole)
        for place in random.integers(0, len(data), 8):
            data[min(place, len(data) - 1) if random.random() < 0.3 else place % 400] ^= int(
                1 << random.integers(0, 8)
            )
        path.write_bytes(bytes(data))
        try:
            read_top(path)
            ends["picture"] += 1
        except TilesError as error:
            assert error.hint
            ends["sentence"] += 1
    assert ends["sentence"] > 10


@pytest.mark.slow
def test_a_file_of_65535_bands(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=2, height=2, count=65_535, dtype="uint8",
        photometric="minisblack", SPARSE_OK="TRUE",
    ):  # fmt: skip
        pass
    assert cut_all(path, Choice(bands=(65_535, 1, 2))) == 1
    with pytest.raises(TilesError, match="has no band 65536, but 65535"):
        open_source(path, Choice(bands=(65_536,)))


def test_one_pixel(tmp_path: Path) -> None:
    assert cut_all(write_raster(tmp_path / "a.tif", noise(3, 1, 1))) == 1


@pytest.mark.parametrize("name", ["/vsicurl/http://127.0.0.1:9/a.tif", "http://127.0.0.1:9/a.tif"])
def test_nothing_is_fetched(name: str) -> None:
    with pytest.raises(TilesError, match="there is no file"):
        open_source(Path(name), Choice())


def test_values_that_fit_into_no_byte_are_refused_if_asked(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(1, 9, 9, kind="uint16"))
    with pytest.raises(TilesError, match="of type uint16, and tiles have 8 bits"):
        open_source(path, Choice(stretched=False))


class TestWithoutTheExtra:
    @pytest.fixture(autouse=True)
    def _not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(opening, "has_extra", lambda: False)
        monkeypatch.setitem(sys.modules, "rasterio", None)

    @pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "a.webp"])
    def test_plain_pictures_are_cut(self, tmp_path: Path, name: str) -> None:
        rgb = np.moveaxis(noise(3, 200, 130), 0, 2)
        Image.fromarray(rgb).save(tmp_path / name, lossless=True)
        source = open_source(tmp_path / name, Choice())
        assert (source.read(Box(10, 20, 150, 130)).pixels == rgb[10:150, 20:130]).all()
        assert cut_all(tmp_path / name) == 4

    def test_large_ones_are_refused_with_the_way_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(plain, "MAX_PIXELS", 1000)
        Image.new("RGB", (100, 100)).save(tmp_path / "a.png")
        with pytest.raises(TilesError, match="too large to be read at once") as caught:
            open_source(tmp_path / "a.png", Choice())
        assert "`geo`" in caught.value.hint

    def test_bands_need_it(self, tmp_path: Path) -> None:
        Image.new("RGB", (9, 9)).save(tmp_path / "a.tif")
        with pytest.raises(TilesError, match="without bands of its own"):
            open_source(tmp_path / "a.tif", Choice(bands=(1,)))

    def test_damaged_ones_are_told(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(png(300, 300))
        with pytest.raises(TilesError, match=r"a\.png: not a readable image"):
            open_source(tmp_path / "a.png", Choice())
