"""Image bytes to RGB arrays, as a browser would show them."""

from edgeflow.images.decode import DecodedImage, decode_image, read_image
from edgeflow.images.formats import FORMATS, MAX_PIXELS

__all__ = ["FORMATS", "MAX_PIXELS", "DecodedImage", "decode_image", "read_image"]
