"""The driver, with a format that is simple enough to be seen through."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeflow.annotated import AnnotatedImage, AnnotatedObject
from edgeflow.data.base import DatasetError
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import FileWriteError
from edgeflow.export.classes import Classes
from edgeflow.export.format import Choices, Format, Page, Plan, Unlabelled
from edgeflow.export.journal import FILE
from edgeflow.export.output import File, Record, Written
from edgeflow.export.pictures import Bring, FilePicture
from edgeflow.export.run import SKIPPED, Export
from edgeflow.export.splits import Splits
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from tests.unit.edgeflow.export.exported import export, load

SIZE = Size(4, 6)
WHOLE = "all.json"


class Listing:
    """A text file an image, and a list of all; it counts what it is asked for."""

    def __init__(self, *, pictures: str | None = None, copies: bool = False) -> None:
        self.asked: list[str] = []
        self.format = Format("a listing", self.image, self.whole, pictures, copies)

    def image(self, page: Page, plan: Plan) -> Written:
        self.asked.append(page.name)
        labels = [each.label for each in page.image.objects]
        if "bad" in labels:
            raise DatasetError("it is bad", hint="mend it")
        left_out = (LeftOut("points"),) if "point" in labels else ()
        numbers = [plan.classes.number(label) for label in labels]
        text = json.dumps([page.picture_name, numbers])
        return Written((File(f"{page.name}.txt", text.encode()),), {"name": page.name}, left_out)

    def whole(self, records: Iterable[Record], plan: Plan) -> Iterator[File]:
        names = [record["name"] for record in records]
        assert names == [record["name"] for record in records]
        yield File(WHOLE, iter([json.dumps([names, plan.classes.names]).encode(), b"\n"]))


def image(name: str, *labels: str | None, picture: FilePicture | None = None) -> AnnotatedImage:
    mask = MaskPatch.of(np.eye(*SIZE, dtype=np.bool_))
    objects = tuple(
        AnnotatedObject(str(number), () if label is None else (label,), mask)
        for number, label in enumerate(labels)
    )
    return AnnotatedImage(f"{name}\n{name}", f"{name}.png", SIZE, objects, picture)


def run(
    folder: Path,
    listing: Listing,
    *images: AnnotatedImage,
    pictures: Bring = "auto",
    unlabelled: Unlabelled = "keep",
) -> list[LeftOut]:
    classes = Classes(("a", "bad", "point", "new"), unlabelled=True)
    plan = Plan("p", classes, Choices(unlabelled=unlabelled))
    started = Export({folder: listing.format}, plan, Splits(), pictures)
    left_out = [each for one in images for each in started.add(one)]
    list(started.finish())
    return left_out


def files(folder: Path) -> set[str]:
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return set(paths) - {FILE}


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in sorted(files(folder))}


def test_files_of_images_and_of_the_whole_are_written(tmp_path: Path) -> None:
    assert run(tmp_path, Listing(), image("x/one", "a"), image("two", "a", None)) == []
    assert files(tmp_path) == {"x/one.txt", "two.txt", WHOLE}
    assert json.loads((tmp_path / "two.txt").read_text()) == ["two.png", [1, 5]]
    names = ["a", "bad", "point", "new", "unlabelled"]
    assert json.loads((tmp_path / WHOLE).read_text()) == [["x/one", "two"], names]


def test_a_class_for_objects_without_one_is_there_only_if_there_are_some(tmp_path: Path) -> None:
    run(tmp_path, Listing(), image("one", "a"))
    assert "unlabelled" not in json.loads((tmp_path / WHOLE).read_text())[1]


def test_objects_without_a_label_are_left_out_if_the_user_wants_it(tmp_path: Path) -> None:
    images = [image("one", "a", None), image("two", None), image("empty")]
    told = run(tmp_path, Listing(), *images, unlabelled="skip")
    assert told == [LeftOut(SKIPPED)] * 2
    assert json.loads((tmp_path / "one.txt").read_text())[1] == [1]
    assert files(tmp_path) == {"one.txt", "empty.txt", WHOLE}


def test_an_image_that_a_format_refuses_is_told_and_the_others_are_written(tmp_path: Path) -> None:
    told = run(tmp_path, Listing(), image("one", "bad"), image("two", "point"))
    assert told == [LeftOut("it is bad; mend it", "one.png"), LeftOut("points")]
    assert files(tmp_path) == {"two.txt", WHOLE}


def test_of_several_formats_it_is_told_which_one_lacks_something(tmp_path: Path) -> None:
    plan = Plan("p", Classes(("a", "bad", "point", "new")))
    targets = {tmp_path / name: Listing().format for name in ("x", "y")}
    started = Export(targets, plan, Splits(), "auto")
    told = [each for label in ("point", "bad") for each in started.add(image(label, label))]
    assert [each.reason for each in told] == [
        "x: points",
        "y: points",
        "x: it is bad; mend it",
        "y: it is bad; mend it",
    ]


def test_what_is_written_is_not_written_again(tmp_path: Path) -> None:
    listing = Listing()
    images = [image("one", "a"), image("two", "point")]
    first = run(tmp_path, listing, *images)
    before = content(tmp_path)
    assert run(tmp_path, listing, *images) == first  # what was left out is told again
    assert listing.asked == ["one", "two"]
    assert content(tmp_path) == before


def test_what_changed_or_is_gone_is_written_again(tmp_path: Path) -> None:
    listing = Listing()
    run(tmp_path, listing, image("one", "a"), image("two", "a"), image("three", "a"))
    (tmp_path / "two.txt").unlink()
    run(tmp_path, listing, image("one", "new"), image("two", "a"), image("three", "a"))
    assert listing.asked == ["one", "two", "three", "one", "two"]
    assert json.loads((tmp_path / "one.txt").read_text())[1] == [4]


def test_an_interrupted_export_goes_on_where_it_stopped(tmp_path: Path) -> None:
    images = [image(name, "a") for name in ("one", "two", "three")]
    plan = Plan("p", Classes(("a", "bad", "point", "new"), unlabelled=True))
    stopped = Listing()
    started = Export({tmp_path / "x": stopped.format}, plan, Splits(), "auto")
    for one in images[:2]:
        list(started.add(one))
    with (tmp_path / "x" / FILE).open("ab") as journal:  # as if the power had failed in a line
        journal.write(b'["three", "0123')
    (tmp_path / "x" / "three.txt").write_bytes(b"half")
    with (tmp_path / "x" / FILE).open("ab") as journal:
        journal.write(b"\n" + json.dumps(["", "", ["three.txt"], {}, []]).encode() + b"\n")
    resumed = Listing()
    run(tmp_path / "x", resumed, *images)
    assert resumed.asked == ["three"]
    run(tmp_path / "y", Listing(), *images)
    assert content(tmp_path / "x") == content(tmp_path / "y")
    assert (tmp_path / "x" / FILE).read_bytes() == (tmp_path / "y" / FILE).read_bytes()


class PowerFailureError(Exception):
    """The power failed."""


class CutOff(Listing):
    """Fails after the first file of an image was written."""

    def image(self, page: Page, plan: Plan) -> Written:
        files, record, left_out = super().image(page, plan)

        def fail(_: str) -> bytes:
            raise PowerFailureError

        return Written((*files, File("never.txt", map(fail, "x"))), record, left_out)


def test_an_interrupted_change_is_not_taken_for_what_was_there_before(tmp_path: Path) -> None:
    run(tmp_path, Listing(), image("one", "a"))
    with pytest.raises(PowerFailureError):
        run(tmp_path, CutOff(), image("one", "new"))
    run(tmp_path, Listing(), image("one", "a"))
    assert json.loads((tmp_path / "one.txt").read_text())[1] == [1]


def test_an_image_whose_files_another_one_got_in_an_interrupted_run_is_written_again(
    tmp_path: Path,
) -> None:
    first, second = (
        replace(image("one", label), key=f"{label}\none.png") for label in ("a", "new")
    )
    run(tmp_path, Listing(), first, second)
    before = content(tmp_path)
    plan = Plan("p", Classes(("a", "bad", "point", "new"), unlabelled=True))
    list(Export({tmp_path: Listing().format}, plan, Splits(), "auto").add(second))
    run(tmp_path, Listing(), first, second)
    assert content(tmp_path) == before


def test_images_of_one_key_stay_apart(tmp_path: Path) -> None:
    """As of merged exports, in which two tasks have one number."""
    shapes = [MaskPatch.of(np.arange(24).reshape(SIZE) == place) for place in (3, 8)]
    images = [
        AnnotatedImage("5\na.png", "a.png", SIZE, (AnnotatedObject("r", ("a",), shape),))
        for shape in shapes
    ]
    export(tmp_path, "coco", *images)
    coco = load(tmp_path)
    boxes = {each["image_id"]: each["bbox"] for each in coco.dataset["annotations"]}
    assert [boxes[each["id"]][:2] for each in coco.dataset["images"]] == [[3, 0], [2, 1]]


def test_files_of_images_that_are_no_more_are_taken_away(tmp_path: Path) -> None:
    run(tmp_path, Listing(), image("x/one", "a"), image("two", "a"))
    (tmp_path / "x" / "mine.txt").write_bytes(b"kept")
    run(tmp_path, Listing(), image("two", "a"))
    assert files(tmp_path) == {"two.txt", WHOLE, "x/mine.txt"}
    (tmp_path / "x" / "mine.txt").unlink()
    run(tmp_path, Listing(), image("y/three", "a"))
    run(tmp_path, Listing(), image("two", "a"))
    assert not (tmp_path / "y").exists()


class Doubled(Listing):
    """Two text files an image."""

    def image(self, page: Page, plan: Plan) -> Written:
        (file,), record, left_out = super().image(page, plan)
        return Written((file, File(f"{page.name}_more.txt", b"more")), record, left_out)


def test_two_images_never_share_a_file(tmp_path: Path) -> None:
    images = [image("one", "a"), image("ONE_more", "a"), image("two", "a")]
    told = run(tmp_path, Doubled(), *images)
    assert [each.fault for each in told] == ["ONE_more.png"]
    assert "that of another image" in told[0].reason
    assert (tmp_path / "one_more.txt").read_bytes() == b"more"
    assert json.loads((tmp_path / WHOLE).read_text())[0] == ["one", "two"]


def test_an_image_that_comes_later_is_told_though_an_earlier_export_wrote_it(
    tmp_path: Path,
) -> None:
    run(tmp_path, Doubled(), image("one_more", "a"))
    told = run(tmp_path, Doubled(), image("one", "a"), image("one_more", "a"))
    assert [each.fault for each in told] == ["one_more.png"]
    assert files(tmp_path) == {"one.txt", "one_more.txt", WHOLE}
    assert json.loads((tmp_path / WHOLE).read_text())[0] == ["one"]


def test_a_file_that_no_export_wrote_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_bytes(b"mine")
    with pytest.raises(FileWriteError, match=r"one\.txt is there already"):
        run(tmp_path, Listing(), image("one", "a"))
    assert (tmp_path / "one.txt").read_bytes() == b"mine"


@pytest.mark.parametrize("path", ["/etc/passwd", "../mine.txt", "a/../../mine.txt", "", 5])
def test_a_journal_from_elsewhere_takes_nothing_away(tmp_path: Path, path: object) -> None:
    (tmp_path / "mine.txt").write_bytes(b"mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / FILE).write_text(json.dumps(["k", "d", [path], {}, []]) + "\n[1]\nnull\n{\n")
    run(folder, Listing(), image("one", "a"))
    assert (tmp_path / "mine.txt").read_bytes() == b"mine"
    assert files(folder) == {"one.txt", WHOLE}


def picture(folder: Path, name: str, orientation: int = 1) -> FilePicture:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = folder / name
    size = Size(6, 4) if orientation >= 5 else SIZE
    Image.fromarray(np.zeros((4, 6, 3), dtype=np.uint8)).save(path, exif=exif)
    return FilePicture(path, size)


@pytest.mark.parametrize(
    ("bring", "copies", "brought"),
    [("auto", True, True), ("auto", False, False), ("leave", True, False), ("copy", False, True)],
)
def test_pictures_come_where_trainers_look_for_them(
    tmp_path: Path, bring: Bring, copies: bool, brought: bool
) -> None:
    source = picture(tmp_path, "source.png")
    listing = Listing(pictures="images/{split}", copies=copies)
    out = tmp_path / "out"
    run(out, listing, image("x/one", "a", picture=source), pictures=bring)
    assert ("images/x/one.png" in files(out)) == brought
    if brought:
        assert (out / "images/x/one.png").read_bytes() == source.path.read_bytes()


def test_a_link_leads_to_the_picture_and_a_turned_one_is_saved(tmp_path: Path) -> None:
    straight, turned = picture(tmp_path, "a.png"), picture(tmp_path, "b.png", 6)
    listing = Listing(pictures="images")
    pages = [image("one", "a", picture=straight), image("two", "a", picture=turned)]
    run(tmp_path / "out", listing, *pages, pictures="link")
    assert (tmp_path / "out/images/one.png").readlink() == straight.path.resolve()
    assert not (tmp_path / "out/images/two.png").is_symlink()
    with Image.open(tmp_path / "out/images/two.png") as saved:
        assert saved.size == (4, 6)


@pytest.mark.parametrize("bring", ["copy", "link"])
def test_a_picture_that_was_linked_is_still_there_after_another_run(
    tmp_path: Path, bring: Bring
) -> None:
    source = picture(tmp_path, "a.png")
    runs: tuple[tuple[str, Bring], ...] = (("a", "link"), ("new", bring))
    for label, how in runs:
        one = image("one", label, picture=source)
        run(tmp_path / "out", Listing(pictures="images"), one, pictures=how)
    brought = tmp_path / "out/images/one.png"
    assert brought.is_file()
    assert brought.is_symlink() == (bring == "link")


def test_nothing_is_written_through_a_link_of_an_earlier_run(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    source, other = picture(tmp_path, "a.png"), picture(tmp_path / "other", "a.png", 3)
    before = source.path.read_bytes()
    runs: tuple[tuple[FilePicture, Bring], ...] = ((source, "link"), (other, "copy"))
    for one, how in runs:
        run(tmp_path / "out", Listing(pictures=""), image("one", picture=one), pictures=how)
    (tmp_path / "out/one.txt").unlink()
    (tmp_path / "out/one.txt").symlink_to(source.path)
    run(tmp_path / "out", Listing(), image("one", "new"))
    assert source.path.read_bytes() == before


def test_a_picture_that_lies_there_already_is_left_and_never_taken_away(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    source = picture(tmp_path, "images/one.png")
    listing = Listing(pictures="images", copies=True)
    run(tmp_path, listing, image("one", "a", picture=source))
    run(tmp_path, listing, image("two", "a"))
    assert source.path.is_file()


def test_a_copy_of_an_earlier_run_that_is_now_read_itself_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    listing = Listing(pictures="images", copies=True)
    run(out, listing, image("one", "a", picture=picture(tmp_path, "a.png")))
    copied = FilePicture(out / "images/one.png", SIZE)
    brought: tuple[tuple[str, Bring], ...] = (("a", "auto"), ("new", "auto"), ("new", "leave"))
    for label, how in brought:
        run(out, listing, image("one", label, picture=copied), pictures=how)
        assert copied.path.is_file()
    run(out, listing, image("one", "a"))
    assert not copied.path.exists()


def test_a_picture_that_is_not_at_hand_is_told_where_it_is_needed(tmp_path: Path) -> None:
    listing = Listing(pictures="images", copies=True)
    told = run(tmp_path, listing, image("one", "a"))
    assert told == [LeftOut("its picture is not at hand", "one.png")]
    assert json.loads((tmp_path / "one.txt").read_text())[0] == "one.png"
