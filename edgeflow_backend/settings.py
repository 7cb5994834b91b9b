"""Every environment variable the backend reads, typed; nothing else reads the environment.

The table in ``docs/settings.md`` is checked against this class by a test.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from typing_extensions import Self

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.images import MAX_PIXELS
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.zoom import POLICIES
from edgeflow.masks.cleanup import Cleanup
from edgeflow.masks.polygons import HolePolicy
from edgeflow.runtime.selection import RuntimeName
from edgeflow_backend.memory.cache_settings import CacheSettings, to_bytes
from edgeflow_backend.memory.example_settings import ExampleSettings
from edgeflow_backend.memory.learning_settings import LearningSettings
from edgeflow_backend.net.host_settings import HostSettings
from edgeflow_backend.tracing.collector import CollectorSettings

MIN_REDIS_KEY = 16
"""Characters of the secret that signs what is left in Redis."""

LARGEST_MAX_PIXELS = 357_913_940
"""No larger image is decoded: beyond, RGB takes more than a gigabyte."""


def _one_of(names: Collection[str]) -> AfterValidator:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return name

    return AfterValidator(check)


class Settings(
    HostSettings, CollectorSettings, CacheSettings, ExampleSettings, LearningSettings, BaseSettings
):
    """Settings of the backend; each field's variable is ``EDGEFLOW_`` plus its name.

    The fields' docstrings are their descriptions, in Markdown.
    """

    model_config = SettingsConfigDict(
        env_prefix="EDGEFLOW_",
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    model: str = DEFAULT_MODEL
    """Name of a model (`edgeflow models`), or path of a weights file."""
    models_dir: str = ""
    """Folder of converted and downloaded weights; empty for `~/.cache/edgeflow/models`."""
    project_models: Annotated[dict[str, str], NoDecode] = {}
    """Models for single projects, as JSON: `{"12": "hrnet18s_ocr48_human"}`."""
    zoom: Annotated[str, _one_of(POLICIES)] = "edgeflow"
    """How the image is zoomed after the first click: as `edgeflow` (this project), `ritm`'s
    published evaluation, or `eiseg` does it."""
    quality: Annotated[str, _one_of(QUALITIES)] = "fast"
    """What a click may take: `fast` one look of the network, `best` a second one at the mirror
    image, `auto` the second one only where the first is unsure. See [quality](quality.md)."""
    device: str = "auto"
    """Device of the network: `auto`, `cpu`, `cuda` or `cuda:N`."""
    runtime: RuntimeName = "auto"
    """What executes the network: `auto` takes the fastest for the machine and says so; or `torch`,
    `torch-bf16`, `openvino`, `openvino-bf16`, `onnx`. See [runtimes](runtimes.md)."""
    cpu_threads: int = Field(default=0, ge=0)
    """Threads of one network step on the CPU; 0 leaves the number to PyTorch."""
    http_threads: int = Field(default=64, ge=2, le=512)
    """Requests handled at once; those that need the network queue for it."""
    max_connections: int = Field(default=4096, ge=16, le=100_000)
    """Most open connections. One more takes the place of the one that has been idle or slow for
    longest. Less where the system allows fewer open files."""

    basic_auth_user: str = ""
    """User for HTTP Basic. Once a user or a password is set, every route except `/health` requires
    them."""
    basic_auth_password: SecretStr = SecretStr("")
    """Password for HTTP Basic; see `EDGEFLOW_BASIC_AUTH_USER`."""

    max_body_mb: float = Field(default=64, gt=0)
    """Largest request body in megabytes; larger ones get HTTP 413."""
    max_clicks: int = Field(default=100, ge=1)
    """Most clicks on one object."""
    max_image_mb: float = Field(default=64, gt=0)
    """Largest image file in megabytes."""
    max_pixels: int = Field(default=MAX_PIXELS, ge=1, le=LARGEST_MAX_PIXELS)
    """Largest image in pixels."""
    decode_memory_mb: float = Field(default=2560, ge=64)
    """Megabytes that all images being decoded may take together. Further ones wait; one that needs
    more by itself is refused."""
    decode_timeout_s: float = Field(default=30.0, gt=0)
    """Seconds after which the decoding of an image is ended."""
    connect_timeout_s: float = Field(default=3.0, gt=0)
    """Seconds to connect to an image host."""
    read_timeout_s: float = Field(default=10.0, gt=0)
    """Seconds an image host may stay silent before the download fails."""
    download_timeout_s: float = Field(default=30.0, gt=0)
    """Seconds that one image may take to download."""
    request_timeout_s: float = Field(default=60.0, gt=0, le=95)
    """Seconds that one prediction may take; Label Studio gives up after 100."""
    queue_limit: int = Field(default=48, ge=1)
    """Most predictions that wait for the network; further ones get HTTP 503. Must be below
    `EDGEFLOW_HTTP_THREADS`, so that `/health` always answers."""
    max_batch: int = Field(default=0, ge=0, le=64)
    """Most network steps of different annotators that run together; 0 for the device's default: 1
    on CPUs, 32 on CUDA."""
    batch_window_ms: float = Field(default=4.0, ge=0, le=1000)
    """Milliseconds that a click waits for others to run with. It does not wait if batches hold one
    step only or nobody else is active."""

    refine: Literal["auto", "off", "drafts", "annotations"] = "auto"
    """Where a click looks for a mask to refine: nowhere (`off`), in the annotator's own `drafts`,
    or also in a task's only `annotations` entry and among the answers of the last seconds. `auto`
    asks Label Studio: `annotations` in projects where one person annotates each task, `drafts` in
    others and where it gives no answer. See [refining](refining.md)."""
    refine_reach: float = Field(default=1.0, ge=0, le=100)
    """How far outside a mask a positive click still refines it, in percent of the image's longer
    side."""
    preannotate: bool = False
    """Whether batch calls answer with masks for the boxes, points and outlines in a task's
    annotations or predictions."""
    similar_limit: int = Field(default=100, ge=1, le=1000)
    """Most objects that one click or box suggests as [similar](similar.md); the next one suggests
    the rest."""
    similar_brush_limit: int = Field(default=40, ge=1, le=1000)
    """The same where suggestions are brush masks or bitmasks, with which many freeze the editor for
    seconds."""
    similar_seconds: float = Field(default=3.0, gt=0, le=60)
    """Seconds after which no further place is looked at for similar objects."""
    pages_limit: int = Field(default=100, ge=1, le=1000)
    """Most other [pages](sequences.md#in-label-studio) that one click answers; the next one goes
    on."""
    pages_brush_limit: int = Field(default=40, ge=1, le=1000)
    """The same where regions are brush masks or bitmasks, with which many freeze the editor for
    seconds."""
    pages_seconds: float = Field(default=20.0, gt=0, le=90)
    """Seconds after which no further page is looked at."""
    pages_least_score: float = Field(default=0.5, ge=0, le=1)
    """Estimate of a mask's IoU below which its page is not answered, and no further one."""

    min_part: float = Field(default=Cleanup.min_part, ge=0, le=1)
    """Pieces of a mask smaller than this fraction of its largest one are dropped."""
    largest_only: bool = Cleanup.largest_only
    """Whether to drop all pieces of a mask except its largest and those clicked on."""
    min_certainty: float = Field(default=Cleanup.min_certainty, ge=0, le=1)
    """Pieces of a mask that were not clicked on are dropped where the network's mean probability
    for them is below this."""
    max_hole: float = Field(default=Cleanup.max_hole, ge=0, le=1)
    """Holes smaller than this fraction of the mask are filled."""
    smoothing: float = Field(default=Cleanup.smoothing, ge=0, le=20)
    """Smoothing of borders: standard deviation in network pixels (448 across)."""
    polygon_tolerance: float = Field(default=1.0, ge=0, le=100)
    """How far a polygon may deviate from the mask's border, in image pixels."""
    polygon_holes: HolePolicy = "bridge"
    """Holes of polygons: `bridge` opens them by a hair-thin slit, `split` cuts the polygon in two,
    `fill` fills them."""

    cluster_replicas: int = Field(default=2, ge=1)
    """Replicas behind `serve --cluster`; see [scaling](scaling.md)."""
    cluster_max_replicas: int = Field(default=0, ge=0)
    """Most replicas that Ray starts while clicks wait; 0 for always `EDGEFLOW_CLUSTER_REPLICAS`."""
    cluster_target_waiting: float = Field(default=4, gt=0)
    """Requests under way in each replica that Ray aims at when it starts and ends replicas."""
    cluster_cpus: float = Field(default=1, ge=0)
    """Cores that Ray sets aside for each replica."""
    cluster_gpus: float = Field(default=0, ge=0)
    """GPUs that Ray gives each replica, `0.5` for two replicas on one; with 0 it sees none."""
    cluster_without_token: bool = False
    """Whether to join a Ray cluster that asks for no token, where whoever reaches it can run
    anything."""
    redis_url: SecretStr = SecretStr("")
    """Redis or Valkey as a second tier behind the caches: `redis://user:password@host:6379/0`, or
    `rediss://` for TLS, whose certificate is checked against the public authorities and
    `EDGEFLOW_CA_BUNDLE`. Empty for none. See [Redis](redis.md)."""
    redis_key: SecretStr = SecretStr("")
    """Secret of all backends that share one Redis, which signs what they leave there: nobody else
    who can write to it can then change a mask."""
    redis_connect_timeout_s: float = Field(default=0.2, gt=0, le=10)
    """Seconds to connect to Redis."""
    redis_timeout_s: float = Field(default=0.05, gt=0, le=10)
    """Seconds that Redis may take to answer; a click then goes on without it."""
    redis_ttl_s: float = Field(default=3600, ge=1)
    """Seconds that click states stay in Redis."""
    redis_queue_mb: float = Field(default=64, gt=0)
    """Megabytes of click states that wait to be written; the oldest are dropped."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Lowest severity of messages that are logged."""
    log_format: Literal["json", "console"] = "json"
    """`json`: one object a line; `console`: plain text."""

    @property
    def max_body_bytes(self) -> int:
        """Limit of a request body."""
        return to_bytes(self.max_body_mb)

    @property
    def max_image_bytes(self) -> int:
        """Limit of one image's file."""
        return to_bytes(self.max_image_mb)

    @property
    def decode_memory_bytes(self) -> int:
        """Memory of all images being decoded."""
        return to_bytes(self.decode_memory_mb)

    @property
    def redis_queue_bytes(self) -> int:
        """Most bytes that wait to be written to Redis."""
        return to_bytes(self.redis_queue_mb)

    @property
    def cleanup(self) -> Cleanup:
        """Rules for cleaning up each mask."""
        return Cleanup(
            self.min_part, self.largest_only, self.max_hole, self.smoothing, self.min_certainty
        )

    @property
    def models_folder(self) -> Path | None:
        """Folder of converted and downloaded weights; None for the default one."""
        return Path(self.models_dir).expanduser() if self.models_dir else None

    @model_validator(mode="after")
    def _leave_threads_for_health(self) -> Self:
        if self.queue_limit >= self.http_threads:
            raise ValueError("EDGEFLOW_QUEUE_LIMIT must be below EDGEFLOW_HTTP_THREADS")
        return self

    @model_validator(mode="after")
    def _know_hosts_of_projects(self) -> Self:
        if not {host for host, _ in self.learning} <= self.label_studios.keys():
            raise ValueError("EDGEFLOW_LEARN_PROJECTS names a host that no Label Studio has")
        return self

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: SecretStr) -> SecretStr:
        return SecretStr(_redis_url(value.get_secret_value()))

    @field_validator("redis_key")
    @classmethod
    def _check_redis_key(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MIN_REDIS_KEY:
            raise ValueError(f"must have at least {MIN_REDIS_KEY} characters")
        return value

    @field_validator("project_models", mode="before")
    @classmethod
    def _read_json(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value


def environment_of_children() -> dict[str, str]:
    """The environment without this backend's own variables, its tokens among them."""
    own = ("EDGEFLOW_", "LABEL_STUDIO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}


def _redis_url(text: str) -> str:
    """A URL of Redis; no error repeats it.

    A query is refused: the client would take settings from it, such as not to check certificates.
    """
    url = text.strip()
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if url and not (usable and re.fullmatch(r"/?\d{0,4}", parts.path) and not parts.query):
        raise ValueError("must look like redis://user:password@host:6379/0, or rediss:// for TLS")
    return url
