"""Tensor names: from those of published checkpoints to EdgeFlow's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from torch import nn

from edgeflow.nn.blocks.flow import FlowAlign

_FINENET_LAYERS = ("conv1", "act1", "bn1", "conv2", "act2", "bn2")
_PROJECTION_LAYERS = {"0": "conv1", "1.0": "bn1", "2": "conv2", "3.0": "bn2"}

_RULES: tuple[tuple[str, str], ...] = (
    (r"feature_extractor\.(conv[12]|bn[12]|layer1|transition\d|stage\d)\b", r"backbone.\1"),
    (r"maps_transform\.0", "prompt_stem.conv1"),
    (r"maps_transform\.2", "prompt_stem.conv2"),
    (r"maps_transform\.3\.scale", "prompt_stem.scale"),
    (r"feature_extractor\.conv3x3_ocr\.0", "coarse.context.conv"),
    (r"feature_extractor\.conv3x3_ocr\.1", "coarse.context.bn"),
    (r"feature_extractor\.cls_head", "coarse.logits"),
    (r"feature_extractor\.aux_head\.0", "coarse.aux.conv"),
    (r"feature_extractor\.aux_head\.1", "coarse.aux.bn"),
    (r"feature_extractor\.aux_head\.3", "coarse.aux.logits"),
    (r"feature_extractor\.ocr_distri_head\.conv_bn_dropout\.0", "coarse.ocr.merge.conv"),
    (r"feature_extractor\.ocr_distri_head\.conv_bn_dropout\.1\.0", "coarse.ocr.merge.bn"),
    (r"feature_extractor\.ocr_distri_head\.object_context_block", "coarse.ocr"),
    (r"coarse\.ocr\.f_down\.0", "coarse.ocr.value.conv"),
    (r"coarse\.ocr\.f_down\.1\.0", "coarse.ocr.value.bn"),
    (r"coarse\.ocr\.f_up\.0", "coarse.ocr.out.conv"),
    (r"coarse\.ocr\.f_up\.1\.0", "coarse.ocr.out.bn"),
    (r"feature_extractor\.warp1_conv\._conv", "middle_fusion.conv"),
    (r"feature_extractor\.warp1_conv\._batch_norm", "middle_fusion.bn"),
    (r"feature_extractor\.warp1_align", "middle_fusion.align"),
    (r"feature_extractor\.warp2_conv\._conv", "late_fusion.conv"),
    (r"feature_extractor\.warp2_conv\._batch_norm", "late_fusion.bn"),
    (r"feature_extractor\.warp2_align", "late_fusion.align"),
    (r"(\w+_fusion\.align)\.down_h", r"\1.project_high"),
    (r"(\w+_fusion\.align)\.down_l", r"\1.project_low"),
    (r"(\w+_fusion\.align)\.flow_make", r"\1.flow"),
    (r"feature_extractor\.edge\.down\.(\d)\._conv", r"edge.squeeze.\1.conv"),
    (r"feature_extractor\.edge\.down\.(\d)\._batch_norm", r"edge.squeeze.\1.bn"),
    (r"feature_extractor\.edge\.flow_make", "edge.flow"),
    (r"feature_extractor\.edge_fusion", "edge.fuse"),
    (r"feature_extractor\.edge_out\.0\._conv", "edge.refine.conv"),
    (r"feature_extractor\.edge_out\.0\._batch_norm", "edge.refine.bn"),
    (r"feature_extractor\.edge_out\.1", "edge.logits"),
    (r"finenet\.final_predict\.0\.downsample\.0", "fine.bottleneck.shortcut.conv"),
    (r"finenet\.final_predict\.0\.downsample\.1", "fine.bottleneck.shortcut.bn"),
    (r"finenet\.final_predict\.0", "fine.bottleneck"),
    (r"finenet\.final_predict\.1", "fine.logits.conv"),
    (r"finenet\.final_predict\.2", "fine.logits.bn"),
    (r"(.*)\._mean$", r"\1.running_mean"),
    (r"(.*)\._variance$", r"\1.running_var"),
    (r"(.*)\._weight$", r"\1.weight"),
)
_COMPILED = tuple((re.compile(pattern), new) for pattern, new in _RULES)
_FINENET = re.compile(r"finenet\.atrous([123])\.([0-5])\b")
_PROJECTION = re.compile(r"coarse\.ocr\.f_(pixel|object)\.(0|1\.0|2|3\.0)\b")


def our_name(name: str) -> str:
    """Translate a tensor's name from Paddle's or RITM's state dicts; unknown names are kept."""
    match = _FINENET.match(name)
    if match:
        layer = _FINENET_LAYERS[int(match[2])]
        name = f"fine.branches.{int(match[1]) - 1}.{layer}{name[match.end() :]}"
    for pattern, new in _COMPILED:
        name = pattern.sub(new, name, count=1) if pattern.match(name) else name
    match = _PROJECTION.match(name)
    if match:
        side = "query" if match[1] == "pixel" else "key"
        name = f"coarse.ocr.{side}.{_PROJECTION_LAYERS[match[2]]}{name[match.end() :]}"
    return name


CONSTRUCTION_ORDER = (
    "fine", "prompt_stem", "backbone.conv1", "backbone.bn1", "backbone.conv2", "backbone.bn2",
    "backbone.layer1.0.downsample", "backbone.layer1", "middle_fusion", "backbone.transition1",
    "backbone.stage2", "backbone.transition2", "backbone.stage3", "backbone.transition3",
    "backbone.stage4", "coarse.context", "coarse.ocr", "coarse.logits", "coarse.aux",
    "late_fusion", "edge",
)  # fmt: skip
"""Order in which Paddle's network creates its layers; static exports number them by it."""

UNUSED = ("fine.bottleneck.conv2", "fine.bottleneck.bn2")
"""Layers that are created and numbered but never used: static exports lack them."""


def static_names(network: nn.Module) -> dict[str, str]:
    """EdgeFlow's tensor names by the variable names of a static export of ``network``."""
    counts = {"conv2d": 0, "batch_norm2d": 0, "p_re_lu": 0}
    names = {"scale_layer_0.w_0": "prompt_stem.scale"}
    for path, layer in _in_construction_order(network):
        if isinstance(layer, nn.Conv2d):
            kind = "conv2d"
            parts = {"w_0": "weight"} | ({"b_0": "bias"} if layer.bias is not None else {})
        elif isinstance(layer, nn.BatchNorm2d):
            kind = "batch_norm2d"
            parts = {"w_0": "weight", "b_0": "bias", "w_1": "running_mean", "w_2": "running_var"}
        else:
            kind = "p_re_lu"
            parts = {"w_0": "weight"}
        if path not in UNUSED:
            names |= {f"{kind}_{counts[kind]}.{a}": f"{path}.{b}" for a, b in parts.items()}
        counts[kind] += 1
    return names


def static_operators(network: nn.Module) -> dict[str, int]:
    """Fingerprint of a static export of ``network``: how often it uses each telling operator."""
    layers = [(p, m) for p, m in network.named_modules() if p not in UNUSED]
    convolutions = [m for _, m in layers if isinstance(m, nn.Conv2d)]
    depthwise = sum(m.groups > 1 for m in convolutions)
    flows = sum(isinstance(m, FlowAlign) for _, m in layers)
    return {
        "conv2d": len(convolutions) - depthwise,
        "depthwise_conv2d": depthwise,
        "batch_norm": sum(isinstance(m, nn.BatchNorm2d) for _, m in layers),
        "grid_sampler": flows + (depthwise > 0),  # the edge head warps once more
        "prelu": sum(isinstance(m, nn.PReLU) for _, m in layers),
    }


def _in_construction_order(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    layers = [
        (path, layer)
        for path, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d | nn.BatchNorm2d | nn.PReLU)
    ]
    done: set[str] = set()
    for group in CONSTRUCTION_ORDER:
        for path, layer in layers:
            if path not in done and (path == group or path.startswith(f"{group}.")):
                done.add(path)
                yield path, layer
