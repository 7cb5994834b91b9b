from __future__ import annotations

import pickle

import numpy as np

from edgeflow.geometry import ImagePoint, Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.similar.descriptor import Descriptor
from edgeflow.similar.found import Candidate, Found, SimilarOptions
from edgeflow_backend.cluster.similar.wire import AskedDescriptors, AskedSimilar, FoundSimilar
from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.images.sources import WebSource
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.segmenter import Examples, Model, OpenedImage, Similar
from edgeflow_backend.versions.version import Learnt

SIZE = Size(20, 30)
DESCRIPTOR = Descriptor(np.ones(4, np.float32), np.zeros(4, np.float32), 30.0, 6.0, 5.0)
LEARNT = Learnt(ProjectRef("team-b", "7"), 3, "m.7.3-12345678")
IMAGE = OpenedImage(WebSource("http://host/a.png"), SIZE, "digest")


def mask(left: int) -> MaskPatch:
    whole = np.zeros(SIZE, dtype=np.bool_)
    whole[3:9, left : left + 5] = True
    return MaskPatch.of(whole)


def digests(masks: object) -> list[str]:
    assert isinstance(masks, (list, tuple))
    return [each.digest for each in masks]


def test_what_is_asked_arrives_as_it_was() -> None:
    asked = Examples(
        [mask(0)],
        [mask(6)],
        [mask(12), mask(18)],
        SimilarOptions(limit=7, seconds=1.5),
        Stream("here", "similar"),
        frozenset({("p", 1.0)}),
        [DESCRIPTOR],
    )
    sent = pickle.loads(
        pickle.dumps(AskedSimilar.of(IMAGE, asked, Model("m", "m-1", learnt=LEARNT)))
    )
    assert (sent.image, sent.model, sent.learnt) == (IMAGE, "m", LEARNT)
    there = sent.asked
    assert digests(there.examples) == digests(asked.examples)
    assert digests(there.counter_examples) == digests(asked.counter_examples)
    assert digests(there.taken) == digests(asked.taken)
    assert (there.options, there.stream, there.marks) == (asked.options, asked.stream, asked.marks)
    assert [each.to_json() for each in there.descriptors] == [DESCRIPTOR.to_json()]


def test_what_is_to_be_described_arrives_as_it_was() -> None:
    masks = [mask(0), mask(6)]
    sent = pickle.loads(
        pickle.dumps(AskedDescriptors.of(IMAGE, masks, Model("m", "m-1", learnt=LEARNT)))
    )
    assert (sent.image, sent.model, sent.learnt) == (IMAGE, "m", LEARNT)
    assert digests(sent.masks) == digests(masks)


def test_the_answer_arrives_as_it_was() -> None:
    candidate = Candidate(Click(ImagePoint(2, 5)), mask(0), 0.9, 0.8)
    similar = Similar(Found((candidate,), 3, 0.5, complete=False), "m-1")
    there = pickle.loads(pickle.dumps(FoundSimilar.of(similar))).similar()
    (found,) = there.found.candidates
    assert found.mask.digest == candidate.mask.digest
    assert (found.click, found.score, found.similarity) == (candidate.click, 0.9, 0.8)
    assert (there.found.steps, there.found.seconds, there.found.complete) == (3, 0.5, False)
    assert there.model_version == "m-1"
