from __future__ import annotations

import pytest

from edgeflow_backend.net.origins import origin

STUDIO = "http://studio:8080"


@pytest.mark.parametrize(
    "same",
    [
        "http://studio:8080/data?x=1",
        "HTTP://Studio:8080",
        "http://user:pass@studio:8080/",
        "http://studio:8080\\@evil/",
    ],
)
def test_an_origin_is_scheme_host_and_port(same: str) -> None:
    assert origin(same) == origin(STUDIO)


@pytest.mark.parametrize(
    "other",
    [
        "https://studio:8080",
        "http://studio",
        "http://studio:8081",
        "http://studio.evil:8080",
        "http://evil:8080/studio:8080",
        "http://studio:8080@evil:8080/",
        "http://evil\\@studio:8080/",
        "http://evil#@studio:8080/",
        "http://evil?@studio:8080/",
    ],
)
def test_another_scheme_host_or_port_is_another_origin(other: str) -> None:
    assert origin(other) != origin(STUDIO)


def test_default_ports_need_not_be_written() -> None:
    assert origin("http://host") == origin("http://host:80/")
    assert origin("https://host") == origin("https://host:443/")


@pytest.mark.parametrize("url", ["http://[", "http://host:99999", "http://host:port"])
def test_a_text_that_is_not_a_url_has_no_origin(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        origin(url)
