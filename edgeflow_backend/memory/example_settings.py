"""Settings of the libraries of examples."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_FOLDER = Path("~/.cache/edgeflow/examples")


class ExampleSettings(BaseModel):
    """A part of :class:`edgeflow_backend.settings.Settings`, which reads the environment."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    preannotate_similar: bool = False
    """Whether batch calls answer with what resembles accepted masks: those in the task itself, or
    else in the project's other tasks. See [pre-annotation](pre-annotation.md#before-anyone-clicks).
    """
    preannotate_similar_s: float = Field(default=30.0, gt=0, le=90)
    """Seconds that one batch call may take for that; whoever opens a task waits for its call."""
    examples_per_label: int = Field(default=16, ge=1, le=1000)
    """Most examples of one label that are kept of a project."""
    examples_mb: float = Field(default=4.0, gt=0, le=1000)
    """Most megabytes of examples that are kept of a project."""
    examples_dir: str = ""
    """Folder where examples outlive the process, readable by the backend's user only; empty for
    `~/.cache/edgeflow/examples`."""

    @property
    def examples_bytes(self) -> int:
        """Most bytes of a project's examples."""
        return int(self.examples_mb * 1_000_000)

    @property
    def examples_folder(self) -> Path:
        """Folder where examples outlive the process."""
        return Path(self.examples_dir or DEFAULT_FOLDER).expanduser()
