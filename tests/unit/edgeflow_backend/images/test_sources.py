from __future__ import annotations

import base64
import contextlib
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.label_studio.config.controls import ImageTag
from edgeflow_backend.errors import FetchError
from edgeflow_backend.images.sources import (
    CloudSource,
    InlineSource,
    Source,
    WebSource,
    locate,
    task_image,
)
from edgeflow_backend.net.origins import origin
from tests.contract.wire import captured

STUDIO = "http://studio:8080"
LIMIT = 10_000
TAG = ImageTag("photo", "$image")


def place(url: str, studio: str = STUDIO, max_bytes: int = LIMIT) -> Source:
    return locate(url, studio, max_bytes=max_bytes)


def inline(url: str, max_bytes: int = LIMIT) -> bytes:
    source = place(url, max_bytes=max_bytes)
    assert isinstance(source, InlineSource)
    return source.data


def web(url: str, studio: str = STUDIO) -> str:
    source = place(url, studio)
    assert isinstance(source, WebSource)
    return source.url


# Inline images


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,+/8=",
        "data:image/png;base64,+/8",
        "data:image/png; base64,+/8=",
        "data:image/png;base64 ,+/8=",
        "DATA:IMAGE/PNG;BASE64,+/8=",
        "data:;base64,+/8=",
        "data:image/png;charset=utf-8;base64,+/8=",
        "data:image/png;base64,+\n/8\t=",
        "data:image/png;base64, + / 8 =",
        "data:image/png;base64,%2B%2F8%3D",
        "data:image/png;base64,-_8",
        "data:,%FB%FF",
        " data:image/png;base64,+/8=#fragment ",
    ],
)
def test_a_data_uri_is_read_as_browsers_read_it(url: str) -> None:
    assert inline(url) == b"\xfb\xff"


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_base64_and_percent_codes_give_the_bytes(data: bytes) -> None:
    code = base64.b64encode(data).decode()
    assert inline(f"data:image/png;base64,{code}") == data
    assert inline(f"data:image/png;base64,{quote(code, safe='')}") == data
    assert inline(f"data:image/png,{quote(data, safe='')}") == data


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,aGVs bG8=",
        "data:image/png;base64,aGVs\nbG8=\n",
        "  data:image/png;base64,aGVsbG8=  ",
        "data:image/png;charset=utf-8;base64,aGVsbG8=",
        "data:;base64,aGVsbG8=",
        "data:image/png;base64,aGVsbG8%3D",
        "data:image/png,hello",
        "data:,hello",
        "data:,h%65llo",
    ],
)
def test_spaces_parameters_and_missing_types_do_no_harm(url: str) -> None:
    assert inline(url) == b"hello"


@pytest.mark.parametrize(
    "url", ["DATA:image/png;base64,aGVsbG8=", "data:image/png;BASE64,aGVsbG8="]
)
def test_the_words_of_a_data_uri_may_be_in_capitals(url: str) -> None:
    assert inline(url) == b"hello"


@pytest.mark.parametrize(
    "url", ["data:image/png;base64,a!bc", "data:image/png;base64,aGVsb", "data:;base64,a"]
)
def test_broken_base64_is_refused(url: str) -> None:
    with pytest.raises(FetchError, match="base64") as caught:
        place(url)
    assert caught.value.hint


@pytest.mark.parametrize("url", ["data:", "data:image/png;base64", "data:;base64;"])
def test_a_data_uri_without_data_is_refused(url: str) -> None:
    with pytest.raises(FetchError, match="no data"):
        place(url)


def test_an_inline_image_of_the_limits_size_is_taken() -> None:
    data = bytes(LIMIT)
    assert inline("data:;base64," + base64.b64encode(data).decode()) == data


def test_an_oversized_inline_image_is_refused_with_the_setting() -> None:
    code = base64.b64encode(bytes(LIMIT + 100)).decode()
    with pytest.raises(FetchError, match="longer") as caught:
        place(f"data:;base64,{code}")
    assert "EDGEFLOW_MAX_IMAGE_MB" in caught.value.hint
    assert code[:20] not in caught.value.message


def test_an_oversized_image_in_percent_code_is_refused() -> None:
    with pytest.raises(FetchError, match="longer"):
        place("data:," + "x" * (LIMIT + 100))


def test_an_image_in_percent_code_within_the_limit_is_taken() -> None:
    assert len(inline("data:," + "%00" * (LIMIT - 100))) == LIMIT - 100


def test_messages_never_contain_the_image() -> None:
    with pytest.raises(FetchError) as caught:
        place("data:image/png;base64," + "abcde" * 1001)
    assert "abcde" not in caught.value.message + caught.value.hint


def test_equal_inline_images_are_one_in_the_cache() -> None:
    one = place("data:image/png;base64,aGVsbG8=")
    assert one.key == place("data:,hello").key
    assert one.key != place("data:,hullo").key
    assert "hello" not in one.key


# Images in Label Studio


@pytest.mark.parametrize(
    "path",
    [
        "/data/upload/2/90472e8b-img.png",
        "/data/local-files/?d=photos/a%20b.jpg",
        "/tasks/3/resolve/?fileuri=czM6Ly9i",
        "/data/upload/1/Käse猫.png",
        "/data/upload/1/a:b@c.png",
    ],
)
def test_a_path_is_fetched_from_label_studio(path: str) -> None:
    assert web(path) == f"{STUDIO}{path}"


@pytest.mark.parametrize("path", ["/data/upload/1/a.png", "/labels/data/upload/1/a.png"])
def test_a_label_studio_below_a_path_is_found(path: str) -> None:
    assert web(path, "https://host/labels") == "https://host/labels/data/upload/1/a.png"


def test_a_path_without_a_configured_label_studio_says_what_to_set() -> None:
    with pytest.raises(FetchError, match="not configured") as caught:
        place("/data/upload/1/a.png", studio="")
    assert "LABEL_STUDIO_URL" in caught.value.hint


@settings(deadline=None)
@given(
    st.text(alphabet="/\\:@?#.%[]abhtps 0\t\n\r", max_size=12).map("/".__add__)
    | st.sampled_from(["/http://evil/x", "/file:///etc/passwd", "/\\evil/x", "/@evil/x", "/.evil"])
)
def test_a_path_never_leads_away_from_label_studio(path: str) -> None:
    try:
        source = place(path)
    except FetchError:
        return
    assert isinstance(source, WebSource)
    assert origin(source.url) == origin(STUDIO)


# Images elsewhere


@pytest.mark.parametrize(
    "url",
    [
        "http://host/a.png",
        "https://host:8443/a.png?X-Amz-Signature=abc",
        "HTTP://HOST/a.png",
        "http://127.0.0.1:9000/a.png",
        "http://[::1]:9000/a.png",
        "http://host/Käse 猫.png",
    ],
)
def test_a_url_on_the_web_is_fetched_as_it_is(url: str) -> None:
    assert web(url, studio="") == url
    assert place(f" {url}\n").key == url


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("file:///etc/passwd", "file"),
        ("FILE:///etc/passwd", "FILE"),
        ("ftp://host/a.png", "ftp"),
        ("s3://bucket/a.png", "s3"),
        ("gs://bucket/a.png", "gs"),
        ("azure-blob://c/a.png", "azure-blob"),
        ("javascript:alert(1)", "javascript"),
        ("gopher://host/", "gopher"),
        ("unix:///var/run/docker.sock", "unix"),
        ("//host/a.png", "no scheme"),
        ("a.png", "no scheme"),
        ("", "no scheme"),
        ("   ", "no scheme"),
        ("猫.png", "no scheme"),
        ("http:", "http"),
        ("http://", "http"),
        ("http:///a.png", "http"),
        ("http://[", "http"),
        ("http:a.png", "http"),
    ],
)
def test_a_url_of_another_kind_is_refused_by_its_kind(url: str, kind: str) -> None:
    with pytest.raises(FetchError) as caught:
        place(url)
    assert f"({kind})" in caught.value.message
    assert caught.value.hint


def test_the_kind_is_all_that_is_said_of_a_refused_url() -> None:
    with pytest.raises(FetchError) as caught:
        place("s3://bucket/secret-name.png?token=abc")
    assert "secret-name" not in caught.value.message
    assert "abc" not in caught.value.message


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_source_or_a_typed_error(url: str) -> None:
    with contextlib.suppress(FetchError):
        assert place(url).key


# Images in cloud storage


def cloud(uri: str, studio: str = STUDIO, host: str = "", task_id: object = 7) -> CloudSource:
    source = locate(uri, studio, max_bytes=LIMIT, host=host, task_id=task_id)
    assert isinstance(source, CloudSource)
    return source


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/a.png",
        "gs://bucket/folder/a.png",
        "azure-blob://container/a.png",
        "s3://bucket/Käse 猫?.png",
        "s3://bucket/" + "x" * 500,
        "s3://bucket/>>>???.png",
    ],
)
def test_a_cloud_uri_is_resolved_by_label_studio(uri: str) -> None:
    source = cloud(uri)
    path, _, code = source.url.partition("?fileuri=")
    assert path == f"{STUDIO}/tasks/7/presign/"
    assert base64.urlsafe_b64decode(code.encode()).decode() == uri  # as Label Studio reads it
    assert not set(code) & set("+/ ")


def test_a_cloud_uri_is_resolved_below_label_studios_path() -> None:
    source = cloud("s3://b/a.png", studio="https://host/labels")
    assert source.url.startswith("https://host/labels/tasks/7/presign/?fileuri=")


@pytest.mark.parametrize("task_id", [7, "7"])
def test_a_tasks_id_may_be_a_number_or_its_text(task_id: object) -> None:
    assert "/tasks/7/" in cloud("s3://b/a.png", task_id=task_id).url


@pytest.mark.parametrize("task_id", [None, "", "x", "../1", "7/../8", -1, 1.5, True, [], {}, "٣"])
def test_a_cloud_uri_without_a_tasks_id_is_refused_in_words(task_id: object) -> None:
    with pytest.raises(FetchError, match="no id") as caught:
        cloud("s3://bucket/secret-name.png", task_id=task_id)
    assert "(s3)" in caught.value.message
    assert "secret-name" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("scheme", ["s3", "gs", "azure-blob"])
def test_a_cloud_uri_without_label_studio_is_refused_in_words(scheme: str) -> None:
    with pytest.raises(FetchError, match="not configured") as caught:
        cloud(f"{scheme}://bucket/secret-name.png", studio="")
    assert f"({scheme})" in caught.value.message
    assert "secret-name" not in caught.value.message
    assert "LABEL_STUDIO_URL" in caught.value.hint


@settings(deadline=None)
@given(st.text())
def test_any_cloud_uri_stays_on_label_studio(rest: str) -> None:
    assert origin(cloud(f"s3://b/{rest}").url) == origin(STUDIO)


# What images are cached under


def test_a_cloud_image_is_cached_for_its_task_alone() -> None:
    assert cloud("s3://b/a.png", task_id=7).key == cloud("s3://b/a.png", task_id=7).key
    assert cloud("s3://b/a.png", task_id=7).key != cloud("s3://b/a.png", task_id=8).key
    assert cloud("s3://b/a.png").key != cloud("s3://b/b.png").key


def test_images_of_different_label_studios_are_never_one_in_the_cache() -> None:
    urls = ["/data/upload/1/a.png", "http://host/a.png", "s3://b/a.png"]
    keys = [
        locate(url, studio, max_bytes=LIMIT, host=host, task_id=7).key
        for url in urls
        for host, studio in [("", STUDIO), ("team-a", STUDIO), ("team-b", STUDIO)]
    ]
    assert len(set(keys)) == len(keys)


def test_a_label_studio_that_moved_has_other_images() -> None:
    for url in ("/data/upload/1/a.png", "s3://b/a.png"):
        keys = {
            locate(url, studio, max_bytes=LIMIT, host="team-a", task_id=7).key
            for studio in (STUDIO, "http://elsewhere")
        }
        assert len(keys) == 2


def test_equal_inline_images_are_one_in_the_cache_for_all_label_studios() -> None:
    keys = {locate("data:,hello", STUDIO, max_bytes=LIMIT, host=host).key for host in ("", "b")}
    assert len(keys) == 1


def test_no_url_of_one_label_studio_looks_like_one_of_another() -> None:
    disguised = ["team-b http://host/a.png", f"team-b {STUDIO} s3://b/a.png", " http://host/a.png"]
    wanted = {
        locate(url, STUDIO, max_bytes=LIMIT, host="team-b", task_id=7).key
        for url in ("http://host/a.png", "s3://b/a.png")
    }
    for url in disguised:
        with contextlib.suppress(FetchError):
            assert locate(url, STUDIO, max_bytes=LIMIT, task_id=7).key not in wanted


# A task's data


def test_the_image_stands_under_the_tags_key() -> None:
    assert task_image({"image": "/a.png", "other": "/b.png"}, TAG, None) == "/a.png"


@pytest.mark.parametrize(("index", "expected"), [(None, "/a"), (0, "/a"), (1, "/b"), (2, "/c")])
def test_an_image_of_several_is_chosen_by_the_item(index: int | None, expected: str) -> None:
    assert task_image({"image": ["/a", "/b", "/c"]}, TAG, index) == expected


def test_an_item_does_not_matter_where_there_is_one_image() -> None:
    assert task_image({"image": "/a"}, TAG, 5) == "/a"


@pytest.mark.parametrize("index", [3, 10**9])
def test_an_item_beyond_the_last_image_is_refused(index: int) -> None:
    with pytest.raises(FetchError, match="3 images") as caught:
        task_image({"image": ["/a", "/b", "/c"]}, TAG, index)
    assert str(index + 1) in caught.value.message


def test_a_task_without_images_is_refused() -> None:
    with pytest.raises(FetchError, match="0 images"):
        task_image({"image": []}, TAG, None)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"photo": "/a"},
        {"image": None},
        {"image": ""},
        {"image": 5},
        {"image": {}},
        {"image": [None]},
        {"image": [{"url": "/a"}]},
        {"image": [["/a"]]},
    ],
    ids=str,
)
def test_a_missing_image_is_refused_with_the_tag_and_the_key(data: dict[str, Any]) -> None:
    with pytest.raises(FetchError, match="'image'") as caught:
        task_image(data, TAG, None)
    assert "'photo'" in caught.value.hint


def test_the_captured_task_of_several_images_has_its_second_one() -> None:
    body = captured("ui_120_multi_img2_031_predict.json")
    data = body["tasks"][0]["data"]
    index = body["params"]["context"]["result"][-1]["item_index"]
    assert task_image(data, ImageTag("image", "$images"), index) == data["images"][index]
