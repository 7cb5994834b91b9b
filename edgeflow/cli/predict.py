"""``edgeflow predict``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.cli.image_output import (
    check_mask_ending,
    check_overlay_ending,
    encode_mask,
    encode_overlay,
)
from edgeflow.cli.options import Device, MaxPixels, Model, ModelsDir, Quality, Runtime, Zoom
from edgeflow.errors import PromptError, no_object
from edgeflow.files import check_outputs, is_special, write_atomically
from edgeflow.geometry import Size
from edgeflow.images import MAX_PIXELS, decode_image, quiet_decoders
from edgeflow.inference.predictor import load_predictor
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.zoom import POLICIES
from edgeflow.overlay import draw_overlay
from edgeflow.prompts.click import Click, check_clicks
from edgeflow.prompts.notation import click_of


def parse_click(text: str) -> Click:
    """Parse ``120,80`` (positive) or ``-30,40`` (negative: the sign belongs to the click).

    Raises:
        typer.BadParameter: The text is anything else.
    """
    try:
        return click_of(text)
    except PromptError as error:
        raise typer.BadParameter(
            f"{text!r} is not a click; write X,Y in pixels, with a leading minus for a negative "
            "click: --click 120,80 --click=-30,40"
        ) from error


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
        Path,
        typer.Option(
            "--output",
            "-o",
            help="File for the mask, 0 and 255; its ending decides the format: .png, .tif, .bmp "
            "or .webp.",
        ),
    ] = Path("mask.png"),
    overlay: Annotated[
        Path | None,
        typer.Option(
            help="File for the image with mask and clicks drawn on it; may also be a .jpg."
        ),
    ] = None,
    model: Model = DEFAULT_MODEL,
    models_dir: ModelsDir = None,
    zoom: Zoom = "edgeflow",
    quality: Quality = "fast",
    runtime: Runtime = "torch",
    device: Device = "auto",
    max_pixels: MaxPixels = MAX_PIXELS,
) -> None:
    """Segment one object and write its mask."""
    clicks = [parse_click(text) for text in click]
    _check_outputs(output, overlay, [image, Path(model)])
    data = image.read_bytes()
    with quiet_decoders():
        rgb = decode_image(data, max_pixels=max_pixels)
    check_clicks(clicks, Size(*rgb.shape[:2]))
    predictor = load_predictor(
        model,
        folder=models_dir,
        device=device,
        runtime=runtime,
        policy=POLICIES[zoom],
        quality=QUALITIES[quality],
    )
    started = time.perf_counter()
    prediction = predictor.predict(predictor.encode(rgb), clicks)
    elapsed = time.perf_counter() - started
    if prediction.patch.empty:
        raise no_object()
    files = {output: encode_mask(prediction.mask, output)}
    if overlay is not None:
        files[overlay] = encode_overlay(draw_overlay(rgb, prediction.mask, clicks), overlay)
    for path, data in files.items():
        write_atomically(path, data)
    share = prediction.mask.mean()
    typer.echo(
        f"{output}: {prediction.mask.sum()} pixels ({share:.1%}), score {prediction.score:.2f}, "
        f"{prediction.steps} network steps in {elapsed * 1000:.0f} ms ({predictor.execution})",
        err=any(map(is_special, files)),  # standard output may be one of them
    )


def _check_outputs(output: Path, overlay: Path | None, inputs: list[Path]) -> None:
    """Refuse, before the model is loaded, what could not be written or would destroy an input."""
    check_mask_ending(output)
    outputs = {"mask": output}
    if overlay is not None:
        check_overlay_ending(overlay)
        outputs["overlay"] = overlay
    check_outputs(outputs, inputs, make_folders=False)
