"""``edgeflow train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeflow.cli.options import Device, ModelsDir
from edgeflow.files import check_outputs
from edgeflow.runtime.devices import pick_device
from edgeflow.train.config import Config
from edgeflow.train.config_file import read_config
from edgeflow.train.distributed import join_processes
from edgeflow.train.trainer import check_models
from edgeflow.train.trainer import train as run
from edgeflow.train.training_data import open_material


def train(
    config: Annotated[Path, typer.Argument(help="A TOML file; see docs/training.md.", exists=True)],
    data: Annotated[
        Path | None,
        typer.Option(envvar="EDGEFLOW_DATA", help="The folder that $EDGEFLOW_DATA in the file is."),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Stop after this much training; overrides the file.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Stop after this many steps; overrides the file.")
    ] = None,
    device: Device = "auto",
    models_dir: ModelsDir = None,
) -> None:
    """Train a network. A run that was interrupted continues where it stopped."""
    settings = read_config(config, data)
    bounds = {"minutes": minutes, "steps": steps}
    changes = {name: value for name, value in bounds.items() if value is not None}
    settings = settings.model_copy(
        update={"schedule": settings.schedule.model_copy(update=changes)}
    )
    _check_outputs(settings, config)
    check_models(settings, models_dir)
    processes = join_processes(pick_device(device))

    def say(text: str) -> None:
        if processes.first:
            typer.echo(text)

    try:
        material = open_material(settings.data, settings.schedule.validation_objects, say)
        path = run(settings, material, processes, say, models_dir)
    finally:
        processes.close()
    if path is not None:
        typer.echo(f"weights: {path}")


def _check_outputs(settings: Config, file: Path) -> None:
    """Refuse, before any training, to write over what the run reads."""
    output, model, sources = settings.output, settings.model, settings.data.sources
    outputs = {"result": output.folder / f"{output.name}.safetensors"}
    if settings.data.cache is not None:
        outputs["image cache"] = settings.data.cache / "images.safetensors"  # that or such a file
    read = [file, *(each.file for each in model.initial), *(source.path for source in sources)]
    read += [path for source in sources for path in (source.images, source.exclude) if path]
    if model.start_from is not None:
        read.append(Path(model.start_from))
    check_outputs(outputs, read)
