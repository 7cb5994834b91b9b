"""``edgeflow tile``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from edgeflow.cli.options import one_of
from edgeflow.cli.preannotation.options import (
    INCOMPLETE,
    ConfigLabels,
    ControlKind,
    LocalFiles,
    Tolerance,
    check_labels,
    image_urls,
    tag_of,
)
from edgeflow.cli.tiles.shapes import read_shapes
from edgeflow.errors import EdgeFlowError, FileWriteError, counted
from edgeflow.export.names import Names
from edgeflow.files import replacing, write_atomically
from edgeflow.images import quiet_decoders
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.config.recommended import OBJECT, recommended_config
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.preannotation.image_urls import LOCAL_FILES, BelowPrefix
from edgeflow.preannotation.importing import reason_of
from edgeflow.preannotation.mask_controls import KINDS, mask_controls
from edgeflow.preannotation.tasks import Report, TaskForm, fits_config
from edgeflow.tiles.cutting.plan import MOST_TILES, Plan
from edgeflow.tiles.cutting.tile_files import FORMATS
from edgeflow.tiles.cutting.tiling import JOURNAL_ENDING, Tiling, journal_path
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.grid import OVERLAP, SIDE
from edgeflow.tiles.sidecar import ENDING
from edgeflow.tiles.sources.digest import file_digest
from edgeflow.tiles.sources.source import Choice

TASKS, CONFIG = "tasks.json", "config.xml"
"""In the output folder."""


def tile(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="GeoTIFFs, whole-slide pictures in TIFF (SVS), or large PNGs and JPEGs; then OUT."
        ),
    ],
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help=f"Folder for tiles, what is known of them (*{ENDING}), {TASKS} and {CONFIG}, the "
            "labelling config.",
        ),
    ],
    size: Annotated[int, typer.Option(help="Side of a tile, in pixels.", min=16)] = SIDE,
    overlap: Annotated[
        int, typer.Option(help="Pixels that neighbouring tiles share.", min=0)
    ] = OVERLAP,
    bands: Annotated[
        str,
        typer.Option(
            help="Band that is shown as grey, or three as red, green and blue, such as 4,3,2.",
            show_default="what the file says; else the first three",
        ),
    ] = "",
    percentiles: Annotated[
        str,
        typer.Option(
            help="Which values become black and white, in every tile alike, such as 2,98.",
            show_default="2,98; bytes stay as they are",
        ),
    ] = "",
    no_stretch: Annotated[
        bool, typer.Option("--no-stretch", help="Refuse values that do not fit into a byte.")
    ] = False,
    kind: Annotated[
        str,
        typer.Option(
            "--format",
            help=f"Format of the tiles: {', '.join(FORMATS)}.",
            callback=one_of(FORMATS, "format"),
        ),
    ] = "png",
    most: Annotated[int, typer.Option(help="Most tiles of a picture.", min=1)] = MOST_TILES,
    vectors: Annotated[
        Path | None,
        typer.Option(help="GeoJSON, GeoPackage or Shapefile with polygons to begin from."),
    ] = None,
    label_field: Annotated[
        str | None, typer.Option(help="Attribute of --vectors that holds the label.")
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="Layer of --vectors, where it has several.")
    ] = None,
    label: ConfigLabels = None,
    control: ControlKind = None,
    tolerance: Tolerance = 1.0,
    model: Annotated[
        str | None,
        typer.Option(
            help="Model that answers clicks: the config's edgeflowModel.",
            show_default="the backend's default",
        ),
    ] = None,
    image_url_prefix: Annotated[
        str | None,
        typer.Option(
            help="A tile's URL is this, the output folder's name and the tile's path in it.",
            show_default=LOCAL_FILES,
        ),
    ] = None,
    local_files: LocalFiles = None,
) -> None:
    """Cut pictures that no browser shows into tiles and Label Studio tasks.

    The same command goes on where it was interrupted. Exits with 3 if something was lost.
    """
    if overlap >= size:
        raise EdgeFlowError(
            f"tiles of {size} pixels cannot share {overlap}", hint="choose a smaller --overlap"
        )
    check_labels(label or [])
    choice = Choice(_bands(bands), _percentiles(percentiles), stretched=not no_stretch)
    urls, tag = image_urls(image_url_prefix, local_files), tag_of(control) or KINDS["brush"]
    names = _names(sources)
    _check_output(output, list(names.values()))
    shapes = read_shapes(vectors, label_field, layer)
    config = _config(tag, [*(label or []), *(shapes.classes if shapes else [])], model)
    plan = Plan(
        controls=mask_controls(parse_label_config(config).for_task(None), tag),
        side=size,
        overlap=overlap,
        ending=kind,
        most=most,
        choice=choice,
        urls=urls or BelowPrefix(),
        form=TaskForm("predictions", "import", PolygonOptions(tolerance=tolerance)),
        layer=shapes,
        layer_digest=file_digest(vectors) if vectors else "",
    )
    report = Report()
    output.mkdir(parents=True, exist_ok=True)
    with quiet_decoders(), replacing(output / TASKS) as file:
        file.write(b"[")
        for path, name in names.items():
            try:
                for task in _cut(path, name, output, plan, report):
                    file.write((b",\n" if report.count["tasks"] else b"\n") + task)
                    report.count["tasks"] += 1
            except (TilesError, OSError) as error:
                if len(names) == 1:
                    raise
                report.lose(reason_of(error), path.name)
        if not report.count["tasks"]:
            raise TilesError(
                "\n".join(["none of these pictures could be cut", *report.lines()]),
                hint="name GeoTIFFs, or large PNGs and JPEGs",
            )
        file.write(b"\n]\n")
    write_atomically(output / CONFIG, config.encode())
    _tell(output, report, drawn=shapes is not None)


def _cut(path: Path, name: str, output: Path, plan: Plan, report: Report) -> Iterator[bytes]:
    """The tasks of a picture."""
    own = Report()
    with Tiling(path, name, output, plan) as tiling:
        for note in tiling.notes:
            typer.echo(f"{path.name}: {note}")
        with typer.progressbar(tiling.run(own), length=len(tiling.grid), label=name) as bar:
            for _ in bar:
                pass
        if not own.count["tiles"]:
            raise TilesError(
                f"{path.name} shows nothing: no pixel has data",
                hint="look at its nodata value and its mask with `gdalinfo`",
            )
        report.add(own)
        yield from tiling.tasks()


def _tell(output: Path, report: Report, *, drawn: bool) -> None:
    count = report.count
    masks = f", with {counted(count['objects'], 'mask')}" if drawn else ""
    typer.echo(f"{output / TASKS}: {counted(count['tasks'], 'task')}{masks}")
    if count["empty"]:
        typer.echo(f"{counted(count['empty'], 'window')} without data left out")
    typer.echo(f"{output / CONFIG}: the labelling config for the project")
    for line in report.lines():
        typer.echo(line)
    if not report.complete:
        raise typer.Exit(INCOMPLETE)


def _names(sources: list[Path]) -> dict[Path, str]:
    """What each picture's tiles are called."""
    names = Names()
    return {path: names.of(path.name, "2")[0] for path in dict.fromkeys(sources)}


def _check_output(output: Path, names: list[str]) -> None:
    """Refuse a folder that holds other things than tiles of these pictures."""
    if output.exists() and not output.is_dir():
        raise FileWriteError(f"{output} is no folder", hint="name a folder last, for what is made")
    if not output.is_dir() or not any(output.iterdir()):
        return
    journals = set(output.glob(f".*{JOURNAL_ENDING}"))
    if not journals:
        raise FileWriteError(
            f"{output} is not empty", hint="name a new folder, or delete what is in it"
        )
    if others := sorted(journals - {journal_path(output, name) for name in names}):
        other = others[0].name.removeprefix(".").removesuffix(JOURNAL_ENDING)
        raise FileWriteError(
            f"{output} also holds the tiles of {other}, whose tasks would be lost",
            hint="name that picture as well, or a new folder",
        )


def _config(kind: str, labels: list[str], model: str | None) -> str:
    known = [Label(text) for text in dict.fromkeys(filter(fits_config, labels))] or [OBJECT]
    return recommended_config(kind, known, model=model)


def _bands(text: str) -> tuple[int, ...]:
    if not text:
        return ()
    try:
        bands = tuple(int(each) for each in text.split(","))
    except ValueError:
        bands = ()
    if len(bands) not in (1, 3) or min(bands) < 1:
        raise EdgeFlowError(
            f"{text!a} is neither one band nor three", hint="write numbers from 1, such as 4,3,2"
        )
    return bands


def _percentiles(text: str) -> tuple[float, float] | None:
    if not text:
        return None
    try:
        low, high = (float(each) for each in text.split(","))
    except ValueError:
        low, high = 1.0, 0.0
    if not 0 <= low < high <= 100:
        raise EdgeFlowError(
            f"{text!a} are no two percentiles", hint="write them from 0 to 100, such as 2,98"
        )
    return low, high
