"""``edgeflow dicom-seg``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from edgeflow.cli.dicom import check_dicom_extra
from edgeflow.cli.label_studio import URL, Annotator, APIKey, SourceProject, open_api
from edgeflow.cli.options import LabelConfigFile
from edgeflow.cli.preannotation.options import INCOMPLETE
from edgeflow.data.annotators import ALL, FIRST
from edgeflow.data.drawn_tasks import TasksFile, read_label_config
from edgeflow.data.left_out import LeftOut, left_out_lines
from edgeflow.errors import EdgeFlowError, FileWriteError, counted
from edgeflow.export.format import Overlap
from edgeflow.export.reading.sources import project_tasks
from edgeflow.files import write_atomically
from edgeflow.volumes.volume import Volume

FORMATS = ("seg", "nifti")


def dicom_seg(
    sources: Annotated[
        list[Path],
        typer.Argument(help="The DICOM or NIfTI files that the tasks were made of; then OUT."),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write to.")],
    format: Annotated[
        str,
        typer.Option(
            help="seg (DICOM segmentations), nifti (label maps), or both with a comma; NIfTI "
            "sources get label maps in any case."
        ),
    ] = "seg",
    url: URL = "",
    project: SourceProject = None,
    api_key: APIKey = "",
    tasks: Annotated[
        Path | None,
        typer.Option(
            help="File of tasks with annotations, as the API lists them, in place of --project.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    label_config: LabelConfigFile = None,
    annotator: Annotator = FIRST,
    overlap: Annotated[
        Overlap,
        typer.Option(
            help="NIfTI: which object a voxel belongs to: the one drawn last, the one with the "
            "fewest pixels, or none, and the series is left out."
        ),
    ] = "top",
    with_patient: Annotated[
        bool,
        typer.Option(
            "--with-patient",
            help="Write the source's patient and study into segmentations, as archives want it.",
        ),
    ] = False,
) -> None:
    """Write what was drawn on the pages of `edgeflow dicom` as DICOM segmentations or NIfTI.

    Slices are found by their UIDs. Exits with 3 if something could not be written.
    """
    check_dicom_extra()
    from edgeflow.volumes.masks import masks_of  # noqa: PLC0415 - of an extra
    from edgeflow.volumes.results import files_of  # noqa: PLC0415
    from edgeflow.volumes.sources import open_volumes  # noqa: PLC0415

    formats = _formats(format)
    if annotator == ALL:
        raise EdgeFlowError(
            "a voxel cannot be everybody's", hint="choose one --annotator, or vote or staple"
        )
    if output.exists() and not output.is_dir():
        raise FileWriteError(f"{output} is no folder", hint="name a folder last, to write to")
    config = read_label_config(label_config) if label_config is not None else None
    if project is not None and tasks is None:
        api = open_api(url, api_key)
        listed: Iterable[dict[str, Any]]
        listed, config = project_tasks(api, project, config)
    elif tasks is not None and project is None:
        listed = TasksFile(tasks)
    else:
        raise EdgeFlowError(
            "whose masks to write is not clear", hint="name either --project or --tasks"
        )
    left_out, volumes = _opened(open_volumes(sources))
    written = 0
    for masks in masks_of(volumes, listed, config, annotator):
        if isinstance(masks, LeftOut):
            left_out.append(masks)
            continue
        try:
            made = list(files_of(masks, formats, overlap, left_out, patient=with_patient))
        except EdgeFlowError as error:
            left_out.append(LeftOut(f"{error.message}; {error.hint}", masks.volume.said))
            continue
        for name, data in made:
            write_atomically(output / name, data)
            typer.echo(f"{output / name}: {counted(len(masks.objects), 'page')} with masks")
            written += 1
    if not written:
        raise EdgeFlowError(
            "\n".join(["there is no mask to write", *left_out_lines(left_out)]),
            hint="submit annotations in Label Studio, and name the files that they were drawn on",
        )
    for line in left_out_lines(left_out):
        typer.echo(line)
    if any(each.fault for each in left_out):
        raise typer.Exit(INCOMPLETE)


def _opened(found: Iterable[Volume | LeftOut]) -> tuple[list[LeftOut], list[Volume]]:
    left_out: list[LeftOut] = []
    volumes: list[Volume] = []
    for each in found:
        if isinstance(each, LeftOut):
            left_out.append(each)
        else:
            volumes.append(each)
    return left_out, volumes


def _formats(names: str) -> list[str]:
    """The formats of a list with commas.

    Raises:
        EdgeFlowError: There is none of that name.
    """
    formats = [name.strip() for name in names.split(",")]
    for name in formats:
        if name not in FORMATS:
            raise EdgeFlowError(f"unknown format {name!r}", hint=f"choose {', '.join(FORMATS)}")
    return formats
