"""``edgeflow pull`` from a real Label Studio: uploads, local files, a bucket, other hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from demo.label_studio import TOKEN
from edgeflow.cli import app
from edgeflow.cli.pull import INCOMPLETE
from edgeflow.data.opening import open_dataset
from tests.e2e.bucket import URI, connect_bucket, serve_bucket
from tests.e2e.conftest import PHOTOS, Studio

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SQUARE: dict[str, Any] = {
    "id": "square", "type": "polygonlabels", "from_name": "mask", "to_name": "image",
    "original_width": 451, "original_height": 300, "image_rotation": 0,
    "value": {
        "points": [[10, 10], [50, 10], [50, 50], [10, 50]], "closed": True,
        "polygonlabels": ["Object"],
    },
}  # fmt: skip


def test_a_project_with_all_kinds_of_images_becomes_a_dataset(
    studio: Studio, tmp_path: Path
) -> None:
    call = studio.client.call
    project = studio.project("pulled", ["cat"])["id"]
    local = {"project": project, "path": str(PHOTOS), "use_blob_urls": True, "title": "photos"}
    with serve_bucket() as bucket:
        connect_bucket(studio.client, project, bucket)
        call("POST", "storages/localfiles", json=local)
        elsewhere = f"{bucket.url}/images/the%20cat.jpg"
        locations = [URI, "/data/local-files/?d=demo/photos/cat.jpg", elsewhere, "/data/none.jpg"]
        call(
            "POST", f"projects/{project}/import",
            json=[{"data": {"image": location}} for location in locations],
        )  # fmt: skip
        tasks = studio.client.tasks(project)
        for task in tasks:
            call("POST", f"tasks/{task['id']}/annotations", json={"result": [SQUARE]})

        folder = tmp_path / "pulled"
        bucket.fetched.clear()
        first = pull(studio, project, folder)
        assert "4 images fetched, 0 were there" in first.stdout, first.output
        assert f"skipped 1 (task {tasks[-1]['id']}): Label Studio answers HTTP 404" in first.stdout
        assert first.exit_code == INCOMPLETE
        assert sorted(bucket.fetched) == [(False, None), (True, None)]  # and nobody got the token
        assert "0 images fetched, 4 were there" in pull(studio, project, folder).stdout

    photo = (PHOTOS / "cat.jpg").read_bytes()
    assert all(path.read_bytes() == photo for path in (folder / "images").iterdir())
    dataset = open_dataset(folder)
    assert len(dataset) == 4
    for index in range(4):
        (mask,) = dataset[index].objects
        assert mask[60, 100]
        assert not mask[200, 100]


def pull(studio: Studio, project: int, folder: Path) -> Result:
    command = ["pull", "--url", studio.url, "--project", str(project), str(folder)]
    return CliRunner().invoke(app, command, env={"LABEL_STUDIO_API_KEY": TOKEN})


def test_a_project_that_does_not_exist_is_said(studio: Studio, tmp_path: Path) -> None:
    result = pull(studio, 10**6, tmp_path / "x")
    assert result.exit_code == 1
    assert "HTTP 404" in result.stderr
