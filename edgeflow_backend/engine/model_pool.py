"""The models that one process serves: a default one, and others chosen by project."""

from __future__ import annotations

import threading

from edgeflow.checkpoints.checkpoint import known_models
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow_backend.errors import LabelConfigError
from edgeflow_backend.settings import Settings


class ModelPool:
    """Predictors by name, loaded at first use on the default one's device. Thread-safe."""

    def __init__(self, settings: Settings, default: Predictor) -> None:
        self._settings = settings
        self._default = default
        self._loaded: dict[str, Predictor] = {}
        self._lock = threading.Lock()

    def choose(self, project: str, hint: str | None) -> Predictor:
        """The model for a request.

        Args:
            project: the project's id; the setting ``project_models`` may name a model for it.
            hint: a model's name from the labelling config, which comes first.

        Raises:
            LabelConfigError: there is no model of that name.
            CheckpointError: its weights cannot be used.
        """
        name = hint or self._settings.project_models.get(project)
        if name is None or name == self._settings.model:
            return self._default
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = self._load(name)
            return self._loaded[name]

    def _load(self, name: str) -> Predictor:
        folder = self._settings.models_folder
        known = known_models(folder)
        if name not in known:  # names only: a labelling config must not open files of its choice
            raise LabelConfigError(
                f"there is no model named '{name[:80]}'",
                hint=f"known models: {', '.join(sorted(known))}; see `edgeflow models`",
            )
        return load_predictor(
            name,
            folder=folder,
            device=str(self._default.runtime.device),
            policy=self._default.policy,
            cleanup=self._default.cleanup,
            runtime=self._settings.runtime,
        )
