"""A segmenter whose images and networks are in replicas, chosen by image."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from cachetools import TTLCache
from prometheus_client import Counter, Gauge
from typing_extensions import override

from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.cluster.errors import ReplicaLostError
from edgeflow_backend.cluster.observations import count
from edgeflow_backend.cluster.pages.wire import FoundPages, SentPages
from edgeflow_backend.cluster.replicas import Replicas
from edgeflow_backend.cluster.similar.wire import AskedDescriptors, AskedSimilar, FoundSimilar
from edgeflow_backend.cluster.wire import Asked, Described, Load, Reply, Segmented
from edgeflow_backend.engine.model_pool import model_name
from edgeflow_backend.errors import ChangedImageError
from edgeflow_backend.images.sources import AsStored, Source
from edgeflow_backend.log import get_logger
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.pages import AskedPages, CarriedPages
from edgeflow_backend.segmenter.segmenter import (
    Clicks,
    ExampleDescriptors,
    Examples,
    Model,
    OpenedImage,
    Segmentation,
    Segmenter,
    Similar,
)
from edgeflow_backend.settings import Settings
from edgeflow_backend.shared.image_facts import Facts, ImageFacts
from edgeflow_backend.shared.tier import Tier
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.status.report import Cache, SharedTier
from edgeflow_backend.tracing.spans import set_attributes, traced
from edgeflow_backend.versions.lookout import Lookout

T = TypeVar("T")

MOST_LOST = 4
"""Replicas that one call may lose: a call that ends them must not end all, one after the other."""

FIRST_PAUSE_S = 0.05
"""Before a lost call is made again; twice as long each time."""

LOADING_S = 90.0
"""A model that was never used is loaded by the first request for it."""

KNOWN_IMAGES = 100_000
KNOWN_LOADS = 1000


class RemoteSegmenter(Segmenter):
    """Asks replicas; what it knows itself is what they said, and which versions projects serve.

    All calls for one image go to the replica that holds it. An opened image is remembered, so that
    a later click takes one hop.

    Args:
        settings: Settings of the backend.
        replicas: Who is asked.
        described: What a replica said of itself.
        metrics: Counts what replicas counted.
        on_note: Told what a user should know of an image.
        tier: Where what is known of images outlives this process; None for nowhere.
        sleep: ``time.sleep`` unless a test says otherwise.
    """

    def __init__(
        self,
        settings: Settings,
        replicas: Replicas,
        described: Described,
        metrics: Metrics,
        *,
        on_note: Callable[[str], None] | None = None,
        tier: Tier | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._replicas = replicas
        self._runtime = described.runtime
        self._metrics = metrics
        self._retries = Counter(
            "edgeflow_cluster_retries",
            "Calls made again since a replica was lost.",
            registry=metrics.registry,
        )
        running = Gauge(
            "edgeflow_cluster_replicas", "Replicas that answer.", registry=metrics.registry
        )
        running.set_function(lambda: replicas.fleet.running)
        self._on_note = on_note or (lambda _: None)
        self._sleep = sleep
        self._lock = threading.Lock()
        self._under_way = 0
        self._models: dict[str | None, Model] = {None: described.default}
        self._lookout = Lookout(settings)
        self._loads: OrderedDict[str, Load] = OrderedDict()
        self._tier = tier
        self._facts = ImageFacts(tier, settings.image_ttl_s) if tier else None
        self._opened: TTLCache[str, Facts] = TTLCache(KNOWN_IMAGES, settings.image_ttl_s)

    @property
    @override
    def default(self) -> Model:
        return self._models[None]

    @property
    @override
    def runtime(self) -> str:
        fleet = self._replicas.fleet
        return f"{self._runtime}, on {fleet.running} of {fleet.wanted} replicas"

    @property
    @override
    def waiting(self) -> int:
        with self._lock:
            return self._under_way

    @override
    def caches(self) -> Sequence[Cache]:
        """All replicas' together, each as it was at its last reply."""
        with self._lock:
            loads = list(self._loads.values())[-max(self._replicas.fleet.running, 1) :]
        sums: dict[str, Cache] = {}
        for each in (cache for load in loads for cache in load.caches):
            before = sums.get(each.name, Cache(each.name, 0, 0))
            nbytes, most = before.nbytes + each.nbytes, before.max_bytes + each.max_bytes
            sums[each.name] = Cache(each.name, nbytes, most)
        return tuple(sums.values())

    @override
    def choose(self, project: ProjectRef, hint: str | None) -> Model:
        base = self._model(model_name(self._settings, project.id, hint))
        learnt = self._lookout.served(project, base.weights)
        return replace(base, version=learnt.version, learnt=learnt) if learnt else base

    @override
    def shared(self) -> Sequence[SharedTier]:
        return () if self._tier is None else (self._tier.describe(),)

    @override
    def open(self, source: Source | AsStored, *, deadline: float) -> OpenedImage:
        with self._lock:
            known = self._opened.get(source.key)
        if known is None and self._facts is not None:
            known = self._facts.get(source.key)
        return self._know(source, known or self._ask_open(source, deadline))

    @override
    def prefetch(self, source: Source | AsStored) -> None:
        with self._lock:
            known = source.key in self._opened
        if not known:
            self._replicas.tell("prefetch", routing_key(source.key), source)

    @override
    def segment(
        self, image: OpenedImage, asked: Clicks, model: Model, *, deadline: float
    ) -> Segmentation:
        def ask(image: OpenedImage) -> Segmentation:
            sent = Asked.of(image, asked, model)
            answer: Segmented = self._ask("segment", image.source.key, sent, deadline)
            self._note_version(model, answer.model_version)
            return answer.segmentation()

        return self._ask_of(image, ask, deadline)

    @override
    def find_similar(
        self, image: OpenedImage, asked: Examples, model: Model, *, deadline: float
    ) -> Similar:
        def ask(image: OpenedImage) -> Similar:
            sent = AskedSimilar.of(image, asked, model)
            answer: FoundSimilar = self._ask("find_similar", image.source.key, sent, deadline)
            self._note_version(model, answer.model_version)
            return answer.similar()

        return self._ask_of(image, ask, deadline)

    @override
    def carry(self, asked: AskedPages, model: Model, *, deadline: float) -> CarriedPages:
        with self._counted():  # all by one replica, for each page needs the one before it
            sent, key = SentPages.of(asked, model), asked.pages[asked.ways[0].start].key
            found: FoundPages = self._ask("carry", key, sent, deadline)
            self._note_version(model, found.model_version)
            return found.carried()

    @override
    def describe_examples(
        self, image: OpenedImage, masks: Sequence[MaskPatch], model: Model, *, deadline: float
    ) -> ExampleDescriptors:
        def ask(image: OpenedImage) -> ExampleDescriptors:
            sent, key = AskedDescriptors.of(image, masks, model), image.source.key
            found: ExampleDescriptors = self._ask("describe_examples", key, sent, deadline)
            self._note_version(model, found.model_version)
            return found

        return self._ask_of(image, ask, deadline)

    @override
    def warm_up(self) -> None:
        """Nothing: each replica does before it is asked."""

    @override
    def close(self) -> None:
        self._replicas.close()
        if self._tier is not None:
            self._tier.close()

    def _model(self, name: str | None) -> Model:
        if name not in self._models:
            until = time.monotonic() + LOADING_S
            self._models[name] = self._ask("choose", str(name), name, until)
        return self._models[name]

    def _know(self, source: Source | AsStored, facts: Facts) -> OpenedImage:
        with self._lock:
            self._opened[source.key] = facts
        return OpenedImage(source, facts.size, facts.digest)

    def _ask_open(self, source: Source | AsStored, deadline: float) -> Facts:
        facts: Facts = self._ask("open", source.key, source, deadline)
        if self._facts is not None:
            self._facts.put(source.key, facts)
        return facts

    def _ask_of(self, image: OpenedImage, ask: Callable[[OpenedImage], T], deadline: float) -> T:
        """Ask something of an image, and again where it was replaced by another of its size."""
        with self._counted():
            try:
                return ask(image)
            except ChangedImageError:
                now = self._know(image.source, self._ask_open(image.source, deadline))
                if now.size != image.size:  # the clicks' pixels are no longer theirs
                    raise
                return ask(now)

    def _note_version(self, model: Model, version: str) -> None:
        if model.learnt is None and self._models.get(model.name, model).version != version:
            self._models[model.name] = Model(model.name, version)  # being updated

    @traced("call")
    def _ask(self, method: str, key: str, value: object, deadline: float) -> Any:  # noqa: ANN401
        """Call a replica, and another one if it is lost: calls change nothing but caches."""
        set_attributes(method=method)
        place = routing_key(key)
        for lost in range(MOST_LOST):
            try:
                reply = self._replicas.ask(method, place, value, deadline=deadline)
            except ReplicaLostError as error:
                pause_s = FIRST_PAUSE_S * 2**lost
                if lost + 1 == MOST_LOST or time.monotonic() + pause_s >= deadline:
                    raise
                get_logger().warning("a replica was lost", method=method, reason=error.message)
                self._retries.inc()
                self._sleep(pause_s)
                if lost:  # the one that the image belongs to may be unreachable rather than gone
                    place = routing_key(f"{key}|{lost}")
            else:
                self._take_note(reply)
                return reply.unpacked()
        raise AssertionError("the last loss is raised")

    def _take_note(self, reply: Reply[Any]) -> None:
        count(reply.observed, self._metrics)
        with self._lock:
            self._loads[reply.load.replica] = reply.load
            self._loads.move_to_end(reply.load.replica)
            while len(self._loads) > KNOWN_LOADS:
                self._loads.popitem(last=False)
        for note in reply.notes:
            self._on_note(note)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1


def routing_key(key: str) -> str:
    """A key that may be logged: keys of images can hold pre-signed URLs."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
