"""EdgeFlow-Lite: EdgeFlow's fusion, flow, OCR, edge feedback and FineNet on a small encoder.

Hao et al., *EdgeFlow: Achieving Practical Interactive Segmentation With Edge-Guided Flow*, ICCV
2021 Workshops, 1551-1560. The HRNet-18 is replaced by an EfficientNet-Lite2 with a feature pyramid.
"""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.nn.blocks.coarse_head import CoarseHead
from edgeflow.nn.blocks.edge_head import EdgeHead
from edgeflow.nn.blocks.finenet import LiteFineNet
from edgeflow.nn.blocks.fusion import AlignedFusion
from edgeflow.nn.blocks.layers import ConvBN, DepthwiseSeparable, resize
from edgeflow.nn.blocks.prompt_stem import PromptStem
from edgeflow.nn.encoders.efficientnet_lite import STEM_WIDTH, EfficientNetLite2
from edgeflow.nn.interface import (
    ClickNetwork,
    Feedback,
    ImageNormalisation,
    NetworkOutput,
    means,
)

PROMPT_WIDTH = 64
STRIDE4_WIDTH = 24
PYRAMID_WIDTHS = (24, 48, 120, 352)
LATERAL_WIDTH = 64
FEATURE_WIDTH = 96
KEY_WIDTH = 48
EDGE_WIDTH = 64


class PyramidNeck(nn.Module):
    """Top-down feature pyramid; all levels resized to stride 4 and merged, coarsest first."""

    def __init__(self) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(ConvBN(width, LATERAL_WIDTH, 1) for width in PYRAMID_WIDTHS)
        self.smooth = nn.ModuleList(
            DepthwiseSeparable(LATERAL_WIDTH, LATERAL_WIDTH) for _ in PYRAMID_WIDTHS
        )
        self.fuse = ConvBN(LATERAL_WIDTH * len(PYRAMID_WIDTHS), FEATURE_WIDTH, 1)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """Four maps, finest first, to N×96 at the finest map's size."""
        lateral = [layer(level) for layer, level in zip(self.lateral, levels, strict=True)]
        coarser = self.smooth[-1](lateral[-1])
        pyramid = [coarser]
        for index in range(len(levels) - 2, -1, -1):
            coarser = self.smooth[index](
                lateral[index] + resize(coarser, lateral[index].shape[-2:])
            )
            pyramid.append(coarser)
        size = levels[0].shape[-2:]
        merged = torch.cat([resize(level, size) for level in pyramid], dim=1)
        return F.relu(self.fuse(merged))


class EdgeFlowLite(ClickNetwork):
    """4.58 M parameters, 10.7 GFLOP at 448×448; feeds its edge map back."""

    feedback: ClassVar[Feedback] = "edge"

    def __init__(self) -> None:
        super().__init__()
        self.normalise = ImageNormalisation()
        self.prompt_stem = PromptStem(PROMPT_WIDTH)
        self.backbone = EfficientNetLite2()
        self.early_fusion = nn.Conv2d(PROMPT_WIDTH, STEM_WIDTH, 1)
        self.middle_fusion = AlignedFusion(PROMPT_WIDTH, STRIDE4_WIDTH, STRIDE4_WIDTH, stride=2)
        self.neck = PyramidNeck()
        self.late_fusion = AlignedFusion(STRIDE4_WIDTH, FEATURE_WIDTH, FEATURE_WIDTH // 2, stride=1)
        self.coarse = CoarseHead(
            FEATURE_WIDTH,
            DepthwiseSeparable(FEATURE_WIDTH, FEATURE_WIDTH),
            FEATURE_WIDTH,
            KEY_WIDTH,
        )
        self.edge = EdgeHead(
            FEATURE_WIDTH,
            (
                ConvBN(FEATURE_WIDTH, FEATURE_WIDTH, 3, stride=2, groups=FEATURE_WIDTH)
                for _ in range(2)
            ),
            EDGE_WIDTH,
            DepthwiseSeparable(EDGE_WIDTH, EDGE_WIDTH // 2),
            EDGE_WIDTH // 2,
        )
        self.fine = LiteFineNet()

    def encode(self, image: Tensor, guide: Tensor) -> tuple[list[Tensor], Tensor]:
        """Run the encoder with early and middle fusion.

        Args:
            image: N×3×H×W RGB in [0, 1].
            guide: The prompt stem's N×64×⌈H/2⌉×⌈W/2⌉.

        Returns:
            Features at strides 4, 8, 16, 32, and the guide aligned at stride 4.
        """
        run = self.backbone.stage
        x = self.backbone.stem((image * 255.0 - 127.0) / 128.0) + self.early_fusion(guide)
        stride4, guide = self.middle_fusion(guide, run(1, run(0, x)))
        stride8 = run(2, stride4)
        stride16 = run(4, run(3, stride8))
        stride32 = run(6, run(5, stride16))
        return [stride4, stride8, stride16, stride32], guide

    def features(self, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
        """See :meth:`.ClickNetwork.features`."""
        levels, _ = self.encode(image, self.prompt_stem(prompt))
        return levels[1], levels[2]

    def summary(self, image: Tensor) -> Tensor:
        """See :meth:`.ClickNetwork.summary`; stride 32 tells kinds of images apart best."""
        levels, _ = self.encode(image, self.prompt_stem(torch.zeros_like(image)))
        return means(levels[1:])

    def step(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
        """Compute one step; see :meth:`.ClickNetwork.step`."""
        size = image.shape[-2:]
        levels, guide = self.encode(image, self.prompt_stem(prompt))
        features, _ = self.late_fusion(guide, self.neck(levels))
        head = self.coarse(features)
        edge = resize(self.edge(head.before, head.after), size)
        coarse = resize(head.coarse, size)
        fine = self.fine(
            torch.cat((self.normalise(image), prompt, coarse.sigmoid(), edge.sigmoid()), dim=1)
        )
        return NetworkOutput(coarse + fine, coarse, head.aux, edge)
