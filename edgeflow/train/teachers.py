"""Networks that a run learns from, beside the truth: one for images, one for drawings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from edgeflow.checkpoints.checkpoint import find
from edgeflow.nn.interface import NetworkOutput
from edgeflow.nn.registry import ARCHITECTURES
from edgeflow.train.augment import Batch
from edgeflow.train.config import Teacher
from edgeflow.train.errors import TrainingError


@dataclass(frozen=True)
class Teachers:
    """Two networks in evaluation mode, or one twice.

    Attributes:
        images: Answers where a view shows an image.
        drawings: Answers where it shows a drawing, and where clicks were taken back.
        drawn: O bool, which of the store's objects are drawings'.
    """

    images: nn.Module
    drawings: nn.Module
    drawn: Tensor

    @torch.no_grad()
    def masks(self, batch: Batch, prompt_maps: Tensor, void: Tensor | None) -> Tensor:
        """What they answer.

        Args:
            batch: Views.
            prompt_maps: B×3×H×W, their prompts as the network takes them.
            void: B bool, the views of which clicks were taken back; None for none.

        Returns:
            B×1×H×W float32, mask probability.
        """
        plain = self.drawn[batch.number]
        if void is not None:
            plain = plain | void
        masks = torch.empty_like(batch.truth, dtype=torch.float32)
        for teacher, asked in ((self.images, ~plain), (self.drawings, plain)):
            if asked.any():
                output: NetworkOutput = teacher(batch.image[asked], prompt_maps[asked])
                masks[asked] = output.mask.float().sigmoid()
        return masks


def open_teachers(
    config: Teacher, architecture: str, drawn: Tensor, folder: Path | None
) -> Teachers:
    """Load what a configuration names.

    Args:
        config: Section of the configuration.
        architecture: Of the network that is to learn.
        drawn: O bool, which of the store's objects are drawings', on the device to compute on.
        folder: Folder of the user's models.

    Raises:
        CheckpointError: Weights cannot be used.
        TrainingError: One is fed another map than the network.
    """
    images = _open(config.model, architecture, folder, drawn.device)
    plain = images
    if config.drawings is not None:
        plain = _open(config.drawings, architecture, folder, drawn.device)
    return Teachers(images, plain, drawn)


def _open(model: str, architecture: str, folder: Path | None, device: torch.device) -> nn.Module:
    checkpoint = find(model, folder)
    own = ARCHITECTURES[architecture].feedback
    if checkpoint.entry.feedback != own:
        raise TrainingError(
            f"the teacher {model} feeds back its {checkpoint.entry.feedback}, "
            f"{architecture} its {own}",
            hint="choose a teacher that is fed the same map",
        )
    network: nn.Module = checkpoint.load().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.requires_grad_(False)
