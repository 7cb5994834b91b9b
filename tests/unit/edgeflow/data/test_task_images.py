"""Exports of tasks with several images: a region goes to its own, or the task is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.label_studio import LabelStudio
from tests.unit.edgeflow.data.making import FIRST, SECOND, image_file, objects, put, put_json
from tests.unit.edgeflow.data.test_label_studio import brush, task

A, B = "http://host/a.jpg", "http://host/b.jpg"


def on(label: int, to_name: str = "image", item: Any = None) -> dict[str, Any]:
    """FIRST or SECOND, drawn on an image."""
    where = {} if item is None else {"item_index": item}
    return brush(label, to_name=to_name, **where)


def export(
    folder: Path, data: Any, *regions: Any, config: str | None = None, files: str = "ab"
) -> LabelStudio:
    put(folder, {f"images/{name}.jpg": image_file() for name in files})
    path = put_json(folder / "e.json", [{**task(31, *regions), "data": data}])
    if config is None:
        return LabelStudio(path)
    (folder / "config.xml").write_text(config, encoding="utf-8")
    return LabelStudio(path, label_config=folder / "config.xml")


def read(dataset: LabelStudio) -> dict[str, Any]:
    return {name: objects(dataset, index) for index, name in enumerate(dataset.sample_names)}


ONE = [on(1), on(2)]
PAGES = [on(1, item=0), on(2, item=1)]
KNOWN = {
    "one text": ({"image": A}, ONE, {"a": [FIRST, SECOND]}),
    "beside a page, a name and an id": (
        {"image": A, "page": "https://shop/item/5", "id": 7, "name": "b.jpg", "tags": ["x", "y"]},
        ONE,
        {"a": [FIRST, SECOND]},
    ),
    "nested": ({"meta": {"url": A}}, ONE, {"a": [FIRST, SECOND]}),
    "a text, first item": ({"image": A}, [on(1, item=0)], {"a": [FIRST]}),
    "one under two keys": ({"image": A, "copy": A}, ONE, {"a": [FIRST, SECOND]}),
    "a list": ({"images": [A, B]}, PAGES, {"a": [FIRST], "b": [SECOND]}),
    "a list, one page drawn on": ({"images": [A, B]}, [on(2, item=1)], {"b": [SECOND]}),
    "a list of one": ({"images": [A]}, ONE, {"a": [FIRST, SECOND]}),
    "a list of bare names": ({"images": ["a.jpg", "b.jpg"]}, PAGES, {"a": [FIRST], "b": [SECOND]}),
    "a nested list": ({"doc": {"pages": [A, B]}}, PAGES, {"a": [FIRST], "b": [SECOND]}),
}


@pytest.mark.parametrize("case", KNOWN)
def test_a_task_with_one_image_or_one_list_is_clear(tmp_path: Path, case: str) -> None:
    data, regions, expected = KNOWN[case]
    assert read(export(tmp_path, data, *regions)) == expected


UNCLEAR = {
    "two images": ({"image": A, "image2": B}, [on(1), on(2, "image2")]),
    "two images, one drawn on": ({"image": A, "image2": B}, [on(2, "image2")]),
    "an image and a thumbnail": ({"image": A, "thumbnail": B}, ONE),
    "one image, two tags": ({"image": A}, [on(1), on(2, "other")]),
    "a text, second item": ({"image": A}, [on(1, item=1)]),
    "a list without items": ({"images": [A, B]}, ONE),
    "a list, an item beyond": ({"images": [A, B]}, [on(1, item=2)]),
    "two lists": ({"images": [A, B], "others": [B, A]}, PAGES),
    "a list and a cover": ({"images": [A, B], "cover": A}, PAGES),
    "a list of objects": ({"doc": [{"page": A}, {"page": B}]}, [on(2, "page_1")]),
    "an item that is no number": ({"image": A}, [on(1, item="x")]),
    "an item before the first": ({"images": [A, B]}, [on(1, item=-1)]),
}


@pytest.mark.parametrize("files", ["ab", "a"])
@pytest.mark.parametrize("case", UNCLEAR)
def test_what_cannot_be_told_is_refused_and_the_task_named(
    tmp_path: Path, case: str, files: str
) -> None:
    data, regions = UNCLEAR[case]
    with pytest.raises(DatasetError, match="task 31") as caught:
        export(tmp_path, data, *regions, files=files)
    assert caught.value.hint


def view(*tags: str) -> str:
    return f"<View>{''.join(tags)}</View>"


REPEATER = view(
    '<Repeater on="$doc" indexFlag="{{idx}}"><Image name="page_{{idx}}" '
    'value="$doc[{{idx}}].page"/></Repeater>'
)
TOLD = {
    "two images": (
        view('<Image name="x" value="$two"/>', '<Image name="y" value="$one"/>'),
        {"one": A, "two": B},
        [on(1, "x"), on(2, "y")],
        {"b": [FIRST], "a": [SECOND]},
    ),
    "an image and a thumbnail": (
        view('<Image name="image" value="$image"/>'),
        {"thumbnail": B, "image": A},
        ONE,
        {"a": [FIRST, SECOND]},
    ),
    "pages": (
        view('<Image name="image" valueList="$pages"/>'),
        {"cover": A, "pages": [B, A]},
        PAGES,
        {"b": [FIRST], "a": [SECOND]},
    ),
    "pages, without an item the first": (
        view('<Image name="image" valueList="$pages"/>'), {"pages": [B, A]}, [on(1)],
        {"b": [FIRST]},
    ),
    "an element": (
        view('<image NAME="image" value="$pages[1]"/>'), {"pages": [A, B]}, [on(1)],
        {"b": [FIRST]},
    ),
    "nested keys": (
        view('<Image name="image" value="$a.b[1].c"/>'),
        {"a": {"b": [{"c": A}, {"c": B}]}}, [on(1)], {"b": [FIRST]},
    ),
    "text around a name": (
        view('<Image name="image" value="http://host/$file"/>'),
        {"file": "b.jpg", "image": A}, [on(1)], {"b": [FIRST]},
    ),
    "a repeater": (
        REPEATER, {"doc": [{"page": A}, {"page": B}]}, [on(1, "page_1"), on(2, "page_0")],
        {"b": [FIRST], "a": [SECOND]},
    ),
    "one image in two tags": (
        view('<Image name="x" value="$image"/>', '<Image name="y" value="$image"/>'),
        {"image": A}, [on(1, "x"), on(2, "y")], {"a": [FIRST, SECOND]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TOLD)
def test_the_labelling_config_tells_where_a_region_is(tmp_path: Path, case: str) -> None:
    config, data, regions, expected = TOLD[case]
    assert read(export(tmp_path, data, *regions, config=config)) == expected


@pytest.mark.parametrize(
    ("config", "region", "said"),
    [
        (REPEATER, on(1, "page_2"), "no such Image tag"),
        (view('<Image name="image" valueList="$doc"/>'), on(1, item=2), "which has 2"),
        (view('<Image name="image" value="$gone"/>'), on(1), "a task without one"),
        ("<View", on(1), "not valid XML"),
        ("", on(1), "no labelling config"),
    ],
)
def test_a_config_that_does_not_fit_is_told(
    tmp_path: Path, config: str, region: Any, said: str
) -> None:
    with pytest.raises(DatasetError, match=said) as caught:
        export(tmp_path, {"doc": [{"page": A}, {"page": B}]}, region, config=config)
    assert caught.value.hint


def test_names_of_pages_are_each_samples_own(tmp_path: Path) -> None:
    put(tmp_path, {f"images/{name}.jpg": image_file() for name in ("a", "b", "a-2")})
    tasks = [
        {**task(number, *PAGES), "data": {"images": [f"http://h/{first}.jpg", B]}}
        for number, first in ((1, "a"), (3, "a-2"), (2, "a"))
    ]
    names = LabelStudio(put_json(tmp_path / "e.json", tasks)).sample_names
    assert names == ("a", "b", "a-2", "b-3", "a-2-2", "b-2")
