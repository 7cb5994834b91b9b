from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeflow.checkpoints.checkpoint import Checkpoint, models_in
from edgeflow.checkpoints.manifest import add_to_manifest
from edgeflow.data.base import Sample
from edgeflow.learning.likeness.statistics import shipped_statistics
from tools.image_statistics import chosen, write


@dataclass(frozen=True)
class Images:
    """Images of noise."""

    sample_names: tuple[str, ...]
    name: str = "some"

    def __len__(self) -> int:
        return len(self.sample_names)

    def __getitem__(self, index: int) -> Sample:
        rgb = np.random.default_rng(index).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        return Sample(self.sample_names[index], rgb, ())


MANY = Images(tuple(f"many/{number}" for number in range(90)))
FEW = Images(("few/1", "few/2", *(f"other/{number}" for number in range(9))))


def test_each_set_gives_as_many_as_there_are_for_all() -> None:
    places = chosen([MANY, FEW], 12)
    counts = {of: [place.set for place in places].count(of) for of in ("many", "few", "other")}
    assert counts == {"many": 5, "few": 2, "other": 5}
    names = {place.name for place in places}
    assert len(names) == 12
    turned = Images(FEW.sample_names[::-1])
    assert {place.name for place in chosen([turned, MANY], 12)} == names


def test_what_is_written_comes_with_the_weights(
    checkpoints: dict[str, Checkpoint], tmp_path: Path
) -> None:
    shared = checkpoints["ritm_hrnet"]
    (tmp_path / shared.path.name).write_bytes(shared.path.read_bytes())
    add_to_manifest(tmp_path, shared.name, shared.entry)
    (base,) = models_in(tmp_path)
    said: list[str] = []
    path = write(base, chosen([FEW], 4), said.append)
    (base,) = models_in(tmp_path)
    found = shipped_statistics(base)
    assert base.load() is not None
    assert found is not None
    assert found.images == len(said) == 4
    assert base.entry.statistics is not None
    assert base.entry.statistics.made_of == "4 images: few 2, other 2"
    again = path.read_bytes()
    assert write(base, chosen([FEW], 4), said.append).read_bytes() == again
