"""World files: a picture's place in a text file beside it."""

from __future__ import annotations

from pathlib import Path

from edgeflow.tiles.georeference import Transform, is_usable

MAX_BYTES = 4096


def read_world_file(picture: Path) -> tuple[str, Transform] | None:
    """The name and the transform of a picture's world file; None if it has none that is sound.

    Its six lines are a, d, b, e, and x and y of the *centre* of the top left pixel.
    """
    ending = picture.suffix.removeprefix(".").lower()
    short = f"{ending[:1]}{ending[-1:]}w"
    for each in (short, f"{ending}w", "wld"):
        for spelt in (each, each.upper()):
            path = picture.with_suffix(f".{spelt}")
            if path.is_file() and path.stat().st_size <= MAX_BYTES:
                transform = _transform(path.read_bytes())
                if transform is not None:
                    return path.name, transform
    return None


def _transform(text: bytes) -> Transform | None:
    try:
        a, d, b, e, x, y = (float(each) for each in text.split())
    except ValueError:
        return None
    transform = (a, b, x - a / 2 - b / 2, d, e, y - d / 2 - e / 2)
    return transform if is_usable(transform) else None
