from __future__ import annotations

import pytest

from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow_backend.label_studio.access import credentials_of, open_api
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.loopback import Host, Reply, closed_port

LEGACY = "0123456789abcdef0123456789abcdef01234567"
PERSONAL = "eyJhbGciOiJI.eyJ0b2tlbl90.c2lnbmF0dXJl"


def settings(host: Host, token: str, name: str = "") -> Settings:
    if name:
        return Settings(label_studio_hosts={name: {"url": host.url, "api_key": token}})
    return Settings(label_studio_url=host.url, label_studio_api_key=token)


def hint(settings: Settings, host: str = "") -> str:
    with pytest.raises(LabelStudioError) as caught:
        credentials_of(settings, host).header()
    return caught.value.hint


@pytest.mark.parametrize("name", ["", "team-b"])
def test_each_label_studio_gets_its_own_token(host: Host, name: str) -> None:
    host.routes["*"] = Reply(200, b'{"id": 1}')
    assert open_api(settings(host, LEGACY, name), name).whoami() == {"id": 1}
    assert host.received[0].headers["authorization"] == f"Token {LEGACY}"


def test_the_way_out_names_the_settings(host: Host) -> None:
    host.routes["*"] = Reply(401)
    assert "LABEL_STUDIO_API_KEY" in hint(settings(host, PERSONAL))
    host.routes["*"] = Reply(200, b"no JSON")
    assert "LABEL_STUDIO_URL" in hint(settings(host, PERSONAL))


@pytest.mark.parametrize("answer", [Reply(401), Reply(200, b"{}"), Reply(200, b"no JSON")])
def test_with_several_label_studios_the_way_out_names_the_one(host: Host, answer: Reply) -> None:
    host.routes["*"] = answer
    words = hint(settings(host, PERSONAL, "team-b"), "team-b")
    assert "'team-b' in EDGEFLOW_LABEL_STUDIO_HOSTS" in words
    assert "LABEL_STUDIO_API_KEY" not in words


def test_with_several_label_studios_a_bad_tokens_way_out_names_the_one(host: Host) -> None:
    words = hint(settings(host, "012…567", "team-b"), "team-b")
    assert "the api_key of 'team-b' in EDGEFLOW_LABEL_STUDIO_HOSTS" in words


def test_a_proxy_that_is_not_there_is_told() -> None:
    proxy = f"http://127.0.0.1:{closed_port()}"
    settings = Settings(label_studio_url="http://labels.example", proxy=proxy)
    with pytest.raises(LabelStudioError) as caught:
        open_api(settings).release()
    assert "proxy" in caught.value.message
    assert caught.value.hint


def test_a_url_that_is_not_there_is_told_by_its_setting(host: Host) -> None:
    url = host.url
    host.close()
    with pytest.raises(LabelStudioError) as caught:
        open_api(Settings(label_studio_url=url)).release()
    assert "LABEL_STUDIO_URL" in caught.value.hint
