"""From examples to all their like: a pure function of weights, image, examples and options.

Where the image looks like an example, one click is tried, on a window as large as an object of the
example's size needs; what the network answers is kept if it resembles the example.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
import torch

from edgeflow.errors import PromptError
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.runs import Steps, drive
from edgeflow.inference.state import EncodedImage
from edgeflow.masks.patch import MaskPatch
from edgeflow.nn.interface import NoFeaturesError
from edgeflow.similar.descriptor import Descriptor, describe
from edgeflow.similar.features import FeatureStore, ImageFeatures, encode, side_for
from edgeflow.similar.found import Found, SimilarOptions
from edgeflow.similar.search import Search

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
        features = self._store.get(key) if self._store is not None else None
        if features is None:
            features = encode(encoder, image, side, policy.sampling)
            if self._store is not None:
                self._store.put(key, features)
        return features

    def look(
        self,
        image: EncodedImage,
        examples: Sequence[MaskPatch],
        descriptors: Sequence[Descriptor] = (),
    ) -> ImageFeatures:
        """The features that a search for the like of examples goes by.

        Args:
            image: From :meth:`edgeflow.inference.predictor.Predictor.encode`.
            examples: As of :meth:`find`.
            descriptors: As of :meth:`find`.

        Raises:
            PromptError: As of :meth:`find`.
            NoFeaturesError: The network does not offer them.
        """
        _check_asked(examples, descriptors, image.size)
        return self.features(image, _side(examples, descriptors, image.size))

    def describe(self, image: EncodedImage, mask: MaskPatch) -> Descriptor:
        """What an object looks like, for a search in this image or in another one.

        Raises:
            PromptError: The mask is empty, or of another size than the image.
            NoFeaturesError: The network does not offer features.
        """
        _check((mask,), image.size)
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
        features: ImageFeatures | None = None,
    ) -> Steps[Found]:
        """:meth:`find` for callers that run the network themselves, as :meth:`.predicting`.

        The other arguments are those of :meth:`find`; ``features`` are from :meth:`look`. Without
        them the first ``next`` computes them, which takes longer than a step.

        Raises:
            PromptError: At once, not at the first ``next``; see :meth:`find`.
        """
        _check_asked(examples, descriptors, image.size)
        _check(counter_examples, image.size)
        return self._finding(
            image, examples, counter_examples, descriptors, taken, options, features
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
        features: ImageFeatures | None,
    ) -> Steps[Found]:
        began = time.monotonic()
        if features is None:
            features = self.look(image, examples, descriptors)
        search = Search(
            image,
            features,
            [*(describe(features, mask) for mask in examples), *descriptors],
            [describe(features, mask) for mask in counter_examples],
            [mask for mask in (*examples, *counter_examples, *taken) if not mask.empty],
            options,
            self.predictor.policy.sampling,
            began=began,
        )
        found = yield from search.run()
        return found


def _side(masks: Sequence[MaskPatch], descriptors: Sequence[Descriptor], image: Size) -> int:
    diameters = [
        *(math.sqrt(np.count_nonzero(mask.pixels)) for mask in masks),
        *(descriptor.diameter for descriptor in descriptors),
    ]
    return side_for(min(diameters), image)


def _check_asked(
    examples: Sequence[MaskPatch], descriptors: Sequence[Descriptor], image: Size
) -> None:
    if not examples and not descriptors:
        raise PromptError("no example", hint="mark one object of the kind")
    _check(examples, image)


def _check(masks: Sequence[MaskPatch], image: Size) -> None:
    for mask in masks:
        if mask.empty:
            raise PromptError("an example is empty", hint="mark an object as the example")
        if mask.image_size != image:
            raise PromptError(
                "an example is not of the image's size", hint="mark an object in this image"
            )
