"""``edgeflow cutout``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.cli.cutting.jobs import STANDARD, jobs_of
from edgeflow.cli.cutting.outputs import check_inputs_stay, output_files
from edgeflow.cli.cutting.prompt_list import Listed
from edgeflow.cli.cutting.render import ImageReader, Look, Renderer, background_of
from edgeflow.cli.options import Device, MaxPixels, Model, ModelsDir, Quality, Runtime, Zoom
from edgeflow.errors import EdgeFlowError
from edgeflow.files import is_special, write_atomically
from edgeflow.images import MAX_PIXELS
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.zoom import POLICIES
from edgeflow.prompts.notation import click_of, corners_of

INCOMPLETE = 3
"""Exit status when some, but not all, of several cut-outs were made."""


def cutout(
    images: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[IMAGE]...",
            help="Image files or folders of them; - for standard input. Not with --list.",
            show_default=False,
        ),
    ] = None,
    click: Annotated[
        list[str] | None,
        typer.Option(
            "--click",
            "-c",
            metavar="X,Y",
            help="A click, as for predict: --click 120,80, or --click=-30,40 beside the object; "
            "repeat it. With several images, the same in each.",
            show_default=False,
        ),
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(metavar="LEFT,TOP,RIGHT,BOTTOM", help="A box around the object, in pixels."),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(
            help="The object's mask, white on black, or a folder of masks named like the images. "
            "Clicks correct it.",
            exists=True,
        ),
    ] = None,
    list_file: Annotated[
        Path | None,
        typer.Option(
            "--list", help="CSV or JSON lines of image, clicks, box, mask; see docs/cutouts.md."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="For one image a file, .png or .webp; for more a folder; - for standard output.",
            show_default="the folder cutouts, or standard output for standard input",
        ),
    ] = None,
    format: Annotated[
        str,
        typer.Option(
            help="In a folder and on standard output: png, webp; with --background also jpg."
        ),
    ] = "png",
    background: Annotated[
        str | None,
        typer.Option(
            help="A colour, such as white or #00b140, or an image, instead of transparency."
        ),
    ] = None,
    crop: Annotated[bool, typer.Option("--crop", help="Cut away the empty space around.")] = False,
    margin: Annotated[int, typer.Option(help="Pixels that --crop leaves on each side.", min=0)] = 0,
    soft: Annotated[bool, typer.Option("--soft/--hard", help="Borders: soft, or 0 or 255.")] = True,
    model: Model = DEFAULT_MODEL,
    models_dir: ModelsDir = None,
    zoom: Zoom = "edgeflow",
    quality: Quality = "fast",
    runtime: Runtime = "torch",
    device: Device = "auto",
    max_pixels: MaxPixels = MAX_PIXELS,
) -> None:
    """Cut objects out of images: transparent PNG or WebP, with soft borders.

    Exits with 3 if some of several images could not be cut out; they are named.
    """
    prompt = Listed("", tuple(map(click_of, click or ())), None if box is None else corners_of(box))
    jobs = jobs_of(images or [], prompt, mask, list_file)
    files = output_files(jobs, output, format, opaque=background is not None)
    behind = Path(background) if background is not None and Path(background).is_file() else None
    others = [path for path in (list_file, behind, Path(model)) if path is not None]
    check_inputs_stay(files, jobs, others)
    reader = ImageReader(max_pixels)
    look = Look(soft, crop, margin, background_of(background, behind, reader))

    def load() -> Predictor:
        return load_predictor(
            model,
            folder=models_dir,
            device=device,
            runtime=runtime,
            policy=POLICIES[zoom],
            quality=QUALITIES[quality],
        )

    renderer = Renderer(look, reader, load)
    failed = 0
    for job, path in zip(jobs, files, strict=True):
        try:
            _write(path, renderer.render(job, _as_file(path, format)))
        except (EdgeFlowError, OSError) as error:
            if len(jobs) == 1:
                raise
            failed += 1
            reason = error.strerror if isinstance(error, OSError) else error.message
            typer.echo(f"warning: {job.image}: {reason}", err=True)
        else:
            typer.echo(f"{path}", err=path == STANDARD or is_special(path))
    if failed:
        typer.echo(f"{failed} of {len(jobs)} could not be cut out", err=True)
        raise typer.Exit(1 if failed == len(jobs) else INCOMPLETE)


def _as_file(path: Path, format: str) -> Path:
    """The path, or a name of the chosen format for standard output."""
    return Path(f"cutout.{format}") if path == STANDARD else path


def _write(path: Path, data: bytes) -> None:
    if path == STANDARD:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_atomically(path, data)
