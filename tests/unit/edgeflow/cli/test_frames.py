"""``edgeflow frames`` on videos that the tests write, sound and broken, and on folders."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from edgeflow.cli import app
from edgeflow.data.task_images import image_names
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.preannotation.mask_controls import mask_controls
from tests.unit.edgeflow.samples import PHOTOS, disk_image, png_header
from tests.unit.edgeflow.sequences.videos import SIZE, write_video


def frames(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["frames", *map(str, arguments)])


def tasks_in(folder: Path) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = json.loads((folder / "tasks.json").read_text())
    return tasks


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 frames in 2 seconds."""
    return write_video(tmp_path_factory.mktemp("video") / "walk.mp4")


@pytest.mark.parametrize("name", ["walk.mp4", "walk.avi", "walk.mkv"])
def test_a_video_becomes_tasks_of_several_pages(name: str, tmp_path: Path) -> None:
    codec = "mp4v" if name.endswith("mp4") else "MJPG"
    source, out = write_video(tmp_path / name, codec=codec), tmp_path / "out"
    result = frames(source, out, "--pages", 8, "--label", "Square", "--label", "Disk")
    assert result.exit_code == 0, result.output
    assert "20 frames of 96×64; 3 tasks in tasks.json" in result.output
    tasks = tasks_in(out)
    assert [len(task["data"]["pages"]) for task in tasks] == [7, 7, 8]
    for one, other in itertools.pairwise(tasks):
        assert one["data"]["pages"][-1] == other["data"]["pages"][0]
    assert tasks[0]["data"]["first_frame"] == 0
    assert tasks[2]["data"]["last_frame"] == 19
    assert tasks[0]["data"]["sequence"] == name
    for number, page in enumerate(tasks[0]["data"]["pages"]):
        assert page == f"/data/local-files/?d=out/frame-{number:06}.jpg"
        assert (tmp_path / image_names(page)[0]).is_file()
        with Image.open(out / f"frame-{number:06}.jpg") as image:
            bright = np.asarray(image)[30, :, 0] > 150
        assert abs(int(np.flatnonzero(bright)[0]) - (10 + 2 * number)) <= 1


def test_its_config_shows_the_pages_and_finds_objects_on_all_of_them(
    video: Path, tmp_path: Path
) -> None:
    frames(video, tmp_path / "out", "--every", 10, "--control", "polygon")
    xml = (tmp_path / "out" / "config.xml").read_text()
    config = parse_label_config(xml).for_task(tasks_in(tmp_path / "out")[0]["data"])
    (image,) = config.images
    assert image.several
    shown = image.shown(tasks_in(tmp_path / "out")[0]["data"])
    assert len(shown) == 2
    assert [each.smart_only for each in config.controls if each.find == "pages"] == [True]
    assert mask_controls(config).masks[0].tag == "PolygonLabels"


def test_frames_are_chosen_and_scaled(video: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    chosen = ("--per-second", 2, "--start", "0:00.5", "--end", 1.6)
    result = frames(video, out, *chosen, "--long-side", 48, "--format", "png")
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in out.glob("*.png"))
    assert names == ["frame-000005.png", "frame-000010.png", "frame-000015.png"]
    with Image.open(out / names[0]) as image:
        assert image.size == (48, 32)


def test_a_folder_is_copied_where_browsers_show_it_and_converted_where_not(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for number in (1, 2, 10):
        Image.fromarray(disk_image(30, 40)).save(source / f"slice{number}.tif")
    photo = (PHOTOS / "coins.jpg").read_bytes()
    (source / "slice3.jpg").write_bytes(photo)
    (source / "slice4.png").write_bytes(png_header(40, 30))
    before = {path: path.read_bytes() for path in source.iterdir()}
    result = frames(source, out)
    assert result.exit_code == 3, result.output
    assert "slice4.png" in result.output
    (task,) = tasks_in(out)
    names = [page.rpartition("/")[2] for page in task["data"]["pages"]]
    assert names == ["slice1.jpg", "slice2.jpg", "slice3.jpg", "slice10.jpg"]
    assert (out / "slice3.jpg").read_bytes() == photo
    assert {path: path.read_bytes() for path in source.iterdir()} == before


def test_a_file_that_is_cut_off_gives_what_there_is_and_says_so(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.avi", codec="MJPG").read_bytes()
    cut, out = tmp_path / "cut.avi", tmp_path / "out"
    cut.write_bytes(whole[: len(whole) // 2])
    result = frames(cut, out)
    assert result.exit_code == 3, result.output
    assert "the video is damaged or cut off" in result.output
    assert 5 <= len(tasks_in(out)[0]["data"]["pages"]) <= 12


def test_an_endless_video_ends_at_the_limit(video: Path, tmp_path: Path) -> None:
    result = frames(video, tmp_path / "out", "--most", 5)
    assert result.exit_code == 3, result.output
    assert "after 5 frames, at 0:00" in result.output
    assert len(tasks_in(tmp_path / "out")[0]["data"]["pages"]) == 5


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"\0" * 4096, "is no video that can be read"),
        (b"hello " * 99, "is no video that can be read"),
        (b"#EXTM3U\nhttp://127.0.0.1:1/secret.mp4\n", "a list that names others"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "a list that names others"),
        (b"<html><body>login</body></html>", "it is an HTML page"),
        (b"{}", "it looks like JSON"),
    ],
)
def test_what_is_no_video_is_told_in_a_sentence(data: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(data)
    result = frames(tmp_path / "bad.mp4", tmp_path / "out")
    assert result.exit_code == 1
    assert reason in result.output.replace("\n", " ")
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_a_video_without_its_index_and_one_of_huge_frames_are_told(
    video: Path, tmp_path: Path
) -> None:
    (tmp_path / "cut.mp4").write_bytes(video.read_bytes()[:600])
    cut = frames(tmp_path / "cut.mp4", tmp_path / "out")
    assert cut.exit_code == 1
    assert "its beginning or end is missing" in cut.output.replace("\n", " ")
    huge = frames(video, tmp_path / "out", "--max-pixels", SIZE[0] * SIZE[1] - 1)
    assert huge.exit_code == 1
    assert "have 96×64 pixels" in huge.output


def test_a_pipe_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    result = frames(tmp_path / "pipe.mp4", tmp_path / "out")
    assert result.exit_code == 1
    assert "is no file" in result.output


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--start", "9"), "the video ends at 0:01"),
        (("--start", "5", "--end", "2"), "is not behind"),
        (("--start", "soon"), "is no time"),
        (("--every", "2", "--per-second", "1"), "taken in one way"),
        (("--pages", "4", "--overlap", "4"), "cannot share 4"),
        (("--label", "a\x07b"), "is no label"),
        (("--control", "crayon"), "unknown --control"),
    ],
)
def test_options_that_cannot_be_followed_are_told(
    options: tuple[str, ...], reason: str, video: Path, tmp_path: Path
) -> None:
    result = frames(video, tmp_path / "out", *options)
    assert result.exit_code == 1
    assert reason in result.output


def test_a_folder_with_something_in_it_is_left_alone(video: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = frames(video, tmp_path)
    assert result.exit_code == 1
    assert "is not empty" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert "is not empty" in frames(video.parent, video.parent).output
    assert video.is_file()
