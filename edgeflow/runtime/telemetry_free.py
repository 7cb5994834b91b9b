"""Import of OpenVINO and ONNX Runtime without their telemetry."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from typing import Any

_LOCK = threading.Lock()
_SENDERS = ("openvino_telemetry", "openvino.tools.ovc")


def import_openvino() -> Any:  # noqa: ANN401 - OpenVINO has no types
    """Import ``openvino`` without the parts that send telemetry.

    The package imports its model converter for convenience, which on import sends an event to
    Google Analytics and keeps an identifier in ``~/intel``, unless the user opted out. ``openvino``
    works without it, so converter and sender are hidden during the import; afterwards the program
    may import them as usual.

    Raises:
        ImportError: OpenVINO is not installed, or its libraries do not load.
    """
    with _LOCK:
        if "openvino" in sys.modules:
            return sys.modules["openvino"]
        absent = [name for name in _SENDERS if name not in sys.modules]
        for name in absent:
            sys.modules[name] = None  # type: ignore[assignment]  # makes it not importable
        try:
            return importlib.import_module("openvino")
        finally:
            for name in absent:
                sys.modules.pop(name, None)


def import_onnxruntime() -> Any:  # noqa: ANN401 - ONNX Runtime has no types
    """Import ``onnxruntime`` with its uploader switched off for this process.

    Recent Linux builds send events to Microsoft, and keep an identifier and a database in
    ``~/.cache/Microsoft`` (``Privacy.md`` in the package). The variable is only read on import.

    Raises:
        ImportError: ONNX Runtime is not installed, or its libraries do not load.
    """
    with _LOCK:
        os.putenv("ORT_DISABLE_TELEMETRY", "1")
        return importlib.import_module("onnxruntime")
