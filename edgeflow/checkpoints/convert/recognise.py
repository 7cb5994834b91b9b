"""The architecture of a state dict, recognised by its names and shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgeflow.arrays import FloatArray
from edgeflow.checkpoints.convert.names import UNUSED, static_names, static_operators
from edgeflow.checkpoints.convert.paddle_static import StaticModel
from edgeflow.errors import ConversionError
from edgeflow.nn.interface import ClickNetwork
from edgeflow.nn.registry import ARCHITECTURES

Arrays = Mapping[str, FloatArray]

HINT = "supported: EdgeFlow and RITM networks on HRNet with OCR, as EISeg and RITM publish them"


OTHERS: tuple[tuple[str, str, str], ...] = (
    ("rgb_conv.", "f-BRS, or a RITM that mixes the clicks into the colours", HINT),
    ("prompt_stem.weight", "a RITM with one convolution of the clicks (conv_extend)", HINT),
    ("maps_transform.weight", "a RITM with one convolution of the clicks (conv_extend)", HINT),
    ("image_encoder.", "Segment Anything (SAM)", HINT),
    ("vision_encoder.", "Segment Anything (SAM), as Hugging Face stores it", HINT),
    ("backbone.patch_embed", "SimpleClick, or another vision transformer", HINT),
    ("feature_extractor.patch_embed", "RITM on SegFormer", HINT),
    ("feature_extractor.aspp", "RITM on DeepLab", HINT),
    ("feature_extractor.deeplab", "RITM on DeepLab", HINT),
    ("feature_extractor.backbone.", "RITM on DeepLab", HINT),
    ("neck.lateral", "EdgeFlow-Lite, which needs no conversion", "put its manifest.json beside it"),
    ("stage4.", "an HRNet without a click network's heads", HINT),
)
"""Beginnings of tensor names by which another network is known, and the way out."""


@dataclass(frozen=True)
class NetworkSpec:
    """An architecture with its options, in a manifest's terms."""

    architecture: str
    options: dict[str, int | bool]

    def build(self) -> ClickNetwork:
        """Build the network with random parameters."""
        return ARCHITECTURES[self.architecture](**self.options)

    def __str__(self) -> str:
        depth = "small depth" if self.options["small"] else "full depth"
        width, ocr = self.options["width"], self.options["ocr_width"]
        return f"{self.architecture}, width {width}, OCR {ocr}, {depth}"


def recognise(tensors: Arrays) -> NetworkSpec:
    """Recognise a state dict that has EdgeFlow's names.

    Raises:
        ConversionError: It belongs to none of the architectures.
    """
    try:
        first_branch = tensors["backbone.transition1.0.0.weight"]
        ocr_width = tensors["coarse.ocr.query.conv1.weight"].shape[0]
        bottlenecks = sum(
            name.startswith("backbone.layer1.") and name.endswith(".conv1.weight")
            for name in tensors
        )
        tensors["prompt_stem.scale"]
    except KeyError as error:
        for beginning, what, hint in OTHERS:
            if any(name.startswith(beginning) for name in tensors):
                raise ConversionError(f"the weights are of {what}", hint=hint) from error
        raise ConversionError(
            f"the weights are of an unknown architecture: they have no {error}", hint=HINT
        ) from error
    edgeflow = any(name.startswith(("edge.", "fine.")) for name in tensors)
    return NetworkSpec(
        "edgeflow_hrnet" if edgeflow else "ritm_hrnet",
        {
            "width": int(first_branch.shape[0]),
            "ocr_width": int(ocr_width),
            "small": bottlenecks == 2,
        },
    )


def with_previous_mask(tensors: Arrays) -> Arrays:
    """Tensors of a RITM whose prompt is the two maps of clicks, for a network that has three.

    RITM's baselines (its ``noniterative_baselines``) see no previous mask, and the other networks
    see it in front of the clicks. Zero weights for it give the same output, whatever is fed back.
    """
    name = "prompt_stem.conv1.weight"
    weight = tensors.get(name)
    if weight is None or weight.ndim != 4 or weight.shape[1] != 2:
        return tensors
    if any(each.startswith(("edge.", "fine.")) for each in tensors):
        return tensors  # EdgeFlow always has its edge map there; the difference gets named
    return {**tensors, name: np.concatenate((np.zeros_like(weight[:, :1]), weight), axis=1)}


def rename_static(model: StaticModel) -> dict[str, FloatArray]:
    """Give a static export's tensors EdgeFlow's names.

    The numbering depends on architecture and depth but not on widths, so the names of each
    candidate are compared with the export's.

    Raises:
        ConversionError: The export belongs to none of the architectures.
    """
    for architecture in ("edgeflow_hrnet", "ritm_hrnet"):
        for small in (False, True):
            network = NetworkSpec(
                architecture, {"width": 1, "ocr_width": 1, "small": small}
            ).build()
            names = static_names(network)
            if names.keys() == model.tensors.keys():
                _check_fingerprint(model, static_operators(network), architecture)
                tensors = {names[name]: tensor for name, tensor in model.tensors.items()}
                return _unused(network) | tensors
    raise ConversionError(
        f"the export's {len(model.tensors)} variables are not those of a known architecture",
        hint=HINT,
    )


def _unused(network: ClickNetwork) -> dict[str, FloatArray]:
    """Neutral values for the tensors that are never used and that exports leave out."""
    return {
        name: np.full(tensor.shape, float(name.endswith("running_var")), dtype=np.float32)
        for name, tensor in network.state_dict().items()
        if name.startswith(tuple(f"{layer}." for layer in UNUSED))
        and not name.endswith("num_batches_tracked")
    }


def _check_fingerprint(model: StaticModel, expected: dict[str, int], architecture: str) -> None:
    for operator, count in expected.items():
        actual = model.operators[operator]
        if actual != count:
            raise ConversionError(
                f"the graph has {actual} operators {operator}, a {architecture} has {count}",
                hint="the export was made by another version of the network; it is not converted",
            )
