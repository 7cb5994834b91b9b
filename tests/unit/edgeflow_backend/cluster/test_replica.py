from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.errors import EdgeFlowError, LabelConfigError
from edgeflow.geometry import ImagePoint
from edgeflow.inference.predictor import Predictor
from edgeflow.prompts.click import Click
from edgeflow_backend.cluster.pages.wire import SentPages
from edgeflow_backend.cluster.replica import Replica
from edgeflow_backend.cluster.similar.wire import AskedDescriptors, AskedSimilar
from edgeflow_backend.cluster.wire import Asked, Failure
from edgeflow_backend.errors import (
    ChangedImageError,
    DeadlineError,
    FetchError,
    InternalError,
    OverloadedError,
)
from edgeflow_backend.images.sources import InlineSource, WebSource
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.local import LocalSegmenter
from edgeflow_backend.segmenter.pages import AskedPages, Way
from edgeflow_backend.segmenter.segmenter import Clicks, Examples, Model, OpenedImage
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.versions.folders import project_folder, versions_of
from edgeflow_backend.versions.version import Learnt
from tests.unit.edgeflow_backend.samples import SIZE, disk_png
from tests.unit.edgeflow_backend.versions.version_samples import add

IMAGE = InlineSource(disk_png())
CENTRE = Click(ImagePoint(SIZE.width / 2, SIZE.height / 2))


class Held:
    """A replica whose segmenter a test can reach."""

    def __init__(self, predictor: Predictor, settings: Settings) -> None:
        def load(
            settings: Settings, metrics: Metrics, *, on_note: Callable[[str], None]
        ) -> LocalSegmenter:
            self.segmenter = LocalSegmenter(settings, predictor, metrics, on_note=on_note)
            return self.segmenter

        self.replica = Replica("r1", "fingerprint", settings, load)

    def ask(self, method: str, value: object, patience_s: float = 30.0) -> Any:
        reply = asyncio.run(getattr(self.replica, method)(value, patience_s))
        return pickle.loads(pickle.dumps(reply))

    def open(self) -> OpenedImage:
        opened = self.ask("open", IMAGE).unpacked()
        return OpenedImage(IMAGE, opened.size, opened.digest)


@pytest.fixture(scope="module")
def held(predictor: Predictor) -> Iterator[Held]:
    held = Held(predictor, Settings(log_level="ERROR"))
    yield held
    held.segmenter.close()


def sent(image: OpenedImage, *clicks: Click) -> Asked:
    return Asked.of(image, Clicks(clicks), Model(None, ""))


def test_it_says_what_it_is(held: Held, predictor: Predictor) -> None:
    described = held.ask("describe", None).unpacked()
    assert described.fingerprint == "fingerprint"
    assert described.default == Model(None, predictor.version)
    assert described.runtime == predictor.runtime.name


def test_it_answers_as_the_predictor_does(held: Held, predictor: Predictor) -> None:
    image = held.open()
    assert image.size == SIZE
    segmentation = held.ask("segment", sent(image, CENTRE)).unpacked().segmentation()
    encoded = held.segmenter.open(IMAGE, deadline=float("inf")).encoded
    assert encoded is not None
    assert segmentation.mask.digest == predictor.predict(encoded, [CENTRE]).patch.digest
    assert segmentation.model_version == predictor.version


def test_it_finds_what_looks_like_an_example(held: Held) -> None:
    image = held.open()
    example = held.ask("segment", sent(image, CENTRE)).unpacked().segmentation().mask
    asked = AskedSimilar.of(image, Examples([example]), Model(None, ""))
    reply = held.ask("find_similar", asked)
    soon = time.monotonic() + 60
    here = held.segmenter.find_similar(image, asked.asked, Model(None, ""), deadline=soon)
    there = reply.unpacked().similar()
    assert there.model_version == here.model_version
    assert [each.mask.digest for each in there.found.candidates] == [
        each.mask.digest for each in here.found.candidates
    ]
    assert next(cache for cache in reply.load.caches if cache.name == "features").nbytes > 0


def test_it_carries_an_object_through_pages(held: Held) -> None:
    image = held.open()
    mask = held.ask("segment", sent(image, CENTRE)).unpacked().segmentation().mask
    asked = AskedPages([IMAGE, IMAGE, IMAGE], [Way(1, 1, 1, mask), Way(1, -1, 1, mask)])
    carried = held.ask("carry", SentPages.of(asked, Model(None, ""))).unpacked().carried()
    assert sorted(page.index for page in carried.pages) == [0, 2]
    assert all(page.mask.iou(mask) > 0.8 for page in carried.pages)
    assert (carried.stopped, carried.met, carried.unread) == (frozenset(), (), ())
    assert carried.steps >= 2


def test_it_describes_examples(held: Held) -> None:
    image = held.open()
    example = held.ask("segment", sent(image, CENTRE)).unpacked().segmentation().mask
    asked = AskedDescriptors.of(image, [example], Model(None, ""))
    there = held.ask("describe_examples", asked).unpacked()
    soon = time.monotonic() + 60
    here = held.segmenter.describe_examples(image, [example], Model(None, ""), deadline=soon)
    assert there.model_version == here.model_version
    assert [d.to_json() for d in there.descriptors] == [d.to_json() for d in here.descriptors]


def test_a_later_click_finds_the_state_of_the_one_before(held: Held) -> None:
    image, second = held.open(), Click(ImagePoint(3, 3), positive=False)
    held.ask("segment", sent(image, CENTRE))
    assert held.ask("segment", sent(image, CENTRE, second)).unpacked().steps == 1


def test_replies_carry_load_and_what_was_counted_once(held: Held) -> None:
    image = held.open()
    held.ask("describe", None)
    held.ask("segment", sent(image, Click(ImagePoint(70, 61))))
    assert held.ask("describe", None).observed == ((), (), 0)
    reply = held.ask("segment", sent(image, Click(ImagePoint(71, 62))))
    assert reply.load.replica == "r1"
    assert {cache.name for cache in reply.load.caches} == {"images", "click states", "features"}


def test_what_the_engine_counts_comes_with_the_next_reply(held: Held) -> None:
    image = held.open()
    held.ask("describe", None)
    reply = held.ask("segment", sent(image, Click(ImagePoint(72, 63))))
    assert reply.observed.batch_sizes == (1,)
    assert len(reply.observed.queue_seconds) == 1


@pytest.mark.parametrize(
    ("method", "value", "patience_s", "kind"),
    [
        ("open", WebSource("http://127.0.0.1:1/a.png"), 30, FetchError),
        ("open", InlineSource(disk_png() + b"another"), 0, DeadlineError),
        ("segment", sent(OpenedImage(IMAGE, SIZE, "other"), CENTRE), 30, ChangedImageError),
        ("choose", "none of that name", 30, LabelConfigError),
    ],
)
def test_errors_are_replies(
    held: Held, method: str, value: object, patience_s: float, kind: type[EdgeFlowError]
) -> None:
    with pytest.raises(kind):
        held.ask(method, value, patience_s).unpacked()


def test_a_defect_is_an_error_of_its_own_and_tells_nothing(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(held.segmenter, "segment", fail)
    reply = held.ask("segment", sent(OpenedImage(IMAGE, SIZE, "d"), CENTRE))
    assert reply.value == Failure(
        InternalError.code, "an unexpected error", "see the replica's log", None
    )


def test_a_full_queue_refuses_with_the_time_of_the_next_try(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held.segmenter.engine, "_queue_limit", 0)
    with pytest.raises(OverloadedError) as caught:
        held.ask("segment", sent(held.open(), Click(ImagePoint(73, 64)))).unpacked()
    assert caught.value.retry_after_s == 1


def test_an_image_that_is_fetched_ahead_is_there(held: Held) -> None:
    assert held.ask("prefetch", IMAGE).unpacked() is None
    assert held.open().size == SIZE


def test_a_model_by_name(held: Held, predictor: Predictor) -> None:
    assert held.ask("choose", None).unpacked() == Model(None, predictor.version)


def test_it_answers_with_the_version_that_the_door_names(
    predictor: Predictor, tmp_path: Path
) -> None:
    settings = Settings(
        log_level="ERROR", learn_projects="7", learn_dir=str(tmp_path), runtime="torch"
    )
    project = ProjectRef("", "7")
    project_folder(settings, project).mkdir(parents=True)
    made = add(versions_of(settings, project), find(DEFAULT_MODEL), 0.05)
    name = made.checkpoint.version
    model = Model(None, name, learnt=Learnt(project, 1, name))
    held = Held(predictor, settings)
    try:
        image = held.open()
        clicks = Clicks([CENTRE])
        first = held.ask("segment", Asked.of(image, clicks, model)).unpacked().segmentation()
        assert first.model_version == predictor.version, "it is being loaded"
        described = held.ask("describe_examples", AskedDescriptors.of(image, [first.mask], model))
        assert described.unpacked().model_version == name
        asked = AskedSimilar.of(image, Examples([first.mask]), model)
        assert held.ask("find_similar", asked).unpacked().model_version == name
        then = held.ask("segment", Asked.of(image, clicks, model)).unpacked().segmentation()
        assert (then.model_version, then.mask.digest != first.mask.digest) == (name, True)
        assert held.ask("describe", None).unpacked().default.weights == made.base
    finally:
        held.segmenter.close()
