from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest

from edgeflow.data.base import DatasetError
from edgeflow.data.coco_masks import decode_segmentation
from edgeflow.data.layouts.cvat import Cvat
from edgeflow.data.left_out import LeftOut
from edgeflow.geometry import Size
from tests.unit.edgeflow.data.making import (
    FIRST,
    SECOND,
    image_file,
    objects,
    pixels,
    put,
    turned_image,
)

META = (
    "<version>1.1</version><meta><task><labels><label><name>cat</name><type>any</type></label>"
    "<label><name>a/b é</name></label></labels></task></meta>"
)


def mask(rle: str, box: str = "1,1,2,2", label: str = "cat", **more: object) -> str:
    names = ("left", "top", "width", "height")
    sides = " ".join(f'{name}="{each}"' for name, each in zip(names, box.split(","), strict=False))
    extra = " ".join(f"{key}={quoteattr(str(value))}" for key, value in more.items())
    return f"<mask label={quoteattr(label)} rle={quoteattr(rle)} {sides} {extra}/>"


def tree(root: Path, *shapes: str, image: str = 'name="a.jpg" width="6" height="4"') -> Path:
    text = f"<annotations>{META}<image id='0' {image}>{''.join(shapes)}</image></annotations>"
    return put(root, {"annotations.xml": text.encode(), "images/a.jpg": image_file()})


def test_masks_are_read_by_their_runs(tmp_path: Path) -> None:
    shapes = mask("0, 4"), mask("0,1,1,1,1", "4,1,2,2", "a/b é")
    dataset = Cvat(tree(tmp_path / "set", *shapes))
    assert (dataset.name, dataset.sample_names) == ("set", ("a",))
    assert dataset.class_names == ("cat", "a/b é")
    assert objects(dataset) == [FIRST, SECOND]
    assert dataset[0].labels == ("cat", "a/b é")


def test_objects_come_from_the_lowest_to_the_highest_and_groups_are_one(tmp_path: Path) -> None:
    dots = [
        mask("0,1", "0,0,1,1", z_order=2),
        mask("0,1", "1,0,1,1", z_order=1, group_id=5),
        mask("0,1", "2,0,1,1", z_order=-1, group_id=0),
        mask("0,1", "3,0,1,1", z_order=3, group_id=5),
        mask("0,1", "4,0,1,1", z_order=3, group_id=5, label="dog"),
    ]
    dataset = Cvat(tree(tmp_path, *dots))
    assert objects(dataset) == [[(0, 2)], [(0, 1), (0, 3)], [(0, 0)], [(0, 4)]]
    assert dataset[0].labels == ("cat", "cat", "cat", "dog")


def test_polygons_are_filled_as_for_coco_and_ellipses_by_their_border(tmp_path: Path) -> None:
    polygon = '<polygon label="cat" points="1.5,2.0;50.25,8;30,55.5"/>'
    ellipse = '<ellipse label="cat" cx="40" cy="30" rx="20" ry="5" rotation="30"/>'
    tree(tmp_path, polygon, ellipse, image='name="a.jpg" width="83" height="61"')
    put(tmp_path, {"images/a.jpg": image_file(61, 83)})
    outline, oval = Cvat(tmp_path)[0].objects
    expected = decode_segmentation([[1.5, 2.0, 50.25, 8, 30, 55.5]], Size(61, 83))
    assert np.array_equal(outline, expected)
    rows, cols = np.mgrid[:61, :83]
    x, y, angle = cols + 0.5 - 40, rows + 0.5 - 30, np.radians(30)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    inside = (along / 20) ** 2 + (across / 5) ** 2 <= 1
    assert (oval & inside).sum() / (oval | inside).sum() > 0.98


def test_what_covers_nothing_is_left_out(tmp_path: Path) -> None:
    shapes = [
        '<box label="cat" xtl="0" ytl="0" xbr="3" ybr="3"/>',
        '<polyline label="cat" points="0,0;3,3"/>',
        '<skeleton label="x"><points label="y" points="1,1"/></skeleton>',
        '<tag label="z"/>',
    ]
    sample = Cvat(tree(tmp_path, *shapes))[0]
    assert sample.objects == ()
    assert [each.reason.removeprefix("shapes of type ") for each in sample.left_out] == [
        "box", "polyline", "skeleton", "tag",
    ]  # fmt: skip


DAMAGED = [
    mask("0,3"), mask("0,5"), mask("0,-1,5"), mask("0,x"), mask(""), mask("0,4", "5,1,2,2"),
    mask("0,4", "-1,1,2,2"), mask("0,4", "1,1,2"), mask("0,4", "1.5,1,2,2"),
    mask("0," + "9" * 30), mask("0,99999999999", "0,0,400000,400000"),
    '<polygon points="1,2;3"/>', '<polygon points="1,2;3,x;4,5"/>', "<polygon/>",
    '<polygon points="1,2;1e9,3;4,5"/>', '<ellipse cx="1"/>', '<ellipse cx="1" cy="1" rx="nan"/>',
]  # fmt: skip


@pytest.mark.parametrize("damaged", DAMAGED, ids=range(len(DAMAGED)))
def test_one_shape_that_cannot_be_read_costs_only_itself(tmp_path: Path, damaged: str) -> None:
    sample = Cvat(tree(tmp_path, damaged, mask("0, 4")))[0]
    assert [pixels(each) for each in sample.objects] == [FIRST]
    assert len(sample.left_out) == 1
    assert sample.left_out[0].fault


def test_images_are_found_in_their_subset(tmp_path: Path) -> None:
    root = tree(tmp_path, mask("0, 4"), image='name="a.jpg" subset="train"')
    put(root, {"images/train/a.jpg": image_file(kind="PNG")})
    sample = Cvat(root)[0]
    assert (sample.name, sample.file_name) == ("train/a", "train/a.jpg")
    assert sample.rgb[3, 0, 0] == 60  # lossless: the one in the subset


def test_the_file_itself_can_be_given_and_the_images_may_lie_elsewhere(tmp_path: Path) -> None:
    root = tree(tmp_path / "x", mask("0, 4"))
    (root / "images/a.jpg").rename(tmp_path / "a.jpg")
    with pytest.raises(DatasetError, match=r"images not found in .*: 1 \(a\.jpg\)"):
        Cvat(root)
    assert Cvat.recognise(root / "annotations.xml")
    assert objects(Cvat(root / "annotations.xml", images=tmp_path)) == [FIRST]


def test_of_several_files_one_must_be_chosen(tmp_path: Path) -> None:
    root = tree(tmp_path, mask("0, 4"))
    (root / "val.xml").write_bytes((root / "annotations.xml").read_bytes())
    (root / "annotations.xml").rename(root / "train.xml")
    with pytest.raises(DatasetError, match="2 splits and none is chosen"):
        Cvat(root)
    assert objects(Cvat(root, split="val")) == [FIRST]


def test_the_size_decides_the_orientation(tmp_path: Path) -> None:
    root = tree(tmp_path, mask("0, 4"))
    put(root, {"images/a.jpg": turned_image(4, 6, 6)})
    assert Cvat(root)[0].rgb.shape == (4, 6, 3)


def test_images_without_a_safe_name_are_left_out(tmp_path: Path) -> None:
    root = tree(tmp_path, mask("0, 4"))
    text = (root / "annotations.xml").read_text(encoding="utf-8")
    more = '<image name="../../etc/passwd"/><image/><track id="0"/><image name="a.jpg"/>'
    (root / "annotations.xml").write_text(text.replace("</meta>", f"</meta>{more}"), "utf-8")
    dataset = Cvat(root)
    assert len(dataset) == 1
    reasons = [each.reason for each in dataset.left_out]
    assert "is not a name for an image" in reasons[0]
    assert reasons[1:3] == ["an image without a name", "tracks of videos"]
    assert LeftOut("a second image of this name", "a") in dataset.left_out


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE a [<!ENTITY b 'c'>]><annotations>&b;</annotations>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><annotations/>",
        "<annotations>",
        "<other/>",
        "<annotations>" + "<a>" * 200 + "</a>" * 200 + "</annotations>",
        "<annotations/>",
        "",
    ],
    ids=["entity", "external", "open", "other", "deep", "none", "empty"],
)
def test_what_is_no_file_of_cvat_is_refused(tmp_path: Path, text: str) -> None:
    put(tmp_path, {"a.xml": text.encode()})
    with pytest.raises(DatasetError):
        Cvat(tmp_path / "a.xml")


def several(root: Path, *images: str) -> Path:
    shape = mask("0, 4")
    tags = "".join(f"<image {each} width='6' height='4'>{shape}</image>" for each in images)
    return put(root, {"annotations.xml": f"<annotations>{META}{tags}</annotations>".encode()})


def test_an_image_of_a_subset_is_not_taken_for_its_namesake(tmp_path: Path) -> None:
    several(tmp_path, 'name="x/a.jpg" subset="train"', 'name="a.jpg"')
    put(tmp_path, {"images/x/a.jpg": image_file(), "images/a.jpg": image_file()})
    paths = [each.path for each in map(Cvat(tmp_path).__getitem__, range(2))]
    assert paths == [tmp_path / "images/x/a.jpg", tmp_path / "images/a.jpg"]


def test_a_missing_image_is_not_taken_for_its_namesake(tmp_path: Path) -> None:
    put(several(tmp_path, 'name="x/a.jpg"'), {"images/a.jpg": image_file()})
    assert Cvat(tmp_path)[0].path == tmp_path / "images/a.jpg"
    several(tmp_path, 'name="x/a.jpg"', 'name="a.jpg"')
    with pytest.raises(DatasetError, match=r"not found in .*: 1 \(x/a\.jpg\)"):
        Cvat(tmp_path)


@pytest.mark.parametrize("name", [".", "/", "..", "x/.."])
def test_a_name_of_no_file_costs_only_its_image(tmp_path: Path, name: str) -> None:
    several(tmp_path, f'name="{name}"', 'name="a.jpg"')
    dataset = Cvat(put(tmp_path, {"images/a.jpg": image_file()}))
    assert dataset.sample_names == ("a",)
    assert [each.fault for each in dataset.left_out] == ["annotations.xml"]


def test_a_label_that_is_not_declared_is_a_class(tmp_path: Path) -> None:
    box = '<box label="bird" xtl="0" ytl="0" xbr="1" ybr="1"/>'
    dataset = Cvat(tree(tmp_path, mask("0, 4", label="zebra"), mask("0, 4", label="dog"), box))
    assert dataset.class_names == ("cat", "a/b é", "dog", "zebra")
