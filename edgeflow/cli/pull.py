"""``edgeflow pull``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeflow.cli.label_studio import URL, APIKey, open_api, split_login
from edgeflow.data.pulled import IMAGES
from edgeflow.pull.fetch import Pictures
from edgeflow.pull.pull import Project, Report
from edgeflow.pull.store import Limits, Store

INCOMPLETE = 3
"""Exit status of a pull that left tasks out."""


def pull(
    folder: Annotated[
        Path, typer.Argument(help="New folder, or that of an earlier pull, which goes on.")
    ],
    project: Annotated[int, typer.Option(help="Id of the Label Studio project.")],
    url: URL = "",
    api_key: APIKey = "",
    annotated: Annotated[
        bool, typer.Option("--annotated", help="Leave out tasks without a submitted annotation.")
    ] = False,
    max_image_mb: Annotated[
        float, typer.Option(help="Largest image file in megabytes.", min=0.001)
    ] = 64,
    max_gb: Annotated[
        float, typer.Option(help="Most gigabytes of images in the folder.", min=0.001)
    ] = 20,
) -> None:
    """Fetch a Label Studio project with its images, to evaluate and train on.

    The token is read from LABEL_STUDIO_API_KEY. Exits with 3 if tasks were left out.
    """
    api = open_api(url, api_key)
    bare, _ = split_login(url)
    source = Project(api, project)
    source.claim(folder, bare)
    limits = Limits(int(max_image_mb * 1e6), int(max_gb * 1e9))
    store = Store(folder / IMAGES, Pictures(bare, api.credentials), limits)
    report = Report()
    tasks = source.pull(folder, store, report, annotated_only=annotated)
    with typer.progressbar(tasks, label=f"project {project}") as steps:
        for _ in steps:
            pass
    typer.echo(f"{folder}: {store.fetched} images fetched, {store.present} were there")
    for line in report.lines():
        typer.echo(line)
    if report.skipped:
        raise typer.Exit(INCOMPLETE)
