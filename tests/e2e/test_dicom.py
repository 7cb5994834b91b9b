"""A CT series goes into a real Label Studio, and its masks come back over the API to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pytest
import requests
from typer.testing import CliRunner, Result

from demo.label_studio import TOKEN
from edgeflow.cli import app
from edgeflow.images import decode_image
from tests.e2e.conftest import Studio
from tests.unit.edgeflow.cli.test_dicom import annotated, tasks_in
from tests.unit.edgeflow.volumes.scans import PATIENT, organ, scan, uid, write_series

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PAGES, SIDE = 6, 48


def run(studio: Studio, *arguments: object) -> Result:
    return CliRunner().invoke(
        app,
        [*map(str, arguments), "--url", studio.url],
        env={"LABEL_STUDIO_API_KEY": TOKEN},
    )


def test_a_series_of_a_patient_comes_back_without_its_name(
    studio: Studio, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    call = studio.client.call
    write_series(tmp_path / "in", scan(PAGES, SIDE))
    labels = ("--label", "Liver", "--label", "Spleen")
    assert run(studio, "dicom", tmp_path / "in", tmp_path / "out", *labels).exit_code == 0
    config = (tmp_path / "out" / "tasks.xml").read_text()
    project: int = studio.client.create_project("a series", config)["id"]
    made = run(studio, "dicom", tmp_path / "in", tmp_path / "out", "--project", project)
    assert made.exit_code == 0, made.output
    again = run(studio, "dicom", tmp_path / "in", tmp_path / "again", "--project", project)
    assert again.exit_code == 0, again.output
    assert f"{PAGES} pages of it in project {project} already" in again.output
    (task,) = studio.client.tasks(project)
    page = requests.get(
        studio.url + task["data"]["pages"][3],
        headers={"Authorization": f"Token {TOKEN}"},
        timeout=60,
    ).content
    shown = decode_image((tmp_path / "out" / uid("A") / "0004.png").read_bytes())
    np.testing.assert_array_equal(decode_image(page), shown)

    masks = {"Liver": organ(PAGES, SIDE), "Spleen": np.roll(organ(PAGES, SIDE), 9, axis=2)}
    results: list[dict[str, Any]] = annotated(tasks_in(tmp_path / "out"), masks)[0]["annotations"]
    call("POST", f"tasks/{task['id']}/annotations", json={"result": results[0]["result"]})
    back = run(studio, "dicom-seg", tmp_path / "in", tmp_path / "back", "--project", project)
    assert back.exit_code == 0, back.output
    (file,) = (tmp_path / "back").iterdir()
    found = highdicom.seg.segread(file)
    pixels = found.get_pixels_by_source_instance([uid("A", number) for number in range(PAGES)])
    for layer, mask in enumerate(masks.values()):
        np.testing.assert_array_equal(pixels[..., layer].astype(bool), mask)

    base = tmp_path_factory.getbasetemp()
    stored = b"".join(path.read_bytes() for path in base.glob("label-studio*/*sqlite3*"))
    assert uid("A").encode() in stored
    assert not any(each.encode() in stored for each in PATIENT.split("^"))
