"""``edgeflow models``, ``edgeflow convert`` and ``edgeflow download``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeflow.checkpoints.checkpoint import Checkpoint, models_in, shipped_models, user_folder
from edgeflow.checkpoints.convert.convert import LICENCE, convert
from edgeflow.checkpoints.download import download
from edgeflow.checkpoints.published import PUBLISHED
from edgeflow.cli.options import ModelsDir
from edgeflow.errors import EdgeFlowError


def models(models_dir: ModelsDir = None) -> None:
    """List the models that are present, and those that can be downloaded."""
    present = [*shipped_models(), *models_in(models_dir or user_folder())]
    for checkpoint in present:
        _describe(checkpoint)
    missing = PUBLISHED.keys() - {checkpoint.name for checkpoint in present}
    typer.echo("\nAvailable with `edgeflow download NAME`:")
    for entry in PUBLISHED.values():
        state = "not present" if entry.name in missing else "present"
        typer.echo(f"{entry.name}  ({state})")
        typer.echo(f"  network       {entry.network}")
        typer.echo(f"  use           {entry.use}")
        typer.echo(f"  source        {entry.url}")
        typer.echo(f"  licence       {LICENCE}")


def convert_weights(
    source: Annotated[
        Path,
        typer.Argument(
            help="A .pdparams, .pdmodel, .pth, .ckpt, .safetensors, or a .zip or folder of one."
        ),
    ],
    destination: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    use: Annotated[str, typer.Option(help="Intended use of the weights.")] = "generic",
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = LICENCE,
) -> None:
    """Convert weights of EISeg or RITM, without Paddle and without running anything in them."""
    _describe(convert(source, destination, use=use, licence=licence))


def download_weights(
    name: Annotated[str, typer.Argument(help="A name that `edgeflow models` lists.")],
    models_dir: ModelsDir = None,
) -> None:
    """Download published weights and convert them."""
    entry = PUBLISHED.get(name)
    if entry is None:
        raise EdgeFlowError(
            f"no downloadable model {name!r}", hint=f"choose one of {', '.join(PUBLISHED)}"
        )
    folder = models_dir or user_folder()
    with typer.progressbar(length=1000, label=name) as bar:

        def show(have: int, total: int | None) -> None:
            if total:
                bar.update(have * 1000 // total - bar.pos)

        source = download(entry.url, folder / "downloads", show)
    _describe(convert(source, folder / f"{name}.safetensors", use=entry.use))


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
