from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from edgeflow_backend.net.label_studio_host import LabelStudioHost, hide_tokens, http_url


@pytest.mark.parametrize("text", ["http://studio:8080", " http://studio:8080// \n"])
def test_a_url_has_no_spaces_and_trailing_slashes(text: str) -> None:
    assert http_url(text) == "http://studio:8080"
    assert LabelStudioHost(url=text).url == "http://studio:8080"


@pytest.mark.parametrize("text", ["", "studio:8080", "ftp://studio", "http://", "http://studio:x"])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        http_url(text)
    with pytest.raises(ValidationError, match="url"):
        LabelStudioHost(url=text)


def test_every_text_is_hidden() -> None:
    json = '{"b": {"url": "http://b", "api_key": "token", "other": ["token", 5]}}'
    for hosts in (json, {"b": {"url": "http://b", "api_key": "token", "other": ["token", 5]}}):
        hidden = hide_tokens(hosts)
        assert "token" not in repr(hidden)
        assert hidden == {
            "b": {
                "url": SecretStr("http://b"),
                "api_key": SecretStr("token"),
                "other": [SecretStr("token"), 5],
            }
        }


def test_a_text_that_is_not_json_is_hidden_as_a_whole() -> None:
    assert hide_tokens("{token") == SecretStr("{token")
