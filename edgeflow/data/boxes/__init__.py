"""Boxes and points that another tool found or drew, whatever it wrote them in."""

from edgeflow.data.boxes.found import FloatBox, FoundBox, FoundPoint, ImageBoxes
from edgeflow.data.boxes.reading import read_boxes

__all__ = ["FloatBox", "FoundBox", "FoundPoint", "ImageBoxes", "read_boxes"]
