"""The ``edgeflow-backend`` command."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from edgeflow_backend import log
from edgeflow_backend.doctor.finding import Finding, Verdict
from edgeflow_backend.protocol.wire import first_problem
from edgeflow_backend.server.listener import ListenError
from edgeflow_backend.settings import Settings

app = typer.Typer(
    help="Label Studio ML backend. Its settings are environment variables; see docs/settings.md.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_COLOURS: dict[Verdict, str] = {
    "ok": typer.colors.GREEN,
    "warn": typer.colors.YELLOW,
    "fail": typer.colors.RED,
}


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Host name or IP to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 9090,
) -> None:
    """Serve Label Studio from one process with a pool of threads."""
    from edgeflow_backend import wsgi  # noqa: PLC0415 - other commands need no server

    try:
        wsgi.serve(host, port, _settings())
    except ListenError as error:
        typer.echo(f"error: {error.message}", err=True)
        typer.echo(f"hint: {error.hint}", err=True)
        raise typer.Exit(1) from error


@app.command()
def doctor(
    project: Annotated[
        int | None, typer.Option(help="Also check this Label Studio project.")
    ] = None,
) -> None:
    """Check weights, device, settings, Label Studio and a project; say how to fix what is wrong."""
    from edgeflow_backend.doctor.examine import examine  # noqa: PLC0415 - loads the model

    settings = _settings()
    log.configure("ERROR", "console")
    _report(examine(settings, project))


@app.command()
def connect(
    project: Annotated[
        int | None, typer.Option(help="Id of the Label Studio project to connect.")
    ] = None,
    sample: Annotated[
        Path | None,
        typer.Option(
            help="Connect a sample project instead, made of this folder's pictures if Label "
            "Studio has no project yet."
        ),
    ] = None,
    url: Annotated[
        str,
        typer.Option(
            help="URL under which Label Studio reaches this backend; by default "
            "EDGEFLOW_BACKEND_URL."
        ),
    ] = "",
    host: Annotated[
        str, typer.Option(help="Name of the Label Studio in EDGEFLOW_LABEL_STUDIO_HOSTS.")
    ] = "",
) -> None:
    """Connect a project: clicks, events, and the password for both; say what was done."""
    from edgeflow_backend.connect.command import run  # noqa: PLC0415 - as above

    settings = _settings()
    log.configure("ERROR", "console")
    _report(run(settings, project, sample=sample, url=url, host=host))


def _report(findings: Iterable[Finding]) -> None:
    """Print findings; exit with 1 if one of them is a failure."""
    failed = False
    for finding in findings:
        failed = failed or finding.verdict == "fail"
        typer.secho(f"{finding.verdict:<5}", fg=_COLOURS[finding.verdict], nl=False)
        typer.echo(finding.text)
        for line in finding.advice.splitlines():
            typer.echo(f"      {line}")
    raise typer.Exit(1 if failed else 0)


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        place, _, problem = first_problem(error).partition(": ")
        field, _, inside = place.partition(".")  # a key of a JSON setting
        variable = f"EDGEFLOW_{field.upper()}" if field in Settings.model_fields else field
        where = f"{variable} at {inside}" if inside else variable
        typer.echo(f"error: setting {where}: {problem}" if where else f"error: {problem}", err=True)
        typer.echo("hint: docs/settings.md lists every setting", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    app()
