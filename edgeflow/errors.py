"""Errors that a user can act on: each says what is wrong, and how to fix it."""

from __future__ import annotations


class EdgeFlowError(Exception):
    """Base of every error this package raises on purpose.

    Attributes:
        code: Short stable identifier for logs and metrics.
        message: What is wrong.
        hint: What the user can do about it.
    """

    code = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class CheckpointError(EdgeFlowError):
    """A weights file is missing, altered, or not of the expected kind."""

    code = "checkpoint"


class FileWriteError(EdgeFlowError):
    """A file that cannot be written."""

    code = "file_write"


class ImageError(EdgeFlowError):
    """Data that is not a usable image."""

    code = "image_unreadable"


class ImageTooLargeError(ImageError):
    """An image with more pixels or bytes than allowed."""

    code = "image_too_large"


class PromptError(EdgeFlowError):
    """Clicks that cannot be used on this image."""

    code = "prompt_unusable"


class ConversionError(EdgeFlowError):
    """Foreign weights that cannot be converted, or are not what they claim to be."""

    code = "conversion"


class MaskCodecError(EdgeFlowError):
    """A run-length code that does not describe a mask."""

    code = "mask_code_invalid"


class PolygonError(EdgeFlowError):
    """A polygon that cannot become a mask, or the reverse."""

    code = "polygon_invalid"


class LabelConfigError(EdgeFlowError):
    """A labelling config that cannot be read, or has no usable control for an answer."""

    code = "label_config"


def no_object() -> PromptError:
    """The error for clicks at which the network sees no object."""
    return PromptError(
        "no object was found at these clicks", hint="click nearer to the object's middle"
    )


def brief(value: object, limit: int = 100) -> str:
    """A value of a config or task for a message: at most ``limit`` characters of it."""
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def counted(count: int, noun: str) -> str:
    """A number with its noun: ``1 task``, ``2 tasks``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
