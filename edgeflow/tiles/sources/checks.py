"""Pictures that cannot be cut, with what to do about it; needs the extra."""

from __future__ import annotations

import numpy as np
from rasterio.enums import Interleaving
from rasterio.io import DatasetReader

from edgeflow.tiles.errors import TilesError

MAX_BLOCK_BYTES = 128 << 20
"""Of what a file stores together, once it is decoded: it can only be read whole."""

_REWRITE = "`gdal_translate {name} OUT.tif -co TILED=YES -co COMPRESS=DEFLATE{more}`"


def check_layout(data: DatasetReader, name: str) -> None:
    """Refuse what cannot be read in windows.

    Raises:
        TilesError: It is such a picture.
    """
    if not data.count or data.width < 1 or data.height < 1:
        raise TilesError(f"{name} has no pixels", hint="fetch it again from where it came")
    dtype = data.dtypes[0]
    if dtype.startswith("complex"):
        raise TilesError(
            f"the values of {name} are complex numbers ({dtype}), which have no grey",
            hint="take their magnitude first, for example with gdal_calc.py",
        )
    height, width = data.block_shapes[0]
    together = data.count if data.interleaving == Interleaving.pixel else 1
    stored = height * width * np.dtype(dtype).itemsize * together
    if stored > MAX_BLOCK_BYTES:
        more = " -co INTERLEAVE=BAND" if together > 4 else ""
        raise TilesError(
            f"{name} stores {width}×{height} pixels of {together} bands together, which can only "
            f"be read whole: {stored >> 20} MB",
            hint=f"rewrite it in blocks: {_REWRITE.format(name=name, more=more)}",
        )


def check_place(data: DatasetReader, name: str) -> None:
    """Refuse a picture whose pixels lie on no even grid of the map.

    Raises:
        TilesError: It is such a picture.
    """
    if not data.transform.is_identity:
        return
    if data.gcps[0]:
        what, how = "ground control points alone", "gdalwarp"
    elif data.rpcs is not None:
        what, how = "a camera model (RPC) alone", "gdalwarp -rpc"
    else:
        return
    raise TilesError(
        f"{name} is placed by {what}: its pixels lie on no grid of the map",
        hint=f"put it on one first: `{how} {name} OUT.tif`",
    )
