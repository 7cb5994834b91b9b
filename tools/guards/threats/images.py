"""Images that are bombs."""

from __future__ import annotations

from tools.guards.guard import Guard, Threat
from tools.guards.threats.places import BACKEND, DECODING, IMAGES

THREATS = (
    Threat(
        "An image that is a bomb",
        (
            Guard(
                "pixels are counted in the header",
                "edgeflow/images/formats.py",
                "if width * height > max_pixels:",
                "if False:",
                (f"{DECODING}/test_headers.py::test_sides_and_pixels_are_limited",),
            ),
            Guard(
                "so are scans, chunks, blocks and directories",
                "edgeflow_backend/images/decoding/headers.py",
                "if count > MAX_PARTS[what]:",
                "if False:",
                (f"{DECODING}/test_headers.py::test_too_many_parts_are_refused",),
            ),
            Guard(
                "a decoder has a limit of memory",
                "edgeflow_backend/images/decoding/child.py",
                "resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))",
                "pass",
                (
                    f"{DECODING}/test_decoder.py::test_an_image_that_takes_too_much_memory_is_refused",
                ),
            ),
            Guard(
                "and a limit of time",
                "edgeflow_backend/images/decoding/child.py",
                "signal.setitimer(signal.ITIMER_REAL, timeout_s)",
                "pass",
                (f"{DECODING}/test_decoder.py::test_an_image_that_takes_too_long_is_ended",),
            ),
            Guard(
                "all decoders together have a limit of memory",
                "edgeflow_backend/images/decoding/budget.py",
                "and nbytes <= self._bytes",
                "",
                (f"{DECODING}/test_budget.py::test_no_more_than_the_budget_is_held_at_once",),
            ),
            Guard(
                "a compressed answer of a host is unpacked piece by piece, up to the limit",
                "edgeflow_backend/images/download.py",
                "while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):",
                "for chunk in [response.raw.read(decode_content=True)]:",
                (f"{IMAGES}/test_download.py::test_a_bomb_is_refused_before_it_fills_the_memory",),
            ),
            Guard(
                "an inline image is measured",
                "edgeflow_backend/images/sources.py",
                "if len(data) > max_bytes:",
                "if False:",
                (
                    f"{IMAGES}/test_sources.py::test_an_oversized_inline_image_is_refused_with_the_setting",
                ),
            ),
            Guard(
                "only formats of a list are opened: one of Pillow's runs another program",
                "edgeflow/label_studio/bitmask_png.py",
                'formats=("PNG",)',
                "formats=None",
                (
                    f"{BACKEND}/objects/test_task_regions.py::test_a_bitmask_is_a_png_whatever_it_says",
                ),
            ),
        ),
    ),
)
