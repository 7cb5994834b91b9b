"""``edgeflow frames``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeflow.cli.options import one_of
from edgeflow.cli.preannotation.options import (
    INCOMPLETE,
    ConfigLabels,
    ControlKind,
    LocalFiles,
    check_labels,
    image_urls,
    tag_of,
)
from edgeflow.cli.sequences.outputs import check_new_folder
from edgeflow.errors import EdgeFlowError, counted
from edgeflow.files import write_atomically
from edgeflow.images import MAX_PIXELS, quiet_decoders
from edgeflow.preannotation.image_urls import LOCAL_FILES, BelowPrefix
from edgeflow.preannotation.mask_controls import KINDS
from edgeflow.preannotation.tasks import Report
from edgeflow.sequences.frame_tasks import as_json, frame_tasks, frames_config
from edgeflow.sequences.frames import (
    ENDINGS,
    Frame,
    FrameForm,
    folder_frames,
    video_frames,
)
from edgeflow.sequences.pictures import pictures_in
from edgeflow.sequences.selection import Selection, seconds_of
from edgeflow.sequences.video import Video

TASKS = "tasks.json"
CONFIG = "config.xml"


def frames(
    source: Annotated[Path, typer.Argument(help="Video file, or folder of frames.", exists=True)],
    output: Annotated[
        Path,
        typer.Argument(
            help=f"New folder for the frames, {TASKS} and {CONFIG}, the labelling config."
        ),
    ],
    every: Annotated[int, typer.Option(help="Take every Nth frame.", min=1)] = 1,
    per_second: Annotated[
        float | None,
        typer.Option(help="Take at most so many frames a second, instead.", min=0.001),
    ] = None,
    start: Annotated[
        str, typer.Option(help="Where to begin: seconds, m:ss or h:mm:ss; frames for a folder.")
    ] = "0",
    end: Annotated[
        str | None, typer.Option(help="Where to stop, likewise.", show_default="the end")
    ] = None,
    long_side: Annotated[
        int | None,
        typer.Option(
            help="Scale frames down whose longer side has more pixels.",
            min=16,
            show_default="as they are",
        ),
    ] = None,
    pages: Annotated[int, typer.Option(help="Most pages of a task.", min=2)] = 100,
    overlap: Annotated[
        int, typer.Option(help="Pages that a task shares with the next one.", min=0)
    ] = 1,
    most: Annotated[int, typer.Option(help="Most frames.", min=1)] = FrameForm.most,
    kind: Annotated[
        str,
        typer.Option(
            "--format",
            help=f"Format of the frames: {', '.join(ENDINGS)}.",
            callback=one_of(ENDINGS, "format"),
        ),
    ] = FrameForm.ending,
    label: ConfigLabels = None,
    control: ControlKind = None,
    image_url_prefix: Annotated[
        str | None,
        typer.Option(
            help="A frame's URL is this, the output folder's name and the frame's.",
            show_default=LOCAL_FILES,
        ),
    ] = None,
    local_files: LocalFiles = None,
    max_pixels: Annotated[int, typer.Option(help="Refuse larger frames.")] = MAX_PIXELS,
) -> None:
    """Turn a video, or a folder of frames, into Label Studio's tasks of several pages.

    Exits with 3 if something was lost.
    """
    mask, urls = tag_of(control) or KINDS["brush"], image_urls(image_url_prefix, local_files)
    labels = label or []
    check_labels(labels)
    if overlap >= pages:
        raise EdgeFlowError(
            f"tasks of {pages} pages cannot share {overlap}", hint="choose a smaller --overlap"
        )
    selection = _selection(every, per_second, start, end)
    form = FrameForm(kind, long_side, most, max_pixels)
    report = Report()
    check_new_folder(output)
    with quiet_decoders():
        if source.is_dir():
            if per_second is not None:
                raise EdgeFlowError("pictures of a folder have no time", hint="use --every")
            written = list(folder_frames(pictures_in(source), selection, output, form, report))
        else:
            with Video(source, max_pixels=max_pixels) as video:
                written = list(video_frames(video, selection, output, form, report))
    tasks = frame_tasks(
        written, source.resolve().name, output, urls or BelowPrefix(), pages, overlap
    )
    write_atomically(output / TASKS, as_json(tasks))
    write_atomically(output / CONFIG, frames_config(mask, labels).encode())
    typer.echo(f"{output}: {_told(written)}; {counted(len(tasks), 'task')} in {TASKS}")
    typer.echo(f"{output / CONFIG}: the labelling config for the project")
    for line in report.lines():
        typer.echo(line)
    if not report.complete:
        raise typer.Exit(INCOMPLETE)


def _selection(every: int, per_second: float | None, start: str, end: str | None) -> Selection:
    if per_second is not None and every != 1:
        raise EdgeFlowError("frames are taken in one way", hint="choose --every or --per-second")
    begin, stop = seconds_of(start), None if end is None else seconds_of(end)
    if stop is not None and stop <= begin:
        raise EdgeFlowError(f"--end {end} is not behind --start {start}", hint="check both")
    return Selection(every, per_second, begin, stop)


def _told(written: list[Frame]) -> str:
    size = written[0].size
    return f"{counted(len(written), 'frame')} of {size.width}×{size.height}"
