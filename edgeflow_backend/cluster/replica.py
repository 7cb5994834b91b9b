"""One replica: images, networks and their queue, asked by doors in other processes."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from edgeflow.errors import EdgeFlowError
from edgeflow_backend import log
from edgeflow_backend.cluster.observations import ReplicaMetrics
from edgeflow_backend.cluster.pages.wire import FoundPages, SentPages
from edgeflow_backend.cluster.similar.wire import AskedDescriptors, AskedSimilar, FoundSimilar
from edgeflow_backend.cluster.wire import Asked, Described, Failure, Load, Reply, Segmented
from edgeflow_backend.errors import InternalError
from edgeflow_backend.images.sources import AsStored, Source
from edgeflow_backend.memory.malloc import configure_malloc
from edgeflow_backend.segmenter.local import LocalSegmenter, load_segmenter
from edgeflow_backend.segmenter.segmenter import ExampleDescriptors, Model
from edgeflow_backend.settings import Settings
from edgeflow_backend.shared.image_facts import Facts
from edgeflow_backend.status.trace_export import TraceExport
from edgeflow_backend.tracing.tracer import continued, open_tracer

THREADS = 64
"""Calls under way that wait for an image or the network, beyond those that the queue holds."""

KEPT_NOTES = 100
"""Notes on images that wait for the next reply."""

T = TypeVar("T")
Carrier = Mapping[str, str]
"""Which trace a call belongs to; empty for none."""
NO_TRACE: Carrier = {}


class Replica:
    """Answers doors from a segmenter in this process.

    Errors are replies as well, and time limits are seconds from now: processes have no common
    clock.

    Args:
        name: Distinguishes replicas.
        fingerprint: Identifies settings and code that it was started with.
        settings: Of the door that started it.
        load: Makes its segmenter.
    """

    def __init__(
        self,
        name: str,
        fingerprint: str,
        settings: Settings,
        load: Callable[..., LocalSegmenter] = load_segmenter,
    ) -> None:
        configure_malloc()
        log.configure(settings.log_level, settings.log_format)
        self._name, self._fingerprint = name, fingerprint
        self._notes: deque[str] = deque(maxlen=KEPT_NOTES)
        self._metrics = ReplicaMetrics()
        collector = settings.collector(settings.uplink.tls)
        self._tracer = open_tracer(collector, TraceExport(self._metrics)) if collector else None
        self._segmenter = load(settings, self._metrics, on_note=self._notes.append)
        self._segmenter.warm_up()
        self._threads = ThreadPoolExecutor(settings.queue_limit + THREADS, "call")

    async def describe(self, _: None, __: float, ___: Carrier = NO_TRACE) -> Reply[Described]:
        """What it was started with, and its default model."""
        its = self._segmenter
        return self._reply(Described(self._fingerprint, its.default, its.runtime))

    async def choose(self, name: str | None, _: float, carrier: Carrier = NO_TRACE) -> Reply[Model]:
        """Load a model by name; see :meth:`.Segmenter.choose`."""
        return await self._answer(lambda: self._segmenter.model(name).sent(), carrier)

    async def open(
        self, source: Source | AsStored, patience_s: float, carrier: Carrier = NO_TRACE
    ) -> Reply[Facts]:
        """Open an image; see :meth:`.Segmenter.open`."""
        deadline = time.monotonic() + patience_s

        def opened() -> Facts:
            image = self._segmenter.open(source, deadline=deadline)
            return Facts(image.size, image.digest)

        return await self._answer(opened, carrier)

    async def prefetch(
        self, source: Source | AsStored, _: float, carrier: Carrier = NO_TRACE
    ) -> Reply[None]:
        """Start to open an image; see :meth:`.Segmenter.prefetch`."""
        return await self._answer(lambda: self._segmenter.prefetch(source), carrier)

    async def segment(
        self, asked: Asked, patience_s: float, carrier: Carrier = NO_TRACE
    ) -> Reply[Segmented]:
        """Answer clicks; see :meth:`.Segmenter.segment`."""
        deadline = time.monotonic() + patience_s

        def segmented() -> Segmented:
            model = Model(asked.model, "", learnt=asked.learnt)
            answer = self._segmenter.segment(asked.image, asked.asked, model, deadline=deadline)
            return Segmented.of(answer)

        return await self._answer(segmented, carrier)

    async def find_similar(
        self, asked: AskedSimilar, patience_s: float, carrier: Carrier = NO_TRACE
    ) -> Reply[FoundSimilar]:
        """Find what looks like examples; see :meth:`.Segmenter.find_similar`."""
        deadline = time.monotonic() + patience_s

        def found() -> FoundSimilar:
            model = Model(asked.model, "", learnt=asked.learnt)
            its = self._segmenter
            return FoundSimilar.of(
                its.find_similar(asked.image, asked.asked, model, deadline=deadline)
            )

        return await self._answer(found, carrier)

    async def carry(
        self, asked: SentPages, patience_s: float, carrier: Carrier = NO_TRACE
    ) -> Reply[FoundPages]:
        """Carry an object through pages; see :meth:`.Segmenter.carry`."""
        deadline = time.monotonic() + patience_s

        def carried() -> FoundPages:
            model, its = Model(asked.model, "", learnt=asked.learnt), self._segmenter
            return FoundPages.of(its.carry(asked.asked, model, deadline=deadline))

        return await self._answer(carried, carrier)

    async def describe_examples(
        self, asked: AskedDescriptors, patience_s: float, carrier: Carrier = NO_TRACE
    ) -> Reply[ExampleDescriptors]:
        """Describe examples; see :meth:`.Segmenter.describe_examples`."""
        deadline = time.monotonic() + patience_s

        def described() -> ExampleDescriptors:
            model, its = Model(asked.model, "", learnt=asked.learnt), self._segmenter
            return its.describe_examples(asked.image, asked.masks, model, deadline=deadline)

        return await self._answer(described, carrier)

    async def _answer(self, work: Callable[[], T], carrier: Carrier) -> Reply[T]:
        def traced_work() -> T:
            with continued(self._tracer, "replica", carrier):
                return work()

        value: T | Failure
        try:
            value = await asyncio.get_running_loop().run_in_executor(self._threads, traced_work)
        except EdgeFlowError as error:
            value = Failure.of(error)
        except Exception:  # noqa: BLE001 - as in a backend of one process, the click fails alone
            log.get_logger().exception("unexpected error", replica=self._name)
            value = Failure.of(InternalError("an unexpected error", hint="see the replica's log"))
        return self._reply(value)

    def _reply(self, value: T | Failure) -> Reply[T]:
        load = Load(self._name, self._segmenter.waiting, tuple(self._segmenter.caches()))
        notes = tuple(self._notes.popleft() for _ in range(len(self._notes)))
        return Reply(value, load, self._metrics.take(), notes)
