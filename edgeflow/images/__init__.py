"""Image bytes to RGB arrays, as a browser would show them."""

from edgeflow.images.decode import DecodedImage, decode_image, read_image
from edgeflow.images.formats import FORMATS, MAX_PIXELS
from edgeflow.images.quiet import quiet_decoders

__all__ = ["FORMATS", "MAX_PIXELS", "DecodedImage", "decode_image", "quiet_decoders", "read_image"]
