"""``edgeflow pull`` against a Label Studio on loopback, read back as a dataset."""

from __future__ import annotations

import base64
import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner, Result

from edgeflow.cli import app
from edgeflow.cli.label_studio import split_login
from edgeflow.cli.pull import INCOMPLETE
from edgeflow.data.opening import open_dataset
from tests.unit.edgeflow.data.making import FIRST, image_file, objects
from tests.unit.edgeflow.data.test_label_studio import brush, polygon
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply

TOKEN = "0123456789abcdef0123456789abcdef01234567"
CONFIG = (
    '<View><Image name="image" value="$image"/>'
    '<BrushLabels name="tag" toName="image"><Label value="Cat"/></BrushLabels></View>'
)
IMAGE = image_file(kind="PNG")


def serve_project(host: Host, tasks: list[dict[str, Any]], config: str = CONFIG) -> None:
    host.routes["/api/projects/3"] = as_json({"id": 3, "title": "Pets", "label_config": config})

    def page(request: Received, _: BaseHTTPRequestHandler) -> Reply:
        query = parse_qs(urlsplit(request.path).query)
        assert query["resolve_uri"] == ["false"]
        return as_json({"tasks": tasks if query["page"] == ["1"] else []})

    host.routes["/api/tasks/"] = page


def as_json(body: object) -> Reply:
    return Reply(200, json.dumps(body).encode())


def task(number: int, image: str, *results: dict[str, Any], **data: str) -> dict[str, Any]:
    annotation = {"id": number, "was_cancelled": not results, "result": list(results)}
    return {"id": number, "data": {"image": image, **data}, "annotations": [annotation]}


def run(host: Host, folder: Path, *more: str) -> Result:
    command = ["pull", str(folder), "--url", f"{host.url}/", "--project", "3", *more]
    return CliRunner().invoke(app, command, env={"LABEL_STUDIO_API_KEY": TOKEN})


def test_a_project_becomes_a_dataset_and_a_second_pull_fetches_nothing(
    host: Host, tmp_path: Path
) -> None:
    folder = tmp_path / "pets"
    host.routes["/data/upload/3/0a1b2c3d-cat.png"] = Reply(body=IMAGE)
    host.routes["/image"] = Reply(body=IMAGE)
    serve_project(
        host,
        [
            task(1, "/data/upload/3/0a1b2c3d-cat.png", brush(1)),
            task(2, f"{host.url}/image?id=../../2", polygon(), page="https://example.com/x.jpg"),
            task(3, "/data/upload/3/0a1b2c3d-cat.png"),
        ],
    )
    result = run(host, folder)
    assert result.exit_code == 0, result.output
    assert "2 images fetched, 0 were there" in result.stdout
    assert "3 tasks, 3 annotations" in result.stdout
    assert {each.name for each in folder.iterdir()} == {
        "images", "label_config.xml", "project.json", "pulled.json",
    }  # fmt: skip
    dataset = open_dataset(folder)
    assert len(dataset) == 2
    assert [objects(dataset, index) for index in range(2)] == [[FIRST], [FIRST]]
    assert TOKEN not in "".join(path.read_text() for path in folder.glob("*.*"))

    before = len(host.received)
    serve_project(host, [task(1, "/data/upload/3/0a1b2c3d-cat.png", brush(1), brush(2))])
    result = run(host, folder)
    assert result.exit_code == 0, result.output
    assert "0 images fetched, 1 were there" in result.stdout
    assert all(each.path.startswith("/api/") for each in host.received[before:])
    assert len(open_dataset(folder)[0].objects) == 2


def test_what_cannot_be_fetched_is_said_and_the_rest_is_usable(host: Host, tmp_path: Path) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE)
    host.routes["/page.png"] = Reply(body=b"<html>log in</html>")
    serve_project(
        host,
        [
            task(1, "/a.png", brush(1)),
            task(2, "/gone.png", brush(1)),
            task(3, "/lost.png", brush(1)),
            task(4, "/page.png", brush(1)),
            task(5, "file:///etc/passwd", brush(1)),
            {"id": 6, "data": {"text": "no image"}, "annotations": []},
        ],
    )
    result = run(host, tmp_path / "pets")
    assert result.exit_code == INCOMPLETE, result.output
    assert "skipped 2 (task 2, 3): Label Studio answers HTTP 404" in result.stdout
    assert "skipped 1 (task 4): no image of a known format: it is an HTML page" in result.stdout
    assert "skipped 1 (task 5): locations of this kind" in result.stdout
    assert "skipped 1 (task 6): its data has no image" in result.stdout
    assert len(open_dataset(tmp_path / "pets")) == 1


def test_an_interrupted_pull_goes_on_and_leaves_the_last_list_in_place(
    host: Host, tmp_path: Path
) -> None:
    folder = tmp_path / "pets"
    for name in "ab":
        host.routes[f"/{name}.png"] = Reply(body=IMAGE)
    serve_project(host, [task(1, "/a.png", brush(1))])
    assert run(host, folder).exit_code == 0
    whole = (folder / "project.json").read_bytes()

    def broken(request: Received, _: BaseHTTPRequestHandler) -> Reply:
        if "page=1&" in request.path:
            return as_json({"tasks": [task(1, "/a.png", brush(1)), task(2, "/b.png", brush(1))]})
        return Reply(502)

    host.routes["/api/tasks/"] = broken
    result = run(host, folder)
    assert result.exit_code == 1
    assert "HTTP 502" in result.stderr
    assert (folder / "project.json").read_bytes() == whole
    assert {each.name for each in folder.iterdir()} == {
        "images", "label_config.xml", "project.json", "pulled.json",
    }  # fmt: skip

    serve_project(host, [task(1, "/a.png", brush(1)), task(2, "/b.png", brush(1))])
    assert "0 images fetched, 2 were there" in run(host, folder).stdout
    assert len(open_dataset(folder)) == 2


def test_only_annotated_tasks_on_request(host: Host, tmp_path: Path) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE)
    serve_project(host, [task(1, "/a.png", brush(1)), task(2, "/b.png")])
    result = run(host, tmp_path / "pets", "--annotated")
    assert result.exit_code == 0, result.output
    assert host.asked("/b.png") == []


def test_several_images_in_a_task(host: Host, tmp_path: Path) -> None:
    config = CONFIG.replace('value="$image"', 'valueList="$image"')
    for name in "ab":
        host.routes[f"/{name}.png"] = Reply(body=IMAGE)
    many = task(1, "", brush(1, item_index=1), brush(2, item_index=0))
    many["data"]["image"] = ["/a.png", "/b.png"]
    serve_project(host, [many], config)
    assert run(host, tmp_path / "pets").exit_code == 0
    assert len(open_dataset(tmp_path / "pets")) == 2


def test_a_url_that_the_config_composes_is_not_written_as_if_it_could_be_found(
    host: Host, tmp_path: Path
) -> None:
    host.routes["/x/a.png"] = Reply(body=IMAGE)
    serve_project(host, [task(1, "a.png", brush(1))], CONFIG.replace("$image", "/x/$image"))
    result = run(host, tmp_path / "pets")
    assert result.exit_code == INCOMPLETE
    assert "composes" in result.stdout


@pytest.mark.parametrize("content", ["other", "folder", "file"])
def test_a_folder_of_something_else_is_not_written_to(
    host: Host, tmp_path: Path, content: str
) -> None:
    serve_project(host, [])
    folder = tmp_path / "mine"
    if content == "file":
        folder.write_text("x")
    else:
        folder.mkdir()
        other = {"url": "https://example.com", "project": 3}
        name = "pulled.json" if content == "other" else "project.json"
        (folder / name).write_text(json.dumps(other))
    result = run(host, folder)
    assert result.exit_code == 1
    assert f"{folder} holds" in result.stderr
    assert not (folder / "images").exists()


def test_a_login_in_the_url_is_sent_and_not_written(host: Host, tmp_path: Path) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE)
    serve_project(host, [task(1, "/a.png", brush(1))])
    folder = tmp_path / "pets"
    url = host.url.replace("://", "://proxy:p%40ss@")
    result = run(host, folder, "--url", url)
    assert result.exit_code == 0, result.output
    login = base64.b64encode(b"proxy:p@ss").decode()
    assert {each.headers["authorization"] for each in host.received} == {f"Basic {login}"}
    assert {each.headers["x-api-key"] for each in host.received} == {TOKEN}
    assert "p%40ss" not in (folder / "pulled.json").read_text() + result.output
    assert run(host, folder).exit_code == 0  # the same Label Studio


@pytest.mark.parametrize(
    ("url", "bare", "login"),
    [
        ("http://ls:80/", "http://ls:80", ""),
        ("https://u:p%2F@ls/x/@y/", "https://ls/x/@y", "u:p/"),
        ("ls", "ls", ""),
    ],
)
def test_logins_are_taken_out_of_urls(url: str, bare: str, login: str) -> None:
    assert split_login(url) == (bare, login)


def test_what_is_missing_is_said_before_anything_is_made(host: Host, tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    command = ["pull", str(folder), "--project", "3"]
    nothing = {"LABEL_STUDIO_URL": "", "LABEL_STUDIO_API_KEY": ""}
    assert "--url" in CliRunner().invoke(app, command, env=nothing).stderr
    env = {**nothing, "LABEL_STUDIO_URL": host.url}
    assert "LABEL_STUDIO_API_KEY" in CliRunner().invoke(app, command, env=env).stderr
    assert "HTTP 404" in run(host, folder).stderr
    serve_project(host, [], "<View><Text name='t' value='$t'/></View>")
    assert "shows no image" in run(host, folder).stderr
    assert not folder.exists()
