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
from edgeflow.data.left_out import left_out_lines
from edgeflow.data.listed import left_out_of
from edgeflow.data.opening import open_dataset
from edgeflow.files import check_outputs, in_folders, write_atomically

HEADER = "# name\tresembles\tcorrelation; an exclude file for `edgeflow train`"


def datasets(
    path: Annotated[Path, typer.Argument(help="Folder or file with annotated images.")],
    layout: Layout = "auto",
    split: Split = None,
    images: Images = None,
    label_config: LabelConfigFile = None,
) -> None:
    """Read every annotated image of a dataset; count images, objects, and what is left out."""
    dataset = open_dataset(
        path, layout=layout, split=split, images=images, label_config=label_config
    )
    image_count: Counter[str] = Counter()
    objects: Counter[str] = Counter()
    left_out = list(left_out_of(dataset))
    with typer.progressbar(range(len(dataset)), label=dataset.name) as bar:
        for index in bar:
            sample = dataset[index]
            group = set_of(sample.name) or dataset.name
            image_count[group] += 1
            objects[group] += len(sample.objects)
            left_out += sample.left_out
    # The word is "image" everywhere else; scripts read these lines.
    for group, count in image_count.most_common():
        typer.echo(f"{group}: {count} pictures, {objects[group]} objects")
    typer.echo(f"all: {image_count.total()} pictures, {objects.total()} objects")
    for line in left_out_lines(left_out):
        typer.echo(line, err=True)


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
    read = [*data, *against]
    check_outputs({"list": output}, [*read, *in_folders([output], read, _made_here)])
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
    text = "\n".join([HEADER, *lines]) + "\n"
    write_atomically(output, text.encode("utf-8", "surrogateescape"))  # names may be any bytes
    typer.echo(f"{output}: {len(lines)} images resemble one of {len(others)}")


def _made_here(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().startswith(HEADER.encode())


def _fingerprints(dataset: Dataset) -> Thumbnails:
    with typer.progressbar(length=len(dataset), label=dataset.name) as bar:
        return thumbnails_of(dataset, lambda done: bar.update(done - bar.pos))
