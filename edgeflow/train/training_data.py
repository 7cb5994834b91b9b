"""From a configuration's datasets to a store of training images and held-out samples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from edgeflow.data.base import Dataset, Sample, set_of
from edgeflow.data.left_out import LeftOut, left_out_lines
from edgeflow.data.listed import left_out_of
from edgeflow.data.opening import open_dataset
from edgeflow.train.config import Data, Source
from edgeflow.train.drawings import VERSION, Drawings
from edgeflow.train.errors import TrainingError
from edgeflow.train.image_store import (
    ImageStore,
    build_store,
    is_held_out,
    load_store,
    read_samples,
    save_store,
)
from edgeflow.train.validation import HeldOut, hold

Say = Callable[[str], None]


class Material(NamedTuple):
    """The images that a run learns from, and those it is checked on.

    Attributes:
        store: Training images, on the CPU.
        factors: Factor on the likelihood of each image.
        held_out: Validation samples, perhaps none.
    """

    store: ImageStore
    factors: list[float]
    held_out: HeldOut


def open_material(data: Data, validation_objects: int, say: Say = lambda _text: None) -> Material:
    """Read the images of a run, from the cache if it has them decoded.

    Args:
        data: Section of the configuration.
        validation_objects: Most held-out samples to read.
        say: Reports progress.

    Raises:
        DatasetError: A dataset cannot be read.
        TrainingError: There is nothing to learn from, or an exclude file is missing.
    """
    sources = [(_open(source), source.weight) for source in data.sources]
    drawings: tuple[Dataset, frozenset[str]] = Drawings(data.drawings), frozenset()
    datasets = [*(opened for opened, _ in sources), drawings]
    for dataset, _ in datasets:
        _tell(left_out_of(dataset), say)
    names = [name for dataset, excluded in datasets for name in _names(dataset, excluded)]
    weights = {
        name: weight
        for (dataset, excluded), weight in [*sources, (drawings, 1.0)]
        for name in _names(dataset, excluded)
    }
    if len(weights) != len(names):
        raise TrainingError(
            "two images of the data have one name", hint="check that no source is listed twice"
        )
    store = _store(data, datasets, names, say)
    factors = [weights[name] * data.set_weights.get(set_of(name), 1.0) for name in store.names]
    chosen = sorted(
        (name for name in names if is_held_out(name, data.held_out)),
        key=lambda name: hashlib.sha256(name.encode()).digest(),
    )[:validation_objects]
    held_out = hold(_read(datasets, set(chosen).__contains__, say), data.min_area)
    say(f"{len(held_out)} held-out objects")
    return Material(store, factors, held_out)


def _open(source: Source) -> tuple[Dataset, frozenset[str]]:
    dataset = open_dataset(
        source.path,
        layout=source.layout,
        split=source.split,
        images=source.images,
        label_config=source.label_config,
    )
    return dataset, _excluded(source.exclude)


def _excluded(path: Path | None) -> frozenset[str]:
    if path is None:
        return frozenset()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise TrainingError(
            f"cannot read the exclude file {path}: {error.strerror}",
            hint="write it with `edgeflow near-duplicates`, or remove the entry",
        ) from error
    return frozenset(line.split("\t")[0].strip() for line in lines if not line.startswith("#"))


def _names(dataset: Dataset, excluded: frozenset[str]) -> list[str]:
    return [name for name in dataset.sample_names if name not in excluded]


def _read(
    datasets: list[tuple[Dataset, frozenset[str]]], keep: Callable[[str], bool], say: Say
) -> Iterator[Sample]:
    left_out: list[LeftOut] = []
    for dataset, excluded in datasets:
        names = {name for name in _names(dataset, excluded) if keep(name)}
        for sample in read_samples(dataset, names.__contains__):
            left_out += sample.left_out
            yield sample
    _tell(left_out, say)


def _tell(left_out: Iterable[LeftOut], say: Say) -> None:
    for line in left_out_lines(left_out):
        say(line)


def _store(
    data: Data, datasets: list[tuple[Dataset, frozenset[str]]], names: list[str], say: Say
) -> ImageStore:
    training = {name for name in names if not is_held_out(name, data.held_out)}
    drawn = f"drawings {VERSION}" if data.drawings else ""
    described = "|".join([str(data.side), str(data.min_area), drawn, *sorted(training)])
    sources = "|".join(_described(source) for source in data.sources)
    key = hashlib.sha256(f"{sources}|{described}".encode()).hexdigest()
    path = None if data.cache is None else data.cache / f"images-{key[:16]}.safetensors"
    if path is not None and (store := load_store(path, key)) is not None:
        say(f"{len(store.names)} images from {path}")
        return store
    say(f"decoding {len(training)} images")
    store = build_store(
        _read(datasets, training.__contains__, say), data.side, data.min_area, count=len(training)
    )
    if path is not None:
        save_store(store, path, key)
    say(f"{len(store.names)} images with {len(store.areas)} objects")
    return store


def _described(source: Source) -> str:
    stat = source.path.stat()
    described = f"{source.path}:{source.layout}:{source.split}:{stat.st_size}:{stat.st_mtime_ns}"
    if source.label_config is None:
        return described
    return f"{described}:{hashlib.sha256(source.label_config.read_bytes()).hexdigest()}"
