"""EdgeFlow-Lite: EdgeFlow's fusion, flow, OCR, edge feedback and FineNet on a small encoder.

Hao et al., *EdgeFlow: Achieving Practical Interactive Segmentation With Edge-Guided Flow*, ICCV
2021 Workshops, 1551-1560. The HRNet-18 is replaced by an EfficientNet-Lite2 with a feature pyramid.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeflow.nn.efficientnet_lite import STEM_WIDTH, EfficientNetLite2
from edgeflow.nn.finenet import LiteFineNet
from edgeflow.nn.flow import FlowAlign, warp
from edgeflow.nn.interface import IMAGENET_MEAN, IMAGENET_STD, NetworkOutput
from edgeflow.nn.layers import ConvBN, DepthwiseSeparable, resize
from edgeflow.nn.ocr import ObjectContext
from edgeflow.nn.prompt_stem import PromptStem

PROMPT_WIDTH = 64
STRIDE4_WIDTH = 24
PYRAMID_WIDTHS = (24, 48, 120, 352)
LATERAL_WIDTH = 64
FEATURE_WIDTH = 96
KEY_WIDTH = 48
EDGE_WIDTH = 64


class AlignedFusion(nn.Module):
    """Bring the prompt's features to the image's width and align the image's features by them."""

    def __init__(self, in_channels: int, channels: int, projected: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.align = FlowAlign(channels, projected)

    def forward(self, guide: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the fused features and the aligned guide, both N×channels at the same size."""
        guide = F.relu(self.bn(self.conv(guide)))
        aligned = self.align(low=guide, high=features)
        return features + aligned, aligned


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


class _AuxHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(FEATURE_WIDTH, FEATURE_WIDTH, 1)
        self.bn = nn.BatchNorm2d(FEATURE_WIDTH)
        self.logits = nn.Conv2d(FEATURE_WIDTH, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.logits(F.relu(self.bn(self.conv(x))))
        return out


class CoarseHead(nn.Module):
    """Auxiliary map, object context and the coarse mask, all at stride 4."""

    def __init__(self) -> None:
        super().__init__()
        self.aux = _AuxHead()
        self.context = DepthwiseSeparable(FEATURE_WIDTH, FEATURE_WIDTH)
        self.ocr = ObjectContext(FEATURE_WIDTH, KEY_WIDTH)
        self.logits = nn.Conv2d(FEATURE_WIDTH, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return aux logits, coarse logits, and the features before and after the context."""
        aux = self.aux(x)
        before = self.context(x)
        after = self.ocr(before, aux)
        return aux, self.logits(after), before, after


class EdgeHead(nn.Module):
    """Edges are what is left of a feature after it is warped onto the body of the object."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze = nn.ModuleList(
            ConvBN(FEATURE_WIDTH, FEATURE_WIDTH, 3, stride=2, groups=FEATURE_WIDTH)
            for _ in range(2)
        )
        self.flow = nn.Conv2d(2 * FEATURE_WIDTH, 2, 3, padding=1, bias=False)
        self.fuse = nn.Conv2d(2 * FEATURE_WIDTH, EDGE_WIDTH, 1, bias=False)
        self.refine = DepthwiseSeparable(EDGE_WIDTH, EDGE_WIDTH // 2)
        self.logits = nn.Conv2d(EDGE_WIDTH // 2, 1, 1, bias=False)

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        """The coarse head's two feature maps to N×1 edge logits of the same size."""
        body = after
        for layer in self.squeeze:
            body = F.relu(layer(body))
        body = resize(body, after.shape[-2:], align_corners=False)
        flow = self.flow(torch.cat((after, body), dim=1))
        edge = after - warp(after, flow)
        out: Tensor = self.logits(self.refine(self.fuse(torch.cat((edge, before), dim=1))))
        return out


class EdgeFlowLite(nn.Module):
    """4.58 M parameters, 10.7 GFLOP at 448×448; feeds its edge map back."""

    image_mean: Tensor
    image_std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer(
            "image_mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False
        )
        self.register_buffer(
            "image_std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False
        )
        self.prompt_stem = PromptStem(PROMPT_WIDTH)
        self.backbone = EfficientNetLite2()
        self.early_fusion = nn.Conv2d(PROMPT_WIDTH, STEM_WIDTH, 1)
        self.middle_fusion = AlignedFusion(PROMPT_WIDTH, STRIDE4_WIDTH, STRIDE4_WIDTH, stride=2)
        self.neck = PyramidNeck()
        self.late_fusion = AlignedFusion(STRIDE4_WIDTH, FEATURE_WIDTH, FEATURE_WIDTH // 2, stride=1)
        self.coarse = CoarseHead()
        self.edge = EdgeHead()
        self.fine = LiteFineNet()

    def encode(self, image: Tensor, guide: Tensor) -> tuple[list[Tensor], Tensor]:
        """Run the encoder with early and middle fusion.

        Args:
            image: N×3×H×W RGB in [0, 1].
            guide: the prompt stem's N×64×⌈H/2⌉×⌈W/2⌉.

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

    def forward(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
        """One step.

        Args:
            image: N×3×H×W float RGB in [0, 1].
            prompt: N×3×H×W float: the previous edge probability (zeros at the first click), the
                positive disks, the negative disks.
        """
        size = image.shape[-2:]
        levels, guide = self.encode(image, self.prompt_stem(prompt))
        features, _ = self.late_fusion(guide, self.neck(levels))
        aux, coarse, before, after = self.coarse(features)
        edge = self.edge(before, after)
        aux, coarse, edge = (resize(x, size) for x in (aux, coarse, edge))
        normalised = (image - self.image_mean) / self.image_std
        fine = self.fine(torch.cat((normalised, prompt, coarse.sigmoid(), edge.sigmoid()), dim=1))
        return NetworkOutput(mask=coarse + fine, coarse=coarse, aux=aux, edge=edge)
