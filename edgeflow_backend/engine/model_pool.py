"""The models of one process: a default one, and others chosen by project."""

from __future__ import annotations

import contextlib
import threading

from edgeflow.checkpoints.checkpoint import find, known_models
from edgeflow.errors import CheckpointError, LabelConfigError, brief
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow_backend.settings import Settings


def model_name(settings: Settings, project: str, hint: str | None) -> str | None:
    """Name of the model for a request; None for the default one.

    Args:
        settings: Settings of the backend.
        project: Project id; the setting ``project_models`` may name a model for it.
        hint: Name of a model in the labelling config, which takes precedence.
    """
    name = hint or settings.project_models.get(project)
    return None if name == settings.model else name


class ModelPool:
    """Predictors by name, loaded at first use on the default one's device. Thread-safe.

    Args:
        settings: Settings of the backend.
        default: Predictor of the default model.
    """

    def __init__(self, settings: Settings, default: Predictor) -> None:
        self._settings = settings
        self._default = default
        self._loaded: dict[str, Predictor] = {}
        self._weights: dict[str | None, str] = {}
        self._lock = threading.Lock()

    def load(self, name: str | None) -> Predictor:
        """A model by name, loaded if it was not yet; None for the default one.

        Raises:
            LabelConfigError: There is no model with that name.
            CheckpointError: Its weights cannot be used.
        """
        if name is None:
            return self._default
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = self._load(name)
            return self._loaded[name]

    def weights(self, name: str | None) -> str:
        """SHA-256 of a loaded model's weights; empty if their file is another one by now."""
        if name not in self._weights:
            digest = ""
            with contextlib.suppress(CheckpointError):
                checkpoint = find(name or self._settings.model, self._settings.models_folder)
                if checkpoint.version == self.load(name).version:
                    digest = checkpoint.entry.sha256
            self._weights[name] = digest
        return self._weights[name]

    def _load(self, name: str) -> Predictor:
        folder = self._settings.models_folder
        models = known_models(folder)
        if name not in models:  # names only: a labelling config must not open any file it names
            raise LabelConfigError(
                f"there is no model named '{brief(name)}'",
                hint=f"known models: {', '.join(sorted(models))}; see `edgeflow models`",
            )
        return load_predictor(
            name,
            folder=folder,
            device=str(self._default.runtime.device),
            policy=self._default.policy,
            cleanup=self._default.cleanup,
            quality=self._default.quality,
            runtime=self._settings.runtime,
        )
