from __future__ import annotations

import pytest

from edgeflow_backend.redact.urls import describe_url

TOKEN = "tOk3nV4lUe9aB8cD7eF6gH5i"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://host/cat.jpg", "https://host/cat.jpg"),
        ("https://host:8080/a/b/cat.jpg", "https://host:8080/…/cat.jpg"),
        ("https://anna:pass@host/cat.jpg", "https://host/cat.jpg"),
        ("https://anna:p@ss@host/cat.jpg?x=1#y", "https://host/cat.jpg"),
        ("https://host/t/secret/cat.jpg;sig=secret", "https://host/…/cat.jpg"),
        ("https://host/cat.jpg%3Fsig=secret", "https://host/cat.jpg"),
        ("https://host/cat.jpg&sig=secret", "https://host/cat.jpg"),
        ("https://host/token=secret", "https://host/token"),
        ("https://host/secret%2Fcat.jpg", "https://host/cat.jpg"),
        ("https://host/tasks/7/presign/?fileuri=x", "https://host/…/presign"),
        (f"https://host/{TOKEN}", "https://host/…"),
        (f"https://host/{TOKEN}.png", "https://host/….png"),
        (f"https://host/{'0123abcd' * 5}", "https://host/…"),
        ("https://host/eyJhbGciOiJI.eyJ0b2tlbl90.c2lnbmF0dXJl", "https://host/…"),
        ("https://host/1b9d6bcd-IMG_20230101_Photo-of-a-street.jpeg", None),
        ("https://host/K%C3%A4se%20%E7%8C%AB.png", "https://host/Käse 猫.png"),
        ("https://host/photo@2x.png", None),
        (f"https://host/{'long name ' * 20}.png", f"https://host/{('long name ' * 20)[:99]}….png"),
        ("s3://bucket/key/cat.png", "s3://bucket/…/cat.png"),
        ("http://[::1]:8080/cat.jpg", None),
        ("https://host", None),
        ("https://host/", "https://host"),
        ("anna:pass@host/cat.jpg", "the image's URL"),
        ("http://[", "the image's URL"),
        ("", "the image's URL"),
    ],
)
def test_a_url_is_named_without_what_may_be_secret(url: str, name: str | None) -> None:
    assert describe_url(url) == (url if name is None else name)


def test_a_name_of_a_url_stays_as_it_is() -> None:
    name = describe_url("https://anna:pass@host:81/a/b/cat.jpg;sig=5?x=1")
    assert describe_url(name) == name
