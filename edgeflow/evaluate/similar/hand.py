"""The annotator's other way: clicks on each object, until its mask is good."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.evaluate.clicker import Clicker
from edgeflow.evaluate.similar.cost import KEPT, Clicked
from edgeflow.evaluate.traces import Rules, click_object
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.masks.patch import MaskPatch

TARGET = 0.8
"""IoU to which objects are clicked: the clicks of an object are its NoC@80."""


@dataclass(frozen=True)
class Hand:
    """Clicks the objects of one image.

    Attributes:
        predictor: Answers the clicks.
        image: The image.
        ignore: H×W, true where the annotation does not say; None for nowhere.
        max_clicks: Number of clicks at which an object is given up.
    """

    predictor: Predictor
    image: EncodedImage
    ignore: BoolMask | None
    max_clicks: int

    def click_once(self, truth: BoolMask) -> MaskPatch:
        """The mask of one click, in the middle of an object; it may be empty.

        Args:
            truth: H×W mask of the object, not empty.
        """
        click = Clicker(truth, self.ignore).next_click(np.zeros_like(truth))
        return self.predictor.predict(self.image, [click] if click else []).patch

    def click(self, truth: BoolMask, start: BoolMask | None = None) -> Clicked:
        """Click an object until it is good.

        Args:
            truth: H×W mask of the object, not empty.
            start: H×W mask to begin from, with an error; None for nothing.
        """
        rules = Rules(max_clicks=self.max_clicks, stop_at=TARGET)
        trace = click_object(self.predictor, self.image, truth, self.ignore, rules, start=start)
        clicks = trace.clicks_to(TARGET, rules.max_clicks)
        return Clicked(clicks, sum(trace.seconds[:clicks]))

    def correct(self, truth: BoolMask, suggestion: MaskPatch | None) -> Clicked:
        """Click a suggestion until it is as good; nothing where none is kept, or it is good.

        Args:
            truth: H×W mask of the object, not empty.
            suggestion: What was suggested for it; None for nothing.
        """
        iou = 0.0 if suggestion is None else MaskPatch.of(truth).iou(suggestion)
        if suggestion is None or not KEPT <= iou < TARGET:
            return Clicked(0)
        return self.click(truth, suggestion.whole())
