"""The pictures of :mod:`tests.e2e.export_truth`, annotated in a real Label Studio.

Twelve tasks in three projects, since no labelling config can hold them all.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

import requests

from demo.label_studio import PASSWORD, Client
from edgeflow.geometry import Size
from edgeflow.label_studio.controls import CONTROLS
from edgeflow.label_studio.object_ids import META_KEY, piece_id
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.masks.patch import MaskPatch
from tests.e2e.export_truth import BY_SECOND, CANCELLED, LABELS, WIDE, Drawn, files, pictures
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply, serve

SECOND_ANNOTATOR = "second.annotator@example.com"
SIGNATURE = "sig=1"
TAGS = "".join(f'<Label value="{label}"/>' for label in LABELS)
GHOSTS = ("brushes.png", "x.webp")
"""Pictures on which the editor left a click behind."""


class Kind(NamedTuple):
    """A project.

    Attributes:
        config: Its labelling config.
        tasks: The names of each task's pictures.
    """

    config: str
    tasks: tuple[tuple[str, ...], ...]


def config_of(value: str, *tags: str) -> str:
    """A labelling config.

    Args:
        value: Attribute of its image.
        tags: Of its controls, which are called like their tags.
    """
    controls = (
        f'<{tag} name="{tag}" toName="image" {SMART if tag in CLICKED else NOT_SMART}>'
        f"{TAGS if tag.endswith('Labels') else ''}</{tag}>"
        for tag in tags
    )
    return f'<View><Image name="image" {value}/>{"".join(controls)}</View>'


CLICKED = CONTROLS["KeyPoint"].tags
SMART, NOT_SMART = 'smart="true" smartOnly="true"', 'smart="false"'

KINDS = {
    "masks": Kind(
        config_of(
            'value="$image"', "KeyPointLabels", "BrushLabels", "BitmaskLabels", "PolygonLabels",
            "RectangleLabels",
        ),
        (
            ("brushes.png",), ("bitmasks.jpg",), ("turned.jpg",), ("polygons.png",), ("deep.tif",),
            ("x.webp",), ("large.png",), ("both.png",), ("cancelled.png",),
        ),
    ),
    "pages": Kind(
        config_of('valueList="$image"', "KeyPointLabels", "BrushLabels"),
        (("book-1.png", "book-2.webp"), ("sheet-1.jpg", "sheet-2.png", "sheet-3.png")),
    ),
    "plain": Kind(config_of('value="$image"', "Labels", "KeyPoint", "Brush"), (("plain.png",),)),
}  # fmt: skip


def results_of(
    key: str, drawn: Drawn, size: Size, *, own: bool = True, beside: bool = False, **more: Any
) -> list[dict[str, Any]]:
    """An object as this backend answers it, and as Label Studio stores it.

    Args:
        key: Id of the object.
        drawn: The object.
        size: Of its picture.
        own: Whether its control carries labels.
        beside: Whether a ``Labels`` control does.
        more: Further keys of each result.
    """
    row = CONTROLS[drawn.kind]
    assert row.mask is not None
    tag = row.tags[0 if own else 1]
    found = []
    values = row.mask.encode(MaskPatch.of(drawn.mask), PolygonOptions(tolerance=0))
    for number, value in enumerate(values, start=1):
        result: dict[str, Any] = {
            "id": piece_id(key, number), "from_name": tag, "to_name": "image", "type": tag.lower(),
            "original_width": size.width, "original_height": size.height, "image_rotation": 0,
            "value": value, "meta": {META_KEY: {"object": key}}, **more,
        }  # fmt: skip
        if drawn.label is not None and own:
            result["value"] = {**value, tag.lower(): [drawn.label]}
        found.append(result)
        if drawn.label is not None and beside:
            labels = {**value, "labels": [drawn.label]}
            found.append({**result, "from_name": "Labels", "type": "labels", "value": labels})
    return found


def ghost(*, labelled: bool = True) -> dict[str, Any]:
    """A click that the editor left behind."""
    tag = CLICKED[0 if labelled else 1]
    value: dict[str, Any] = {"x": 20, "y": 30, "width": 0.3}
    return {
        "id": "ghost", "from_name": tag, "to_name": "image", "type": tag.lower(),
        "original_width": WIDE.width, "original_height": WIDE.height, "image_rotation": 0,
        "value": {**value, tag.lower(): ["Coin"]} if labelled else value,
    }  # fmt: skip


@contextmanager
def serve_pictures() -> Iterator[Host]:
    """A host that gives pictures out to those who know the signature."""

    def answer(request: Received, _handler: BaseHTTPRequestHandler) -> Reply:
        name, _, query = request.path.removeprefix("/").partition("?")
        content = files().get(name)
        if content is None or query != SIGNATURE:
            return Reply(403)
        return Reply(200, content, {"Content-Type": "application/octet-stream"})

    with serve() as host:
        host.routes["*"] = answer
        yield host


def sign_up(url: str, email: str) -> Client:
    """Another user of a Label Studio."""
    with requests.Session() as session:
        page = f"{url}/user/signup"
        session.get(page, timeout=60).raise_for_status()
        code = session.cookies["csrftoken"]
        form = {"email": email, "password": PASSWORD, "csrfmiddlewaretoken": code}
        session.post(page, form, headers={"Referer": page}, timeout=60).raise_for_status()
        answer = session.get(f"{url}/api/current-user/token", timeout=60)
        answer.raise_for_status()
    return Client(url, answer.json()["token"])


def create(client: Client, second: Client, host: str) -> dict[str, int]:
    """Make the projects.

    Args:
        client: Of the first annotator.
        second: Of the second one.
        host: URL of the host of pictures.

    Returns:
        Id of each project, by its key in :data:`KINDS`.
    """
    return {name: create_kind(client, second, host, name, kind) for name, kind in KINDS.items()}


def create_kind(client: Client, second: Client, host: str, title: str, kind: Kind) -> int:
    """Make one project; its id."""
    project: int = client.create_project(f"all that goes wrong: {title}", kind.config)["id"]
    several = "valueList" in kind.config
    for names in kind.tasks:
        task = _add_task(client, project, host, names, several=several)
        annotations = f"tasks/{task}/annotations"
        if names == (CANCELLED.name,):
            drawn = _results("masks", CANCELLED.name, CANCELLED.drawn, CANCELLED.size)
            client.call("POST", annotations, json={"result": drawn, "was_cancelled": True})
            continue
        results = [
            result
            for item, name in enumerate(names)
            if name in pictures()
            for result in _results(
                title, name, pictures()[name].drawn, pictures()[name].size,
                **({"item_index": item} if several else {}),
            )
        ]  # fmt: skip
        if names[0] in GHOSTS:
            results.append(ghost())
        client.call("POST", annotations, json={"result": results})
        if names == ("both.png",):
            other = _results(title, "second", BY_SECOND, WIDE)
            second.call("POST", annotations, json={"result": other})
            client.call("POST", "predictions", json={"task": task, "result": other})
    return project


def _results(
    title: str, name: str, drawn: tuple[Drawn, ...], size: Size, **more: Any
) -> list[dict[str, Any]]:
    beside = title == "plain"
    return [
        result
        for number, each in enumerate(drawn)
        for result in results_of(
            f"{name}-{number}", each, size, own=not beside, beside=beside, **more
        )
    ]


def _add_task(
    client: Client, project: int, host: str, names: tuple[str, ...], *, several: bool
) -> int:
    name = names[0]
    if name in pictures() and pictures()[name].uploaded:
        content = io.BytesIO(files()[name])
        client.call("POST", f"projects/{project}/import", files={name: content})
    else:
        shown = [f"{host}/{each}?{SIGNATURE}" for each in names]
        data = {"image": shown if several else shown[0]}
        client.call("POST", f"projects/{project}/import", json=[{"data": data}])
    return int(client.tasks(project)[-1]["id"])
