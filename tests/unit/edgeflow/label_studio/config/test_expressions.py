from __future__ import annotations

from typing import Any

import pytest

from edgeflow.label_studio.config.expressions import MISSING, evaluate

DATA: dict[str, Any] = {
    "image": "u", "images": ["a", "b", None], "a": {"b": [{"c": 0}, {"c": "v"}]}, "a.b": "lit",
    "n": 5, "f": 1.5, "z": 2.0, "t": True, "name": "x.jpg", "nothing": None,
    "my-image": "d", "фото": "e", "two words": "w", "{{idx}}": "i",
}  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$image", "u"),
        ("$images", ["a", "b", None]),
        ("$images[1]", "b"),
        ("$images.1", "b"),
        ("$a.b", "lit"),
        ("$a.b[1].c", "v"),
        ("$a.b[1]", {"c": "v"}),
        ("$a[b][1][c]", "v"),
        ("$a..b[1].c", "v"),
        ("${{idx}}", "i"),
        ("$n", 5),
        ("$$image", "$u"),
        ("  $image ", "  u "),
        ("https://h/$name", "https://h/x.jpg"),
        ("https://h/$image/$n", "https://h/u/5"),
        ("$f-$z-$t", "1.5-2-true"),
        ("x$images[0],", "xa,"),
        ("http://c/x.png", "http://c/x.png"),
        ("$", "$"),
    ],
)
def test_values_are_those_of_the_editor(expression: str, value: object) -> None:
    """Computed with the editor's own ``parseValue`` (Label Studio 1.23.2)."""
    assert evaluate(expression, DATA) == value


@pytest.mark.parametrize(
    "expression",
    ["$gone", "$images[9]", "$images[01]", "$a.c.d", "$image.x", "$[", "x$gone",
     "x$nothing", "", "$A", "$images[" + "9" * 5000 + "]"],
)  # fmt: skip
def test_what_a_task_lacks_is_missing(expression: str) -> None:
    """Where the editor shows nothing, or writes ``undefined`` into the text."""
    assert evaluate(expression, DATA) is MISSING


@pytest.mark.parametrize(
    ("expression", "value"),
    [("$my-image", "d"), ("$фото", "e"), ("$two words", "w"), ("image", "u"), ("$nothing", None)],
)
def test_a_key_that_is_no_expression_is_found_by_its_name(expression: str, value: object) -> None:
    assert evaluate(expression, DATA) == value
