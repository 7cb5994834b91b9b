"""RITM's click network on HRNet and OCR, which EISeg's other models are.

Sofiiuk et al., *Reviving Iterative Training with Mask Guidance for Interactive Segmentation*,
arXiv:2102.06583.
"""

from __future__ import annotations

from torch import Tensor, nn

from edgeflow.nn.blocks.coarse_head import CoarseHead
from edgeflow.nn.blocks.layers import ConvBNReLU, resize
from edgeflow.nn.blocks.prompt_stem import PromptStem
from edgeflow.nn.encoders.hrnet import FULL_DEPTH, SMALL_DEPTH, STEM_WIDTH, HRNet
from edgeflow.nn.interface import ImageNormalisation, NetworkOutput


class RITM(nn.Module):
    """Early fusion only; its mask is the coarse one, and it feeds that mask back.

    Args:
        width: of HRNet's finest branch; 18 as published.
        ocr_width: key width of the object context, half its feature width; 64, or 48 when small.
        small: the shallower "s" depth.
    """

    def __init__(self, width: int = 18, ocr_width: int = 64, *, small: bool = False) -> None:
        super().__init__()
        features, context = 15 * width, 2 * ocr_width
        self.normalise = ImageNormalisation()
        self.prompt_stem = PromptStem(STEM_WIDTH)
        self.backbone = HRNet(width, SMALL_DEPTH if small else FULL_DEPTH)
        self.coarse = CoarseHead(
            features, ConvBNReLU(features, context, 3, bias=True), context, ocr_width
        )

    def forward(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
        """One step.

        Args:
            image: N×3×H×W float RGB in [0, 1].
            prompt: N×3×H×W float: the previous mask probability (zeros at the first click), the
                positive disks, the negative disks.
        """
        size = image.shape[-2:]
        x = self.backbone.stem(self.normalise(image), self.prompt_stem(prompt))
        head = self.coarse(self.backbone.branches(x))
        coarse = resize(head.coarse, size)
        return NetworkOutput(mask=coarse, coarse=coarse, aux=resize(head.aux, size), edge=None)
