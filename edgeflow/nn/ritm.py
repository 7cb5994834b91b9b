"""RITM's click network on HRNet and OCR: the architecture of EISeg's other models.

Sofiiuk et al., *Reviving Iterative Training with Mask Guidance for Interactive Segmentation*,
arXiv:2102.06583.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from edgeflow.nn.blocks.coarse_head import CoarseHead
from edgeflow.nn.blocks.layers import ConvBNReLU, resize
from edgeflow.nn.blocks.prompt_stem import PromptStem
from edgeflow.nn.encoders.hrnet import FULL_DEPTH, SMALL_DEPTH, STEM_WIDTH, HRNet
from edgeflow.nn.interface import ClickNetwork, Feedback, ImageNormalisation, NetworkOutput


class RITM(ClickNetwork):
    """Early fusion only; its mask is the coarse one, and it feeds that mask back.

    Args:
        width: Width of HRNet's finest branch; 18 as published.
        ocr_width: Key width of the object context, half its feature width; 64, or 48 when small.
        small: Whether HRNet has the shallower "s" depth.
    """

    feedback: ClassVar[Feedback] = "mask"

    def __init__(self, width: int = 18, ocr_width: int = 64, *, small: bool = False) -> None:
        super().__init__()
        features, context = 15 * width, 2 * ocr_width
        self.normalise = ImageNormalisation()
        self.prompt_stem = PromptStem(STEM_WIDTH)
        self.backbone = HRNet(width, SMALL_DEPTH if small else FULL_DEPTH)
        self.coarse = CoarseHead(
            features, ConvBNReLU(features, context, 3, bias=True), context, ocr_width
        )

    def features(self, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
        """See :meth:`.ClickNetwork.features`."""
        guide = self.prompt_stem(prompt)
        levels = self.backbone.levels(self.backbone.stem(self.normalise(image), guide))
        return levels[1], levels[2]

    def step(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
        """Compute one step; see :meth:`.ClickNetwork.step`."""
        x = self.backbone.stem(self.normalise(image), self.prompt_stem(prompt))
        head = self.coarse(self.backbone.branches(x))
        mask = resize(head.coarse, image.shape[-2:])
        return NetworkOutput(mask, mask, head.aux, edge=None)
