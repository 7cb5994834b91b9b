"""State dicts: what training programs wrap around them, and their values as float32."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgeflow.arrays import FloatArray
from edgeflow.checkpoints.convert.names import our_name
from edgeflow.errors import ConversionError

FLOATS = {"float32": "<f4", "float16": "<f2", "bfloat16": "<u2"}
"""Element types that are read, and how NumPy sees their bytes."""

WRAPPERS = ("state_dict", "model_state_dict", "model", "params_ema", "params", "net", "network")
"""Keys under which training programs store a state dict."""

PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "_layers.")
"""What DataParallel, torch.compile and Lightning put before every name."""

COUNTERS = ("num_batches_tracked", "n_averaged")
"""Ends of the names of what is in a state dict but is no weight."""

RITM_CONFIG: dict[str, object] = {
    "use_leaky_relu": True,
    "use_disks": True,
    "norm_radius": 5,
    "binary_prev_mask": False,
}
"""What RITM's checkpoints say of a network beside its tensors, and must say."""


def widen(raw: bytes, kind: str) -> FloatArray:
    """Little-endian values of one of :data:`FLOATS`, exactly, as float32 in one dimension."""
    values = np.frombuffer(raw, dtype=FLOATS[kind])
    if kind == "bfloat16":  # the upper half of a float32
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values.astype(np.float32, copy=False)


def unwrap(loaded: object, tensor: type | tuple[type, ...]) -> dict[str, object]:
    """The state dict in a checkpoint, which may hold an optimiser and more beside it.

    Args:
        loaded: What the file holds.
        tensor: Class of the values that count as tensors.

    Raises:
        ConversionError: There is none, there are several, or RITM's own description of the network
            tells of what is not supported.
    """
    _check_config(loaded)
    while isinstance(loaded, dict):
        found = [key for key in WRAPPERS if _holds_tensors(loaded.get(key), tensor)]
        if len(found) > 1:
            raise ConversionError(
                f"the checkpoint holds several state dicts: {', '.join(found)}",
                hint="save one of them alone: torch.save(checkpoint[KEY], …)",
            )
        if not found:
            break
        loaded = loaded[found[0]]
    if not isinstance(loaded, dict) or not loaded or not all(isinstance(n, str) for n in loaded):
        raise ConversionError(
            "the file does not hold a state dict: a dictionary of tensors by name",
            hint="save it alone: torch.save(model.state_dict(), …)",
        )
    return {name: value for name, value in loaded.items() if not name.endswith(COUNTERS)}


def _holds_tensors(value: object, tensor: type | tuple[type, ...]) -> bool:
    return isinstance(value, dict) and any(
        isinstance(each, tensor) or (key in WRAPPERS and _holds_tensors(each, tensor))
        for key, each in value.items()
    )


def _check_config(loaded: object) -> None:
    """Refuse a RITM checkpoint whose own description tells of what its tensors do not show."""
    config = loaded.get("config") if isinstance(loaded, dict) else None
    params = config.get("params") if isinstance(config, dict) else None
    for name, expected in RITM_CONFIG.items():
        entry = params.get(name) if isinstance(params, dict) else None
        if isinstance(entry, dict) and entry.get("value", expected) != expected:
            raise ConversionError(
                f"the checkpoint's network has {name} {str(entry['value'])[:40]}, "
                f"only {expected} is supported",
                hint="it is another version of RITM; its masks would be wrong here",
            )


def with_our_names(tensors: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Tensors under EdgeFlow's names, without what wrappers of a network put before all of them.

    Raises:
        ConversionError: Two tensors would have one name.
    """
    renamed: dict[str, FloatArray] = {}
    for name, value in _without_prefixes(tensors).items():
        if (ours := our_name(name)) in renamed:
            raise ConversionError(
                f"two tensors of the file are named {ours} here; one of them is {name[:80]!r}",
                hint="the file was altered; download it again",
            )
        renamed[ours] = value
    return renamed


def _without_prefixes(tensors: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
    while tensors:
        first = next(iter(tensors))
        prefix = next((each for each in PREFIXES if first.startswith(each)), None)
        if prefix is None or not all(name.startswith(prefix) for name in tensors):
            break
        tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    return tensors
