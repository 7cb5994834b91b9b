"""Whether the weights are intact, and the model runs."""

from __future__ import annotations

from collections.abc import Iterator

from edgeflow.checkpoints.checkpoint import find
from edgeflow.errors import EdgeFlowError
from edgeflow.runtime.devices import pick_device
from edgeflow_backend.doctor.finding import Finding
from edgeflow_backend.learning.training.watch import base_of
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.local import load_segmenter
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from edgeflow_backend.versions.folders import versions_of


def examine_model(settings: Settings) -> Iterator[Finding]:
    """Check that the weights are intact and the model runs, and that projects' models exist."""
    yield from _examine_default(settings)
    for name in sorted(set(settings.project_models.values())):
        try:
            find(name, settings.models_folder)
        except EdgeFlowError as error:
            yield Finding("fail", f"EDGEFLOW_PROJECT_MODELS: {error.message}", error.hint)


def model_version(settings: Settings, project: int) -> str:
    """Version that the backend tells Label Studio; empty if there is no such model.

    Args:
        settings: The backend's.
        project: The project for which it is told.
    """
    ref = ProjectRef("", str(project))
    try:
        if tuple(ref) in settings.learning:
            base = base_of(settings, ref)
            version = versions_of(settings, ref).serving(base.entry.sha256)
            return (version.checkpoint if version else base).version
        return find(settings.model, settings.models_folder).version
    except EdgeFlowError:
        return ""


def _examine_default(settings: Settings) -> Iterator[Finding]:
    try:
        checkpoint = find(settings.model, settings.models_folder)
        checkpoint.load()
        yield Finding("ok", f"weights {checkpoint.version} are intact ({checkpoint.path})")
        device = pick_device(settings.device)
        segmenter = load_segmenter(settings, Metrics())
        segmenter.warm_up()
        milliseconds = segmenter.measure_click(brightness=200) * 1000
        segmenter.close()
    except EdgeFlowError as error:
        yield Finding("fail", error.message, error.hint)
        return
    yield Finding("ok", f"the model runs: {milliseconds:.0f} ms a click, {segmenter.runtime}")
    if device.type == "cpu":
        yield Finding("ok", "no GPU is used; that is fine for a few annotators")
