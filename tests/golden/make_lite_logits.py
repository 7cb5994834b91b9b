"""Recompute the logits of EdgeFlow-Lite's cases; only for new shipped weights.

    python tests/golden/make_lite_logits.py

Images and prompts are those of the prototype in which the network was first written; with the
weights that it trained, the modules here gave its logits to 2e-5. The logits for the weights of
today are computed by the same modules, in float64.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from edgeflow.checkpoints.checkpoint import find

FOLDER = Path(__file__).parent / "lite"


def main() -> None:
    """Replace the logits in every case."""
    network = find("edgeflow_lite").load().double()
    for path in sorted(FOLDER.glob("*.npz")):
        with np.load(path) as stored:
            case = dict(stored)
        image = torch.from_numpy(case["image_uint8"]).permute(2, 0, 1)[None].double() / 255
        with torch.inference_mode():
            output = network(image, torch.from_numpy(case["prompt"]).double())
        for name, logits in output._asdict().items():
            case[f"{name}_logits"] = logits.float().numpy()
        np.savez_compressed(path, **case)


if __name__ == "__main__":
    main()
