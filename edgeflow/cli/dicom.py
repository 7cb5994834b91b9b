"""``edgeflow dicom``."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from edgeflow.cli.label_studio import URL, APIKey, open_api
from edgeflow.cli.preannotation.options import INCOMPLETE, LocalFiles, Project
from edgeflow.data.left_out import LeftOut, left_out_lines
from edgeflow.errors import EdgeFlowError, FileWriteError, counted
from edgeflow.files import write_atomically
from edgeflow.label_studio.config.controls import ImageTag
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.config.recommended import recommended_config
from edgeflow.preannotation.image_urls import LOCAL_FILES
from edgeflow.volumes.tasks import PAGES, planes_in

TASKS, CONFIG = "tasks.json", "tasks.xml"
"""In the output folder."""

MOST_PAGES = 100
"""Of a task: as many as the editor was seen to show, accept and store in seconds."""


def check_dicom_extra() -> None:
    """Refuse to go on without the packages that read volumes.

    Raises:
        EdgeFlowError: The extra is not installed.
    """
    if any(find_spec(name) is None for name in ("pydicom", "highdicom", "nibabel")):
        raise EdgeFlowError(
            "what reads DICOM and NIfTI is not installed",
            hint="in a checkout of this project: pip install '.[dicom]'",
        )


def dicom(
    sources: Annotated[
        list[Path],
        typer.Argument(help="DICOM or NIfTI files, or folders with such files; then OUT."),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for pages and tasks.")],
    window: Annotated[
        str,
        typer.Option(
            help="What is shown: own (the file's window), full (its range of values), a preset for "
            "CT such as soft-tissue, lung, bone or brain, or CENTRE,WIDTH."
        ),
    ] = "own",
    label: Annotated[
        list[str] | None, typer.Option(help="Label of the labelling config; repeat it.")
    ] = None,
    most_pages: Annotated[
        int, typer.Option(help="Most pages of a task; longer series become several.", min=1)
    ] = MOST_PAGES,
    image_url_prefix: Annotated[
        str | None,
        typer.Option(help="A page's URL is this and its path in OUT.", show_default=LOCAL_FILES),
    ] = None,
    local_files: LocalFiles = None,
    url: URL = "",
    project: Project = None,
    api_key: APIKey = "",
) -> None:
    """Make Label Studio tasks of DICOM series and NIfTI volumes: a page for each slice.

    Pages are in the order of their positions; those that the project shows already are not made
    again. Of what files tell of patients, nothing but UIDs leaves. Exits with 3 if something could
    not be read.
    """
    check_dicom_extra()
    from edgeflow.volumes.making import Target, make_tasks  # noqa: PLC0415 - of an extra
    from edgeflow.volumes.sources import open_volumes  # noqa: PLC0415
    from edgeflow.volumes.volume import VolumeError  # noqa: PLC0415
    from edgeflow.volumes.windows import parse_window  # noqa: PLC0415

    shown = parse_window(window)
    if output.exists() and not output.is_dir():
        raise FileWriteError(f"{output} is no folder", hint="name a folder last, for what is made")
    target = Target(output, _urls(output, image_url_prefix, local_files))
    if project is not None:
        api = open_api(url, api_key)
        api.project(project)  # refused now, and not when all pages are written
        target = replace(target, api=api, project=project, there=planes_in(api.task_heads(project)))
    tasks: list[dict[str, Any]] = []
    left_out: list[LeftOut] = []
    there = 0
    for volume in open_volumes(sources):
        if isinstance(volume, LeftOut):
            left_out.append(volume)
            continue
        try:
            made = make_tasks(volume, shown, window, most_pages, target)
        except VolumeError as error:
            left_out.append(LeftOut(f"{error.message}; {error.hint}", volume.said))
            continue
        tasks += made
        missing = len(target.missing(volume))
        there += len(volume.planes) - missing
        said = [f"{volume.said}: {counted(missing, 'page')}, {counted(len(made), 'task')}"]
        if missing < len(volume.planes):
            shown_as = ", ".join(sorted(target.windows_there(volume)))
            said.append(
                f"{counted(len(volume.planes) - missing, 'page')} of it in project {project} "
                f"already, window {shown_as}"
            )
        typer.echo("; ".join([*said, *volume.notes]))
    if not tasks and not there:
        raise EdgeFlowError(
            "\n".join(["there is no series to make tasks of", *left_out_lines(left_out)]),
            hint="name DICOM or NIfTI files with pictures",
        )
    if tasks:
        _write(output, tasks, label or ["Object"])
    for line in left_out_lines(left_out):
        typer.echo(line)
    if any(each.fault for each in left_out):
        raise typer.Exit(INCOMPLETE)


def _write(output: Path, tasks: list[dict[str, Any]], labels: list[str]) -> None:
    """The tasks, and a labelling config that shows their pages."""
    write_atomically(output / TASKS, json.dumps(tasks, indent=1).encode())
    config = recommended_config(
        "Brush", tuple(map(Label, labels)), ImageTag("image", f"${PAGES}", several=True), pages=True
    )
    write_atomically(output / CONFIG, f"{config}\n".encode())
    typer.echo(f"{output / TASKS}: {counted(len(tasks), 'task')}; {output / CONFIG}: its config")


def _urls(output: Path, prefix: str | None, local_files: Path | None) -> Callable[[str], str]:
    """How a page's URL is made of its path in the output folder."""
    if local_files is not None:
        if prefix is not None:
            raise EdgeFlowError(
                "pages can have one URL", hint="choose --image-url-prefix or --local-files"
            )
        root, folder = local_files.resolve(), output.resolve()
        if not folder.is_relative_to(root):
            raise EdgeFlowError(
                f"{output} is not below {local_files}",
                hint="name the folder that Label Studio serves with --local-files",
            )
        below = folder.relative_to(root).as_posix()
        prefix = LOCAL_FILES + ("" if below == "." else f"{quote(below)}/")
    start = LOCAL_FILES if prefix is None else prefix
    return lambda path: start + quote(path)
