"""``edgeflow dicom`` and ``edgeflow dicom-seg``: a scan to tasks, and its masks back again."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import highdicom
import nibabel
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pydicom.dataset import FileDataset
from typer.testing import CliRunner, Result

from edgeflow.cli import app
from edgeflow.label_studio.brush_rle import encode_brush
from tests.unit.edgeflow.preannotation.studio import PROJECT, FakeStudio
from tests.unit.edgeflow.volumes.scans import (
    PATIENT,
    Change,
    multiframe,
    organ,
    scan,
    slice_of,
    uid,
    write_series,
)
from tests.unit.edgeflow_backend.loopback import Host


def edgeflow(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def tasks_in(folder: Path) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = json.loads((folder / "tasks.json").read_text())
    return tasks


def page(folder: Path, url: str) -> npt.NDArray[np.uint8]:
    with Image.open(folder / url.partition("?d=")[2]) as image:
        return np.asarray(image)


def annotated(
    tasks: list[dict[str, Any]], masks: dict[str, npt.NDArray[np.bool_]]
) -> list[dict[str, Any]]:
    """Tasks as the API lists them, with a label's mask on each page that it has a pixel on.

    Args:
        tasks: As they were made.
        masks: Page, row, column, by label; of all tasks' pages together.
    """
    listed, start = [], 0
    for number, task in enumerate(tasks, start=1):
        results = []
        for label, volume in masks.items():
            own = volume[start : start + len(task["data"]["pages"])]
            results += [
                {
                    "id": f"{label}{index}", "type": "brushlabels", "item_index": index,
                    "from_name": "mask", "to_name": "image",
                    "original_width": mask.shape[1], "original_height": mask.shape[0],
                    "value": {
                        "format": "rle", "rle": list(encode_brush(mask)), "brushlabels": [label],
                    },
                }
                for index, mask in enumerate(own) if mask.any()
            ]  # fmt: skip
        start += len(task["data"]["pages"])
        annotation = {"id": number, "result": results, "was_cancelled": False}
        listed.append({"id": number, "data": task["data"], "annotations": [annotation]})
    return listed


def drawn(tmp_path: Path, masks: dict[str, npt.NDArray[np.bool_]]) -> Path:
    path = tmp_path / "listed.json"
    path.write_text(json.dumps(annotated(tasks_in(tmp_path / "out"), masks)))
    return path


def no_patient_in(folder: Path) -> bool:
    """Whether no file, and no name of one, has the patient's name or birthday."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    text = b"".join(path.read_bytes() + str(path.relative_to(folder)).encode() for path in files)
    return not any(each.encode() in text for each in (*PATIENT.split("^"), "19500102"))


def monochrome1(dataset: FileDataset, page: int) -> None:
    del page
    dataset.PhotometricInterpretation = "MONOCHROME1"


@pytest.mark.parametrize("change", [None, monochrome1])
def test_a_series_becomes_pages_in_order_and_its_masks_a_dicom_segmentation(
    tmp_path: Path, change: Change | None
) -> None:
    masks = {"Liver": organ(), "Lesion": np.roll(organ(), 30, axis=1)}
    paths = write_series(tmp_path / "in", scan(), change)
    made = edgeflow("dicom", tmp_path / "in", tmp_path / "out", "--most-pages", 10)
    assert made.exit_code == 0, made.output
    tasks = tasks_in(tmp_path / "out")
    assert [len(task["data"]["pages"]) for task in tasks] == [8, 8, 8]
    slices = [each for task in tasks for each in task["data"]["slices"]]
    assert slices == [{"uid": uid("A", number), "frame": 1} for number in range(24)]
    listed = drawn(tmp_path, masks)
    back = edgeflow("dicom-seg", tmp_path / "in", tmp_path / "back", "--tasks", listed)
    assert back.exit_code == 0, back.output
    (file,) = (tmp_path / "back").iterdir()
    found = highdicom.seg.segread(file)
    pixels = found.get_pixels_by_source_instance([uid("A", number) for number in range(24)])
    names = [found.get_segment_description(number).segment_label for number in (1, 2)]
    for layer, name in enumerate(names):
        np.testing.assert_array_equal(pixels[..., layer].astype(bool), masks[name])
    assert found.StudyInstanceUID == uid("study")
    assert found.FrameOfReferenceUID == uid("frame")
    assert len(paths) == 24
    assert no_patient_in(tmp_path / "out")
    assert no_patient_in(tmp_path / "back")


def test_a_patient_is_written_into_a_segmentation_where_that_is_asked_for(tmp_path: Path) -> None:
    write_series(tmp_path / "in", scan(4, 32))
    assert edgeflow("dicom", tmp_path / "in", tmp_path / "out").exit_code == 0
    listed = drawn(tmp_path, {"Liver": organ(4, 32)})
    arguments = (tmp_path / "in", tmp_path / "back", "--tasks", listed)
    assert edgeflow("dicom-seg", *arguments, "--with-patient").exit_code == 0
    (file,) = (tmp_path / "back").iterdir()
    assert highdicom.seg.segread(file).PatientName == PATIENT


def test_frames_of_one_file_come_back_at_their_own_places(tmp_path: Path) -> None:
    order = [3, 1, 0, 5, 4, 2]
    (tmp_path / "in").mkdir()
    multiframe(scan(6, 48), order).save_as(tmp_path / "in" / "e.dcm", enforce_file_format=True)
    assert edgeflow("dicom", tmp_path / "in", tmp_path / "out").exit_code == 0
    (task,) = tasks_in(tmp_path / "out")
    frames = [each["frame"] for each in task["data"]["slices"]]
    assert [order[frame - 1] for frame in frames] == list(range(6))
    listed = drawn(tmp_path, {"Liver": organ(6, 48)})
    back = edgeflow("dicom-seg", tmp_path / "in", tmp_path / "back", "--tasks", listed)
    assert back.exit_code == 0, back.output
    (file,) = (tmp_path / "back").iterdir()
    found = highdicom.seg.segread(file)
    pixels = found.get_pixels_by_source_frame(uid("E"), list(range(1, 7)))
    np.testing.assert_array_equal(pixels[..., 0].astype(bool), organ(6, 48)[order])


def test_label_maps_lie_where_the_slices_lay(tmp_path: Path) -> None:
    write_series(tmp_path / "in", scan(6, 48))
    assert edgeflow("dicom", tmp_path / "in", tmp_path / "out").exit_code == 0
    listed = drawn(tmp_path, {"Liver": organ(6, 48)})
    arguments = (tmp_path / "in", tmp_path / "back", "--tasks", listed, "--format", "nifti")
    assert edgeflow("dicom-seg", *arguments).exit_code == 0
    (file,) = (tmp_path / "back").glob("*.nii.gz")
    image = nibabel.load(file)
    np.testing.assert_array_equal(np.asarray(image.dataobj).T == 1, organ(6, 48))
    # Column 10, row 20, page 3: DICOM's left and back are NIfTI's negative right and front.
    place = image.affine @ [10, 20, 3, 1]
    np.testing.assert_allclose(place, [50 - 8, 60 - 16, -30 + 7.5, 1], atol=1e-5)


def test_a_nifti_volume_stands_upright_and_its_labels_fit_its_own_grid(tmp_path: Path) -> None:
    upright = organ(6, 48)  # columns to the left, rows to the back, pages upwards
    stored = np.where(upright, 160, 40).astype(np.int16).transpose(1, 0, 2)[::-1, :, ::-1]
    affine = np.array([[0, 0, 0.8, 0], [0.9, 0, 0, 0], [0, 2.5, 0, 0], [0, 0, 0, 1]])
    image = nibabel.Nifti1Image(stored, affine)  # axes: forward, upwards, right
    image.header["descrip"] = PATIENT.encode()
    (tmp_path / "in").mkdir()
    nibabel.save(image, tmp_path / "in" / "scan.nii.gz")
    made = edgeflow("dicom", tmp_path / "in", tmp_path / "out")
    assert made.exit_code == 0, made.output
    (task,) = tasks_in(tmp_path / "out")
    assert task["data"]["pixel_spacing_mm"] == pytest.approx([0.9, 0.8])
    shown = [page(tmp_path / "out", url) for url in task["data"]["pages"]]
    np.testing.assert_array_equal(np.stack(shown) > 127, upright)
    listed = drawn(tmp_path, {"Liver": upright})
    back = edgeflow("dicom-seg", tmp_path / "in", tmp_path / "back", "--tasks", listed)
    assert back.exit_code == 0, back.output
    (file,) = (tmp_path / "back").glob("*.nii.gz")
    labels = nibabel.load(file)
    np.testing.assert_array_equal(np.asarray(labels.dataobj) == 1, stored == 160)
    np.testing.assert_allclose(labels.affine, affine, atol=1e-6)
    assert no_patient_in(tmp_path / "out")
    assert no_patient_in(tmp_path / "back")


def test_windows_show_what_they_are_called(tmp_path: Path) -> None:
    values = np.array([[[-1000, -600, 40, 1000]]], dtype=np.int16).repeat(2, axis=1)
    write_series(tmp_path / "in", values)
    for window, expected in {
        "soft-tissue": [0, 0, 128, 255],
        "lung": [60, 128, 236, 255],
        "own": [0, 0, 115, 255],
        "0,2001": [0, 51, 133, 255],
    }.items():
        assert edgeflow("dicom", tmp_path / "in", tmp_path / window, "--window", window)
        (task,) = tasks_in(tmp_path / window)
        assert page(tmp_path / window, task["data"]["pages"][0])[0].tolist() == expected, window


def test_a_project_gets_the_pages_that_it_does_not_show_yet(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "t" * 40)
    studio = FakeStudio(host)
    studio.tasks.append({"data": {"image": "a cat's", "slices": [7], "pages": ["/x"]}})
    write_series(tmp_path / "in", scan(8, 16))
    sent = ("dicom", tmp_path / "in", tmp_path / "out", "--url", host.url, "--project", PROJECT)
    assert edgeflow(*sent, "--most-pages", 4).exit_code == 0
    assert [len(task["data"]["pages"]) for task in studio.tasks[1:]] == [4, 4]
    first = (tmp_path / "out" / "tasks.json").read_bytes()
    again = edgeflow(*sent, "--window", "lung")
    assert again.exit_code == 0, again.output
    assert "0 pages, 0 tasks; 8 pages of it in project 7 already, window own" in again.output
    assert (len(studio.tasks), len(studio.files)) == (3, 8)
    assert (tmp_path / "out" / "tasks.json").read_bytes() == first
    del studio.tasks[1]  # by an annotator; and the scanner has sent two more slices
    write_series(tmp_path / "in" / "more", scan(10, 16)[8:], later)
    more = edgeflow(*sent, "--most-pages", 4)
    assert more.exit_code == 0, more.output
    assert "6 pages, 2 tasks; 4 pages of it in project 7 already" in more.output
    slices = [each["uid"] for task in studio.tasks[1:] for each in task["data"]["slices"]]
    assert sorted(slices) == sorted(uid("A", number) for number in range(10))
    assert studio.tasks[-1]["data"]["first_page"] == 4
    assert len(studio.files) == 8 + 6


def later(dataset: FileDataset, page: int) -> None:
    """A slice that is eight pages further up."""
    dataset.SOPInstanceUID = uid("A", page + 8)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.ImagePositionPatient = [-50, -60, -30 + 2.5 * (page + 8)]


def test_a_preset_for_ct_is_not_used_on_magnetic_resonance(tmp_path: Path) -> None:
    write_series(tmp_path / "in", scan(2, 16), Modality="MR")
    result = edgeflow("dicom", tmp_path / "in", tmp_path / "out", "--window", "lung")
    assert result.exit_code == 1
    assert "Hounsfield units, which MR does not have" in result.output


def test_what_cannot_be_read_is_told_and_the_rest_is_made(tmp_path: Path) -> None:
    write_series(tmp_path / "in", scan(3, 16))
    (tmp_path / "in" / "README.txt").write_text("a scan")
    (tmp_path / "in" / "cut.dcm").write_bytes(bytes(128) + b"DICM" + b"\x02\x00\x00")
    nameless = slice_of(scan(1, 16)[0], 0, series="B", SeriesInstanceUID=None)
    nameless.save_as(tmp_path / "in" / "b.dcm", enforce_file_format=True)
    result = edgeflow("dicom", tmp_path / "in", tmp_path / "out")
    assert result.exit_code == 3
    assert "left out: files that are neither DICOM nor NIfTI (1)" in result.output
    assert "b.dcm: cannot be told from others: it has no SeriesInstanceUID" in result.output
    assert "cut.dcm: " in result.output
    assert len(tasks_in(tmp_path / "out")) == 1


def test_masks_on_other_tasks_and_other_series_are_told(tmp_path: Path) -> None:
    write_series(tmp_path / "in", scan(3, 16))
    write_series(tmp_path / "other", scan(3, 16), series="B")
    assert edgeflow("dicom", tmp_path / "in", tmp_path / "out").exit_code == 0
    listed = drawn(tmp_path, {"Liver": organ(3, 16)})
    result = edgeflow("dicom-seg", tmp_path / "other", tmp_path / "back", "--tasks", listed)
    assert result.exit_code == 1
    assert "frame 1, is not among the files" in result.output
    tasks = json.loads(listed.read_text())
    del tasks[0]["data"]["slices"]
    listed.write_text(json.dumps(tasks))
    result = edgeflow("dicom-seg", tmp_path / "in", tmp_path / "back", "--tasks", listed)
    assert result.exit_code == 1
    assert "it is no task that `edgeflow dicom` made" in result.output


def test_urls_are_below_what_label_studio_serves(tmp_path: Path) -> None:
    write_series(tmp_path / "in", scan(1, 16))
    arguments = (tmp_path / "in", tmp_path / "served" / "a b", "--local-files", tmp_path / "served")
    (tmp_path / "served").mkdir()
    assert edgeflow("dicom", *arguments).exit_code == 0
    (task,) = tasks_in(tmp_path / "served" / "a b")
    assert task["data"]["pages"] == [f"/data/local-files/?d=a%20b/{uid('A')}/0001.png"]
    result = edgeflow("dicom", tmp_path / "in", tmp_path / "out", "--local-files", tmp_path / "in")
    assert "is not below" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dicom", "in", "out", "--window", "liver and lung"], "is no window"),
        (["dicom", "nowhere", "out"], "there is no nowhere"),
        (["dicom", "in/IM0000", "in/IM0000"], "is no folder"),
        (["dicom-seg", "in", "out"], "whose masks to write is not clear"),
        (["dicom-seg", "in", "out", "--format", "stl"], "unknown format 'stl'"),
        (["dicom-seg", "in", "out", "--annotator", "all"], "a voxel cannot be everybody's"),
    ],
)
def test_command_lines_that_make_no_sense(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_series(tmp_path / "in", scan(1, 16))
    result = edgeflow(*arguments)
    assert result.exit_code == 1
    assert message in result.output
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_scan(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    buffer = io.BytesIO()
    Image.new("L", (4, 4)).save(buffer, "PNG")
    (tmp_path / "in" / "a.png").write_bytes(buffer.getvalue())
    result = edgeflow("dicom", tmp_path / "in", tmp_path / "out")
    assert result.exit_code == 1
    assert "there is no series to make tasks of" in result.output


@pytest.mark.parametrize("command", ["dicom", "dicom-seg"])
def test_without_the_extra_it_is_named(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeflow.cli.dicom.find_spec", lambda name: None if name else name)
    result = edgeflow(command, tmp_path, tmp_path / "out")
    assert result.exit_code == 1
    assert "pip install '.[dicom]'" in result.output
