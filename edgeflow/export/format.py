"""What a format is: a pure function for each image, and one for the files of the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from edgeflow.annotated import AnnotatedImage
from edgeflow.arrays import RGBImage
from edgeflow.data.base import DatasetError
from edgeflow.export.classes import Classes
from edgeflow.export.output import File, Record, Written

Overlap = Literal["top", "smallest", "error"]
"""Which of several objects a pixel belongs to where a format has room for one: the one drawn last,
the one with the fewest pixels, or none, and the image is left out and told."""

Unlabelled = Literal["keep", "skip"]
"""What becomes of objects without a class: they get one of their own, or are left out and told."""


@dataclass(frozen=True)
class Choices:
    """What a user chooses about the content of files.

    Attributes:
        overlap: For formats in which a pixel belongs to one object.
        unlabelled: For objects without a class.
        polygons: Whether COCO gets polygons in place of exact run-length codes where a mask has one
            part without holes.
        whole_images: Whether a cut-out shows all objects of an image, and not one of them.
        crop: Whether a cut-out is cropped to what it shows, and not of the image's size; None for
            cropping single objects alone.
        soft: Whether cut-outs have a soft edge.
    """

    overlap: Overlap = "top"
    unlabelled: Unlabelled = "keep"
    polygons: bool = False
    whole_images: bool = False
    crop: bool | None = None
    soft: bool = True


@dataclass(frozen=True)
class Plan:
    """What holds for a whole export.

    Attributes:
        name: What people call the annotations.
        classes: The classes. While images are written, whether an object is without one is not
            known yet, and they say so; to the files of the whole they tell what was found.
        choices: The user's.
        splits: Names of the parts, such as train and val; one empty name if there is one part only.
    """

    name: str
    classes: Classes
    choices: Choices = Choices()
    splits: tuple[str, ...] = ("",)


@dataclass(frozen=True, eq=False)
class Page:
    """An image on its way into a format.

    Attributes:
        image: The image and its objects.
        name: What its files are called: a relative path without extension, safe on every system and
            unlike all others of the export, also where case is ignored.
        suffix: The picture's extension, with its dot; perhaps empty.
        picture_name: What the picture is called: in the format's folder for pictures if it was
            brought there, else the image's own ``file_name``.
        split: The part that it belongs to; empty if there is one only.
    """

    image: AnnotatedImage
    name: str
    suffix: str
    picture_name: str
    split: str = ""

    def rgb(self) -> RGBImage:
        """The picture, H×W×3 uint8 RGB in the orientation of the objects.

        Raises:
            DatasetError: It is not at hand, or cannot be read.
        """
        if self.image.picture is None:
            raise DatasetError(
                "its picture is not at hand", hint="name the pictures' folder with --images"
            )
        return self.image.picture.rgb()


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        what: What it is, in a few words.
        image: What it makes of an image. It may raise EdgeFlowError: the image is then left out of
            this format, and told.
        whole: The files of the whole, made of the images' records, which can be read several times,
            each time in the images' order.
        pictures: Folder in which trainers look for the pictures, with ``{split}`` for the part's
            name; None if the format has none.
        copies: Whether pictures are copied there unless the user says otherwise, since the format
            is of no use without.
        always: Paths of files that it makes whatever the images are.
        one_part: What the part's name is in paths where there is one only.
    """

    what: str
    image: Callable[[Page, Plan], Written]
    whole: Callable[[Iterable[Record], Plan], Iterator[File]]
    pictures: str | None = None
    copies: bool = False
    always: tuple[str, ...] = ()
    one_part: str = ""

    def picture_path(self, page: Page) -> str:
        """Path of an image's picture, if it is brought to the format's folder for pictures."""
        folder = (self.pictures or "").format(split=page.split or self.one_part)
        return str(PurePosixPath(folder, page.picture_name))
