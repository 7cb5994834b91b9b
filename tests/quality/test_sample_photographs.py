"""One to three clicks on the sample photographs; a contact sheet is kept for people to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeflow.geometry import ImagePoint
from edgeflow.images import decode_image
from edgeflow.inference.predictor import load_predictor
from edgeflow.inference.state import State
from edgeflow.overlay import draw_overlay
from edgeflow.prompts.click import Click

ROOT = Path(__file__).parents[2]
CELL = (330, 240)


@dataclass(frozen=True)
class Sample:
    """Clicks on one object, with points that a person says are on it and off it, as (x, y)."""

    name: str
    clicks: tuple[tuple[int, int, bool], ...]
    on: tuple[tuple[int, int], ...]
    off: tuple[tuple[int, int], ...]


SAMPLES = (
    Sample(
        "astronaut",
        ((230, 300, True), (220, 120, True), (420, 250, False)),
        on=((220, 50), (60, 400), (330, 300), (230, 240)),
        off=((20, 100), (450, 150), (350, 150), (420, 470)),
    ),
    Sample(
        "cat",
        ((220, 180, True), (120, 60, True), (400, 60, False)),
        on=((150, 110), (320, 110), (240, 240), (30, 150)),
        off=((420, 40), (430, 150)),
    ),
    Sample(
        "coffee",
        ((310, 160, True), (310, 220, True), (330, 330, False)),
        on=((250, 80), (330, 200), (300, 120)),
        off=((40, 40), (560, 360), (100, 300), (430, 330)),
    ),
    Sample(
        "rocket",
        ((322, 200, True), (322, 300, True)),
        on=((322, 150), (322, 250), (322, 350)),
        off=((200, 200), (60, 200), (400, 100), (322, 60)),
    ),
    Sample(
        "cameraman",
        ((200, 250, True), (220, 110, True)),
        on=((150, 200), (220, 90), (60, 350), (130, 380)),
        off=((60, 80), (420, 300), (300, 250), (450, 450)),
    ),
    Sample(
        "coins",
        ((108, 185, True),),
        on=((100, 185), (115, 180)),
        off=((60, 185), (150, 185), (110, 150), (110, 230), (300, 40)),
    ),
)


class Memory(dict[bytes, State]):
    """Keeps the state after each click, so that a click is one step and not a replay of all."""

    def put(self, key: bytes, state: State) -> None:
        self[key] = state


def test_a_person_would_keep_the_masks() -> None:
    predictor = load_predictor(device="cpu")
    rows = []
    wrong = []
    for sample in SAMPLES:
        rgb = decode_image((ROOT / "demo" / "photos" / f"{sample.name}.jpg").read_bytes())
        clicks = [Click(ImagePoint(x, y), positive) for x, y, positive in sample.clicks]
        image, memory = predictor.encode(rgb), Memory()
        masks = [predictor.predict(image, clicks[: n + 1], memory).mask for n in range(len(clicks))]
        cells = [draw_overlay(rgb, mask, clicks[: n + 1]) for n, mask in enumerate(masks)]
        cells += [np.full_like(rgb, 255)] * (3 - len(cells))
        rows.append(np.hstack([np.array(Image.fromarray(cell).resize(CELL)) for cell in cells]))
        wrong += [(sample.name, "missing", p) for p in sample.on if not masks[-1][p[1], p[0]]]
        wrong += [(sample.name, "too much", p) for p in sample.off if masks[-1][p[1], p[0]]]
    (ROOT / "artifacts").mkdir(exist_ok=True)
    Image.fromarray(np.vstack(rows)).save(ROOT / "artifacts" / "contact-sheet.png")
    if wrong:
        pytest.fail(f"look at artifacts/contact-sheet.png: {wrong}")
