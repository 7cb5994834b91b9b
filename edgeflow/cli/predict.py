"""``edgeflow predict``."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from edgeflow.cli.options import Device, Model, ModelsDir, Runtime, Zoom
from edgeflow.errors import EdgeFlowError
from edgeflow.geometry import ImagePoint
from edgeflow.images import MAX_PIXELS, decode_image
from edgeflow.inference.predictor import load_predictor
from edgeflow.inference.zoom import POLICIES
from edgeflow.masks.png import to_png
from edgeflow.overlay import draw_overlay
from edgeflow.prompts.click import Click

_CLICK = re.compile(r"(?P<sign>[+-]?)(?P<x>\d+(?:\.\d+)?),(?P<y>\d+(?:\.\d+)?)")


def parse_click(text: str) -> Click:
    """Parse ``120,80`` (positive) or ``-30,40`` (negative: the sign belongs to the click).

    Raises:
        typer.BadParameter: The text is anything else.
    """
    match = _CLICK.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(
            f"{text!r} is not a click; write X,Y in pixels, with a leading minus for a negative "
            "click: --click 120,80 --click=-30,40"
        )
    return Click(ImagePoint(float(match["x"]), float(match["y"])), match["sign"] != "-")


def predict(
    image: Annotated[Path, typer.Argument(help="Image file.", exists=True, dir_okay=False)],
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
        Path, typer.Option("--output", "-o", help="File for the mask: 8-bit PNG, 0 and 255.")
    ] = Path("mask.png"),
    overlay: Annotated[
        Path | None, typer.Option(help="File for the image with mask and clicks drawn on it.")
    ] = None,
    model: Model = "edgeflow_lite",
    models_dir: ModelsDir = None,
    zoom: Zoom = "edgeflow",
    runtime: Runtime = "torch",
    device: Device = "auto",
    max_pixels: Annotated[int, typer.Option(help="Refuse larger images.")] = MAX_PIXELS,
) -> None:
    """Segment one object and write its mask."""
    clicks = [parse_click(text) for text in click]
    rgb = decode_image(image.read_bytes(), max_pixels=max_pixels)
    predictor = load_predictor(
        model, folder=models_dir, device=device, runtime=runtime, policy=POLICIES[zoom]
    )
    started = time.perf_counter()
    prediction = predictor.predict(predictor.encode(rgb), clicks)
    elapsed = time.perf_counter() - started
    try:
        output.write_bytes(to_png(prediction.mask))
        if overlay is not None:
            Image.fromarray(draw_overlay(rgb, prediction.mask, clicks)).save(overlay)
    except (OSError, ValueError) as error:  # Pillow names unknown file types by ValueError
        raise EdgeFlowError(f"cannot write the result: {error}") from error
    share = prediction.mask.mean()
    typer.echo(
        f"{output}: {prediction.mask.sum()} pixels ({share:.1%}), score {prediction.score:.2f}, "
        f"{prediction.steps} network steps in {elapsed * 1000:.0f} ms ({predictor.runtime.name})"
    )
