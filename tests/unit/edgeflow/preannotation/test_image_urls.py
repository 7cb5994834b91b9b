from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.annotated import AnnotatedImage
from edgeflow.export.pictures import FilePicture
from edgeflow.geometry import Size
from edgeflow.preannotation.image_urls import (
    LOCAL_FILES,
    BelowPrefix,
    BelowRoot,
    ImageURLError,
    check_upright,
    file_of,
)
from tests.unit.edgeflow.data.making import image_file, put, turned_image


def image(name: str, path: Path | None = None, size: Size | None = None) -> AnnotatedImage:
    shown = size or Size(4, 6)
    picture = FilePicture(path, shown) if path is not None else None
    return AnnotatedImage(name, name, shown, (), picture)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_comes_back_from_its_url(name: str) -> None:
    url = BelowPrefix().url(image(name))
    assert parse_qs(urlsplit(url).query, keep_blank_values=True)["d"] == [name]
    url = BelowPrefix("https://host/x/").url(image(name))
    assert unquote(urlsplit(url).path) == f"/x/{name}"


def test_names_of_files_may_be_any_bytes() -> None:
    assert BelowPrefix("/").url(image("\udcff.jpg")) == "/%FF.jpg"


def test_local_files_are_named_by_their_path_below_the_folder(tmp_path: Path) -> None:
    put(tmp_path, {"a b/ü.jpg": image_file()})
    url = BelowRoot(tmp_path).url(image("ü.jpg", tmp_path / "a b" / "ü.jpg"))
    assert url == f"{LOCAL_FILES}a%20b/%C3%BC.jpg"


def test_a_file_outside_the_folder_has_no_url(tmp_path: Path) -> None:
    put(tmp_path, {"a.jpg": image_file(), "root/b.jpg": image_file()})
    with pytest.raises(ImageURLError, match="not below") as caught:
        BelowRoot(tmp_path / "root").url(image("a.jpg", tmp_path / "root" / ".." / "a.jpg"))
    assert "--local-files" in caught.value.hint


def test_an_image_without_a_file_has_none_to_upload() -> None:
    with pytest.raises(ImageURLError, match="not at hand"):
        file_of(image("a.jpg"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_masks_that_would_lie_across_the_image_are_refused(
    tmp_path: Path, orientation: int
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(turned_image(4, 6, orientation))
    upright = Size(6, 4) if orientation >= 5 else Size(4, 6)
    check_upright(image("a.png", path, upright))
    if orientation >= 5:
        with pytest.raises(ImageURLError, match="EXIF"):
            check_upright(image("a.png", path, Size(4, 6)))


@pytest.mark.parametrize("data", [None, b"", b"torn"])
def test_what_cannot_be_read_is_told_by_who_reads_it(tmp_path: Path, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / "a.png").write_bytes(data)
    check_upright(image("a.png", tmp_path / "a.png"))
    check_upright(image("a.png"))
