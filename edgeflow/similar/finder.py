"""From examples to all their like: a pure function of weights, image, examples and options.

Where the image looks like an example, one click is tried, on a window as large as an object of the
example's size needs; what the network answers is kept if it resembles the example.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from edgeflow.arrays import FloatArray
from edgeflow.errors import PromptError
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.runs import Steps, drive
from edgeflow.inference.state import EncodedImage
from edgeflow.masks.patch import MaskPatch
from edgeflow.nn.interface import NoFeaturesError
from edgeflow.prompts.click import Click
from edgeflow.similar.descriptor import Descriptor, describe, mean_feature
from edgeflow.similar.features import FeatureStore, ImageFeatures, encode, side_for
from edgeflow.similar.found import Candidate, Found, SimilarOptions
from edgeflow.similar.peaks import Peak, peaks
from edgeflow.similar.window import (
    NETWORK_SIDE,
    WINDOW,
    Segmented,
    segmented,
    step_input,
    window_around,
)

DEFAULTS = SimilarOptions()


class SimilarFinder:
    """Finds what looks like an example. Immutable, so threads may share it.

    Args:
        predictor: A loaded one, whose network's encoder offers features.
        store: Where features of images are looked up and left.
    """

    def __init__(self, predictor: Predictor, store: FeatureStore | None = None) -> None:
        self.predictor = predictor
        self._store = store

    def features(self, image: EncodedImage, side: int | None = None) -> ImageFeatures:
        """What the encoder sees in an image.

        Args:
            image: From :meth:`edgeflow.inference.predictor.Predictor.encode`.
            side: Longer side at the network; None for the smallest one.

        Raises:
            NoFeaturesError: The network does not offer them.
        """
        encoder, policy = self.predictor.encoder, self.predictor.policy
        if encoder is None:
            raise NoFeaturesError(
                "this predictor has no encoder", hint="load it with load_predictor"
            )
        side = side or side_for(max(image.size), image.size)
        key = f"{self.predictor.version}|{image.digest}|{side}"
        features = self._store.get(key) if self._store else None
        if features is None:
            features = encode(encoder, image, side, policy.sampling)
            if self._store:
                self._store.put(key, features)
        return features

    def describe(self, image: EncodedImage, mask: MaskPatch) -> Descriptor:
        """What an object looks like, for a search in this image or in another one.

        Raises:
            PromptError: The mask is empty, or of another size than the image.
            NoFeaturesError: The network does not offer features.
        """
        return describe(self.features(image, _side([mask], (), image.size)), mask)

    def find(
        self,
        image: EncodedImage,
        examples: Sequence[MaskPatch],
        *,
        counter_examples: Sequence[MaskPatch] = (),
        descriptors: Sequence[Descriptor] = (),
        taken: Sequence[MaskPatch] = (),
        options: SimilarOptions = DEFAULTS,
    ) -> Found:
        """Find what looks like the examples.

        Args:
            image: From :meth:`edgeflow.inference.predictor.Predictor.encode`.
            examples: Objects of the kind in this image.
            counter_examples: Objects in this image that are not of the kind.
            descriptors: Objects of the kind in other images.
            taken: Masks that no candidate may lie on; examples and counter-examples are, too.
            options: How far to go.

        Raises:
            PromptError: Neither examples nor descriptors; an empty mask, or one of another size
                than the image.
            NoFeaturesError: The network does not offer features.
        """
        steps = self.finding(
            image,
            examples,
            counter_examples=counter_examples,
            descriptors=descriptors,
            taken=taken,
            options=options,
        )
        return drive(steps, self.predictor.runtime.run)

    def finding(
        self,
        image: EncodedImage,
        examples: Sequence[MaskPatch],
        *,
        counter_examples: Sequence[MaskPatch] = (),
        descriptors: Sequence[Descriptor] = (),
        taken: Sequence[MaskPatch] = (),
        options: SimilarOptions = DEFAULTS,
    ) -> Steps[Found]:
        """:meth:`find` for callers that run the network themselves, as :meth:`.predicting`.

        Raises:
            PromptError: At once, not at the first ``next``; see :meth:`find`.
        """
        masks = (*examples, *counter_examples)
        if not examples and not descriptors:
            raise PromptError("no example", hint="mark one object of the kind")
        for mask in masks:
            if mask.empty or mask.image_size != image.size:
                raise PromptError(
                    "an example is empty or not of the image's size",
                    hint="mark an object in this image as the example",
                )
        return self._finding(
            image, examples, counter_examples, descriptors, (*masks, *taken), options
        )

    @torch.inference_mode()  # as in Predictor: left at each yield, entered again at each send
    def _finding(
        self,
        image: EncodedImage,
        examples: Sequence[MaskPatch],
        counter_examples: Sequence[MaskPatch],
        descriptors: Sequence[Descriptor],
        taken: Sequence[MaskPatch],
        options: SimilarOptions,
    ) -> Steps[Found]:
        began = time.monotonic()
        features = self.features(image, _side(examples, descriptors, image.size))
        known = [*(describe(features, mask) for mask in examples), *descriptors]
        unlike = [describe(features, mask) for mask in counter_examples]
        occupied = np.zeros(tuple(image.size), dtype=np.bool_)
        for mask in taken:
            occupied[mask.box.slices] |= mask.pixels
        found: list[Candidate] = []
        steps, complete = 0, True
        sampling = self.predictor.policy.sampling
        for peak in _places(features, known, unlike):
            x, y = round(peak.point.x), round(peak.point.y)
            if occupied[y, x]:
                continue
            spent = time.monotonic() - began > options.seconds or steps >= options.steps
            if spent or len(found) >= options.limit:
                complete = False
                break
            length = WINDOW * max(peak.height, peak.width)
            window = window_around(peak.point, length, image.size, NETWORK_SIDE)
            output = yield step_input(image, window, peak.point, sampling)
            steps += 1
            answer = segmented(
                output.mask[0, 0].cpu().numpy(), window, peak.point, image.size, sampling
            )
            candidate = self._judged(features, known, unlike, peak, answer, options)
            if candidate is None:
                continue
            mask = candidate.mask
            part = occupied[mask.box.slices]
            if np.count_nonzero(part & mask.pixels) > options.most_overlap * _area(mask):
                continue
            part |= mask.pixels
            found.append(candidate)
        found.sort(key=lambda candidate: -candidate.score)
        return Found(tuple(found), steps, time.monotonic() - began, complete)

    def _judged(
        self,
        features: ImageFeatures,
        known: Sequence[Descriptor],
        unlike: Sequence[Descriptor],
        peak: Peak,
        answer: Segmented,
        options: SimilarOptions,
    ) -> Candidate | None:
        if answer.mask.empty:
            return None
        area = _area(answer.mask)
        ratios = [area / example.area for example in known]
        if not any(options.smallest <= ratio <= options.largest for ratio in ratios):
            return None
        own = mean_feature(features, answer.mask)
        similarity = max(_cosine(own, example.inside) for example in known)
        against = max((_cosine(own, example.inside) for example in unlike), default=-1.0)
        if similarity < options.least_similarity or against > similarity:
            return None
        score = self.predictor.calibration.of(answer.certainty, 1)
        if score < options.least_score:
            return None
        return Candidate(Click(peak.point), answer.mask, score, max(similarity, 0.0))


def _places(
    features: ImageFeatures, known: Sequence[Descriptor], unlike: Sequence[Descriptor]
) -> Iterator[Peak]:
    each = [peak for example in known for peak in peaks(features, example, unlike)]
    yield from sorted(each, key=lambda peak: -peak.response)


def _side(masks: Sequence[MaskPatch], descriptors: Sequence[Descriptor], image: Size) -> int:
    diameters = [
        *(_area(mask) ** 0.5 for mask in masks),
        *(descriptor.diameter for descriptor in descriptors),
    ]
    return side_for(min(diameters), image)


def _area(mask: MaskPatch) -> int:
    return int(np.count_nonzero(mask.pixels))


def _cosine(one: FloatArray, other: FloatArray) -> float:
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norms if norms else 0.0
