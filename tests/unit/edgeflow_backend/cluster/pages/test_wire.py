from __future__ import annotations

import pickle

import numpy as np

from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.cluster.pages.wire import FoundPages, SentPages
from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.images.sources import AsStored, WebSource
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.pages import AskedPages, CarriedPage, CarriedPages, Way
from edgeflow_backend.segmenter.segmenter import Model
from edgeflow_backend.versions.version import Learnt

SOURCE = WebSource("http://host/a.png")
LEARNT = Learnt(ProjectRef("team-b", "7"), 3, "m.7.3-12345678")


def mask(left: int) -> MaskPatch:
    whole = np.zeros(Size(20, 30), dtype=np.bool_)
    whole[3:9, left : left + 5] = True
    return MaskPatch.of(whole)


def test_what_is_asked_arrives_as_it_was() -> None:
    asked = AskedPages(
        [SOURCE, AsStored(SOURCE)],
        [Way(1, -1, 1, mask(0))],
        {0: [mask(6), mask(12)]},
        7,
        1.5,
        0.25,
        Stream("here", "pages"),
        frozenset({"p"}),
    )
    sent = pickle.loads(pickle.dumps(SentPages.of(asked, Model("m", "m-1", learnt=LEARNT))))
    assert (sent.model, sent.learnt) == ("m", LEARNT)
    there = sent.asked
    assert list(there.pages) == asked.pages
    (way,) = there.ways
    assert (way.start, way.step, way.count, way.mask.digest) == (1, -1, 1, mask(0).digest)
    assert [each.digest for each in there.there[0]] == [mask(6).digest, mask(12).digest]
    assert (there.limit, there.seconds, there.least_score) == (7, 1.5, 0.25)
    assert (there.stream, there.marks) == (asked.stream, asked.marks)


def test_the_answer_arrives_as_it_was() -> None:
    found = CarriedPages(
        (CarriedPage(3, mask(0), 0.9, "digest"),), frozenset({-1}), ((2, 0),), ("gone",), 4, "m-1"
    )
    there = pickle.loads(pickle.dumps(FoundPages.of(found))).carried()
    (page,) = there.pages
    assert (page.index, page.mask.digest, page.score) == (3, mask(0).digest, 0.9)
    assert page.digest == "digest"
    assert (there.stopped, there.met, there.unread) == (found.stopped, found.met, found.unread)
    assert (there.steps, there.model_version) == (4, "m-1")
