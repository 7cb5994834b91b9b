"""The interface of click networks: what training, checkpoints and runtimes expect of one.

A network is one module in this package, with one row in :data:`edgeflow.nn.registry.ARCHITECTURES`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from edgeflow.errors import EdgeFlowError
from edgeflow.nn.blocks.layers import resize

Feedback = Literal["edge", "mask"]
"""The output that a network is fed at the next click (EdgeFlow: the edge map)."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class NetworkOutput(NamedTuple):
    """Logits, each N×1×H×W float at the input's height and width; not every network has edges."""

    mask: Tensor
    coarse: Tensor
    aux: Tensor
    edge: Tensor | None


class NoFeaturesError(EdgeFlowError):
    """A network that does not offer its encoder's features."""

    code = "features"


class ClickNetwork(nn.Module, ABC):
    """A network that segments the clicked object, one step a click.

    The arguments of its constructor, ints or bools with defaults, are the options that a manifest
    or a training configuration may set. Image normalisation is part of the network. Sides may be
    any from 32 pixels on; in evaluation mode the images of a batch do not influence each other.

    Every network trains and runs on PyTorch. The graph runtimes (OpenVINO, ONNX Runtime) also
    need :meth:`step` to consist of the operations in :mod:`edgeflow.runtime.graph.trace`, where
    batch norms are not among them: :mod:`edgeflow.runtime.folding.fold` must know their modules.

    Attributes:
        feedback: Output that is fed back at the next click. ``edge`` needs edge logits.
        encoder_prefix: Prefix of the names of the encoder's parameters. Training gives them their
            own learning rate, since they usually start from ImageNet weights.
    """

    feedback: ClassVar[Feedback]
    encoder_prefix: ClassVar[str] = "backbone."

    @abstractmethod
    def step(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
        """Compute one step.

        Args:
            image: N×3×H×W float RGB in [0, 1].
            prompt: N×3×H×W float: the previous feedback probability (zeros at the first click),
                the positive disks, the negative disks.

        Returns:
            Logits; ``aux`` may have any resolution here.
        """

    def features(self, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """What the encoder sees in an image.

        Like :meth:`step`, this may be executed by the graph runtimes.

        Args:
            image: N×3×H×W float RGB in [0, 1]; sides that are multiples of 32.
            prompt: N×3×H×W float32; zeros for the image alone.

        Returns:
            Maps at strides 8 and 16.

        Raises:
            NoFeaturesError: The network does not offer them.
        """
        raise NoFeaturesError(
            f"{type(self).__name__} offers no features of an image",
            hint="choose other weights, such as edgeflow_lite",
        )

    def summary(self, image: Tensor) -> Tensor:
        """What kind of image it is, to the encoder.

        Args:
            image: N×3×H×W float RGB in [0, 1]; sides that are multiples of 32.

        Returns:
            N×C: means of feature maps over the image.

        Raises:
            NoFeaturesError: The network does not offer features.
        """
        return means(self.features(image, torch.zeros_like(image)))

    def forward(self, image: Tensor, prompt: Tensor) -> NetworkOutput:
        """:meth:`step` as training supervises it: all logits at the input's size."""
        output = self.step(image, prompt)
        return output._replace(aux=resize(output.aux, image.shape[-2:]))

    def infer(self, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor | None]:
        """:meth:`step` as runtimes execute it: mask and edge logits."""
        output = self.step(image, prompt)
        return output.mask, output.edge


def means(maps: Iterable[Tensor]) -> Tensor:
    """Feature maps, each N×C×H×W, to the means of all channels: N×ΣC."""
    return torch.cat([each.mean(dim=(-2, -1)) for each in maps], dim=1)


class ImageNormalisation(nn.Module):
    """N×3×H×W RGB in [0, 1] to ImageNet's mean and standard deviation."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Normalise."""
        return (image - self.mean) / self.std
