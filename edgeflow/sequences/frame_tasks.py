"""Frames as Label Studio's tasks of several pages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from edgeflow.annotated import AnnotatedImage
from edgeflow.export.pictures import FilePicture
from edgeflow.label_studio.config.controls import ImageTag
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.config.recommended import OBJECT, recommended_config
from edgeflow.label_studio.values import JSONObject
from edgeflow.preannotation.image_urls import ImageURLs
from edgeflow.preannotation.tasks import META
from edgeflow.sequences.frames import Frame
from edgeflow.sequences.spans import spans

PAGES = ImageTag("image", "$pages", several=True)
KEY = "pages"
"""Where a task's pages stand in its data."""


def frame_tasks(
    frames: Sequence[Frame], source: str, folder: Path, urls: ImageURLs, pages: int, overlap: int
) -> list[JSONObject]:
    """Tasks of several pages each.

    Args:
        frames: In order.
        source: What the sequence is called.
        folder: Where the frames are.
        urls: How their URLs are made.
        pages: Most pages of a task.
        overlap: Pages that a task shares with the next one.

    Raises:
        ImageURLError: A frame has no URL.
    """
    shown = [_url(frame, folder, urls) for frame in frames]
    return [
        {
            "data": {
                KEY: [shown[index] for index in span],
                "sequence": source,
                "first_frame": frames[span[0]].stamp.number,
                "last_frame": frames[span[-1]].stamp.number,
            },
            "meta": {META: {"frames": [frames[index].name for index in span]}},
        }
        for span in spans(len(frames), pages, overlap)
    ]


def as_json(tasks: Sequence[JSONObject]) -> bytes:
    """Tasks as a file that Label Studio imports, a line each."""
    return b"[\n" + b",\n".join(json.dumps(task).encode() for task in tasks) + b"\n]\n"


def frames_config(kind: str, labels: Sequence[str]) -> str:
    """A labelling config for such tasks: clicks, and clicks that are answered on all pages.

    Args:
        kind: Of mask control, such as ``Brush``.
        labels: Class names; ``Object`` without any.
    """
    known = [Label(text) for text in dict.fromkeys(labels)] or [OBJECT]
    return recommended_config(kind, known, PAGES, pages=True)


def _url(frame: Frame, folder: Path, urls: ImageURLs) -> str:
    # Label Studio serves no file right in its root of local files: the folder is named, too.
    name = f"{folder.resolve().name}/{frame.name}"
    picture = FilePicture(folder / frame.name, frame.size)
    return urls.url(AnnotatedImage(name, name, frame.size, (), picture))
