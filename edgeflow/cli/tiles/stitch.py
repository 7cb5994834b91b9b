"""``edgeflow stitch``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from edgeflow.cli.label_studio import URL, Annotator, APIKey, SourceProject, open_api
from edgeflow.cli.options import LabelConfigFile
from edgeflow.cli.preannotation.options import INCOMPLETE
from edgeflow.cli.tiles.shapes import read_shapes
from edgeflow.data.annotators import ALL, FIRST
from edgeflow.data.drawn_tasks import TasksFile, read_label_config
from edgeflow.data.left_out import LeftOut, left_out_lines
from edgeflow.errors import EdgeFlowError, FileWriteError, counted
from edgeflow.export.reading.sources import project_tasks
from edgeflow.label_studio.config.label_config import LabelConfig
from edgeflow.tiles.errors import GEO, TilesError
from edgeflow.tiles.sidecar import ENDING, TileSet, read_tile_set
from edgeflow.tiles.sources.opening import has_extra
from edgeflow.tiles.stitching.choices import FORMAT_NAMES, Choices, Coordinates, Values
from edgeflow.tiles.stitching.joining import Joined
from edgeflow.tiles.stitching.objects import stitched
from edgeflow.tiles.stitching.reading import drawn_tiles
from edgeflow.tiles.vectors.layer import Layer


def stitch(
    sources: Annotated[
        list[Path],
        typer.Argument(help=f"Lists of tiles (*{ENDING}), or folders with such files; then OUT."),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write to.")],
    format: Annotated[
        str,
        typer.Option(
            help=f"One or several, with commas: {', '.join(FORMAT_NAMES)}; see docs/aerial.md."
        ),
    ] = "geotiff,gpkg",
    values: Annotated[
        Values,
        typer.Option(help="GeoTIFF: whether a pixel is the number of its class or of its object."),
    ] = "class",
    geojson_crs: Annotated[
        Coordinates,
        typer.Option(
            help="GeoJSON: longitude and latitude, as RFC 7946 has it, or the picture's own "
            "coordinates."
        ),
    ] = "wgs84",
    simplify: Annotated[
        float,
        typer.Option(
            help="Leave out points of outlines that lie no further than this from the rest, in "
            "units of the map. Without it outlines run along the pixels.",
            min=0,
            show_default="off",
        ),
    ] = 0,
    vectors: Annotated[
        Path | None,
        typer.Option(
            help="Vectors: the shapes that the picture was tiled with. Objects with exactly their "
            "pixels keep their outlines."
        ),
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="Layer of --vectors, where it has several.")
    ] = None,
    annotators: Annotated[
        bool,
        typer.Option(
            "--annotators", help="Vectors: a column with the numbers of those who annotated."
        ),
    ] = False,
    url: URL = "",
    project: SourceProject = None,
    api_key: APIKey = "",
    tasks: Annotated[
        Path | None,
        typer.Option(help="Export file (JSON) in place of --project.", exists=True, dir_okay=False),
    ] = None,
    label_config: LabelConfigFile = None,
    annotator: Annotator = FIRST,
) -> None:
    """Put what was drawn on the tiles of `edgeflow tile` back together, on the map.

    Objects are joined across the borders of tiles. Exits with 3 if something could not be read.
    """
    if not has_extra():
        raise EdgeFlowError("what reads and writes maps is not installed", hint=GEO)
    formats = _formats(format)
    if annotator == ALL:
        raise EdgeFlowError(
            "an object on a map cannot be everybody's",
            hint="choose one --annotator, or vote or staple",
        )
    if output.exists() and not output.is_dir():
        raise FileWriteError(f"{output} is no folder", hint="name a folder last, to write to")
    sets = _tile_sets(sources)
    config = read_label_config(label_config) if label_config is not None else None
    listed: Iterable[dict[str, Any]]
    if project is not None and tasks is None:
        listed, config = project_tasks(open_api(url, api_key), project, config)
    elif tasks is not None and project is None:
        listed = TasksFile(tasks)
    else:
        raise EdgeFlowError(
            "whose masks to write is not clear", hint="name either --project or --tasks"
        )
    choices = Choices(values, geojson_crs, simplify, annotators)
    shapes = read_shapes(vectors, None, layer)
    left_out = _run(sets, listed, config, annotator, formats, choices, output, shapes)
    for line in left_out_lines(left_out):
        typer.echo(line)
    if any(each.fault for each in left_out):
        raise typer.Exit(INCOMPLETE)


def _run(
    sets: dict[str, TileSet],
    tasks: Iterable[dict[str, Any]],
    config: LabelConfig | None,
    annotator: str,
    formats: Sequence[str],
    choices: Choices,
    output: Path,
    shapes: Layer | None,
) -> list[LeftOut]:
    """Write the files of all pictures that something is drawn on; what was left out."""
    # Not at the top: they are of an extra.
    from edgeflow.tiles.stitching.formats import Work, write_files  # noqa: PLC0415
    from edgeflow.tiles.stitching.unchanged import UnchangedShapes  # noqa: PLC0415

    drawn = drawn_tiles(list(sets.values()), tasks, config, annotator)
    left_out, written = drawn.left_out, 0
    for name, tiles in sets.items():
        pieces = drawn.pieces.get(tiles.id)
        if not pieces:
            continue
        whole = stitched(tiles, pieces)
        across = sum(len({piece.tile for piece in each.pieces}) > 1 for each in whole.objects)
        typer.echo(
            f"{tiles.source}: {counted(len(whole.objects), 'object')} in "
            f"{counted(len({piece.tile for piece in pieces}), 'tile')}, {across} across tiles"
        )
        for line in _notes(whole.joined):
            typer.echo(f"  {line}")
        try:
            unchanged = None if shapes is None else UnchangedShapes(shapes, tiles)
            work = Work(whole, drawn.classes, choices, unchanged)
            for path, file in write_files(work, name, formats, output):
                typer.echo(f"{path}: {file.said}")
                left_out += file.left_out
                written += 1
        except TilesError as error:
            left_out.append(LeftOut(f"{error.message}; {error.hint}", tiles.source))
    if not written:
        raise EdgeFlowError(
            "\n".join(["there is no mask to write", *left_out_lines(left_out)]),
            hint="submit annotations in Label Studio, and name the lists of the tiles they are on",
        )
    return left_out


def _notes(joined: Joined) -> list[str]:
    """What a person may want to look at."""
    notes = {
        "pixels of overlaps on which tiles differ; they belong to the object": joined.differing,
        "pairs of one shape with two labels, which stay apart": joined.relabelled,
        "objects of which some tile has several parts": joined.regrouped,
    }
    return [f"{count} {what}" for what, count in notes.items() if count]


def _tile_sets(sources: Sequence[Path]) -> dict[str, TileSet]:
    """The pictures of lists of tiles, by the name of the files that are made of them.

    Raises:
        EdgeFlowError: One cannot be read, there are none, or two would be written to one file.
    """
    paths = [
        path
        for source in sources
        for path in (sorted(source.glob(f"*{ENDING}")) if source.is_dir() else [source])
    ]
    if not paths:
        raise TilesError(
            f"no list of tiles in {', '.join(map(str, sources))}",
            hint=f"`edgeflow tile` writes *{ENDING} beside its folders of tiles",
        )
    names: dict[str, str] = {}
    sets: dict[str, TileSet] = {}
    for path in paths:
        tiles = read_tile_set(path)
        name = path.name.removesuffix(ENDING)
        if tiles.id in names:
            continue
        if name in sets:
            raise TilesError(
                f"two pictures are called {name}", hint="stitch them into different folders"
            )
        names[tiles.id] = name
        sets[name] = tiles
    return sets


def _formats(names: str) -> list[str]:
    """The formats of a list with commas.

    Raises:
        EdgeFlowError: There is none of that name.
    """
    formats = list(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in formats:
        if name not in FORMAT_NAMES:
            raise EdgeFlowError(
                f"unknown format {name!r}", hint=f"choose {', '.join(FORMAT_NAMES)}"
            )
    return formats
