from __future__ import annotations

from pathlib import Path

import pytest

from edgeflow.cli.cutting.jobs import STANDARD, Job
from edgeflow.cli.cutting.outputs import output_files
from edgeflow.cli.cutting.prompt_list import Listed
from edgeflow.errors import EdgeFlowError


def jobs(*images: str) -> list[Job]:
    return [Job(Path(image), Path(image).with_suffix(""), Listed(image), None) for image in images]


def names(*images: str, format: str = "png") -> list[str]:
    files = output_files(jobs(*images), Path("out"), format, opaque=False)
    return [path.relative_to("out").as_posix() for path in files]


def test_a_name_for_each() -> None:
    assert names("a.jpg", "sub/a.jpg", "b.c.png", format="webp") == [
        "a.webp",
        "sub/a.webp",
        "b.c.webp",
    ]


def test_images_that_differ_in_their_ending_or_case_keep_it() -> None:
    assert names("a.jpg", "A.png", "b.jpg") == ["a.jpg.png", "A.png.png", "b.png"]


def test_further_objects_of_an_image_are_numbered() -> None:
    assert names("a.jpg", "a.jpg", "a-2.jpg", "a.jpg") == [
        "a.png",
        "a-2.png",
        "a-2-2.png",
        "a-3.png",
    ]


def test_many_objects_have_names_of_their_own() -> None:
    made = names(*["a.jpg"] * 5000, *["A.png"] * 5000)
    assert len({name.casefold() for name in made}) == 10_000


def test_nothing_said_means_the_folder_or_standard_output() -> None:
    assert output_files(jobs("a.jpg"), None, "png", opaque=False) == [Path("cutouts/a.png")]
    standard = [Job(STANDARD, Path("image"), Listed("-"), None)]
    assert output_files(standard, None, "png", opaque=False) == [STANDARD]


@pytest.mark.parametrize(
    ("images", "output", "format", "message"),
    [
        (["a.jpg", "b.jpg"], "out.png", "png", "do not go into one file"),
        (["a.jpg", "b.jpg"], "-", "png", "do not go into one file"),
        (["a.jpg"], "out.jpg", "png", "without transparency"),
        (["a.jpg"], "out.bmp", "png", "without transparency"),
        (["a.jpg"], "out.docx", "png", "no known format"),
        (["a.jpg"], "out", "jpg", "without transparency"),
        (["a.jpg"], "out", "exe", "unknown format"),
        (["in/a.jpg"], "in", "png", "in the folder in themselves"),
    ],
    ids=range(8),
)
def test_what_cannot_be_written_is_refused(
    images: list[str],
    output: str,
    format: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EdgeFlowError, match=message) as caught:
        output_files(jobs(*images), Path(output), format, opaque=False)
    assert caught.value.hint
