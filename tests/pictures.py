"""The screenshots in the documentation that tests take, and whether they still show its words.

``make pictures`` takes them again. Beside them stands a digest of what each depends on: Label
Studio's version, the labelling config, the photograph, further files, and the section of the page
that shows it.
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

from edgeflow.label_studio.config.controls import ImageTag
from edgeflow.label_studio.config.recommended import RECOMMENDATIONS, recommended_config
from edgeflow_backend.protocol.config_check import RECOMMENDED
from tools.generate_docs import EXAMPLES

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "docs" / "assets"
DIGESTS = ASSETS / "pictures.json"
WANTED = "EDGEFLOW_TAKE_PICTURES"

MARK = (216, 27, 96)

BOX = '<Rectangle name="box" toName="image" smart="true" smartOnly="true"/>'
WITH_BOXES = RECOMMENDED.replace("<Image ", f"{BOX}\n  <Image ")
"""The recommended config with boxes as prompts, too."""

WITH_EXAMPLES = recommended_config(labels=EXAMPLES["one"], similar=True)
"""The recommended config with boxes around examples, too."""

LABEL_TOO_FEW = """<View>
  <KeyPointLabels name="click" toName="image" smart="true" smartOnly="true">
    <Label value="Object"/>
  </KeyPointLabels>
  <Image name="image" value="$image"/>
  <BrushLabels name="mask" toName="image" smart="false"><Label value="Zebra"/></BrushLabels>
</View>"""
"""A config that no click in it can be answered with."""


@dataclass(frozen=True)
class Picture:
    """A screenshot.

    Attributes:
        name: File in docs/assets.
        page: File in docs that shows it; its path from there.
        config: The labelling config that it was taken with.
        photo: The photograph in demo/photos that is shown; empty for none.
        width: In pixels, at most.
        sources: Further files that decide what is shown; their paths from the root.
    """

    name: str
    page: str
    config: str
    photo: str = ""
    width: int = 540
    sources: tuple[str, ...] = ()

    def digest(self) -> str:
        """Of what it depends on."""
        release = re.search(r"label-studio==\S+", (ROOT / "Makefile").read_text("utf-8"))
        photos = (f"demo/photos/{self.photo}.jpg",) if self.photo else ()
        files = [
            hashlib.sha256((ROOT / path).read_bytes()).hexdigest()
            for path in (*photos, *self.sources)
        ]
        parts = (str(release and release[0]), self.config, *files, self.section())
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

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

README = Picture("editor.jpg", "../README.md", RECOMMENDED, "astronaut", width=1000)

BOXES = Picture("box.jpg", "prompts.md", WITH_BOXES, "astronaut", width=760)
REFINED, LEAKED, MANY_MASKS, OPENED = (
    Picture(f"{name}.jpg", page, config, "astronaut", width=760)
    for name, page, config in (
        ("refining", "refining.md", RECOMMENDED),
        ("leaked-clicks", "leaked-clicks.md", RECOMMENDED),
        ("many-masks", "large-tasks.md", RECOMMENDED),
        ("opening-tasks", "pre-annotation.md", WITH_BOXES),
    )
)
SIMILAR = Picture("similar.jpg", "similar.md", WITH_EXAMPLES, "coins", width=1000)
BY_HAND = Picture("by-hand.jpg", "refining.md", RECOMMENDED, "astronaut", width=1000)
CONTROLS = Picture(
    "mask-controls.jpg",
    "mask-controls.md",
    "\n".join(map(recommended_config, RECOMMENDATIONS)),
    "astronaut",
    width=1464,
)

SERIES = Picture(
    "ct-series.jpg",
    "ct-series.md",
    "",
    width=1000,
    sources=("tests/unit/edgeflow/volumes/scans.py",),
)

FRAMES = Picture("frames-coin.jpg", "sequences.md", "", "coins", width=1152)
PAGES = Picture(
    "pages.jpg",
    "sequences.md",
    recommended_config("Polygon", image=ImageTag("image", "$pages", several=True), pages=True),
    width=1000,
    sources=("tests/moving.py",),
)

_WORLD = ("tests/geo_world.py",)
TILE = Picture("aerial-tile.jpg", "aerial.md", "", width=1000, sources=_WORLD)
STITCHED = Picture("aerial-stitched.jpg", "aerial.md", "", width=600, sources=_WORLD)

_STATUS_PAGE = ("edgeflow_backend/status/page.py", "edgeflow_backend/status/style.py")
FAILED, REFUSED, LOST = (
    Picture(f"{name}.jpg", page, config, width=width, sources=_STATUS_PAGE)
    for name, page, config, width in (
        ("status", "nothing-happens.md", LABEL_TOO_FEW, 760),
        ("private-address", "images.md", RECOMMENDED, 760),
        ("lost-masks", "repair.md", RECOMMENDED, 960),
    )
)

_LEARNING = tuple(f"edgeflow_backend/status/learning/{name}.py" for name in ("section", "plot"))
LEARNT = Picture(
    "learning-status.jpg", "learning.md", RECOMMENDED, width=960, sources=_STATUS_PAGE + _LEARNING
)

PICTURES = [
    *(of_config(kind, number) for kind in RECOMMENDATIONS for number in EXAMPLES),
    *(FIRST_MASK, ACCEPTED, README),
    *(BOXES, REFINED, LEAKED, MANY_MASKS, OPENED, SIMILAR, BY_HAND, CONTROLS),
    *(SERIES, FRAMES, PAGES),
    *(TILE, STITCHED),
    *(FAILED, REFUSED, LOST, LEARNT),
]


def wanted() -> bool:
    """Whether pictures are to be taken."""
    return bool(os.environ.get(WANTED))


def keep(
    picture: Picture,
    *screenshots: bytes,
    marks: Sequence[tuple[float, float]] = (),
    first: int = 1,
) -> None:
    """Write a screenshot into the documentation, if pictures are to be taken.

    Args:
        picture: Which.
        screenshots: Image files; several are shown side by side.
        marks: Where numbers are drawn, pixels of the screenshot.
        first: The first of them.
    """
    if not wanted():
        return
    image = _side_by_side([Image.open(io.BytesIO(file)) for file in screenshots])
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


def _side_by_side(images: Sequence[Image.Image]) -> Image.Image:
    gap = 16
    width = sum(image.width for image in images) + gap * (len(images) - 1)
    whole = Image.new("RGB", (width, max(image.height for image in images)), "white")
    left = 0
    for image in images:
        whole.paste(image, (left, 0))
        left += image.width + gap
    return whole


def _digests() -> dict[str, str]:
    found: dict[str, str] = json.loads(DIGESTS.read_text("utf-8")) if DIGESTS.is_file() else {}
    return found
