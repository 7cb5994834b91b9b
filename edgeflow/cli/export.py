"""``edgeflow export``."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from edgeflow.cli.label_studio import URL, APIKey, open_api
from edgeflow.cli.options import Images, LabelConfigFile, Layout, Split
from edgeflow.data.annotators import FIRST
from edgeflow.data.drawn_tasks import read_label_config
from edgeflow.errors import EdgeFlowError
from edgeflow.export.formats import FORMATS
from edgeflow.export.sources import open_annotations, project_annotations
from edgeflow.export.tally import Tally
from edgeflow.files import check_outputs, in_folders, write_atomically

INCOMPLETE = 3
"""Exit status of an export that was written, but lacks objects that could not be read."""


def export(
    source: Annotated[
        Path | None,
        typer.Argument(help="A Label Studio export, or whatever `edgeflow datasets` reads."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")] = Path(
        "export"
    ),
    format: Annotated[
        str, typer.Option(help=f"{', '.join(FORMATS)}; see docs/export.md.")
    ] = "coco",
    url: URL = "",
    project: Annotated[
        int | None,
        typer.Option(
            help="Export this Label Studio project over its API, with the token in "
            "LABEL_STUDIO_API_KEY, instead of SOURCE."
        ),
    ] = None,
    api_key: APIKey = "",
    annotator: Annotated[
        str,
        typer.Option(
            help="Whose annotation of a task counts: first, last, an annotator's id or e-mail "
            "address, or all, each an image; vote and staple put all together. A ground truth "
            "comes before others."
        ),
    ] = FIRST,
    layout: Layout = "auto",
    split: Split = None,
    images: Images = None,
    label_config: LabelConfigFile = None,
) -> None:
    """Write annotations in a format that trainers read; what cannot be exported is told.

    Exits with 3 if the files were written, but lack objects that could not be read.
    """
    chosen = FORMATS.get(format)
    if chosen is None:
        raise EdgeFlowError(f"unknown format {format!r}", hint=f"choose {', '.join(FORMATS)}")
    read = [path for path in (source, images, label_config) if path is not None]
    _check([output / name for name in chosen.always], read)
    if project is not None and source is None:
        config = read_label_config(label_config) if label_config is not None else None
        api = open_api(url, api_key)
        annotations = project_annotations(
            api, project, images=images, label_config=config, annotator=annotator
        )
    elif source is not None and project is None:
        annotations = open_annotations(
            source,
            layout=layout,
            split=split,
            images=images,
            label_config=label_config,
            annotator=annotator,
        )
    else:
        raise EdgeFlowError(
            "what to export is not clear", hint="name either SOURCE, or a project with --project"
        )
    tally = Tally(annotations)
    with typer.progressbar(tally.images(), label=annotations.name) as bar:
        files = {output / path: data for path, data in chosen.write(annotations.labels, bar)}
    if tally.empty:
        raise EdgeFlowError(
            "\n".join(["there is nothing to export", *tally.lines()]),
            hint="submit annotations in Label Studio, or choose another --annotator",
        )
    _check(files, read)
    for path, data in files.items():
        write_atomically(path, data)
        typer.echo(f"{path}")
    for line in tally.lines():
        typer.echo(line)
    if not tally.complete:
        raise typer.Exit(INCOMPLETE)


def _check(outputs: Collection[Path], read: list[Path]) -> None:
    """Refuse to write over what is read, and what cannot be written."""
    named = {f"file {path.name}": path for path in outputs}
    check_outputs(named, [*read, *in_folders(outputs, read, lambda _: False)])
