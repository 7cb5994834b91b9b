"""EdgeFlow as published, on HRNet and OCR: 11,307,943 parameters at width 18, OCR 64.

Hao et al., *EdgeFlow: Achieving Practical Interactive Segmentation With Edge-Guided Flow*, ICCV
2021 Workshops, 1551-1560.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from edgeflow.nn.blocks.coarse_head import CoarseHead
from edgeflow.nn.blocks.edge_head import EdgeHead
from edgeflow.nn.blocks.finenet import FineNet
from edgeflow.nn.blocks.fusion import AlignedFusion
from edgeflow.nn.blocks.layers import ConvBNReLU, SameConvBN, resize
from edgeflow.nn.blocks.prompt_stem import PromptStem
from edgeflow.nn.encoders.hrnet import FULL_DEPTH, LAYER1_WIDTH, SMALL_DEPTH, STEM_WIDTH, HRNet
from edgeflow.nn.interface import ClickNetwork, Feedback, ImageNormalisation, NetworkOutput

EDGE_WIDTH = 256
EDGE_REFINED_WIDTH = 48


class EdgeFlow(ClickNetwork):
    """Coarse-to-fine network with early, middle and late fusion; feeds its edge map back.

    Args:
        width: Width of HRNet's finest branch; 18 as published.
        ocr_width: Key width of the object context, half its feature width; 64 as published.
        small: Whether HRNet has the shallower "s" depth.
    """

    feedback: ClassVar[Feedback] = "edge"

    def __init__(self, width: int = 18, ocr_width: int = 64, *, small: bool = False) -> None:
        super().__init__()
        features, context = 15 * width, 2 * ocr_width
        self.normalise = ImageNormalisation()
        self.prompt_stem = PromptStem(STEM_WIDTH)
        self.backbone = HRNet(width, SMALL_DEPTH if small else FULL_DEPTH)
        self.middle_fusion = AlignedFusion(STEM_WIDTH, LAYER1_WIDTH, LAYER1_WIDTH, stride=2)
        self.late_fusion = AlignedFusion(LAYER1_WIDTH, features, features, stride=1)
        self.coarse = CoarseHead(
            features, ConvBNReLU(features, context, 3, bias=True), context, ocr_width
        )
        self.edge = EdgeHead(
            context,
            (SameConvBN(context, stride=2) for _ in range(2)),
            EDGE_WIDTH,
            ConvBNReLU(EDGE_WIDTH, EDGE_REFINED_WIDTH, 3),
            EDGE_REFINED_WIDTH,
        )
        self.fine = FineNet()

    def features(self, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
        """See :meth:`.ClickNetwork.features`."""
        guide = self.prompt_stem(prompt)
        x, _ = self.middle_fusion(guide, self.backbone.stem(self.normalise(image), guide))
        levels = self.backbone.levels(x)
        return levels[1], levels[2]

    def step(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
        """Compute one step; see :meth:`.ClickNetwork.step`."""
        size = image.shape[-2:]
        image = self.normalise(image)
        guide = self.prompt_stem(prompt)
        x, guide = self.middle_fusion(guide, self.backbone.stem(image, guide))
        features, _ = self.late_fusion(guide, self.backbone.branches(x))
        head = self.coarse(features)
        edge = resize(self.edge(head.before, head.after), size)
        coarse = resize(head.coarse, size)
        mask = self.fine(torch.cat((image, prompt, coarse.sigmoid(), edge.sigmoid()), dim=1))
        return NetworkOutput(mask, coarse, head.aux, edge)
