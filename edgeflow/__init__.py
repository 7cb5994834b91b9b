"""EdgeFlow: masks from clicks. The model, and everything that needs no server.

The names below are the public API. Each is imported when it is first asked for, so that
``import edgeflow`` loads neither PyTorch nor NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "Box",
    "Click",
    "EdgeFlowError",
    "ImagePoint",
    "Outline",
    "Prediction",
    "Predictor",
    "PriorMask",
    "Size",
    "__version__",
    "decode_image",
    "draw_overlay",
    "load_predictor",
]

if TYPE_CHECKING:
    from edgeflow.errors import EdgeFlowError
    from edgeflow.geometry import Box, ImagePoint, Size
    from edgeflow.images import decode_image
    from edgeflow.inference.predictor import Prediction, Predictor, load_predictor
    from edgeflow.overlay import draw_overlay
    from edgeflow.prompts.click import Click
    from edgeflow.prompts.outline import Outline
    from edgeflow.prompts.prior_mask import PriorMask

    __version__: str
else:
    _MODULES = {
        "Box": "edgeflow.geometry",
        "Click": "edgeflow.prompts.click",
        "EdgeFlowError": "edgeflow.errors",
        "ImagePoint": "edgeflow.geometry",
        "Outline": "edgeflow.prompts.outline",
        "Prediction": "edgeflow.inference.predictor",
        "Predictor": "edgeflow.inference.predictor",
        "PriorMask": "edgeflow.prompts.prior_mask",
        "Size": "edgeflow.geometry",
        "decode_image": "edgeflow.images",
        "draw_overlay": "edgeflow.overlay",
        "load_predictor": "edgeflow.inference.predictor",
    }

    def __getattr__(name: str) -> object:
        if name == "__version__":
            metadata = import_module("importlib.metadata")
            try:
                return metadata.version("edgeflow-backend")
            except metadata.PackageNotFoundError:  # a checkout that is not installed
                return "0+source"
        if name not in _MODULES:
            raise AttributeError(f"module 'edgeflow' has no attribute {name!r}")
        return getattr(import_module(_MODULES[name]), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
