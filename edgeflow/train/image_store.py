"""All images of a run, decoded once, on the device that crops them if they fit there.

The store is two arrays of one square canvas an image, and a table of objects. Overlapping objects
share one label map: smaller ones lie on top.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from edgeflow.arrays import ByteMap, RGBImage
from edgeflow.data.base import Dataset, Sample, set_of
from edgeflow.geometry import Box
from edgeflow.train.errors import TrainingError

IGNORE = 255
MAX_OBJECTS = 254
FORMAT = "1"
READERS = 4
COLUMNS = 6


@dataclass(frozen=True)
class ImageStore:
    """Decoded images.

    Attributes:
        images: P×3×S×S uint8 RGB, each image in its canvas's top left corner.
        labels: P×S×S uint8: 0 background, 1 to 254 an object, 255 ignore; ignore outside the
            image.
        sizes: P×2 int32: height and width of each image within its canvas.
        objects: O×6 int32: image, label, and the box's top, left, bottom, right (exclusive).
        areas: O int32: pixels of each object.
        names: Names of the P images.
    """

    images: Tensor
    labels: Tensor
    sizes: Tensor
    objects: Tensor
    areas: Tensor
    names: tuple[str, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels."""
        return self.images.nbytes + self.labels.nbytes

    def to(self, device: torch.device) -> ImageStore:
        """The same store on another device; where pixels take over half of it, they stay."""
        fits = device.type != "cuda" or self.nbytes < torch.cuda.mem_get_info(device)[0] / 2
        pixels = device if fits else torch.device("cpu")
        return ImageStore(
            images=self.images.to(pixels),
            labels=self.labels.to(pixels),
            sizes=self.sizes.to(device),
            objects=self.objects.to(device),
            areas=self.areas.to(device),
            names=self.names,
        )


def is_held_out(name: str, share: float) -> bool:
    """Whether a sample is for validation only; decided by its name, so always the same."""
    digest = hashlib.sha256(f"held out|{name}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * (1 << 32)


def build_store(
    samples: Iterable[Sample], side: int, min_area: float, *, count: int | None = None
) -> ImageStore:
    """Decode images into a store.

    Args:
        samples: Samples; those without an object of ``min_area`` are left out.
        side: Pixels of the longer side; smaller images are enlarged.
        min_area: Share of its image that an object must cover.
        count: Number of samples, if known; saves memory.

    Raises:
        TrainingError: No object is large enough.
    """
    capacity = count or 256
    images = np.zeros((capacity, 3, side, side), dtype=np.uint8)
    labels = np.full((capacity, side, side), IGNORE, dtype=np.uint8)
    sizes: list[tuple[int, int]] = []
    names: list[str] = []
    objects: list[tuple[int, ...]] = []
    areas: list[int] = []
    for sample in samples:
        index = len(names)
        if index == len(images):
            images = np.concatenate((images, np.zeros_like(images)))
            labels = np.concatenate((labels, np.full_like(labels, IGNORE)))
        rgb, label_map = shrink(sample, side)
        large = list(_objects(label_map, min_area))
        if not large:
            continue
        height, width = label_map.shape
        images[index, :, :height, :width] = rgb.transpose(2, 0, 1)
        labels[index, :height, :width] = label_map
        sizes.append((height, width))
        names.append(sample.name)
        for label, area, box in large:
            objects.append((index, label, *box))
            areas.append(area)
    if not names:
        raise TrainingError(
            "the data has no object that is large enough",
            hint="check data.sources and data.min_area, and what `edgeflow datasets` counts",
        )
    return ImageStore(
        images=torch.from_numpy(images[: len(names)]),
        labels=torch.from_numpy(labels[: len(names)]),
        sizes=torch.tensor(sizes, dtype=torch.int32),
        objects=torch.tensor(objects, dtype=torch.int32).reshape(-1, COLUMNS),
        areas=torch.tensor(areas, dtype=torch.int32),
        names=tuple(names),
    )


def shrink(sample: Sample, side: int) -> tuple[RGBImage, ByteMap]:
    """Bring a sample to the store's size.

    Args:
        sample: Sample of any size; of more than 254 objects the largest are kept.
        side: Pixels of the longer side.

    Returns:
        h×w×3 uint8 RGB, and h×w uint8 labels in order of the objects, 255 to ignore.
    """
    height, width = sample.rgb.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    rgb = cv2.resize(
        sample.rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    labels = np.zeros((height, width), dtype=np.uint8)
    largest = sorted(sample.objects, key=np.count_nonzero, reverse=True)[:MAX_OBJECTS]
    for number, mask in enumerate(largest, start=1):
        labels[mask] = number
    if sample.ignore is not None:
        labels[sample.ignore & (labels == 0)] = IGNORE
    small = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT)
    return rgb.astype(np.uint8, copy=False), small.astype(np.uint8, copy=False)


def read_samples(dataset: Dataset, keep: Callable[[str], bool]) -> Iterator[Sample]:
    """The samples whose names are kept, in order, read by several threads ahead of their use."""
    indices = [index for index, name in enumerate(dataset.sample_names) if keep(name)]
    with ThreadPoolExecutor(READERS) as pool:
        for start in range(0, len(indices), 8 * READERS):
            yield from pool.map(dataset.__getitem__, indices[start : start + 8 * READERS])


def save_store(store: ImageStore, path: Path, key: str) -> None:
    """Keep a store as a safetensors file.

    Args:
        store: Store on the CPU.
        path: File, replaced if it exists.
        key: Digest of everything that the store depends on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    tensors = {
        "images": store.images,
        "labels": store.labels,
        "sizes": store.sizes,
        "objects": store.objects,
        "areas": store.areas,
    }
    metadata = {"format": FORMAT, "key": key, "names": "\n".join(store.names)}
    save_file(tensors, part, metadata=metadata)
    part.replace(path)


def load_store(path: Path, key: str) -> ImageStore | None:
    """The store in a file; None if it is missing, damaged or for another key."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT or metadata.get("key") != key:
                return None
            return ImageStore(
                images=file.get_tensor("images"),
                labels=file.get_tensor("labels"),
                sizes=file.get_tensor("sizes"),
                objects=file.get_tensor("objects"),
                areas=file.get_tensor("areas"),
                names=tuple(metadata["names"].split("\n")),
            )
    except (OSError, SafetensorError, KeyError):
        return None


def object_weights(
    store: ImageStore, *, balance: float, factors: Sequence[float] | None = None
) -> Tensor:
    """The likelihood of each object to be drawn.

    Within an image it grows with the square root of the object's area.

    Args:
        store: Images.
        balance: Exponent on a set's number of images: 1 draws every image equally often, 0
            every set.
        factors: Further factors, one for each image.

    Returns:
        O float64 on the store's device, summing to 1.
    """
    which = store.objects[:, 0].long()
    within = store.areas.double().sqrt()
    total = torch.zeros(len(store.names), dtype=torch.float64, device=within.device)
    total.index_add_(0, which, within)
    sets = [set_of(name) for name in store.names]
    counts = {each: sets.count(each) for each in set(sets)}
    share = torch.tensor([counts[each] ** (balance - 1.0) for each in sets], dtype=torch.float64)
    if factors is not None:
        share = share * torch.tensor(factors, dtype=torch.float64)
    weights = within * (share.to(within.device) / total)[which]
    return weights / weights.sum()


def with_share(weights: Tensor, chosen: Tensor, share: float) -> Tensor:
    """Likelihoods with which a share of what is drawn is of some objects.

    Args:
        weights: O float64, summing to 1.
        chosen: O bool, the objects to give the share; if none or all are, nothing changes.
        share: 0 to 1.

    Returns:
        O float64, summing to 1; among the chosen, and among the others, as likely as before.
    """
    before = weights[chosen].sum()
    if not chosen.any() or chosen.all() or before in (0, 1):
        return weights
    return torch.where(chosen, weights * (share / before), weights * ((1 - share) / (1 - before)))


def _objects(labels: ByteMap, min_area: float) -> Iterator[tuple[int, int, Box]]:
    """Each label that is large enough, with its pixels and its box."""
    counts = np.bincount(labels.ravel(), minlength=256)
    for label in range(1, IGNORE):
        if counts[label] < max(1.0, min_area * labels.size):
            continue
        mask = (labels == label).view(np.uint8)
        left, top, width, height = cv2.boundingRect(mask)
        yield label, int(counts[label]), Box(top, left, top + height, left + width)
