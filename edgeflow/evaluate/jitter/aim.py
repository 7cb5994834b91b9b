"""A click somewhere in the largest error, where the protocol's falls on its deepest point."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from edgeflow.arrays import FloatMap
from edgeflow.evaluate.chance import chance
from edgeflow.evaluate.clicker import Aim, deepest


def jittered(rng: np.random.Generator) -> Aim:
    """An aim that draws a pixel of the error, each with a likelihood in proportion to its depth.

    The error is the connected one (8 neighbours) around the deepest point, so which error is
    clicked, and whether positively, is as in the standard protocol. Of the distributions that need
    no training, this is the nearest to people's clicks that RClicks found on GrabCut, Berkeley and
    DAVIS, by all five of its measures (Antonov et al., NeurIPS 2024, arXiv:2410.11722, "DT" in
    ``eval_cm_all.csv`` of emb-ai/rclicks). It is not RClicks, whose click model is trained on
    people's clicks and comes nearer still.

    Args:
        rng: Used up by each click.
    """

    def aim(depth: FloatMap) -> tuple[int, int]:
        _, pieces = cv2.connectedComponents((depth > 0).view(np.uint8))
        places = np.flatnonzero(pieces == pieces[deepest(depth)])
        likelihood = depth.ravel()[places].astype(np.float64)
        drawn = rng.choice(places, p=likelihood / likelihood.sum())
        row, col = np.unravel_index(int(drawn), depth.shape)
        return int(row), int(col)

    return aim


def jittered_run(run: int) -> Callable[[str, int], Aim]:
    """The aims of one run over a dataset: each object has its own chance, whatever comes before.

    Args:
        run: Number of the run; the same one clicks the same.

    Returns:
        From the name of a sample and the number of an object to its aim.
    """
    return lambda sample, number: jittered(chance("jitter", run, sample, number))
