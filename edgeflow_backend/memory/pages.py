"""Copies of long-lived tensors in memory pages of their own, outside malloc's heap.

Images and states stay in their caches for minutes, while arrays of a single click come and go.
In one heap with those, cached arrays stop it from shrinking: over 10,000 clicks it grew by a third,
though the amount in use stayed the same. In pages of its own, an array goes back to the system
when the cache drops it. Copying a state takes 0.3 ms (448×320, two cores).
"""

from __future__ import annotations

import mmap
from dataclasses import replace

import torch
from torch import Tensor

from edgeflow.inference.state import EncodedImage, State


def overview_to_pages(image: EncodedImage) -> EncodedImage:
    """Copy an image's overview to pages of its own, where its pixels are already."""
    return replace(image, overview=tensor_to_pages(image.overview))


def state_to_pages(state: State) -> State:
    """Copy a state's tensors to pages of their own; a tensor that it holds twice is copied once."""
    probability = tensor_to_pages(state.probability)
    shared = state.feedback is state.probability
    feedback = probability if shared else tensor_to_pages(state.feedback)
    return replace(state, probability=probability, feedback=feedback)


def tensor_to_pages(tensor: Tensor) -> Tensor:
    """Copy a tensor to pages of its own, with the same strides.

    A tensor on a GPU, or with gaps between its elements, is returned as it is; so is any tensor
    when the system has no more pages to map.
    """
    dense = tensor.untyped_storage().nbytes() == tensor.nbytes
    if tensor.device.type != "cpu" or not dense or not tensor.nbytes:
        return tensor
    try:
        pages = mmap.mmap(-1, tensor.nbytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:
        return tensor
    flat = torch.frombuffer(pages, dtype=tensor.dtype)
    return flat.as_strided(tensor.shape, tensor.stride()).copy_(tensor)
