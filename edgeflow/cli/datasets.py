"""``edgeflow datasets`` and ``edgeflow near-duplicates``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from edgeflow.cli.options import Images, LabelConfigFile, Layout, Split
from edgeflow.data.base import Dataset, set_of
from edgeflow.data.duplicates import THRESHOLD, Thumbnails, near_duplicates, thumbnails_of
from edgeflow.data.opening import open_dataset


def datasets(
    path: Annotated[Path, typer.Argument(help="Folder or file with annotated images.")],
    layout: Layout = "auto",
    split: Split = None,
    images: Images = None,
    label_config: LabelConfigFile = None,
) -> None:
    """Read every annotated image of a dataset, and count images and objects."""
    dataset = open_dataset(
        path, layout=layout, split=split, images=images, label_config=label_config
    )
    image_count: Counter[str] = Counter()
    objects: Counter[str] = Counter()
    with typer.progressbar(range(len(dataset)), label=dataset.name) as bar:
        for index in bar:
            sample = dataset[index]
            group = set_of(sample.name) or dataset.name
            image_count[group] += 1
            objects[group] += len(sample.objects)
    # The word is "image" everywhere else; scripts read these lines.
    for group, count in image_count.most_common():
        typer.echo(f"{group}: {count} pictures, {objects[group]} objects")
    typer.echo(f"all: {image_count.total()} pictures, {objects.total()} objects")


def find_near_duplicates(
    data: Annotated[list[Path], typer.Option(help="Images to train on; may be repeated.")],
    against: Annotated[list[Path], typer.Option(help="Images to evaluate on; may be repeated.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Names to exclude, one a line.")
    ] = Path("near-duplicates.txt"),
    threshold: Annotated[
        float, typer.Option(help="Least correlation of thumbnails.", min=0.5, max=1)
    ] = THRESHOLD,
) -> None:
    """List the training images that resemble an evaluation image."""
    others: list[str] = []
    fingerprints: list[Thumbnails] = []
    for path in against:
        dataset = open_dataset(path)
        others += [f"{dataset.name}/{name}" for name in dataset.sample_names]
        fingerprints.append(_fingerprints(dataset))
    other_thumbnails = np.concatenate(fingerprints)
    lines = []
    for path in data:
        dataset = open_dataset(path)
        mine = _fingerprints(dataset)
        lines += [
            f"{pair.name}\t{pair.other}\t{pair.correlation:.3f}"
            for pair in near_duplicates(
                dataset.sample_names, mine, others, other_thumbnails, threshold
            )
        ]
    header = "# name\tresembles\tcorrelation; an exclude file for `edgeflow train`"
    output.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    typer.echo(f"{output}: {len(lines)} images resemble one of {len(others)}")


def _fingerprints(dataset: Dataset) -> Thumbnails:
    with typer.progressbar(length=len(dataset), label=dataset.name) as bar:
        return thumbnails_of(dataset, lambda done: bar.update(done - bar.pos))
