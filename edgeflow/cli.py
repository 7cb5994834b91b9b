"""The ``edgeflow`` command."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from edgeflow import __version__
from edgeflow.checkpoints import shipped_models
from edgeflow.errors import EdgeFlowError
from edgeflow.geometry import ImagePoint
from edgeflow.images import MAX_PIXELS, decode_image
from edgeflow.masks import to_png
from edgeflow.overlay import draw_overlay
from edgeflow.predictor import load_predictor
from edgeflow.prompts import Click

app = typer.Typer(
    help="Segment objects in pictures from clicks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_CLICK = re.compile(r"(?P<sign>[+-]?)(?P<x>\d+(?:\.\d+)?),(?P<y>\d+(?:\.\d+)?)")


def parse_click(text: str) -> Click:
    """Parse ``120,80`` (positive) or ``-30,40`` (negative: the sign belongs to the click).

    Raises:
        typer.BadParameter: anything else.
    """
    match = _CLICK.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(
            f"{text!r} is not a click; write X,Y in pixels, with a leading minus for a negative "
            "click: --click 120,80 --click=-30,40"
        )
    return Click(ImagePoint(float(match["x"]), float(match["y"])), match["sign"] != "-")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"edgeflow {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Segment objects in pictures from clicks."""


@app.command()
def predict(
    image: Annotated[Path, typer.Argument(help="The picture.", exists=True, dir_okay=False)],
    click: Annotated[
        list[str],
        typer.Option(
            "--click",
            "-c",
            metavar="X,Y",
            help="A click, in pixels from the top left; repeat it, in order. A leading minus "
            "marks a negative click: --click=-30,40 says that x=30, y=40 is not the object.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The mask: 8-bit PNG, 0 and 255.")
    ] = Path("mask.png"),
    overlay: Annotated[
        Path | None, typer.Option(help="The picture with mask and clicks drawn on it.")
    ] = None,
    model: Annotated[str, typer.Option(help="A model's name, or a weights file.")] = (
        "edgeflow_lite"
    ),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    max_pixels: Annotated[int, typer.Option(help="Refuse larger pictures.")] = MAX_PIXELS,
) -> None:
    """Segment one object and write its mask."""
    clicks = [parse_click(text) for text in click]
    try:
        rgb = decode_image(image.read_bytes(), max_pixels=max_pixels)
        predictor = load_predictor(model, device=device)
        started = time.perf_counter()
        prediction = predictor.predict(predictor.encode(rgb), clicks)
        elapsed = time.perf_counter() - started
        output.write_bytes(to_png(prediction.mask))
        if overlay is not None:
            Image.fromarray(draw_overlay(rgb, prediction.mask, clicks)).save(overlay)
    except EdgeFlowError as error:
        raise _fail(error.message, error.hint) from error
    except (OSError, ValueError) as error:  # Pillow names unknown file types by ValueError
        raise _fail(f"cannot write the result: {error}") from error
    share = prediction.mask.mean()
    typer.echo(
        f"{output}: {prediction.mask.sum()} pixels ({share:.1%}), score {prediction.score:.2f}, "
        f"{prediction.steps} network steps in {elapsed * 1000:.0f} ms ({predictor.runtime.name})"
    )


@app.command()
def models() -> None:
    """List the models that are present."""
    try:
        checkpoints = shipped_models()
    except EdgeFlowError as error:
        raise _fail(error.message, error.hint) from error
    for checkpoint in checkpoints:
        entry = checkpoint.entry
        state = "present" if checkpoint.path.is_file() else "MISSING"
        typer.echo(f"{checkpoint.name}  ({state}, {checkpoint.version})")
        typer.echo(f"  architecture  {entry.architecture}, feeds back its {entry.feedback} map")
        typer.echo(f"  use           {entry.use}")
        typer.echo(f"  file          {checkpoint.path}")
        for name, metrics in entry.metrics.items():
            figures = ", ".join(f"{key} {value:g}" for key, value in metrics.items())
            typer.echo(f"  {name:<13} {figures}")
        typer.echo(f"  measured with {entry.metrics_note}")
        typer.echo(f"  licence       {entry.licence}")


def _fail(message: str, hint: str = "") -> typer.Exit:
    typer.echo(f"error: {message}", err=True)
    if hint:
        typer.echo(f"hint: {hint}", err=True)
    return typer.Exit(1)


if __name__ == "__main__":
    app()
