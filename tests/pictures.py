"""The screenshots in the documentation that tests take, and whether they still show its words.

``make pictures`` takes them again. Beside them stands a digest of what each depends on: Label
Studio's version, the labelling config, the photograph, and the section of the page that shows it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from edgeflow.label_studio.config.recommended import RECOMMENDATIONS, recommended_config
from tools.generate_docs import EXAMPLES

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "docs" / "assets"
DIGESTS = ASSETS / "pictures.json"
WANTED = "EDGEFLOW_TAKE_PICTURES"

MARK = (216, 27, 96)


@dataclass(frozen=True)
class Picture:
    """A screenshot.

    Attributes:
        name: File in docs/assets.
        page: File in docs that shows it.
        config: The labelling config that is shown.
        photo: The photograph in demo/photos that is shown.
        width: In pixels, at most.
    """

    name: str
    page: str
    config: str
    photo: str
    width: int = 540

    def digest(self) -> str:
        """Of what it depends on."""
        release = re.search(r"label-studio==\S+", (ROOT / "Makefile").read_text("utf-8"))
        photo = (ROOT / "demo" / "photos" / f"{self.photo}.jpg").read_bytes()
        parts = (str(release and release[0]), self.config, hashlib.sha256(photo).hexdigest())
        return hashlib.sha256("\0".join((*parts, self.section())).encode()).hexdigest()

    def section(self) -> str:
        """What the page says around it, in words alone."""
        text = (ROOT / "docs" / self.page).read_text("utf-8")
        (section,) = [
            part for part in re.split(r"^(?=#)", text, flags=re.MULTILINE) if self.name in part
        ]
        return " ".join(section.split())

    def up_to_date(self) -> bool:
        """Whether it was taken of what is there today."""
        return (ASSETS / self.name).is_file() and _digests().get(self.name) == self.digest()


def of_config(kind: str, number: str) -> Picture:
    """The picture of a recommended config; ``number`` of labels as in :data:`EXAMPLES`."""
    name = f"config-{kind.lower()}-{number}.jpg"
    return Picture(
        name, "labelling-configs.md", recommended_config(kind, EXAMPLES[number]), "coins"
    )


FIRST_MASK, ACCEPTED = (
    Picture(name, "first-project.md", recommended_config(), "coffee", width=1000)
    for name in ("first-mask.jpg", "first-submit.jpg")
)

PICTURES = [
    *(of_config(kind, number) for kind in RECOMMENDATIONS for number in EXAMPLES),
    FIRST_MASK,
    ACCEPTED,
]


def wanted() -> bool:
    """Whether pictures are to be taken."""
    return bool(os.environ.get(WANTED))


def keep(
    picture: Picture, screenshot: bytes, marks: Sequence[tuple[float, float]] = (), first: int = 1
) -> None:
    """Write a screenshot into the documentation, if pictures are to be taken.

    Args:
        picture: Which.
        screenshot: An image file.
        marks: Where numbers are drawn, pixels of the screenshot.
        first: The first of them.
    """
    if not wanted():
        return
    image = Image.open(io.BytesIO(screenshot)).convert("RGB")
    scale = min(picture.width / image.width, 1.0)
    image.thumbnail((picture.width, image.height))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=15)
    for number, (x, y) in enumerate(marks, start=first):
        at = (x * scale - 18, y * scale - 8)  # beside what was pressed
        draw.circle(at, 10, fill=MARK, outline="white", width=2)
        draw.text(at, str(number), fill="white", font=font, anchor="mm")
    image.save(ASSETS / picture.name, "JPEG", quality=80, optimize=True, progressive=True)
    digests = {**_digests(), picture.name: picture.digest()}
    DIGESTS.write_text(json.dumps(digests, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _digests() -> dict[str, str]:
    found: dict[str, str] = json.loads(DIGESTS.read_text("utf-8")) if DIGESTS.is_file() else {}
    return found
