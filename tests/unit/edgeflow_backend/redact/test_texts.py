from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow_backend.redact.texts import clean
from tests.unit.edgeflow_backend.status.tokens import LEGACY_TOKEN, SIGNED_TOKEN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "https://h:8080/a/b.jpg?X-Amz-Signature=s&x=1 answered",
            "https://h:8080/…/b.jpg answered",
        ),
        ("'https://h/a.jpg?secret' answered", "'https://h/a.jpg' answered"),
        ("https://user:p@ss@h/a.jpg#secret", "https://h/a.jpg"),
        ("https://user@h", "https://h"),
        ("s3://bucket/key.png?versionId=3 lies", "s3://bucket/key.png lies"),
        ("/data/local-files/?d=a/b.jpg is gone", "/data/local-files/?… is gone"),
        ("data:image/png;base64,iVBORw0KGgo= is short", "data:… is short"),
        (f"authorization: bearer {SIGNED_TOKEN}.", "authorization: bearer …"),
        (f"it was {LEGACY_TOKEN}", "it was …"),
        (f"it was {SIGNED_TOKEN} too", "it was … too"),
        ("two\nlines\t and\r\n  gaps", "two lines and gaps"),
        ("bell \x07, escape \x1b[31m", "bell �, escape �[31m"),
        ("from \u202eright to left", "from �right to left"),
        ("\ud800 alone", "� alone"),
    ],
)
def test_cleaning_takes_out_secrets_and_what_does_not_print(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "the task's data: URI has no data",
        "Label Studio's token contains characters that no token has",
        "Label Studio refused the personal access token (HTTP 401)",
        "add <Label value=\"Traffic light\"/> to BrushLabels 'mask'",
        "'10.0.0.0/8' is a network; is it? yes (really?)",
        "weights edgeflow_lite-99845a7f are intact",
        "a mask of 1920×1080 pixels, 12 % of it: größer",
        "می\u200cخواهم",
        "http://minio:9000/…/a.jpg answered HTTP 403",
        "",
    ],
)
def test_cleaning_leaves_harmless_words_alone(text: str) -> None:
    assert clean(text) == text


@given(st.text(max_size=3000), st.integers(1, 600))
def test_whatever_is_cleaned_is_one_bounded_line(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert len(cleaned.splitlines()) <= 1
    cleaned.encode()


@pytest.mark.parametrize("piece", ["a.", "?", "a?", "://@", "data", "token ", "eyJ.", "0a", "<"])
def test_hostile_texts_are_cleaned_quickly(piece: str) -> None:
    started = time.thread_time()  # so that busy machines do not matter
    clean(piece * 1_000_000)
    assert time.thread_time() - started < 0.5
