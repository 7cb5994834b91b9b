"""Folders of tests."""

from __future__ import annotations

BACKEND = "tests/unit/edgeflow_backend"
LIBRARY = "tests/unit/edgeflow"
NET = f"{BACKEND}/net"
IMAGES = f"{BACKEND}/images"
LEARNING = f"{BACKEND}/learning"
DECODING = f"{IMAGES}/decoding"
SERVER = f"{BACKEND}/server"
SHARED = f"{BACKEND}/shared"
STUDIO = f"{LIBRARY}/label_studio"
CONVERT = f"{LIBRARY}/checkpoints/convert"
