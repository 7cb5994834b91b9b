"""Every environment variable the backend reads, typed; nothing else reads the environment.

The table in ``docs/settings.md`` is checked against this class by a test.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from typing_extensions import Self

from edgeflow.images import MAX_PIXELS

PILLOW_PIXEL_LIMIT = 178_956_970
"""Pillow refuses larger pictures by itself."""


class Settings(BaseSettings):
    """Settings of the backend; each field's variable is ``EDGEFLOW_`` plus its name."""

    model_config = SettingsConfigDict(
        env_prefix="EDGEFLOW_",
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        allow_inf_nan=False,
    )

    model: str = Field(
        default="edgeflow_lite",
        description="Name of a model (`edgeflow models`), or a weights file.",
    )
    models_dir: str = Field(
        default="",
        description="Folder of converted and downloaded weights; empty for "
        "`~/.cache/edgeflow/models`.",
    )
    project_models: Annotated[dict[str, str], NoDecode] = Field(
        default={},
        description='Models of single projects, as JSON: `{"12": "hrnet18s_ocr48_human"}`.',
    )
    zoom: Literal["edgeflow", "ritm", "eiseg"] = Field(
        default="edgeflow",
        description="How the picture is zoomed between clicks: ours, RITM's evaluation, or "
        "EISeg's.",
    )
    device: str = Field(default="auto", description="`auto`, `cpu`, `cuda` or `cuda:N`.")
    cpu_threads: int = Field(
        default=0,
        ge=0,
        description="Threads of one network step on the CPU; 0 leaves it to PyTorch.",
    )
    http_threads: int = Field(
        default=64,
        ge=2,
        le=512,
        description="Requests handled at once; the network runs one at a time.",
    )

    label_studio_url: str = Field(
        default="",
        validation_alias=AliasChoices(
            "EDGEFLOW_LABEL_STUDIO_URL", "LABEL_STUDIO_URL", "LABEL_STUDIO_HOST"
        ),
        description="Where uploaded pictures are fetched. Also read from `LABEL_STUDIO_URL` and "
        "`LABEL_STUDIO_HOST`.",
    )
    label_studio_api_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("EDGEFLOW_LABEL_STUDIO_API_KEY", "LABEL_STUDIO_API_KEY"),
        description="A legacy token or a personal access token, sent to that address only. Also "
        "read from `LABEL_STUDIO_API_KEY`.",
    )
    basic_auth_user: str = Field(
        default="", description="With the password: HTTP Basic on every address but `/health`."
    )
    basic_auth_password: SecretStr = Field(default=SecretStr(""), description="See the user.")

    max_body_mb: float = Field(default=64, gt=0, description="Larger request bodies get a 413.")
    max_clicks: int = Field(default=100, ge=1, description="Clicks of one object.")
    max_image_mb: float = Field(default=64, gt=0, description="Bytes of one picture's file.")
    max_pixels: int = Field(
        default=MAX_PIXELS, ge=1, le=PILLOW_PIXEL_LIMIT, description="Pixels of one picture."
    )
    connect_timeout_s: float = Field(
        default=3.0, gt=0, description="Connecting to a picture's host."
    )
    read_timeout_s: float = Field(default=10.0, gt=0, description="Silence of a picture's host.")
    download_timeout_s: float = Field(default=30.0, gt=0, description="One picture, in total.")
    request_timeout_s: float = Field(
        default=60.0, gt=0, le=95, description="One prediction; Label Studio gives up after 100 s."
    )
    queue_limit: int = Field(
        default=48,
        ge=1,
        description="Predictions waiting for the network; more get a 503. Must be below the HTTP "
        "threads, so that `/health` is always answered.",
    )

    state_cache_mb: float = Field(
        default=512, ge=0, description="Click states kept on the model's device."
    )
    image_cache_mb: float = Field(
        default=1024, ge=0, description="Decoded pictures kept on the model's device."
    )
    image_ttl_s: float = Field(
        default=600, gt=0, description="After this a picture is fetched again from its address."
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least severe messages that are logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="`json`: one object a line; `console`: for people."
    )

    @property
    def models_folder(self) -> Path | None:
        """The folder of converted and downloaded weights; None for the default one."""
        return Path(self.models_dir).expanduser() if self.models_dir else None

    @model_validator(mode="after")
    def _leave_threads_for_health(self) -> Self:
        if self.queue_limit >= self.http_threads:
            raise ValueError("EDGEFLOW_QUEUE_LIMIT must be below EDGEFLOW_HTTP_THREADS")
        return self

    @field_validator("project_models", mode="before")
    @classmethod
    def _read_json(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value

    @field_validator("label_studio_url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must look like http://host:8080")
        _ = parts.port  # raises ValueError unless it is one
        return value
