"""The prompt's stem: early fusion of clicks and edge map (EdgeFlow, section 3.1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PromptStem(nn.Module):
    """Lift the three prompt maps to 64 channels at stride 2.

    The learned scalar ``scale`` starts small so that a pretrained encoder first sees almost only
    the image; it is used by magnitude.
    """

    def __init__(self, out_channels: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 1)
        self.conv2 = nn.Conv2d(16, out_channels, 3, stride=2, padding=1)
        self.scale = nn.Parameter(torch.full((1,), 0.05))

    def forward(self, prompt: Tensor) -> Tensor:
        """N×3×H×W [previous map, positive disks, negative disks] to N×64×⌈H/2⌉×⌈W/2⌉."""
        x = F.leaky_relu(self.conv1(prompt), 0.2)
        out: Tensor = self.conv2(x) * self.scale.abs()
        return out
