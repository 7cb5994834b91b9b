"""Whether an image has the size that the editor shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from edgeflow.errors import PromptError
from edgeflow.geometry import Size


class Sized(Protocol):
    """Something with a height and a width in pixels."""

    @property
    def size(self) -> Size:
        """Height and width."""
        ...


ImageT = TypeVar("ImageT", bound=Sized)


def fitting(width: int | None, height: int | None, get: Callable[[bool], ImageT]) -> ImageT:
    """The image as the editor shows it, which its size in the request confirms.

    Where that is the size of the image as it is stored, the editor did not turn it. Any other size
    means another image; a mask squeezed to it would lie elsewhere. No size, no check.

    Args:
        width: As the editor shows it; None or 0 if the request does not say.
        height: Likewise.
        get: Gets the image, as it is stored if the argument is true.

    Raises:
        PromptError: The image has another size.
    """
    image = get(False)
    if not width or not height or image.size == (height, width):
        return image
    if image.size == (width, height):
        stored = get(True)
        if stored.size == (height, width):
            return stored
    raise PromptError(
        f"the editor shows an image of {width}×{height} pixels, the backend read one of "
        f"{image.size.width}×{image.size.height} pixels",
        hint="reload the task in Label Studio; if the image behind its URL was replaced, wait "
        "until EDGEFLOW_IMAGE_TTL_S has passed; convert formats that browsers do not show",
    )
