from __future__ import annotations

import base64
from pathlib import Path

import pytest

from edgeflow.data.task_images import image_names
from edgeflow.images.formats import FORMATS
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.pull.locations import (
    EXTENSIONS,
    PictureError,
    TooLargeError,
    file_name,
    inline_image,
    renamed,
    shown_images,
    url_of,
)

HOSTILE = [
    "/data/upload/1/../../../etc/passwd.jpg",
    "https://example.com/..%2f..%2fetc%2fpasswd.jpg",
    "/data/local-files/?d=../../secret.png",
    r"https://example.com/..\..\boot.jpg",
    "https://example.com/a%00b.jpg",
    "https://example.com/.hidden.jpg",
    "https://example.com/..",
    "https://example.com/",
    "https://[broken/x.jpg",
    "s3://bucket/" + "ü" * 400 + ".jpg",
    "https://example.com/" + "x" * 5000 + ".png",
    "data:image/png;base64,AAAA",
    "https://example.com/\ud800.jpg",
    "https://example.com/aux.jpg:stream",
    "-rf.jpg",
    "",
]


@pytest.mark.parametrize("location", HOSTILE, ids=range(len(HOSTILE)))
def test_no_location_leaves_the_folder_or_makes_an_odd_name(tmp_path: Path, location: str) -> None:
    name = file_name(location, "PNG")
    path = tmp_path / name
    path.write_bytes(b"x")
    assert path.resolve().parent == tmp_path.resolve()
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert name.isprintable()
    assert not set(name) & set('/\\:*?"<>|')
    assert not name.startswith((".", "-"))
    # the dataset's reader must find it under the path that the tasks are given
    assert name in image_names(f"/images/{name}")


def test_names_tell_what_the_image_is_and_keep_equal_names_apart() -> None:
    one, other = (file_name(f"s3://{bucket}/a/cat.JPG", "JPEG") for bucket in "ab")
    assert one.endswith("-cat.JPG")
    assert other.endswith("-cat.JPG")
    assert one != other
    assert file_name("https://example.com/image?id=7", "PNG").endswith("-image.png")
    assert file_name("/data/local-files/?d=x/dög.webp", "WEBP").endswith("-dög.webp")


def test_every_format_has_an_extension() -> None:
    assert set(EXTENSIONS) == set(FORMATS)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/data/upload/1/a.jpg", "http://ls/data/upload/1/a.jpg"),
        ("/data/local-files/?d=a%20b.jpg", "http://ls/data/local-files/?d=a%20b.jpg"),
        ("https://example.com/a.jpg?x=1", "https://example.com/a.jpg?x=1"),
    ],
)
def test_where_a_location_is_fetched(location: str, url: str) -> None:
    assert url_of(location, "http://ls", 7) == url


@pytest.mark.parametrize("location", ["s3://b/a.jpg", "gs://b/a.jpg", "azure-blob://b/a.jpg"])
def test_cloud_storage_is_resolved_for_the_task(location: str) -> None:
    head, _, code = url_of(location, "http://ls", 7).partition("?fileuri=")
    assert head == "http://ls/tasks/7/presign/"
    assert base64.urlsafe_b64decode(code).decode() == location


def test_label_studio_below_a_path() -> None:
    for location in ("/data/upload/1/a.jpg", "/ls/data/upload/1/a.jpg"):
        assert url_of(location, "http://host/ls", 7) == "http://host/ls/data/upload/1/a.jpg"


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://x/a.jpg", "a.jpg", "javascript:1"]
)
def test_other_kinds_are_refused(location: str) -> None:
    with pytest.raises(PictureError, match="cannot be fetched"):
        url_of(location, "http://ls", 7)


def test_inline_images() -> None:
    assert inline_image("data:image/png;base64,AAEC", 3) == b"\0\1\2"
    assert inline_image("data:,a%20b", 3) == b"a b"
    with pytest.raises(PictureError, match="base64"):
        inline_image("data:;base64,***", 100)
    for limit in (2, 0):
        with pytest.raises(TooLargeError):
            inline_image("data:image/png;base64,AAEC", limit)


def test_the_config_says_which_texts_are_images() -> None:
    config = parse_label_config(
        '<View><Image name="a" value="$one"/><Image name="b" valueList="$many"/></View>'
    )
    data = {"one": "/x.jpg", "many": ["/y.jpg", "/x.jpg", 3], "page": "https://example.com/z.jpg"}
    assert shown_images(config, data) == ["/x.jpg", "/y.jpg"]
    assert renamed(data, {"/x.jpg": "X", "/y.jpg": "Y"}) == {
        "one": "X",
        "many": ["Y", "X", 3],
        "page": "https://example.com/z.jpg",
    }
