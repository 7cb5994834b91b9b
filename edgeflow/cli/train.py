"""``edgeflow train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeflow.runtime.devices import pick_device
from edgeflow.train.config import read_config
from edgeflow.train.distributed import join_processes
from edgeflow.train.trainer import train as run
from edgeflow.train.training_data import open_material


def train(
    config: Annotated[Path, typer.Argument(help="A TOML file; see docs/training.md.", exists=True)],
    minutes: Annotated[
        float | None, typer.Option(help="Stop after this much training; overrides the file.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Likewise, after so many steps.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    models_dir: Annotated[
        Path | None, typer.Option(help="Folder of converted and downloaded weights.")
    ] = None,
) -> None:
    """Train a network. A run that was interrupted goes on where it was."""
    settings = read_config(config)
    bounds = {"minutes": minutes, "steps": steps}
    changed = {name: value for name, value in bounds.items() if value is not None}
    settings = settings.model_copy(
        update={"schedule": settings.schedule.model_copy(update=changed)}
    )
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
