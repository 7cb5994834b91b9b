"""Make the statistics of images that come with weights.

    python -m tools.image_statistics edgeflow_lite ../shared/data/train ../shared/data/train_more

sums up 200 images of the datasets, of each set in them as many as there are for all, and writes
``<name>.statistics.safetensors`` beside the weights and into their manifest. The same datasets give
the same images. Which they are, docs/training.md says.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from edgeflow.checkpoints.checkpoint import SUFFIX, Checkpoint, find
from edgeflow.checkpoints.manifest import StatisticsFile, add_to_manifest
from edgeflow.data.base import Dataset, set_of
from edgeflow.data.opening import open_dataset
from edgeflow.errors import EdgeFlowError
from edgeflow.files import write_atomically
from edgeflow.inference.predictor import load_predictor
from edgeflow.learning.likeness.statistics import ImageStatistics
from edgeflow.learning.likeness.summary import Summariser

IMAGES = 200


class Place(NamedTuple):
    """Where an image stands.

    Attributes:
        dataset: The dataset.
        number: Its index there.
    """

    dataset: Dataset
    number: int

    @property
    def name(self) -> str:
        """Its sample's name."""
        return self.dataset.sample_names[self.number]

    @property
    def set(self) -> str:
        """The set that it is of."""
        return set_of(self.name) or self.dataset.name


def chosen(datasets: Sequence[Dataset], count: int) -> list[Place]:
    """Some images, as many of each set as there are for all; names alone say which."""
    places = [Place(dataset, number) for dataset in datasets for number in range(len(dataset))]
    turns: Counter[str] = Counter()
    drawn = []
    for place in sorted(places, key=_rank):
        drawn.append((turns[place.set], place.set, place))
        turns[place.set] += 1
    return [place for _, _, place in sorted(drawn, key=lambda each: each[:2])[:count]]


def write(base: Checkpoint, places: Sequence[Place], say: Callable[[str], None]) -> Path:
    """Sum images up, and write their statistics beside weights and into the manifest.

    Returns:
        The file.

    Raises:
        EdgeFlowError: An image or the weights cannot be read, or the folder cannot be written to.
    """
    predictor = load_predictor(str(base.path), runtime="torch", device="cpu")
    summarise = Summariser(base)
    summaries = []
    for done, place in enumerate(places, start=1):
        summaries.append(summarise(predictor.encode(place.dataset[place.number].rgb).overview))
        say(f"{done} of {len(places)}: {place.name}")
    data = ImageStatistics.of(summaries).to_bytes()
    path = base.path.with_suffix(f".statistics{SUFFIX}")
    write_atomically(path, data)
    counts = Counter(place.set for place in places)
    made_of = f"{len(places)} images: " + ", ".join(f"{of} {counts[of]}" for of in sorted(counts))
    file = StatisticsFile(file=path.name, sha256=hashlib.sha256(data).hexdigest(), made_of=made_of)
    entry = base.entry.model_copy(update={"statistics": file})
    add_to_manifest(path.parent, base.name, entry)
    return path


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="name, or path of a weights file")
    parser.add_argument("datasets", nargs="+", type=Path)
    parser.add_argument("--images", type=int, default=IMAGES)
    asked = parser.parse_args()
    try:
        places = chosen([open_dataset(path) for path in asked.datasets], asked.images)
        path = write(find(asked.weights), places, _say)
    except EdgeFlowError as error:
        sys.exit(f"{error.message}: {error.hint}")
    sys.stdout.write(f"{path}\n")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _rank(place: Place) -> tuple[str, int]:
    name = place.name.encode("utf-8", "surrogateescape")
    return hashlib.sha256(name).hexdigest(), place.number


if __name__ == "__main__":
    main()
