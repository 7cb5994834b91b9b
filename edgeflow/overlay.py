"""A mask and its clicks drawn on an image: a tint with an outline, and numbered dots."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.prompts.click import Click

TINT = (30, 144, 255)
POSITIVE = (32, 200, 64)
NEGATIVE = (230, 32, 32)


def draw_overlay(
    image: RGBImage,
    mask: BoolMask,
    clicks: Sequence[Click] = (),
    *,
    opacity: float = 0.45,
) -> RGBImage:
    """Draw a mask and its clicks on an image.

    Args:
        image: H×W×3 uint8 RGB; left as it is.
        mask: H×W bool.
        clicks: Clicks to number in this order; green for positive, red for negative.
        opacity: Opacity of the tint, 0 to 1.

    Returns:
        H×W×3 uint8 RGB, a new array.
    """
    out: RGBImage = image.copy()
    tint_mask(out, mask, TINT, opacity=opacity)
    draw_clicks(out, clicks)
    return out


def tint_mask(
    canvas: RGBImage, mask: BoolMask, colour: tuple[int, int, int], *, opacity: float = 0.45
) -> None:
    """Tint a mask on an image, which changes, and draw its outline.

    Args:
        canvas: H×W×3 uint8 RGB.
        mask: H×W bool.
        colour: RGB, 0 to 255.
        opacity: Opacity of the tint, 0 to 1; 0 for the outline alone.
    """
    tint = np.array(colour, dtype=np.float32)
    canvas[mask] = (canvas[mask] * (1 - opacity) + tint * opacity).astype(np.uint8)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, contours, -1, colour, line_width(canvas))


def draw_clicks(canvas: RGBImage, clicks: Sequence[Click]) -> None:
    """Draw clicks on an image, which changes, numbered in this order.

    Args:
        canvas: H×W×3 uint8 RGB.
        clicks: Green for positive, red for negative.
    """
    unit = line_width(canvas)
    for number, click in enumerate(clicks, start=1):
        centre = (round(click.point.x), round(click.point.y))
        cv2.circle(canvas, centre, 6 * unit, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(
            canvas, centre, 5 * unit, POSITIVE if click.positive else NEGATIVE, -1, cv2.LINE_AA
        )
        corner = (centre[0] + 8 * unit, centre[1] - 4 * unit)
        for ink, width in (((0, 0, 0), 3 * unit), ((255, 255, 255), unit)):
            cv2.putText(
                canvas, str(number), corner, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * unit, ink, width,
                cv2.LINE_AA,
            )  # fmt: skip


def line_width(image: RGBImage) -> int:
    """Width of an outline on an image of this size, pixels."""
    longer: int = max(image.shape[:2])
    return max(1, round(longer / 500))
