from __future__ import annotations

import pytest

from edgeflow.agreement.packed import PackedImage
from edgeflow.agreement.pairing import pair_images
from edgeflow.geometry import Size

SIZE = Size(4, 6)


def image(key: str, file_name: str, size: Size = SIZE) -> PackedImage:
    return PackedImage(key, file_name, size, ())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (image("3\na.jpg", "x.jpg"), image("3\na.jpg", "y.jpg")),
        (image("1", "val/a.jpg"), image("2", "val/a.png")),
        (image("1", "val/a.jpg"), image("2", "images/a.png")),
        (image("1", "0a1b2c3d-a.jpg"), image("2", "a.jpg")),
        (image("1", "a"), image("2", "b/a.jpg")),
    ],
    ids=["key", "path", "name", "upload", "no extension"],
)
def test_an_image_is_found_by_its_key_path_or_name(one: PackedImage, other: PackedImage) -> None:
    paired = pair_images([one], [other])
    assert paired == ([(one, other)], [], [], [])
    assert pair_images([other], [one]).pairs == [(other, one)]


def test_the_more_certain_name_decides() -> None:
    ones = [image("1", "x/a.jpg"), image("2", "y/a.jpg"), image("3", "z/b.jpg")]
    others = [image("7", "y/a.jpg"), image("8", "x/a.jpg"), image("9", "q/b.jpg")]
    paired = pair_images(ones, others)
    found = [(one.key, other.key) for one, other in paired.pairs]
    assert found == [("1", "8"), ("2", "7"), ("3", "9")]


def test_what_could_be_two_images_is_none() -> None:
    """As with two tasks of one image."""
    one, first, second = image("1", "a.jpg"), image("7", "a.jpg"), image("8", "a.jpg")
    assert pair_images([one], [first, second]) == ([], [], [one], [first, second])


def test_a_name_tells_nothing_even_if_the_other_image_of_that_name_is_paired() -> None:
    ones = [image("1", "x/a.jpg"), image("2", "y/a.jpg")]
    others = [image("1", "x/a.jpg"), image("7", "z/a.jpg")]
    paired = pair_images(ones, others)
    assert paired == ([(ones[0], others[0])], [], [ones[1]], [others[1]])


def test_in_one_source_pictures_of_one_name_in_two_folders_are_different() -> None:
    one, other = image("1", "x/a.jpg"), image("2", "y/a.jpg")
    assert pair_images([one], [other], one_source=True).pairs == []
    same = image("3", "x/a.jpg")
    assert pair_images([one], [same], one_source=True).pairs == [(one, same)]


def test_what_is_missing_is_told() -> None:
    one, other = image("1", "a.jpg"), image("2", "b.jpg")
    assert pair_images([one], [other]) == ([], [], [one], [other])


def test_images_of_another_size_are_told() -> None:
    one, other = image("1", "a.jpg"), image("1", "a.jpg", Size(8, 12))
    assert pair_images([one], [other]) == ([], [(one, other)], [], [])
