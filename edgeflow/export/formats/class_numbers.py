"""Numbers of objects' classes, for pictures of 8 bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeflow.annotated import AnnotatedObject
from edgeflow.arrays import ByteMap
from edgeflow.data.base import DatasetError
from edgeflow.export.classes import Classes


def class_numbers(objects: Sequence[AnnotatedObject], classes: Classes, most: int) -> ByteMap:
    """The class of each object, behind a 0 for the background.

    Args:
        objects: In the order of their numbers, from 1.
        classes: The classes.
        most: The largest number that the format has a place for, at most 255.

    Returns:
        n + 1 uint8, to be indexed with objects' numbers.

    Raises:
        DatasetError: A class has a larger number.
    """
    numbers = [0, *(classes.number(each.label) for each in objects)]
    if (largest := max(numbers)) > most:
        raise DatasetError(
            f"{classes.names[largest - 1]!r} is class {largest}, and the format has {most}",
            hint="choose a format without such a limit, such as coco",
        )
    return np.array(numbers, dtype=np.uint8)
