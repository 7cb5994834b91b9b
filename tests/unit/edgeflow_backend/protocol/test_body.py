from __future__ import annotations

import copy
import json
import time

import pytest

from edgeflow_backend.errors import MalformedRequestError
from edgeflow_backend.protocol.body import MAX_DEPTH, parse_body


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    return f'{{"a": {opening * depth}{closing * depth}}}'.encode()


def refused(data: bytes) -> str:
    with pytest.raises(MalformedRequestError) as caught:
        parse_body(data)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("depth", [1, 100, MAX_DEPTH - 1])
def test_what_any_task_needs_is_read(depth: int) -> None:
    body = parse_body(nested(depth))
    assert copy.deepcopy(body) == json.loads(repr(body).replace("'", '"'))


@pytest.mark.parametrize("depth", [MAX_DEPTH, 500, 990, 1022])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"b":1,"c":{}, "d":', "}")])
def test_what_is_nested_deeper_is_refused(depth: int, opening: str, closing: str) -> None:
    data = f'{{"a": {opening * depth}1{closing * depth}}}'.encode()
    assert "254 levels deep" in refused(data)


@pytest.mark.parametrize("depth", [1025, 100_000, 5_000_000])
@pytest.mark.parametrize("closed", [True, False])
def test_however_deep_it_is_it_takes_no_time(depth: int, *, closed: bool) -> None:
    started = time.monotonic()
    refused(nested(depth, closing="]" if closed else ""))
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9223372036854775807", 2**63 - 1),
        ("18446744073709551615", 2**64 - 1),
        ("1" + "0" * 300, 1e300),
        ("-0", 0),
        ("1e-400", 0.0),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\u0000"', "\0"),
        ('{"b": 1, "b": 2}', {"b": 2}),
    ],
)
def test_odd_values_have_one_meaning(text: str, value: object) -> None:
    assert parse_body(f'{{"a": {text}}}'.encode()) == {"a": value}


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "1" * 400,
        "1" * 1_000_000,
        "01",
        "+1",
        "0x10",
        "1_000",
        "'a'",
        r'"\ud800"',
        r'"\udc00\ud800"',
        '"\0"',
        '"\n"',
        "1 /* */",
        "[1,]",
        "undefined",
    ],
)
def test_what_is_not_json_is_refused_in_few_words(text: str) -> None:
    assert len(refused(f'{{"a": {text}}}'.encode())) < 200


@pytest.mark.parametrize(
    "data",
    [b"", b" ", b"[]", b"1", b"null", b'"a"', b"{}{}", b"\xef\xbb\xbf{}", b'{"a": "\xff"}',
     b'{"a": "\xed\xa0\x80"}', '{"a": 1}'.encode("utf-16"), b'{"a": "\xc0\xaf"}'],
)  # fmt: skip
def test_anything_but_one_object_in_utf8_is_refused(data: bytes) -> None:
    refused(data)
