"""``edgeflow compare``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from edgeflow.agreement.comparison import Match, match_objects, worst_objects
from edgeflow.agreement.packed import PackedImage, pack
from edgeflow.agreement.pairing import Paired, pair_images
from edgeflow.agreement.report import Comparison, as_csv, as_json, report_lines
from edgeflow.agreement.sheet import cell, contact_sheet
from edgeflow.annotated import Annotations
from edgeflow.arrays import RGBImage
from edgeflow.cli.export import INCOMPLETE
from edgeflow.cli.image_output import check_overlay_ending, encode_overlay
from edgeflow.cli.label_studio import URL, APIKey, open_api, split_login
from edgeflow.cli.options import Images, LabelConfigFile, Layout, Split
from edgeflow.data.annotators import ALL, FIRST
from edgeflow.data.drawn_tasks import read_label_config
from edgeflow.data.opening import AUTO
from edgeflow.errors import EdgeFlowError, FileWriteError
from edgeflow.export.reading.sources import (
    open_annotations,
    project_annotations,
)
from edgeflow.export.tally import Tally
from edgeflow.files import check_outputs, in_folders, write_atomically
from edgeflow.pull.fetch import Pictures

WRITERS: dict[str, Callable[[Comparison], bytes]] = {".json": as_json, ".csv": as_csv}
"""By the ending of ``--output``."""


Source = Callable[[str], Annotations]
"""Reads the annotations of A or B, given whose count."""


def compare(
    a: Annotated[
        Path | None,
        typer.Argument(help="A Label Studio export, or whatever `edgeflow datasets` reads."),
    ] = None,
    b: Annotated[
        Path | None,
        typer.Argument(help="What to compare it with; without it, two annotators of A."),
    ] = None,
    annotator: Annotated[
        list[str] | None,
        typer.Option(
            help="Whose annotations count in A, and, given a second time, in B: first, last, vote, "
            "staple, or an annotator's id or e-mail address.",
            show_default=FIRST,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File for all figures: .json, or .csv with objects."),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Image file for the worst objects: A's outline yellow, B's blue."),
    ] = None,
    worst: Annotated[int, typer.Option(help="Most objects on the sheet.", min=1, max=600)] = 24,
    iou: Annotated[
        float, typer.Option(help="Objects with a smaller IoU are different ones.", min=0.01, max=1)
    ] = 0.5,
    url: URL = "",
    project: Annotated[
        int | None,
        typer.Option(
            help="Compare this Label Studio project over its API, with the token in "
            "LABEL_STUDIO_API_KEY: with A, or two of its annotators."
        ),
    ] = None,
    api_key: APIKey = "",
    layout: Layout = AUTO,
    split: Split = None,
    images: Images = None,
    label_config: LabelConfigFile = None,
) -> None:
    """Tell how far two annotations of the same images agree: two annotators, or two versions.

    Exits with 3 if objects that could not be read are missing from the comparison.
    """
    read = [path for path in (a, b, images, label_config) if path is not None]
    _check_outputs(output, sheet, read)
    sources = [
        _path_source(path, layout, split, images, label_config)
        for path in (a, b)
        if path is not None
    ]
    if project is not None:
        sources.append(_project_source(url, api_key, project, images, label_config))
    (one, who), (other, whom) = _sides(sources, annotator or [])
    in_a, in_b = one(who), other(whom)
    tally_a, tally_b = Tally(in_a), Tally(in_b)
    names = _title(in_a.name, who), _title(in_b.name, whom)
    packed = [
        _pack(tally, f"{letter}: {name}")
        for letter, tally, name in zip("AB", (tally_a, tally_b), names, strict=True)
    ]
    paired = pair_images(*packed, one_source=one is other or a == b)
    comparison = _compare(paired, names, iou)
    for line in report_lines(comparison):
        typer.echo(line)
    for letter, tally in (("A", tally_a), ("B", tally_b)):
        for line in tally.lines():
            typer.echo(f"{letter}: {line}")
    if output is not None:
        write_atomically(output, WRITERS[output.suffix.lower()](comparison))
        typer.echo(f"{output}")
    if sheet is not None:
        _write_sheet(sheet, worst, paired, comparison)
    if not (tally_a.complete and tally_b.complete):
        raise typer.Exit(INCOMPLETE)


def _check_outputs(output: Path | None, sheet: Path | None, read: list[Path]) -> None:
    """Refuse what cannot be written, or would replace what is read, before anything is read."""
    if output is not None and output.suffix.lower() not in WRITERS:
        raise FileWriteError(
            f"cannot write the figures to {output}: its ending is not known",
            hint=f"choose one of {', '.join(WRITERS)}",
        )
    if sheet is not None:
        check_overlay_ending(sheet)
    named = {"file": output, "sheet": sheet}
    outputs = {name: path for name, path in named.items() if path is not None}
    check_outputs(outputs, [*read, *in_folders(outputs.values(), read, lambda _: False)])


def _path_source(
    path: Path, layout: str, split: str | None, images: Path | None, label_config: Path | None
) -> Source:
    def open_path(annotator: str) -> Annotations:
        return open_annotations(
            path,
            layout=layout,
            split=split,
            images=images,
            label_config=label_config,
            annotator=annotator,
        )

    return open_path


def _project_source(
    url: str, api_key: str, project: int, images: Path | None, label_config: Path | None
) -> Source:
    config = read_label_config(label_config) if label_config is not None else None
    api = open_api(url, api_key)
    fetcher = Pictures(split_login(url)[0], api.credentials)

    def open_project(annotator: str) -> Annotations:
        return project_annotations(
            api,
            project,
            images=images,
            label_config=config,
            annotator=annotator,
            fetcher=fetcher,
        )

    return open_project


def _sides(sources: list[Source], annotators: list[str]) -> list[tuple[Source, str]]:
    """A and B, each with the annotator that counts.

    Raises:
        EdgeFlowError: There are not two sources, nor one with two annotators.
    """
    if ALL in annotators:
        raise EdgeFlowError(
            "all annotations of an image cannot be compared at once", hint="name two annotators"
        )
    if len(sources) == 1 and len(annotators) == 2:
        return [(sources[0], each) for each in annotators]
    if len(sources) == 2 and len(annotators) <= 2:
        whose = [*annotators, FIRST, FIRST]
        return [(source, who) for source, who in zip(sources, whose, strict=False)]
    raise EdgeFlowError(
        "what to compare is not clear",
        hint="name A and B, or one of them and --annotator twice; a project counts as one",
    )


def _title(name: str, annotator: str) -> str:
    """What a side is called, also in files, which hold no e-mail address."""
    if annotator == FIRST or "@" in annotator:
        return name
    return f"{name}, annotator {annotator}" if annotator.isdecimal() else f"{name}, {annotator}"


def _pack(tally: Tally, name: str) -> list[PackedImage]:
    """Read a side; its masks stay in memory, compressed, until their counterparts are known.

    Raises:
        EdgeFlowError: It holds nothing.
    """
    with typer.progressbar(tally.images(), label=name) as images:
        packed = [pack(image) for image in images]
    if not packed:
        raise EdgeFlowError(
            "\n".join([f"{name}: there is no annotated image", *tally.lines()]),
            hint="check the source, or choose another --annotator",
        )
    return packed


def _compare(paired: Paired, names: tuple[str, str], least: float) -> Comparison:
    """Match the objects of all images.

    Raises:
        EdgeFlowError: No image is in both.
    """
    if not paired.pairs:
        raise EdgeFlowError(
            f"A and B have no image in common: {len(paired.only_a)} are in A alone, "
            f"{len(paired.only_b)} in B alone, {len(paired.other_size)} of another size in B",
            hint="compare annotations of the same images; their files need the same names",
        )
    matches: list[Match] = []
    with typer.progressbar(paired.pairs, label="comparing") as pairs:
        for number, (one, other) in enumerate(pairs):
            matches += match_objects(number, one.objects(), other.objects(), least)
    return Comparison(
        *names,
        least,
        [image.file_name for image, _ in paired.pairs],
        matches,
        only_a=[image.file_name for image in paired.only_a],
        only_b=[image.file_name for image in paired.only_b],
        other_size=[image.file_name for image, _ in paired.other_size],
    )


def _write_sheet(path: Path, count: int, paired: Paired, comparison: Comparison) -> None:
    """Draw the worst objects, and say what is to be seen."""
    cells, missing = [], 0
    for match in worst_objects(comparison.matches, count):
        pair = paired.pairs[match.image]
        rgb = next((rgb for rgb in map(_pixels, pair) if rgb is not None), None)
        missing += rgb is None
        shapes = [
            None if side is None else image.objects()[side.place].shape
            for side, image in zip((match.a, match.b), pair, strict=True)
        ]
        image = comparison.images[match.image]
        cells.append(cell(rgb, image, pair[0].size, match, *shapes))
    if not cells:
        typer.echo("there is no object to draw, so no sheet was written")
        return
    write_atomically(path, encode_overlay(contact_sheet(cells), path))
    typer.echo(f"{path}: the worst {len(cells)} objects, A yellow, B blue")
    if missing:
        typer.echo(f"{missing} of them on grey, since the image is not at hand; see --images")


def _pixels(image: PackedImage) -> RGBImage | None:
    """An image's pixels; None if they are not at hand, or not of the annotation's size."""
    if image.picture is None:
        return None
    try:
        rgb = image.picture.rgb()
    except EdgeFlowError:
        return None
    return rgb if rgb.shape[:2] == image.size else None
