"""The Typer application: its commands, and how their errors are shown."""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from edgeflow import __version__
from edgeflow.cli.compare import compare
from edgeflow.cli.cutout import cutout
from edgeflow.cli.datasets import datasets, find_near_duplicates
from edgeflow.cli.dicom import dicom
from edgeflow.cli.dicom_seg import dicom_seg
from edgeflow.cli.evaluate import evaluate
from edgeflow.cli.evaluate_sequences import evaluate_sequences
from edgeflow.cli.evaluate_similar import evaluate_similar
from edgeflow.cli.export import export
from edgeflow.cli.models import convert_weights, download_weights, models
from edgeflow.cli.preannotation.import_data import import_data
from edgeflow.cli.preannotation.prelabel import prelabel
from edgeflow.cli.predict import predict
from edgeflow.cli.pull import pull
from edgeflow.cli.sequences.frames import frames
from edgeflow.cli.sequences.propagate import propagate
from edgeflow.cli.similar import similar
from edgeflow.cli.tiles.stitch import stitch
from edgeflow.cli.tiles.tile import tile
from edgeflow.cli.train import train
from edgeflow.errors import EdgeFlowError

COMMANDS: dict[str, Callable[..., None]] = {
    "predict": predict,
    "similar": similar,
    "cutout": cutout,
    "models": models,
    "convert": convert_weights,
    "download": download_weights,
    "evaluate": evaluate,
    "evaluate-similar": evaluate_similar,
    "evaluate-sequences": evaluate_sequences,
    "train": train,
    "pull": pull,
    "datasets": datasets,
    "near-duplicates": find_near_duplicates,
    "export": export,
    "compare": compare,
    "import": import_data,
    "prelabel": prelabel,
    "frames": frames,
    "propagate": propagate,
    "tile": tile,
    "stitch": stitch,
    "dicom": dicom,
    "dicom-seg": dicom_seg,
}
"""In the order in which ``edgeflow --help`` lists them."""

app = typer.Typer(
    help="Segment objects in images from clicks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(show: bool) -> None:
    if show:
        typer.echo(f"edgeflow {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Segment objects in images from clicks."""


def _reporting_errors(command: Callable[..., None]) -> Callable[..., None]:
    """The command, ended by two lines instead of a traceback if the user can act on the error."""

    @functools.wraps(command)
    def run(*args: object, **kwargs: object) -> None:
        _print_any_name()
        try:
            command(*args, **kwargs)
        except EdgeFlowError as error:
            raise _fail(error) from error
        except OSError as error:
            raise _fail(EdgeFlowError(str(error), hint="check the path and its rights")) from error

    return run


def _print_any_name() -> None:
    """Print what the terminal's encoding lacks, or what is no Unicode, as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _fail(error: EdgeFlowError) -> typer.Exit:
    typer.echo(f"error: {error.message}", err=True)
    if error.hint:
        typer.echo(f"hint: {error.hint}", err=True)
    return typer.Exit(1)


for _name, _command in COMMANDS.items():
    app.command(name=_name)(_reporting_errors(_command))
