"""The ``edgeflow`` command."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from edgeflow import __version__
from edgeflow.catalogue import PUBLISHED
from edgeflow.checkpoints import Checkpoint, models_in, shipped_models, user_folder
from edgeflow.convert.convert import LICENCE, convert
from edgeflow.crop import POLICIES
from edgeflow.data.command import datasets, find_near_duplicates
from edgeflow.download import download
from edgeflow.errors import EdgeFlowError
from edgeflow.evaluate.command import evaluate
from edgeflow.geometry import ImagePoint
from edgeflow.images import MAX_PIXELS, decode_image
from edgeflow.masks import to_png
from edgeflow.overlay import draw_overlay
from edgeflow.predictor import load_predictor
from edgeflow.prompts import Click
from edgeflow.runtime.choice import RUNTIMES
from edgeflow.train.command import train

app = typer.Typer(
    help="Segment objects in pictures from clicks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_CLICK = re.compile(r"(?P<sign>[+-]?)(?P<x>\d+(?:\.\d+)?),(?P<y>\d+(?:\.\d+)?)")

ModelsDir = Annotated[
    Path | None,
    typer.Option(help="Folder of converted and downloaded weights.", show_default="your cache"),
]


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
    models_dir: ModelsDir = None,
    zoom: Annotated[str, typer.Option(help=f"Zoom policy: {', '.join(POLICIES)}.")] = "edgeflow",
    runtime: Annotated[
        str, typer.Option(help=f"{', '.join(RUNTIMES)}; docs/runtimes.md.")
    ] = "torch",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    max_pixels: Annotated[int, typer.Option(help="Refuse larger pictures.")] = MAX_PIXELS,
) -> None:
    """Segment one object and write its mask."""
    clicks = [parse_click(text) for text in click]
    if zoom not in POLICIES:
        raise typer.BadParameter(f"{zoom!r} is no zoom policy; known: {', '.join(POLICIES)}")
    try:
        rgb = decode_image(image.read_bytes(), max_pixels=max_pixels)
        predictor = load_predictor(
            model, folder=models_dir, device=device, runtime=runtime, policy=POLICIES[zoom]
        )
        started = time.perf_counter()
        prediction = predictor.predict(predictor.encode(rgb), clicks)
        elapsed = time.perf_counter() - started
        output.write_bytes(to_png(prediction.mask))
        if overlay is not None:
            Image.fromarray(draw_overlay(rgb, prediction.mask, clicks)).save(overlay)
    except EdgeFlowError as error:
        raise _fail(error) from error
    except (OSError, ValueError) as error:  # Pillow names unknown file types by ValueError
        typer.echo(f"error: cannot write the result: {error}", err=True)
        raise typer.Exit(1) from error
    share = prediction.mask.mean()
    typer.echo(
        f"{output}: {prediction.mask.sum()} pixels ({share:.1%}), score {prediction.score:.2f}, "
        f"{prediction.steps} network steps in {elapsed * 1000:.0f} ms ({predictor.runtime.name})"
    )


@app.command()
def models(models_dir: ModelsDir = None) -> None:
    """List the models that are present, and those that can be downloaded."""
    try:
        present = [*shipped_models(), *models_in(models_dir or user_folder())]
    except EdgeFlowError as error:
        raise _fail(error) from error
    for checkpoint in present:
        _describe(checkpoint)
    missing = PUBLISHED.keys() - {checkpoint.name for checkpoint in present}
    typer.echo("\nTo be had with `edgeflow download NAME`:")
    for entry in PUBLISHED.values():
        state = "not present" if entry.name in missing else "present"
        typer.echo(f"{entry.name}  ({state})")
        typer.echo(f"  network       {entry.network}")
        typer.echo(f"  use           {entry.use}")
        typer.echo(f"  source        {entry.url}")
        typer.echo(f"  licence       {LICENCE}")


@app.command(name="convert")
def convert_command(
    source: Annotated[
        Path, typer.Argument(help="A .pdparams, .pdmodel, .zip, .pth, or an export's folder.")
    ],
    destination: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    use: Annotated[str, typer.Option(help="What the weights are good for.")] = "generic",
    licence: Annotated[str, typer.Option(help="What is known of their licence.")] = LICENCE,
) -> None:
    """Convert weights of EISeg or RITM, without Paddle and without running anything in them."""
    try:
        checkpoint = convert(source, destination, use=use, licence=licence)
    except EdgeFlowError as error:
        raise _fail(error) from error
    _describe(checkpoint)


@app.command(name="download")
def download_command(
    name: Annotated[str, typer.Argument(help="One of `edgeflow models`.")],
    models_dir: ModelsDir = None,
) -> None:
    """Download published weights and convert them."""
    entry = PUBLISHED.get(name)
    if entry is None:
        typer.echo(f"error: no downloadable model {name!r}", err=True)
        typer.echo(f"hint: known: {', '.join(PUBLISHED)}", err=True)
        raise typer.Exit(1)
    folder = models_dir or user_folder()
    try:
        with typer.progressbar(length=1000, label=name) as bar:

            def show(have: int, total: int | None) -> None:
                if total:
                    bar.update(have * 1000 // total - bar.pos)

            source = download(entry.url, folder / "downloads", show)
        checkpoint = convert(source, folder / f"{name}.safetensors", use=entry.use)
    except EdgeFlowError as error:
        raise _fail(error) from error
    _describe(checkpoint)


def _reporting_errors(command: Callable[..., None]) -> Callable[..., None]:
    """The same command; errors that a user can act on end it with two lines instead of a trace."""

    @functools.wraps(command)
    def run(*args: object, **kwargs: object) -> None:
        try:
            command(*args, **kwargs)
        except EdgeFlowError as error:
            raise _fail(error) from error
        except OSError as error:
            raise _fail(EdgeFlowError(str(error), hint="check the path and its rights")) from error

    return run


for _name, _function in (
    ("evaluate", evaluate),
    ("train", train),
    ("datasets", datasets),
    ("near-duplicates", find_near_duplicates),
):
    app.command(name=_name)(_reporting_errors(_function))


def _describe(checkpoint: Checkpoint) -> None:
    entry = checkpoint.entry
    present = checkpoint.path.is_file()
    size = f"{checkpoint.path.stat().st_size / 1e6:.1f} MB" if present else "MISSING"
    options = "".join(f", {key} {value}" for key, value in entry.options.items())
    typer.echo(f"{checkpoint.name}  ({size}, {checkpoint.version})")
    typer.echo(
        f"  architecture  {entry.architecture}{options}; feeds back its {entry.feedback} map"
    )
    typer.echo(f"  use           {entry.use}")
    typer.echo(f"  file          {checkpoint.path}")
    for name, metrics in entry.metrics.items():
        figures = ", ".join(f"{key} {value:g}" for key, value in metrics.items())
        typer.echo(f"  {name:<13} {figures}")
    typer.echo(f"  measured      {entry.metrics_note}")
    typer.echo(f"  licence       {entry.licence}")
    if entry.source is not None:
        typer.echo(f"  source        {entry.source.name}, sha256 {entry.source.sha256}")


def _fail(error: EdgeFlowError) -> typer.Exit:
    typer.echo(f"error: {error.message}", err=True)
    if error.hint:
        typer.echo(f"hint: {error.hint}", err=True)
    return typer.Exit(1)


if __name__ == "__main__":
    app()
