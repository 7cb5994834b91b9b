"""Settings of what is learned from accepted objects."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

DEFAULT_FOLDER = Path("~/.cache/edgeflow/learning")
MAX_PROJECTS = 64
MIN_SECRET = 16
"""Characters of a webhook's secret."""

_PROJECT = re.compile(r"(?:[^/,\s]+/)?[0-9]{1,12}", re.ASCII)


class LearningSettings(BaseModel):
    """A part of :class:`edgeflow_backend.settings.Settings`, which reads the environment."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    learn_projects: str = ""
    """Ids of the projects whose accepted objects are kept, separated by commas, with the Label
    Studio's name where there are several: `12`, `team-b/7`. Empty for none. See
    [learning](learning.md)."""
    learn_dir: str = ""
    """Folder of what is kept, readable by the backend's user only; empty for
    `~/.cache/edgeflow/learning`."""
    learn_every_s: float = Field(default=300, ge=1, le=86400)
    """Seconds between two looks at a project's annotations; events bring the next one forward."""
    learn_objects_mb: float = Field(default=256, gt=0)
    """Most megabytes of accepted objects that are kept of a project."""
    learn_pictures_mb: float = Field(default=1024, gt=0)
    """Most megabytes of images' files that are kept of a project."""
    learn_pictures_ttl_s: float = Field(default=2_592_000, gt=0)
    """Seconds after which an image's file is removed."""
    learn_train: bool = True
    """Whether these projects also train a version of the weights of their own; without it, objects
    are only kept. A version that is served already stays."""
    learn_first: int = Field(default=30, ge=1)
    """Accepted objects with which a project trains for the first time; then half as many again."""
    learn_threads: int = Field(default=1, ge=1, le=256)
    """Threads of a training on the CPU."""
    learn_device: str = Field(default="cpu", pattern=r"^(cpu|cuda(:[0-9]{1,2})?)$")
    """Device that a training learns on: `cpu`, `cuda` or `cuda:N`. It leaves half of a GPU's time
    to clicks, and judges what was learnt on the CPU."""
    learn_minutes: float = Field(default=10, gt=0, le=1440)
    """Minutes that a training may take."""
    learn_order: int = Field(default=0, ge=0, le=100_000)
    """Tasks without annotations that are put in order after each training, so that *Uncertainty
    sampling* serves first what the network is least sure of; 0 for none. See
    [the next tasks](next-tasks.md)."""
    learn_versions_mb: float = Field(default=512, gt=0)
    """Most megabytes of memory for the projects' versions; the least recently used leave, and the
    base weights answer until they are loaded again."""
    webhook_secret: SecretStr = Field(default=SecretStr(""), repr=False)
    """Secret that Label Studio's events bring in the header `X-EdgeFlow-Secret`, put there by
    `edgeflow-backend connect`; others are refused. Empty for none."""

    @property
    def learning(self) -> tuple[tuple[str, str], ...]:
        """Label Studio's name, empty for the default one, and id of each project."""
        names = dict.fromkeys(filter(None, map(str.strip, self.learn_projects.split(","))))
        parted = (name.rpartition("/") for name in names)
        return tuple((host, number) for host, _, number in parted)

    @property
    def learn_folder(self) -> Path:
        """Folder of what is kept."""
        return Path(self.learn_dir or DEFAULT_FOLDER).expanduser()

    @property
    def learn_objects_bytes(self) -> int:
        """Most bytes of a project's objects."""
        return int(self.learn_objects_mb * 1_000_000)

    @property
    def learn_pictures_bytes(self) -> int:
        """Most bytes of a project's images."""
        return int(self.learn_pictures_mb * 1_000_000)

    @property
    def learn_versions_bytes(self) -> int:
        """Most bytes of versions in memory."""
        return int(self.learn_versions_mb * 1_000_000)

    @field_validator("learn_projects")
    @classmethod
    def _check_projects(cls, value: str) -> str:
        names = [name for name in map(str.strip, value.split(",")) if name]
        if not all(map(_PROJECT.fullmatch, names)):
            raise ValueError("must be ids such as 12, or team-b/7, separated by commas")
        if len(names) > MAX_PROJECTS:
            raise ValueError(f"must name {MAX_PROJECTS} projects at most")
        return value.strip()

    @field_validator("webhook_secret")
    @classmethod
    def _check_secret(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and not (len(text) >= MIN_SECRET and text.isascii() and text.isprintable()):
            raise ValueError(f"must have at least {MIN_SECRET} characters, all of them ASCII")
        return value
