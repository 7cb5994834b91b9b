"""Settings of the hosts that the backend reaches: Label Studio, image hosts, the proxy between."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

from edgeflow_backend.net.allow_list import AllowList
from edgeflow_backend.net.label_studio_host import (
    HostName,
    LabelStudioHost,
    hide_tokens,
    http_url,
    part_login,
    reveal,
)
from edgeflow_backend.net.proxy import Proxy
from edgeflow_backend.net.uplink import Uplink, trust

_URL_NAMES = ("EDGEFLOW_LABEL_STUDIO_URL", "LABEL_STUDIO_URL", "LABEL_STUDIO_HOST")


class HostSettings(BaseModel):
    """A part of :class:`edgeflow_backend.settings.Settings`, which reads the environment."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    label_studio_url: str = Field(default="", validation_alias=AliasChoices(*_URL_NAMES))
    """URL of Label Studio as the backend reaches it, from which uploaded images are fetched. Also
    read from `LABEL_STUDIO_URL` and `LABEL_STUDIO_HOST`."""
    label_studio_public_url: str = ""
    """URL of Label Studio as annotators open it, if it is another one. Tasks with images at that
    URL get them from `EDGEFLOW_LABEL_STUDIO_URL`. Empty: the one that Label Studio tells when it
    connects."""
    label_studio_api_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("EDGEFLOW_LABEL_STUDIO_API_KEY", "LABEL_STUDIO_API_KEY"),
    )
    """Legacy token or personal access token, sent to that Label Studio only. Also read from
    `LABEL_STUDIO_API_KEY`."""
    label_studio_login: SecretStr = SecretStr("")
    """`user:password` for a reverse proxy in front of Label Studio that wants HTTP Basic; needs a
    legacy token. May also stand in the URL: `https://user:password@host`."""
    label_studio_hosts: Annotated[dict[HostName, LabelStudioHost], NoDecode] = {}
    """Further Label Studios by name, as JSON: `{"team-b": {"url": "https://labels.b.example",
    "api_key": "…"}}`, and `public_url` and `login` where needed. Each one connects the backend
    under a route with its name, `/hosts/team-b`."""
    backend_url: str = ""
    """URL of this backend as Label Studio reaches it, such as `http://backend:9090`: what
    `edgeflow-backend connect` tells Label Studio, and `doctor` looks for."""
    allowed_hosts: str = ""
    """Hosts with private IPs from which images may be fetched, separated by commas: `minio`,
    `minio:9000`, `*.corp.example`, `10.0.0.5`, `10.0.0.0/8`. Label Studios need no entry."""
    ca_bundle: str = Field(
        default="",
        validation_alias=AliasChoices("EDGEFLOW_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
    )
    """PEM file, or folder of PEM files, of certificate authorities that are trusted besides the
    public ones. Also read from `SSL_CERT_FILE` and `REQUESTS_CA_BUNDLE`."""
    proxy: SecretStr = SecretStr("")
    """HTTP proxy for image hosts: `http://proxy:3128`, `http://user:password@proxy:3128`. Label
    Studios with private IPs are reached without it."""
    no_proxy: str = ""
    """Hosts that are reached without the proxy, written like `EDGEFLOW_ALLOWED_HOSTS`."""

    @property
    def label_studios(self) -> dict[str, LabelStudioHost]:
        """Configured Label Studios by name; ``""`` is the default one, perhaps without a URL."""
        default = LabelStudioHost.model_construct(
            url=self.label_studio_url,
            api_key=self.label_studio_api_key,
            login=self.label_studio_login,
            public_url=self.label_studio_public_url,
        )
        return {"": default, **self.label_studio_hosts}

    @property
    def uplink(self) -> Uplink:
        """How the backend reaches other hosts."""
        proxy = self.proxy.get_secret_value()
        return Uplink(
            self.ca_bundle,
            Proxy.parse(proxy) if proxy else None,
            AllowList.parse(self.no_proxy),
        )

    @model_validator(mode="before")
    @classmethod
    def _hide_secrets(cls, data: object) -> object:
        """Make secrets of what pydantic's errors would repeat."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        for name in [name for name in data if name.upper() in _URL_NAMES]:
            data = part_login(data, name, "label_studio_login")
        if "label_studio_hosts" in data:
            data["label_studio_hosts"] = hide_tokens(data["label_studio_hosts"])
        for name in ("proxy", "label_studio_public_url", "backend_url"):
            value = data.get(name)
            if isinstance(value, str):
                data[name] = SecretStr(value)
        return data

    @field_validator("label_studio_url", "label_studio_public_url", "backend_url", mode="before")
    @classmethod
    def _check_url(cls, value: object) -> object:
        return http_url(value) if str(reveal(value)).strip() else ""

    @field_validator("allowed_hosts", "no_proxy")
    @classmethod
    def _check_hosts(cls, value: str) -> str:
        AllowList.parse(value)  # raises ValueError
        return value.strip()

    @field_validator("proxy")
    @classmethod
    def _check_proxy(cls, value: SecretStr) -> SecretStr:
        proxy = value.get_secret_value().strip()
        if proxy:
            Proxy.parse(proxy)  # raises ValueError
        return SecretStr(proxy)

    @field_validator("ca_bundle")
    @classmethod
    def _check_ca_bundle(cls, value: str) -> str:
        trust(value.strip())  # raises ValueError
        return value.strip()
