"""Which pictures a version would answer, and clicks as it would be served."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from edgeflow.arrays import FloatArray
from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.data.base import Sample
from edgeflow.inference.predictor import Predictor
from edgeflow.learning.gate.clicking import Clicked
from edgeflow.learning.likeness.likeness import Likeness
from edgeflow.learning.likeness.statistics import (
    ImageStatistics,
    LikenessError,
    shipped_statistics,
)
from edgeflow.learning.likeness.summary import Summariser
from edgeflow.nn.interface import NoFeaturesError

Click = Callable[[Sequence[Sample]], tuple[Clicked, ...]]


@dataclass(frozen=True)
class Kinds:
    """What kinds of pictures a training works with.

    Attributes:
        likeness: Which images what it learns is for; None for all.
        judged: Summaries of the pictures to judge by, by name.
    """

    likeness: Likeness | None
    judged: Mapping[str, FloatArray]

    @classmethod
    def of(
        cls,
        base: Checkpoint,
        network: Predictor,
        training: Iterable[Sample],
        judged: Iterable[Sample],
        general: Iterable[Sample],
    ) -> Kinds:
        """Sum pictures up.

        Args:
            base: The base weights; where their network offers no features, nothing is known.
            network: Their predictor.
            training: Pictures to learn from; where there is but one, nothing tells what is like it.
            judged: Held-out pictures to judge by.
            general: The general set; its statistics tell kinds apart where none come with the
                base weights.

        Raises:
            CheckpointError: The statistics that come with the base weights cannot be used.
        """
        summarise = Summariser(base)

        def summary(sample: Sample) -> FloatArray:
            return summarise(network.encode(sample.rgb).overview)

        try:
            others = {sample.name: summary(sample) for sample in general}
            statistics = shipped_statistics(base) or ImageStatistics.of(list(others.values()))
            likeness = Likeness.of([summary(each) for each in training], statistics)
        except (NoFeaturesError, LikenessError):
            return cls(None, {})
        return cls(likeness, {**others, **{sample.name: summary(sample) for sample in judged}})

    def clicked(
        self,
        samples: Sequence[Sample],
        before: Sequence[Clicked],
        click: Click,
        likeness: Likeness | None,
    ) -> tuple[Clicked, ...]:
        """Click a set as a version is served: the base weights answer what is unlike its own.

        Args:
            samples: Pictures, of those that are summed up.
            before: What the base weights take on all their objects, in order.
            click: Clicks pictures with the version.
            likeness: The version's; None where it answers all.
        """
        mine = [likeness is None or self._alike(sample, likeness) for sample in samples]
        new = iter(click([sample for sample, its in zip(samples, mine, strict=True) if its]))
        old = iter(before)
        parts = []
        for sample, its in zip(samples, mine, strict=True):
            count = len(sample.objects)
            former = tuple(islice(old, count))
            parts.append(tuple(islice(new, count)) if its else former)
        return tuple(chain.from_iterable(parts))

    def _alike(self, sample: Sample, likeness: Likeness) -> bool:
        summary = self.judged.get(sample.name)
        return summary is None or likeness.accepts(summary)
