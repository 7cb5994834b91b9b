"""DAVIS: video sequences of which every frame is annotated.

Perazzi et al., CVPR 2016 (one object a sequence) and Pont-Tuset et al., 2017 (several).
"""

from __future__ import annotations

from pathlib import Path

from edgeflow.data.base import DatasetError
from edgeflow.data.files import read_list
from edgeflow.data.label_maps import davis
from edgeflow.data.paired import Pair, PairedDataset, pairs_in

PREFERRED = "480p"
LISTS = ("2017", "2016", PREFERRED, "")


class Davis(PairedDataset):
    """``JPEGImages/480p/<sequence>/*.jpg`` and ``Annotations/480p/<sequence>/*.png``.

    Each annotated frame is a sample, named ``<sequence>/<frame>``. Greyscale masks hold one object
    (2016), palettes number them (2017), 255 in a palette is ignored.

    Args:
        root: Folder of ``JPEGImages``, or the one that holds it as ``DAVIS``.
        split: List in ``ImageSets``, such as ``val`` or ``2016/val``; without a year that of
            2017, then of 2016. None takes all sequences.

    Raises:
        DatasetError: There is no such list, or one of its sequences is missing.
    """

    def __init__(self, root: Path, split: str | None = None) -> None:
        home = _home(root)
        resolution = _resolution(home)
        available = sequences(home / "Annotations" / resolution)
        selection = available if split is None else _listed(home, split)
        pairs: dict[str, Pair] = {}
        for sequence in selection:
            if sequence not in available:
                raise DatasetError(
                    f"{home / 'Annotations' / resolution}: no sequence {sequence}",
                    hint=f"complete the dataset, or choose another split than {split}",
                )
            frames = pairs_in(
                home / "JPEGImages" / resolution / sequence,
                home / "Annotations" / resolution / sequence,
            )
            pairs |= {f"{sequence}/{frame}": pair for frame, pair in frames.items()}
        super().__init__(root.name if split is None else f"{root.name} {split}", pairs, davis)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the tree is there."""
        home = _home(path)
        return all(
            bool(sequences(home / part / _resolution(home)))
            for part in ("JPEGImages", "Annotations")
        )


def sequences(folder: Path) -> list[str]:
    """The names of a folder's folders, sorted; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(
        path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    )


def _home(root: Path) -> Path:
    nested = root / "DAVIS"
    return nested if (nested / "JPEGImages").is_dir() else root


def _resolution(home: Path) -> str:
    resolutions = sequences(home / "Annotations")
    return PREFERRED if PREFERRED in resolutions or not resolutions else resolutions[0]


def _listed(home: Path, split: str) -> list[str]:
    lists = home / "ImageSets"
    candidates = [lists / year / f"{split}.txt" for year in LISTS]
    for path in candidates:
        if path.is_file():
            # A line is a sequence, or the paths of a frame and its mask.
            words = [line[0].strip("/").split("/") for line in read_list(path)]
            return list(dict.fromkeys(parts[-2] if len(parts) > 1 else parts[0] for parts in words))
    lists_there = sorted(
        path.relative_to(lists).with_suffix("").as_posix() for path in lists.rglob("*.txt")
    )
    raise DatasetError(
        f"{lists} has no list {split!r}",
        hint=f"there are: {', '.join(lists_there)}"
        if lists_there
        else "leave the split out to take all",
    )
