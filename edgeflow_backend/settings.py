"""Every environment variable the backend reads, typed; nothing else reads the environment.

The table in ``docs/settings.md`` is checked against this class by a test.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from typing_extensions import Self

from edgeflow.images import MAX_PIXELS
from edgeflow.masks.cleanup import Cleanup
from edgeflow.masks.polygons import HolePolicy
from edgeflow.runtime.selection import RuntimeName
from edgeflow_backend.net.allow_list import AllowList
from edgeflow_backend.net.origins import origin

PILLOW_PIXEL_LIMIT = 178_956_970
"""Pillow refuses larger images by itself."""

HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]


class LabelStudioHost(BaseModel):
    """Where a Label Studio is, and the token that is sent there only."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str
    api_key: SecretStr = SecretStr("")

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        return _http_address(value)


class Settings(BaseSettings):
    """Settings of the backend; each field's variable is ``EDGEFLOW_`` plus its name."""

    model_config = SettingsConfigDict(
        env_prefix="EDGEFLOW_",
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
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
        description="How the image is zoomed between clicks: ours, RITM's evaluation, or EISeg's.",
    )
    device: str = Field(default="auto", description="`auto`, `cpu`, `cuda` or `cuda:N`.")
    runtime: RuntimeName = Field(
        default="auto",
        description="What executes the network: `auto` takes the fastest for the machine and says "
        "so; or `torch`, `torch-bf16`, `openvino`, `openvino-bf16`, `onnx`. See "
        "[runtimes](runtimes.md).",
    )
    cpu_threads: int = Field(
        default=0,
        ge=0,
        description="Threads of one network step on the CPU; 0 leaves it to PyTorch.",
    )
    http_threads: int = Field(
        default=64,
        ge=2,
        le=512,
        description="Requests handled at once; for the network they queue.",
    )

    label_studio_url: str = Field(
        default="",
        validation_alias=AliasChoices(
            "EDGEFLOW_LABEL_STUDIO_URL", "LABEL_STUDIO_URL", "LABEL_STUDIO_HOST"
        ),
        description="Where uploaded images are fetched. Also read from `LABEL_STUDIO_URL` and "
        "`LABEL_STUDIO_HOST`.",
    )
    label_studio_api_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("EDGEFLOW_LABEL_STUDIO_API_KEY", "LABEL_STUDIO_API_KEY"),
        description="A legacy token or a personal access token, sent to that address only. Also "
        "read from `LABEL_STUDIO_API_KEY`.",
    )
    label_studio_hosts: Annotated[dict[HostName, LabelStudioHost], NoDecode] = Field(
        default={},
        description="More Label Studios, by the name in the address under which each connects the "
        'backend (`/hosts/team-b`), as JSON: `{"team-b": {"url": "https://labels.b.example", '
        '"api_key": "…"}}`.',
    )
    allowed_hosts: str = Field(
        default="",
        description="Hosts with private addresses whose images are fetched all the same, between "
        "commas: `minio`, `minio:9000`, `*.corp.example`, `10.0.0.5`, `10.0.0.0/8`. Label Studios "
        "need no entry.",
    )
    basic_auth_user: str = Field(
        default="", description="With the password: HTTP Basic on every address but `/health`."
    )
    basic_auth_password: SecretStr = Field(default=SecretStr(""), description="See the user.")

    max_body_mb: float = Field(default=64, gt=0, description="Larger request bodies get a 413.")
    max_clicks: int = Field(default=100, ge=1, description="Clicks of one object.")
    max_image_mb: float = Field(default=64, gt=0, description="Bytes of one image's file.")
    max_pixels: int = Field(
        default=MAX_PIXELS, ge=1, le=PILLOW_PIXEL_LIMIT, description="Pixels of one image."
    )
    connect_timeout_s: float = Field(
        default=3.0, gt=0, description="Connecting to an image's host."
    )
    read_timeout_s: float = Field(default=10.0, gt=0, description="Silence of an image's host.")
    download_timeout_s: float = Field(default=30.0, gt=0, description="One image, in total.")
    request_timeout_s: float = Field(
        default=60.0, gt=0, le=95, description="One prediction; Label Studio gives up after 100 s."
    )
    queue_limit: int = Field(
        default=48,
        ge=1,
        description="Predictions waiting for the network; more get a 503. Must be below the HTTP "
        "threads, so that `/health` is always answered.",
    )
    max_batch: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Network steps of different annotators that run together; 0 for what suits "
        "the device: 1 on CPUs, 32 on CUDA.",
    )
    batch_window_ms: float = Field(
        default=4.0,
        ge=0,
        le=1000,
        description="How long a click waits for others to run with; not at all where batches are "
        "of 1 or nobody else is active.",
    )

    refine: Literal["off", "drafts", "annotations"] = Field(
        default="annotations",
        description="Where a click looks for the mask it belongs to, to go on with it: `off`, the "
        "annotator's own `drafts`, or also a task's only `annotations` entry. Take `drafts` where "
        "several people label the same task independently.",
    )
    refine_reach: float = Field(
        default=1.0,
        ge=0,
        le=100,
        description="How far outside a mask a positive click still belongs to it, percent of the "
        "image's longer side.",
    )
    preannotate: bool = Field(
        default=False,
        description="Whether batch calls answer with masks for the boxes, points and outlines that "
        "a task's annotations or predictions hold.",
    )

    min_part: float = Field(
        default=Cleanup.min_part,
        ge=0,
        le=1,
        description="Pieces of a mask smaller than this part of its largest one are dropped.",
    )
    largest_only: bool = Field(
        default=Cleanup.largest_only,
        description="Whether only a mask's largest piece, and those clicked on, are kept.",
    )
    max_hole: float = Field(
        default=Cleanup.max_hole,
        ge=0,
        le=1,
        description="Holes smaller than this part of the mask are filled.",
    )
    smoothing: float = Field(
        default=Cleanup.smoothing,
        ge=0,
        le=20,
        description="Smoothing of borders: standard deviation in network pixels (448 across).",
    )
    polygon_tolerance: float = Field(
        default=1.0,
        ge=0,
        le=100,
        description="How far a polygon may leave the mask's border, image pixels.",
    )
    polygon_holes: HolePolicy = Field(
        default="bridge",
        description="Holes of polygons: `bridge` opens them by a hair-thin slit, `split` cuts the "
        "polygon in two, `fill` fills them.",
    )

    state_cache_mb: float = Field(
        default=512, ge=0, description="Click states kept on the model's device."
    )
    image_cache_mb: float = Field(
        default=1024, ge=0, description="Decoded images kept on the model's device."
    )
    image_ttl_s: float = Field(
        default=600, gt=0, description="After this an image is fetched again from its address."
    )
    image_disk_cache_dir: str = Field(
        default="",
        description="Folder that keeps images' files across restarts, readable by the backend's "
        "user only; empty keeps none on disk.",
    )
    image_disk_cache_mb: float = Field(
        default=2048, gt=0, description="Bytes of files in that folder."
    )
    image_disk_cache_ttl_s: float = Field(
        default=86400, gt=0, description="After this a file in that folder is not used any more."
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least severe messages that are logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="`json`: one object a line; `console`: for people."
    )

    @property
    def cleanup(self) -> Cleanup:
        """What is cleaned of each mask."""
        return Cleanup(self.min_part, self.largest_only, self.max_hole, self.smoothing)

    @property
    def models_folder(self) -> Path | None:
        """The folder of converted and downloaded weights; None for the default one."""
        return Path(self.models_dir).expanduser() if self.models_dir else None

    @property
    def image_disk_cache_folder(self) -> Path | None:
        """The folder of images' files; None where none are kept on disk."""
        return Path(self.image_disk_cache_dir).expanduser() if self.image_disk_cache_dir else None

    @property
    def label_studios(self) -> dict[str, LabelStudioHost]:
        """Every configured Label Studio by name; ``""`` is the default one, perhaps without url."""
        default = LabelStudioHost.model_construct(
            url=self.label_studio_url, api_key=self.label_studio_api_key
        )
        return {"": default, **self.label_studio_hosts}

    @model_validator(mode="before")
    @classmethod
    def _hide_tokens(cls, data: object) -> object:
        """Pydantic's errors repeat what was given, so tokens are wrapped before any can occur."""
        if not isinstance(data, dict) or "label_studio_hosts" not in data:
            return data
        hosts = data["label_studio_hosts"]
        if isinstance(hosts, str):
            try:
                hosts = json.loads(hosts)
            except ValueError:
                hosts = SecretStr(hosts)  # which is no object either: refused below
        return {**data, "label_studio_hosts": _wrap_strings(hosts)}

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
        return _http_address(value) if value.strip() else ""

    @field_validator("allowed_hosts")
    @classmethod
    def _check_allowed_hosts(cls, value: str) -> str:
        AllowList.parse(value)  # raises ValueError
        return value.strip()


def _http_address(value: str) -> str:
    value = value.strip().rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must look like http://host:8080")
    _ = parts.port  # raises ValueError unless it is one
    origin(value)  # likewise, for what no connection can be made to
    return value


def _wrap_strings(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {
            key: entry if key == "url" else _wrap_strings(entry) for key, entry in value.items()
        }
    if isinstance(value, list):
        return [_wrap_strings(entry) for entry in value]
    return SecretStr(value) if isinstance(value, str) else value
