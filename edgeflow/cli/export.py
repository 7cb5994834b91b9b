"""``edgeflow export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeflow.annotated import Annotations
from edgeflow.cli.label_studio import URL, APIKey, open_api, split_login
from edgeflow.cli.options import Images, LabelConfigFile, Layout, Split
from edgeflow.data.annotators import FIRST
from edgeflow.data.drawn_tasks import read_label_config
from edgeflow.errors import EdgeFlowError, FileWriteError
from edgeflow.export.classes import Classes
from edgeflow.export.format import Choices, Format, Overlap, Plan, Unlabelled
from edgeflow.export.formats.table import FORMATS
from edgeflow.export.journal import FILE as JOURNAL
from edgeflow.export.journal import Journal
from edgeflow.export.pictures import Bring
from edgeflow.export.reading.sources import open_annotations, project_annotations
from edgeflow.export.run import Export
from edgeflow.export.splits import parse_splits
from edgeflow.export.tally import Tally
from edgeflow.pull.fetch import Pictures

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
        str,
        typer.Option(
            help=f"One or several, each then in a folder of its own: {', '.join(FORMATS)}; see "
            "docs/export.md."
        ),
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
    overlap: Annotated[
        Overlap,
        typer.Option(
            help="Which object a pixel belongs to where a format has room for one: the one drawn "
            "last, the one with the fewest pixels, or none, and the image is left out."
        ),
    ] = "top",
    unlabelled: Annotated[
        Unlabelled,
        typer.Option(help="Objects without a label: a class of their own, or left out."),
    ] = "keep",
    splits: Annotated[
        str,
        typer.Option(
            help="Parts and their shares, such as train=80,val=20; each picture always comes into "
            "the same part.",
            show_default="one part",
        ),
    ] = "",
    pictures: Annotated[
        Bring,
        typer.Option(
            help="Copy or link pictures to where trainers look for them, or leave them; auto "
            "copies for formats that are of no use without."
        ),
    ] = "auto",
    polygons: Annotated[
        bool, typer.Option("--polygons", help="COCO: polygons in place of exact codes.")
    ] = False,
    whole_images: Annotated[
        bool,
        typer.Option("--whole-images", help="Cut-outs: one an image, with all of its objects."),
    ] = False,
    crop: Annotated[
        bool | None,
        typer.Option(
            "--crop/--no-crop",
            help="Cut-outs: cropped to what they show, or of the image's size.",
            show_default="crop single objects, and not whole images",
        ),
    ] = None,
    hard_edges: Annotated[
        bool, typer.Option("--hard-edges", help="Cut-outs: no soft edge.")
    ] = False,
    layout: Layout = "auto",
    split: Split = None,
    images: Images = None,
    label_config: LabelConfigFile = None,
) -> None:
    """Write annotations in formats that trainers read; what cannot be exported is told.

    A run that was interrupted goes on where it stopped. Exits with 3 if the files were written, but
    lack objects that could not be read.
    """
    chosen = _formats(format)
    parts = parse_splits(splits)
    _check(output, [path for path in (source, images) if path is not None])
    if project is not None and source is None:
        config = read_label_config(label_config) if label_config is not None else None
        api = open_api(url, api_key)
        annotations = project_annotations(
            api,
            project,
            images=images,
            label_config=config,
            annotator=annotator,
            fetcher=Pictures(split_login(url)[0], api.credentials),
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
    choices = Choices(
        overlap=overlap,
        unlabelled=unlabelled,
        polygons=polygons,
        whole_images=whole_images,
        crop=crop,
        soft=not hard_edges,
    )
    # Whether objects without a class are among them shows when all were read.
    classes = Classes(annotations.labels, unlabelled=True)
    plan = Plan(annotations.name, classes, choices, parts.names)
    targets = {output if len(chosen) == 1 else output / name: each for name, each in chosen.items()}
    _run(annotations, Export(targets, plan, parts, pictures))


def _run(annotations: Annotations, run: Export) -> None:
    tally = Tally(annotations)
    label = annotations.name
    with typer.progressbar(tally.images(), label=label, length=annotations.count) as images:
        for image in images:
            tally.leave_out(
                each._replace(fault=image.called) if each.fault == image.file_name else each
                for each in run.add(image)
            )
    if tally.empty:
        raise EdgeFlowError(
            "\n".join(["there is nothing to export", *tally.lines()]),
            hint="submit annotations in Label Studio, or choose another --annotator",
        )
    for path in run.finish():
        typer.echo(f"{path}")
    for line in tally.lines():
        typer.echo(line)
    if not tally.complete:
        raise typer.Exit(INCOMPLETE)


def _formats(names: str) -> dict[str, Format]:
    """The formats of a list with commas.

    Raises:
        EdgeFlowError: There is none of that name.
    """
    chosen = list(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in chosen:
        if name not in FORMATS:
            raise EdgeFlowError(f"unknown format {name!r}", hint=f"choose {', '.join(FORMATS)}")
    return {name: FORMATS[name] for name in chosen}


def _check(output: Path, read: list[Path]) -> None:
    """Refuse a folder that is read, unless an earlier export made it and nothing of that is read.

    Raises:
        FileWriteError: It is such a folder, or no folder.
    """
    if output.exists() and not output.is_dir():
        raise FileWriteError(f"{output} is no folder", hint="choose another --output")
    if not output.is_dir() or not any(output.iterdir()):
        return
    for path in (each.resolve() for each in read):
        within = path.is_dir() and output.resolve().is_relative_to(path)
        foreign = path == output.resolve() or not (output / JOURNAL).exists()
        if (within and foreign) or Journal(output).wrote(path):
            raise FileWriteError(
                f"{output} is read, and nothing is written there", hint="choose another --output"
            )
