"""Versions that projects have learnt, in memory: loaded beside the clicks, within a limit.

A click never waits for a version: until it is loaded, the project's former one answers, or the
weights that it was made from.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from edgeflow.errors import EdgeFlowError
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.learning.likeness.likeness import Likeness
from edgeflow_backend.log import get_logger
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import versions_of
from edgeflow_backend.versions.reading import read_likeness
from edgeflow_backend.versions.version import Learnt, SpoiledVersionError

AGAIN_S = 60.0
"""After so long, one that could not be loaded is tried again."""

RESTS_S = 60.0
"""One that answered a click within so long makes no room for another project's."""

TORCH_FACTOR, OTHER_FACTOR = 3, 17
"""Memory of a loaded network as a multiple of its file: on PyTorch, and on runtimes that keep a
compiled graph with room for its maps (measured: 157 MB for a file of 9.6 MB on OpenVINO)."""


@dataclass
class _Loaded:
    """A version in memory.

    Attributes:
        predictor: Answers with it.
        base: SHA-256 of the weights that it was made from.
        nbytes: What it takes, roughly.
        used: When it answered last.
    """

    predictor: Predictor
    base: str
    nbytes: int
    used: float


class LearntPool:
    """Predictors of learnt versions. Thread-safe.

    Args:
        settings: The backend's.
        default: Predictor of the default model, whose device and rules all share.
        warm: Has a predictor answer once, so that no annotator waits for lazy initialisation.
        clock: Seconds.
    """

    def __init__(
        self,
        settings: Settings,
        default: Predictor,
        warm: Callable[[Predictor], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._default = default
        self._warm = warm
        self._clock = clock
        on_torch = default.runtime.name.startswith("torch")
        self._factor = TORCH_FACTOR if on_torch else OTHER_FACTOR
        self._log = get_logger()
        self._lock = threading.Lock()
        self._loaded: OrderedDict[Learnt, _Loaded] = OrderedDict()
        self._loading: dict[Learnt, Future[None]] = {}
        self._failed: dict[Learnt, tuple[float, str]] = {}
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="versions")
        self._likenesses: WeakKeyDictionary[Predictor, Likeness] = WeakKeyDictionary()

    @property
    def nbytes(self) -> int:
        """What the versions in memory take, roughly."""
        with self._lock:
            return sum(each.nbytes for each in self._loaded.values())

    def get(self, learnt: Learnt, base: str) -> Predictor | None:
        """The predictor that answers now, without waiting.

        Args:
            learnt: The version that is served. If it is not there yet, it will be.
            base: SHA-256 of the weights that it was made from.

        Returns:
            Its predictor; until it is loaded, that of the latest version before it that is still
            in memory, or None.
        """
        now = self._clock()
        with self._lock:
            there = self._loaded.get(learnt)
            if there is None:
                self._begin(learnt, base)
                there = self._former(learnt, base)
            if there is None:
                return None
            there.used = now
            return there.predictor

    def load(self, learnt: Learnt, base: str) -> Predictor | None:
        """A version's predictor, waited for; None if it cannot be loaded."""
        with self._lock:
            loading = None if learnt in self._loaded else self._begin(learnt, base)
        if loading is not None:
            loading.result()
        with self._lock:
            there = self._loaded.get(learnt)
            return None if there is None else there.predictor

    def likeness(self, predictor: Predictor) -> Likeness | None:
        """Which images a predictor of this pool answers; None for all."""
        with self._lock:
            return self._likenesses.get(predictor)

    def trouble(self, learnt: Learnt) -> str:
        """Why a version could not be loaded; empty if it was, or will be."""
        with self._lock:
            return self._failed.get(learnt, (0.0, ""))[1]

    def close(self) -> None:
        """Load nothing more."""
        self._loader.shutdown(wait=False, cancel_futures=True)

    def _former(self, learnt: Learnt, base: str) -> _Loaded | None:
        """The latest version before one that is in memory. The lock must be held."""
        former = [
            each
            for each, loaded in self._loaded.items()
            if each.project == learnt.project
            and each.number < learnt.number
            and loaded.base == base
        ]
        return self._loaded[max(former, key=lambda each: each.number)] if former else None

    def _begin(self, learnt: Learnt, base: str) -> Future[None] | None:
        """Have a version loaded, unless it failed lately. The lock must be held."""
        failed_at, _ = self._failed.get(learnt, (None, ""))
        if failed_at is not None and 0 <= self._clock() - failed_at < AGAIN_S:
            return None
        if learnt not in self._loading:
            try:
                self._loading[learnt] = self._loader.submit(self._load, learnt, base)
            except RuntimeError:  # closed
                return None
        return self._loading[learnt]

    def _load(self, learnt: Learnt, base: str) -> None:
        trouble = ""
        try:
            trouble = self._try(learnt, base)
        except EdgeFlowError as error:
            trouble = error.message
        except SpoiledVersionError as error:
            trouble = str(error)
        except Exception:  # noqa: BLE001 - the base weights go on answering
            self._log.exception("version not loaded", version=learnt.version)
            trouble = "an unexpected error; see the backend's log"
        with self._lock:
            del self._loading[learnt]
            self._failed.pop(learnt, None)
            if trouble:
                self._failed[learnt] = (self._clock(), trouble)
        if trouble:
            self._log.warning("version not loaded", version=learnt.version, reason=trouble)
        else:
            self._log.info("version loaded", version=learnt.version)

    def _try(self, learnt: Learnt, base: str) -> str:
        """Load a version; returns why not."""
        version = versions_of(self._settings, learnt.project).find(learnt.number)
        if version is None or version.checkpoint.version != learnt.version:
            return "it is not in the folder of this backend, or damaged"
        if version.base != base:
            return "it was made from other weights"
        likeness = read_likeness(version)
        path = version.checkpoint.path
        try:
            nbytes = path.stat().st_size * self._factor
        except OSError as error:
            return f"its weights cannot be read: {error.strerror}"
        if not self._has_room(learnt, nbytes):
            return "there is no room for it, see EDGEFLOW_LEARN_VERSIONS_MB"
        predictor = load_predictor(
            str(path),
            folder=self._settings.models_folder,
            device=str(self._default.runtime.device),
            policy=self._default.policy,
            cleanup=self._default.cleanup,
            quality=self._default.quality,
            runtime=self._settings.runtime,
        )
        if predictor.version != learnt.version:
            return "it was replaced while it was loaded"
        self._warm(predictor)
        with self._lock:
            if likeness is not None:
                self._likenesses[predictor] = likeness
            self._loaded[learnt] = _Loaded(predictor, base, nbytes, self._clock())
            for each in self._leaving(learnt, nbytes):
                del self._loaded[each]
        return ""

    def _has_room(self, learnt: Learnt, nbytes: int) -> bool:
        """Whether a version fits, once those have left that may."""
        with self._lock:
            leaving = self._leaving(learnt, nbytes)
            stays = (v.nbytes for each, v in self._loaded.items() if each not in leaving)
            return sum(stays) + nbytes <= self._settings.learn_versions_bytes

    def _leaving(self, learnt: Learnt, nbytes: int) -> set[Learnt]:
        """Versions that make room for one: those of its project, then the least recently used.

        The lock must be held.
        """
        leaving = {
            each for each in self._loaded if each.project == learnt.project and each != learnt
        }
        others = {each: v for each, v in self._loaded.items() if each not in {*leaving, learnt}}
        taken = nbytes + sum(each.nbytes for each in others.values())
        now = self._clock()
        for each, loaded in sorted(others.items(), key=lambda item: item[1].used):
            if taken <= self._settings.learn_versions_bytes or now - loaded.used < RESTS_S:
                break
            leaving.add(each)
            taken -= loaded.nbytes
        return leaving
