"""The numbers of the gate."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Bounds:
    """What a version must reach, and what judging it may cost.

    Attributes:
        objects: Most held-out objects that are clicked.
        max_clicks: Clicks at which an object is given up, which count for one that is never done.
        targets: IoUs that clicks are counted to; an object's cost is the mean over them.
        least_objects: Fewer held-out objects tell nothing.
        least_pictures: Nor do objects of fewer pictures.
        level: Chance, at most, that a version that is no better passes for better.
        picture_clicks: Where there are few held-out pictures, how many more clicks an object of one
            of them may take.
        least_effect: Share of the clicks that a better version saves, at least.
        general_clicks: Share by which clicks on a part of the general set may rise; see
            :attr:`.Comparison.risen`.
        general_iou: How far the IoU on one picture of the general set may fall after :attr:`after`
            clicks, as the mean over its objects.
        general_max_clicks: As :attr:`max_clicks`, on the general set.
        after: Clicks after which every picture must be as good as before.
    """

    objects: int = 32
    max_clicks: int = 20
    targets: tuple[float, ...] = (0.85, 0.90)
    least_objects: int = 8
    least_pictures: int = 2
    level: float = 0.05
    picture_clicks: float = 0.5
    least_effect: float = 0.03
    general_clicks: float = 0.15
    general_iou: float = 0.15
    general_max_clicks: int = 10
    after: int = 5

    @property
    def of_general(self) -> Bounds:
        """With what holds for the general set."""
        return replace(self, max_clicks=self.general_max_clicks)


STANDARD = Bounds()
"""What is asked unless somebody asks for something else."""
