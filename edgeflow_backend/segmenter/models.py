"""Which network of this process answers: weights by name, or what a project learnt of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from edgeflow.arrays import FloatArray
from edgeflow.checkpoints.checkpoint import find
from edgeflow.errors import EdgeFlowError
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.learning.likeness.likeness import Likeness
from edgeflow.learning.likeness.summary import Summariser
from edgeflow_backend.engine.learnt_pool import LearntPool
from edgeflow_backend.engine.model_pool import ModelPool, model_name
from edgeflow_backend.errors import NotReadyError
from edgeflow_backend.log import get_logger
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.segmenter import Model
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.report import Cache
from edgeflow_backend.versions.lookout import Lookout

SUMMARIES_BYTES = 8_000_000
"""For some thousand images."""


class ChosenModels:
    """The models of one process, by project. Thread-safe.

    Args:
        settings: Settings of the backend.
        pool: Weights by name.
        warm: Has a predictor answer once.
    """

    def __init__(
        self, settings: Settings, pool: ModelPool, warm: Callable[[Predictor], None]
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._lookout = Lookout(settings)
        self._learnt = LearntPool(settings, pool.load(None), warm)
        self._summarisers: dict[str | None, Summariser] = {}
        self._summaries: ByteLRU[str, FloatArray] = ByteLRU(SUMMARIES_BYTES)
        self._log = get_logger()

    def choose(self, project: ProjectRef, hint: str | None) -> Model:
        """See :meth:`.Segmenter.choose`."""
        base = self.base(model_name(self._settings, project.id, hint))
        learnt = self._lookout.served(project, base.weights)
        predictor = None if learnt is None else self._learnt.get(learnt, base.weights)
        if predictor is None:
            return base
        return replace(base, version=predictor.version, learnt=learnt, predictor=predictor)

    def base(self, name: str | None) -> Model:
        """A model by name, loaded if it was not yet; None for the default one.

        Raises:
            LabelConfigError: There is no model with that name.
            CheckpointError: Its weights cannot be used.
        """
        predictor = self._pool.load(name)
        weights = self._pool.weights(name) if self._lookout.projects else ""
        return Model(name, predictor.version, weights, predictor=predictor)

    def suited(self, model: Model, image: EncodedImage) -> Model:
        """See :meth:`.Segmenter.suited`."""
        if model.learnt is None:
            return model
        predictor = self.predictor(model, image)
        return model if predictor is model.predictor else self.base(model.name)

    def predictor(self, model: Model, image: EncodedImage | None = None) -> Predictor:
        """What answers clicks with a model that another process may have chosen.

        Where a learnt version is not there yet, a former one answers, or the weights of the name;
        they also do where the image is unlike those that it has learnt from.

        Args:
            model: The model.
            image: The image that is clicked on; None for one like those.
        """
        found = model.predictor
        if found is None and model.learnt is not None:
            found = self._learnt.get(model.learnt, self._pool.weights(model.name))
        if found is None:
            return self._pool.load(model.name)
        likeness = None if image is None else self._learnt.likeness(found)
        if likeness is None or image is None or self._alike(likeness, model.name, image):
            return found
        return self._pool.load(model.name)

    def searcher(self, model: Model, *, described: bool = False) -> Predictor:
        """What answers searches, which may wait for a version.

        Args:
            model: The model.
            described: Whether it described what is searched for; then no other one will do.

        Raises:
            NotReadyError: Only the model would do, and it is not there.
        """
        if model.predictor is not None or model.learnt is None:
            return self.predictor(model)
        found = self._learnt.load(model.learnt, self._pool.weights(model.name))
        if found is None and described:
            raise NotReadyError(
                "the project's version is not there yet", hint="try again in a few seconds"
            )
        return found or self._pool.load(model.name)

    def load_served(self) -> None:
        """Load the versions that projects are served by, so that their first clicks have them."""
        for project in self._lookout.projects:
            with contextlib.suppress(EdgeFlowError):  # a missing model: each click will say so
                base = self.base(model_name(self._settings, project.id, None))
                learnt = self._lookout.served(project, base.weights)
                if learnt is not None:
                    self._learnt.load(learnt, base.weights)

    def look_ahead(self, image: EncodedImage) -> None:
        """Sum an image up that may be clicked on soon, for the models whose versions ask for it."""
        for name in list(self._summarisers):
            self._summary(name, image)

    def _alike(self, likeness: Likeness, name: str | None, image: EncodedImage) -> bool:
        """Whether an image is like those learnt from; not if it cannot be told."""
        summary = self._summary(name, image)
        return summary is not None and likeness.accepts(summary)

    def _summary(self, name: str | None, image: EncodedImage) -> FloatArray | None:
        """An image's summary; None if it cannot be made."""
        key = f"{name} {image.digest}"
        summary = self._summaries.get(key)
        if summary is None:
            try:
                summary = self._summariser(name)(image.overview)
            except EdgeFlowError as error:
                self._log.warning("image not compared", model=name, reason=error.message)
                return None
            self._summaries.put(key, summary)
        return summary

    def _summariser(self, name: str | None) -> Summariser:
        if name not in self._summarisers:
            checkpoint = find(name or self._settings.model, self._settings.models_folder)
            # Two first clicks at once: the weights are loaded by what both then have.
            self._summarisers.setdefault(name, Summariser(checkpoint))
        return self._summarisers[name]

    def caches(self) -> Sequence[Cache]:
        """How full the memory for versions is; empty where no project has any."""
        if not self._lookout.projects:
            return ()
        return (Cache("versions", self._learnt.nbytes, self._settings.learn_versions_bytes),)

    def close(self) -> None:
        """Load nothing more."""
        self._learnt.close()
