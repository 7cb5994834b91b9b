"""The formats that are read, one row each."""

from __future__ import annotations

MAX_PIXELS = 80_000_000
"""Default pixel cap: 240 MB once decoded."""

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
"""Supported formats. An allow-list, because some of Pillow's decoders run other programs."""
