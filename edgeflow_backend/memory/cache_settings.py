"""Settings of the caches."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class CacheSettings(BaseModel):
    """A part of :class:`edgeflow_backend.settings.Settings`, which reads the environment."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    state_cache_mb: float = Field(default=512, ge=0)
    """Megabytes of click states cached on the model's device."""
    image_cache_mb: float = Field(default=1024, ge=0)
    """Megabytes of decoded images cached on the model's device."""
    image_ttl_s: float = Field(default=600, gt=0)
    """Seconds after which an image is fetched again."""
    image_disk_cache_dir: str = ""
    """Folder that caches images' files across restarts, readable by the backend's user only; empty
    for no such cache."""
    image_disk_cache_mb: float = Field(default=2048, gt=0)
    """Most megabytes of files in that folder."""
    image_disk_cache_ttl_s: float = Field(default=86400, gt=0)
    """Seconds after which a file in that folder expires."""
    feature_cache_mb: float = Field(default=128, ge=0)
    """Megabytes of what the network sees in images, kept for the next search for
    [similar](similar.md) objects in them."""

    @property
    def state_cache_bytes(self) -> int:
        """Size of the cache of click states."""
        return to_bytes(self.state_cache_mb)

    @property
    def image_cache_bytes(self) -> int:
        """Size of the cache of decoded images."""
        return to_bytes(self.image_cache_mb)

    @property
    def image_disk_cache_bytes(self) -> int:
        """Size of the cache of images' files."""
        return to_bytes(self.image_disk_cache_mb)

    @property
    def image_disk_cache_folder(self) -> Path | None:
        """Folder of images' files; None if none are stored on disk."""
        return Path(self.image_disk_cache_dir).expanduser() if self.image_disk_cache_dir else None

    @property
    def feature_cache_bytes(self) -> int:
        """Size of the cache of images' features."""
        return to_bytes(self.feature_cache_mb)


def to_bytes(megabytes: float) -> int:
    """A size in bytes."""
    return int(megabytes * 1_000_000)
