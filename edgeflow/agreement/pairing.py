"""Which image of one source is which of another."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from edgeflow.agreement.packed import PackedImage

_UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before an upload's name."""


Pair = tuple[PackedImage, PackedImage]


class Paired(NamedTuple):
    """The images of two sources, A and B.

    Attributes:
        pairs: Those of one picture, A's and B's.
        other_size: Such pairs whose annotations are for images of different sizes.
        only_a: Those that B does not have, or not for certain.
        only_b: Those that A does not have.
    """

    pairs: list[Pair]
    other_size: list[Pair]
    only_a: list[PackedImage]
    only_b: list[PackedImage]


def _path(image: PackedImage) -> str:
    return str(PurePosixPath(image.file_name).with_suffix("")) if image.file_name else ""


def _name(image: PackedImage) -> str:
    return _UPLOADED.sub("", PurePosixPath(_path(image)).name, count=1)


NAMES: tuple[Callable[[PackedImage], str], ...] = (lambda image: image.key, _path, _name)
"""What an image is called, from the most certain to the least."""


def pair_images(
    ones: Iterable[PackedImage], others: Iterable[PackedImage], *, one_source: bool = False
) -> Paired:
    """Find each image's counterpart.

    First by key, which two annotations of one project share; then by the path of the file without
    extension; then by its last part, without what Label Studio puts before the name of an upload.
    A name that several images of a source have tells nothing, even if the others are paired.

    Args:
        ones: Images of A.
        others: Images of B.
        one_source: Whether both are of one source, in which pictures of one name in two folders are
            different ones, even if each annotator drew on one of them alone.
    """
    all_a, all_b = list(ones), list(others)
    left_a, left_b = dict(enumerate(all_a)), dict(enumerate(all_b))
    pairs: list[Pair] = []
    for name in NAMES[:2] if one_source else NAMES:
        in_a, in_b = _sole(all_a, name), _sole(all_b, name)
        for each, place in in_a.items():
            if place in left_a and in_b.get(each) in left_b:
                pairs.append((left_a.pop(place), left_b.pop(in_b[each])))
    only_a, only_b = list(left_a.values()), list(left_b.values())
    fitting = [(one, other) for one, other in pairs if one.size == other.size]
    unfit = [(one, other) for one, other in pairs if one.size != other.size]
    return Paired(fitting, unfit, only_a, only_b)


def _sole(images: list[PackedImage], name: Callable[[PackedImage], str]) -> dict[str, int]:
    """Places of images by names that no other one has."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, image in enumerate(images):
        places[name(image)].append(place)
    return {each: found[0] for each, found in places.items() if len(found) == 1}
