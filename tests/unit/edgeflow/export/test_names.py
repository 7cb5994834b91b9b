from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.data.listed import check_name
from edgeflow.export.names import MAX_BYTES, Names, safe_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("cat", "cat"),
        ("a/b é", "a_b é"),
        ("..", "_"),
        ("", "_"),
        (".hidden", "_.hidden"),
        ("con", "_con"),
        ("COM1.txt", "_COM1.txt"),
        ("a\0b\nc", "a_b_c"),
        ("name. ", "name"),
        ('<a>:"b"|c?*', "_a___b__c__"),
        ("e\u0301", "\u00e9"),
        ("a\u2028b\ue000", "a_b_"),
        ("at 1.00\u202fPM", "at 1.00\u202fPM"),
    ],
)
def test_unsafe_characters_are_replaced(text: str, name: str) -> None:
    assert safe_name(text) == name


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_becomes_a_name_that_a_file_can_have(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    name = safe_name(text)
    assert 0 < len(name.encode()) <= MAX_BYTES + 1
    check_name(name, "an export")  # what is written is read
    path = tmp_path_factory.getbasetemp() / name
    assert path.parent == tmp_path_factory.getbasetemp()
    path.write_bytes(b"")
    assert path in path.parent.iterdir()
    path.unlink()


def test_images_keep_their_names_and_folders() -> None:
    names = Names()
    assert names.of("a/cat.jpg", "1") == ("a/cat", ".jpg")
    assert names.of("b/cat.jpg", "2") == ("b/cat", ".jpg")
    assert names.of("x.y.z", "3") == ("x.y", ".z")
    assert names.of("noending", "4") == ("noending", "")
    assert names.of("a.verylongending", "5") == ("a.verylongending", "")


@pytest.mark.parametrize("other", ["cat.jpg", "cat.png", "CAT.JPG"])
def test_images_of_one_name_get_the_task_added(other: str) -> None:
    names = Names()
    names.of("cat.jpg", "31\ncat.jpg")
    assert names.of(other, "32\ncat.jpg")[0].casefold() == "cat-32"
    assert names.of(other, "32\ncat.jpg")[0].casefold() == "cat-32-2"
    assert names.of(other, "32\ncat.jpg")[0].casefold() == "cat-32-3"


@given(st.lists(st.text(max_size=8), max_size=12))
def test_no_two_images_have_one_name_and_none_leaves_the_folder(texts: list[str]) -> None:
    names = Names()
    given_names = [names.of(text, text)[0] for text in texts]
    assert len({name.casefold() for name in given_names}) == len(texts)
    for name in given_names:
        assert ".." not in Path(name).parts
        assert not Path(name).is_absolute()
