"""Label Studio's bitmasks: PNGs whose alpha channel is the mask.

Written as one bit a pixel: grey, white where the mask is, and black is transparent (``tRNS``).
Browsers and Pillow read that as any other PNG with an alpha channel. Beside the editor's own form,
eight bits of RGBA, there is a thirty-second part to compress, which is nearly all of the work.
"""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from edgeflow.arrays import BoolMask
from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Size
from edgeflow.images.png import SIGNATURE, png_chunk
from edgeflow.masks.patch import MaskPatch

COMPRESSION = 3
"""Of 0 to 9: 6 takes almost three times as long for codes a tenth shorter."""

_LAYOUT = struct.pack(">BBBBB", 1, 0, 0, 0, 0)
"""IHDR after the sizes: one bit a pixel, grey, and the only compression, filters and order."""

_BLACK = bytes(2)

OPAQUE = 127
"""Alpha above which a soft border counts as mask."""


def encode_bitmask(patch: MaskPatch) -> bytes:
    """Encode a mask as a PNG of its image's size, opaque white where the mask is, else transparent.

    Args:
        patch: The mask; may be empty.

    Raises:
        MaskCodecError: The image has no pixels.
    """
    height, width = patch.image_size
    if not height or not width:
        raise MaskCodecError(f"cannot write a PNG of shape {tuple(patch.image_size)}")
    rows = np.zeros((height, 1 + -(-width // 8)), dtype=np.uint8)  # each begins with its filter: 0
    if not patch.empty:
        first, shift = divmod(patch.box.left, 8)
        bits = np.packbits(np.pad(patch.pixels, ((0, 0), (shift, 0))), axis=1)
        rows[patch.box.top : patch.box.bottom, 1 + first : 1 + first + bits.shape[1]] = bits
    return b"".join(
        (
            SIGNATURE,
            png_chunk(b"IHDR", struct.pack(">II", width, height) + _LAYOUT),
            png_chunk(b"tRNS", _BLACK),
            png_chunk(b"IDAT", zlib.compress(rows.data, COMPRESSION)),
            png_chunk(b"IEND", b""),
        )
    )


def decode_bitmask(png: bytes, size: Size) -> BoolMask:
    """Decode a bitmask, whoever wrote it: the mask is where its alpha channel is opaque.

    Args:
        png: The file, untrusted.
        size: The image's size, which it must have.

    Returns:
        H×W bool.

    Raises:
        MaskCodecError: It is damaged, no PNG, or of another size.
    """
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            opaque = _opaque(image) if (image.height, image.width) == size else None
    except Exception as error:  # decoders raise almost anything on damaged or hostile bytes
        raise MaskCodecError("its bitmask is not a readable PNG") from error
    if opaque is None:
        raise MaskCodecError(f"its bitmask is not of {size.width}×{size.height} pixels")
    return opaque


def _opaque(image: Image.Image) -> BoolMask:
    if (
        image.mode == "1" and image.info.get("transparency") == 0
    ):  # ours: no need for 8 bits of RGBA
        return np.array(image)
    opaque: BoolMask = np.asarray(image.convert("RGBA"))[:, :, 3] > OPAQUE
    return opaque
