"""What was suggested in a task, so that it keeps its ids, and what was rejected stays away.

Label Studio tells nobody what an annotator rejects. But a draft that holds some regions of an
answer and not the others says it: those others were rejected, or deleted since. Where it holds none
of them, all were rejected to ask in another way, or the draft is not saved yet; and as long as the
answer's prompt is sent again, its suggestions still wait. Both tell nothing.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.memory.answer_memory import AnswerMemory

SAME_OBJECT_IOU = 0.5
"""Two masks that overlap more show one object."""

ANSWERS_KEPT = 32


@dataclass(frozen=True)
class Suggested:
    """A region of an answer.

    Attributes:
        region_id: Its id.
        mask: What it showed.
        example: Whether the prompt itself was on it.
    """

    region_id: str
    mask: MaskPatch
    example: bool = False


@dataclass(frozen=True)
class Suggestions:
    """An answer.

    Attributes:
        prompt_ids: Ids of the prompt's regions.
        regions: Those of the answer.
        author: Whose draft the task held; empty where it held none.
    """

    prompt_ids: frozenset[str]
    regions: tuple[Suggested, ...]
    author: str = ""

    @property
    def key(self) -> frozenset[str]:
        """Those ids: a second answer to the same prompt takes the place of the first."""
        return self.prompt_ids

    @property
    def nbytes(self) -> int:
        """Size of its masks in bytes."""
        return sum(200 + region.mask.nbytes for region in self.regions)

    def rejected(self, sent: Container[str], stored: Container[str]) -> list[MaskPatch]:
        """What of it the annotator did not want, as far as can be told."""
        if any(key in sent for key in self.prompt_ids):
            return []
        if not any(region.region_id in stored for region in self.regions):
            return []
        return [r.mask for r in self.regions if not r.example and r.region_id not in stored]


class SuggestionMemory(AnswerMemory[Suggestions]):
    """The answers of this process, by image and labels. Thread-safe; bounded in bytes.

    Args:
        max_bytes: Of all masks together; what was not asked for longest goes first.
    """

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes, ANSWERS_KEPT)

    def rejected(
        self, place: str, sent: Container[str], stored: Container[str], author: str
    ) -> list[MaskPatch]:
        """Masks that the annotator did not want, the newest first.

        Args:
            place: As in :meth:`note`.
            sent: Ids of the prompts that the request holds, accepted ones included.
            stored: Ids of the regions that the annotator has before them.
            author: Whose draft the task holds; empty for none.
        """
        return [mask for each in self.of(place, author) for mask in each.rejected(sent, stored)]

    def ids(self, place: str, masks: Sequence[MaskPatch], author: str) -> list[str | None]:
        """The id under which each mask's object was suggested before; None for new ones.

        Args:
            place: As in :meth:`note`.
            masks: At the image's size.
            author: As in :meth:`rejected`.
        """
        known = [region for each in self.of(place, author) for region in each.regions]
        used: set[str] = set()
        found: list[str | None] = []
        for mask in masks:
            same = (
                region.region_id
                for region in known
                if region.region_id not in used and region.mask.iou(mask) > SAME_OBJECT_IOU
            )
            found.append(next(same, None))
            used.add(found[-1] or "")
        return found
