"""The palette of PASCAL VOC, in which numbers stay apart to the eye."""

from __future__ import annotations

RGB = tuple[int, int, int]
"""0 to 255 each."""

BITS = 8


def voc_colour(number: int) -> RGB:
    """The colour of a class or an object; black for 0, the background.

    The bits of the number are dealt to the three channels, the lowest to the channels' highest
    bits, as VOCdevkit's ``VOClabelcolormap.m`` does it.

    Args:
        number: 0 or more; colours repeat after 2²⁴.
    """
    channels = [0, 0, 0]
    for place in range(BITS):
        for channel in range(3):
            bit = (number >> (3 * place + channel)) & 1
            channels[channel] |= bit << (BITS - 1 - place)
    return channels[0], channels[1], channels[2]
