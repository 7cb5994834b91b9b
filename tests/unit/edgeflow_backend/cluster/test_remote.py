from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.errors import LabelConfigError, PromptError
from edgeflow.geometry import ImagePoint, Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow_backend.cluster.errors import ReplicaLostError
from edgeflow_backend.cluster.pages.wire import FoundPages
from edgeflow_backend.cluster.remote import MOST_LOST, RemoteSegmenter, routing_key
from edgeflow_backend.cluster.replicas import Fleet, Replicas
from edgeflow_backend.cluster.similar.wire import FoundSimilar
from edgeflow_backend.cluster.wire import (
    Asked,
    Described,
    Failure,
    Load,
    Observed,
    Reply,
    Segmented,
    SentMask,
)
from edgeflow_backend.errors import ChangedImageError, OverloadedError, superseded
from edgeflow_backend.images.sources import WebSource
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.pages import AskedPages, Way
from edgeflow_backend.segmenter.segmenter import (
    Clicks,
    ExampleDescriptors,
    Examples,
    Model,
    OpenedImage,
)
from edgeflow_backend.settings import Settings
from edgeflow_backend.shared.image_facts import Facts
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.status.report import Cache
from edgeflow_backend.versions.folders import project_folder, versions_of
from edgeflow_backend.versions.version import Learnt
from tests.redis_server import RedisServer, tier_of
from tests.unit.edgeflow_backend.versions.version_samples import add

SIZE = Size(40, 50)
SOURCE = WebSource("http://host/a.png?token=secret")
CLICKS = Clicks([Click(ImagePoint(3, 4))])
MASK = MaskPatch.of(np.ones(SIZE, dtype=np.bool_))
LOAD = Load("r1", 0, (Cache("images", 10, 100), Cache("click states", 1, 50)))


def segmented(version: str = "m-1") -> Segmented:
    return Segmented(SentMask.of(MASK), 0.9, 1, version)


class Scripted(Replicas):
    """Replicas that answer each method with what a test says, in order; the last one stays."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, Any]] = []
        self.told: list[tuple[str, str, Any]] = []
        self.fleet_now = Fleet(2, 2)
        self.closed = False

    @property
    def fleet(self) -> Fleet:
        return self.fleet_now

    def ask(self, method: str, key: str, value: object, *, deadline: float) -> Reply[Any]:  # noqa: ARG002
        self.asked.append((method, key, value))
        script = self.answers[method]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Reply) else Reply(answer, LOAD)

    def tell(self, method: str, key: str, value: object) -> None:
        self.told.append((method, key, value))

    def close(self) -> None:
        self.closed = True


Make = Callable[..., RemoteSegmenter]


def remote(replicas: Scripted, metrics: Metrics | None = None, **more: Any) -> RemoteSegmenter:
    described = Described("f", Model(None, "m-1"), "torch cpu float32")
    settings = Settings(project_models={"5": "other"})
    more = {"sleep": lambda _: None, **more}
    return RemoteSegmenter(settings, replicas, described, metrics or Metrics(), **more)


def soon(seconds: float = 30) -> float:
    return time.monotonic() + seconds


def lost() -> ReplicaLostError:
    return ReplicaLostError("gone", hint="again")


def test_an_image_is_opened_once_and_later_clicks_take_one_hop() -> None:
    replicas = Scripted(open=[Facts(SIZE, "d")], segment=[segmented()])
    segmenter = remote(replicas)
    for _ in range(3):
        image = segmenter.open(SOURCE, deadline=soon())
        answer = segmenter.segment(image, CLICKS, segmenter.default, deadline=soon())
        assert answer.mask.digest == MASK.digest
    assert image == OpenedImage(SOURCE, SIZE, "d")
    assert [method for method, *_ in replicas.asked] == ["open", *["segment"] * 3]


def test_a_search_goes_where_its_image_is_and_again_where_that_was_replaced() -> None:
    found = FoundSimilar((), 3, 0.5, complete=True, model_version="m-2")
    replicas = Scripted(open=[Facts(SIZE, "d")], find_similar=[ChangedImageError(""), found])
    segmenter = remote(replicas)
    image = segmenter.open(SOURCE, deadline=soon())
    similar = segmenter.find_similar(image, Examples([MASK]), segmenter.default, deadline=soon())
    assert (similar.found.candidates, similar.model_version) == ((), "m-2")
    assert segmenter.default.version == "m-2"  # the replicas are being updated
    asked = [method for method, *_ in replicas.asked]
    assert asked == ["open", "find_similar", "open", "find_similar"]
    assert {key for _, key, _ in replicas.asked} == {routing_key(SOURCE.key)}


def test_pages_are_carried_where_the_first_one_is() -> None:
    found = FoundPages((), frozenset({1}), (), ("page 3: gone",), 2, "m-2")
    replicas = Scripted(carry=[found])
    segmenter = remote(replicas)
    asked = AskedPages([WebSource("http://host/other.png"), SOURCE], [Way(1, -1, 1, MASK)])
    carried = segmenter.carry(asked, segmenter.default, deadline=soon())
    assert carried.stopped == frozenset({1})
    assert carried.unread == ("page 3: gone",)
    assert segmenter.default.version == "m-2"
    assert [(method, key) for method, key, _ in replicas.asked] == [
        ("carry", routing_key(SOURCE.key))
    ]


def test_examples_are_described_where_their_image_is() -> None:
    described = ExampleDescriptors((), "m-2")
    replicas = Scripted(open=[Facts(SIZE, "d")], describe_examples=[described])
    segmenter = remote(replicas)
    image = segmenter.open(SOURCE, deadline=soon())
    model = segmenter.default
    assert segmenter.describe_examples(image, [MASK], model, deadline=soon()) is described
    assert segmenter.default.version == "m-2"
    assert {key for _, key, _ in replicas.asked} == {routing_key(SOURCE.key)}


def test_a_door_that_follows_another_knows_the_images_that_were_opened(
    shared_redis: RedisServer,
) -> None:
    tier = tier_of(shared_redis)
    digest = "0" * 64
    before = remote(Scripted(open=[Facts(SIZE, digest)]), tier=tier)
    opened = before.open(SOURCE, deadline=soon())
    assert tier.flush(10)
    replicas = Scripted(open=[Facts(SIZE, "1" * 64)], segment=[ChangedImageError(""), segmented()])
    after = remote(replicas, tier=tier_of(shared_redis))
    known = after.open(SOURCE, deadline=soon())
    assert known == opened
    assert replicas.asked == []
    answer = after.segment(known, CLICKS, after.default, deadline=soon())  # it is another by now
    assert answer.mask.digest == MASK.digest
    assert [method for method, *_ in replicas.asked] == ["segment", "open", "segment"]
    assert after.open(SOURCE, deadline=soon()).digest == "1" * 64
    (shared,) = after.shared()
    assert shared.reached
    before.close()
    after.close()


def test_all_calls_for_an_image_go_to_one_place_whose_name_may_be_logged() -> None:
    replicas = Scripted(open=[Facts(SIZE, "d")], segment=[segmented()])
    segmenter = remote(replicas)
    segmenter.prefetch(SOURCE)
    image = segmenter.open(SOURCE, deadline=soon())
    segmenter.segment(image, CLICKS, segmenter.default, deadline=soon())
    places = {key for _, key, _ in replicas.asked + replicas.told}
    assert places == {routing_key(SOURCE.key)}
    assert "secret" not in places.pop()


def test_a_call_whose_replica_was_lost_is_made_again() -> None:
    metrics = Metrics()
    replicas = Scripted(open=[lost(), Facts(SIZE, "d")])
    assert remote(replicas, metrics).open(SOURCE, deadline=soon()).digest == "d"
    assert len(replicas.asked) == 2
    assert b"edgeflow_cluster_retries_total 1.0" in metrics.render()


def test_a_replica_that_stays_out_of_reach_is_passed_over() -> None:
    replicas = Scripted(open=[lost(), lost(), Facts(SIZE, "d")])
    remote(replicas).open(SOURCE, deadline=soon())
    first, second, third = (key for _, key, _ in replicas.asked)
    assert first == second != third


def test_a_call_that_ends_every_replica_does_not_end_them_all() -> None:
    replicas = Scripted(open=[lost()])
    with pytest.raises(ReplicaLostError):
        remote(replicas).open(SOURCE, deadline=soon())
    assert len(replicas.asked) == MOST_LOST


def test_nothing_is_asked_again_past_the_deadline() -> None:
    replicas = Scripted(open=[lost()])
    with pytest.raises(ReplicaLostError):
        remote(replicas).open(SOURCE, deadline=soon(0.01))
    assert len(replicas.asked) == 1


@pytest.mark.parametrize(
    "error",
    [
        superseded(),
        OverloadedError("full", hint="later", retry_after_s=9),
        PromptError("outside", hint="inside"),
    ],
)
def test_errors_of_replicas_pass_and_are_not_asked_again(error: Any) -> None:
    replicas = Scripted(segment=[Failure.of(error)])
    image = OpenedImage(SOURCE, SIZE, "d")
    with pytest.raises(type(error)) as caught:
        remote(replicas).segment(image, CLICKS, Model(None, "m-1"), deadline=soon())
    assert (caught.value.message, caught.value.hint) == (error.message, error.hint)
    assert getattr(caught.value, "retry_after_s", None) == getattr(error, "retry_after_s", None)
    assert len(replicas.asked) == 1


def test_an_image_that_changed_is_opened_again_once() -> None:
    changed = Failure.of(ChangedImageError("replaced", hint="click again"))
    replicas = Scripted(
        open=[Facts(SIZE, "old"), Facts(SIZE, "new")], segment=[changed, segmented()]
    )
    segmenter = remote(replicas)
    image = segmenter.open(SOURCE, deadline=soon())
    segmenter.segment(image, CLICKS, segmenter.default, deadline=soon())
    sent = [value for method, _, value in replicas.asked if method == "segment"]
    assert all(isinstance(each, Asked) for each in sent)
    assert [each.digest for each in sent] == ["old", "new"]
    assert segmenter.open(SOURCE, deadline=soon()).digest == "new"


def test_clicks_on_an_image_of_another_size_are_not_moved() -> None:
    changed = Failure.of(ChangedImageError("replaced", hint="click again"))
    replicas = Scripted(
        open=[Facts(SIZE, "old"), Facts(Size(50, 40), "new")], segment=[changed, segmented()]
    )
    segmenter = remote(replicas)
    image = segmenter.open(SOURCE, deadline=soon())
    with pytest.raises(ChangedImageError):
        segmenter.segment(image, CLICKS, segmenter.default, deadline=soon())
    assert segmenter.open(SOURCE, deadline=soon()).digest == "new"  # the next click's


def test_models_are_asked_for_once_and_mistakes_are_not_remembered() -> None:
    wrong = Failure.of(LabelConfigError("no such model", hint="another"))
    replicas = Scripted(choose=[wrong, Model("other", "other-1")])
    segmenter = remote(replicas)
    assert segmenter.choose(ProjectRef("", "1"), None) == segmenter.default == Model(None, "m-1")
    with pytest.raises(LabelConfigError):
        segmenter.choose(ProjectRef("", "5"), None)
    assert segmenter.choose(ProjectRef("", "5"), None) == segmenter.choose(
        ProjectRef("", "1"), "other"
    )
    assert [value for _, _, value in replicas.asked] == ["other", "other"]


def test_the_version_is_that_of_the_newest_answer_while_replicas_are_replaced() -> None:
    segmenter = remote(Scripted(segment=[segmented("m-2")]))
    image = OpenedImage(SOURCE, SIZE, "d")
    answer = segmenter.segment(image, CLICKS, segmenter.default, deadline=soon())
    assert answer.model_version == "m-2"
    assert segmenter.default == Model(None, "m-2")


def test_an_image_that_is_known_is_not_fetched_ahead() -> None:
    replicas = Scripted(open=[Facts(SIZE, "d")])
    segmenter = remote(replicas)
    segmenter.prefetch(SOURCE)
    segmenter.open(SOURCE, deadline=soon())
    segmenter.prefetch(SOURCE)
    assert [(method, value) for method, _, value in replicas.told] == [("prefetch", SOURCE)]


def test_what_replicas_count_and_note_comes_with_their_replies() -> None:
    metrics, notes = Metrics(), list[str]()
    observed = Observed((0.004, 0.2), (1.0, 3.0, 2.0), 2)
    replicas = Scripted(open=[Reply(Facts(SIZE, "d"), LOAD, observed, ("a.png: truncated",))])
    remote(replicas, metrics, on_note=notes.append).open(SOURCE, deadline=soon())
    text = metrics.render()
    assert b"edgeflow_queue_seconds_count 2.0" in text
    assert b"edgeflow_batch_size_sum 6.0" in text
    assert b"edgeflow_superseded_total 2.0" in text
    assert notes == ["a.png: truncated"]


def test_caches_are_those_of_the_replicas_that_run() -> None:
    def load(name: str, nbytes: int) -> Load:
        return Load(name, 0, (Cache("images", nbytes, 100),))

    replies = [Reply(Facts(SIZE, "d"), load(f"r{number}", 10**number)) for number in range(3)]
    replicas = Scripted(open=list(replies))
    segmenter = remote(replicas)
    for number in range(3):
        segmenter.open(WebSource(f"http://host/{number}"), deadline=soon())
    assert segmenter.caches() == (Cache("images", 110, 200),)  # the first is no more
    assert segmenter.runtime == "torch cpu float32, on 2 of 2 replicas"
    replicas.fleet_now = Fleet(1, 2)
    assert segmenter.caches() == (Cache("images", 100, 100),)
    assert segmenter.runtime.endswith("on 1 of 2 replicas")


def test_clicks_under_way_are_counted() -> None:
    begun, goes_on = Event(), Event()

    def slow() -> Segmented:
        begun.set()
        assert goes_on.wait(10)
        return segmented()

    segmenter = remote(Scripted(segment=[slow]))
    image = OpenedImage(SOURCE, SIZE, "d")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(segmenter.segment, image, CLICKS, segmenter.default, deadline=soon())
        assert begun.wait(10)
        assert segmenter.waiting == 1
        goes_on.set()
        answer.result()
    assert segmenter.waiting == 0


def test_closing_leaves_the_replicas() -> None:
    replicas = Scripted()
    segmenter = remote(replicas)
    segmenter.warm_up()
    segmenter.close()
    assert replicas.closed
    assert replicas.asked == []


def test_the_door_says_which_version_answers_and_believes_what_did(
    tmp_path: Path, checkpoints: dict[str, Checkpoint]
) -> None:
    base, project = checkpoints["ritm_hrnet"], ProjectRef("", "7")
    settings = Settings(learn_projects="7", learn_dir=str(tmp_path))
    project_folder(settings, project).mkdir(parents=True)
    versions = versions_of(settings, project)
    made = add(versions, base)
    versions.serve(made.number)
    name = made.checkpoint.version
    described = Described("f", Model(None, "m-1", base.entry.sha256), "torch cpu float32")
    replicas = Scripted(segment=[segmented(name), segmented("m-1")])
    segmenter = RemoteSegmenter(settings, replicas, described, Metrics())
    learnt = segmenter.choose(project, None)
    assert (learnt.version, learnt.learnt) == (name, Learnt(project, 1, name))
    assert segmenter.choose(ProjectRef("", "8"), None) == segmenter.default
    image = OpenedImage(SOURCE, SIZE, "d")
    answers = [segmenter.segment(image, CLICKS, learnt, deadline=soon()) for _ in range(2)]
    assert [each.model_version for each in answers] == [name, "m-1"], "the second lacks it"
    assert [sent.learnt for _, _, sent in replicas.asked] == [learnt.learnt] * 2
    assert segmenter.default.version == "m-1"
    described = Described("f", Model(None, "m-1", "0" * 64), "torch cpu float32")
    other = RemoteSegmenter(settings, replicas, described, Metrics())
    assert other.choose(project, None) == other.default, "of other weights"
