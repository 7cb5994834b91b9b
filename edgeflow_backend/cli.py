"""The ``edgeflow-backend`` command."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import ValidationError

from edgeflow import __version__
from edgeflow.errors import EdgeFlowError
from edgeflow_backend import log
from edgeflow_backend.cluster.errors import ClusterError
from edgeflow_backend.doctor.finding import Finding, Verdict
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.protocol.wire import first_problem
from edgeflow_backend.redact.texts import clean
from edgeflow_backend.server.listener import ListenError
from edgeflow_backend.settings import Settings
from edgeflow_backend.tracing.tracer import TracingUnavailableError

if TYPE_CHECKING:
    from edgeflow_backend.repair.run import Line

app = typer.Typer(
    help="Label Studio ML backend. Its settings are environment variables; see docs/settings.md.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

learn = typer.Typer(
    help="What is kept of accepted objects; see docs/learning.md.", no_args_is_help=True
)
app.add_typer(learn, name="learn")

HostOption = Annotated[
    str, typer.Option(help="Name of the Label Studio in EDGEFLOW_LABEL_STUDIO_HOSTS.")
]

_COLOURS: dict[Verdict, str] = {
    "ok": typer.colors.GREEN,
    "warn": typer.colors.YELLOW,
    "fail": typer.colors.RED,
}


def _show_version(show: bool) -> None:
    if show:
        typer.echo(f"edgeflow-backend {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Label Studio ML backend. Its settings are environment variables; see docs/settings.md."""


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Host name or IP to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 9090,
    cluster: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Leave images and networks to replicas in the Ray cluster at this host:port, or "
            "`auto` for the one that runs here; see docs/scaling.md.",
        ),
    ] = "",
) -> None:
    """Serve Label Studio from one process with a pool of threads."""
    from edgeflow_backend import wsgi  # noqa: PLC0415 - other commands need no server

    try:
        wsgi.serve(host, port, _settings(), cluster)
    except (ListenError, TracingUnavailableError, ClusterError) as error:
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
    host: HostOption = "",
) -> None:
    """Connect a project: clicks, events, and the password for both; say what was done."""
    from edgeflow_backend.connect.command import run  # noqa: PLC0415 - as above

    settings = _settings()
    log.configure("ERROR", "console")
    _report(run(settings, project, sample=sample, url=url, host=host))


@app.command()
def repair(
    project: Annotated[int, typer.Option(help="Id of the Label Studio project.")],
    form: Annotated[
        Literal["predictions", "annotations"],
        typer.Option(
            "--as",
            help="Store masks as `predictions`, beside what people did, or put them into their "
            "`annotations`.",
        ),
    ] = "predictions",
    apply: Annotated[
        bool, typer.Option("--apply", help="Store the masks; without it they are only listed.")
    ] = False,
    host: HostOption = "",
) -> None:
    """Find annotations that were submitted before their masks were accepted; restore the masks."""
    from edgeflow_backend.repair.run import repair_project  # noqa: PLC0415 - as above

    settings = _settings()
    log.configure("ERROR", "console")
    _report(repair_project(settings, ProjectRef(host, str(project)), form, apply=apply))


@learn.command()
def status() -> None:
    """Show what is kept on this machine; asks Label Studio for nothing."""
    from edgeflow_backend.learning.command import show  # noqa: PLC0415 - as above

    _print(show(_settings()))


@learn.command()
def read(
    project: Annotated[int, typer.Option(help="Id of the Label Studio project.")],
    host: HostOption = "",
) -> None:
    """Read a project's annotations now, whatever has changed since the last time."""
    from edgeflow_backend.learning.command import read  # noqa: PLC0415 - as above

    _print(read(_settings(), ProjectRef(host, str(project))))


@learn.command()
def train(
    project: Annotated[int, typer.Option(help="Id of the Label Studio project.")],
    host: HostOption = "",
) -> None:
    """Train a project's own version of the weights now; it is served if it proves better."""
    from edgeflow_backend.learning.training.command import train_now  # noqa: PLC0415 - as above

    _print(train_now(_settings(), ProjectRef(host, str(project))))


@learn.command()
def order(
    project: Annotated[int, typer.Option(help="Id of the Label Studio project.")],
    tasks: Annotated[
        int, typer.Option(min=1, help="Tasks without annotations to look at, at most.")
    ] = 200,
    apply: Annotated[
        bool, typer.Option("--apply", help="Store the order; without it, it is only shown.")
    ] = False,
    sampling: Annotated[
        bool, typer.Option("--sampling", help="Have the project serve its tasks in it, too.")
    ] = False,
    host: HostOption = "",
) -> None:
    """Show which tasks the network is least sure of, kind by kind; let Label Studio serve them."""
    from edgeflow_backend.learning.order.command import order_tasks  # noqa: PLC0415 - as above

    ref = ProjectRef(host, str(project))
    _print(order_tasks(_settings(), ref, most=tasks, apply=apply, sampling=sampling and apply))


@learn.command()
def versions(
    project: Annotated[int, typer.Option(help="Id of the Label Studio project.")],
    host: HostOption = "",
) -> None:
    """List a project's versions of the weights, with what the gate found."""
    from edgeflow_backend.learning.version_command import list_versions  # noqa: PLC0415 - as above

    _print(list_versions(_settings(), ProjectRef(host, str(project))))


@learn.command()
def rollback(
    project: Annotated[int, typer.Option(help="Id of the Label Studio project.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the version.")] = "",
    host: HostOption = "",
) -> None:
    """Withdraw the version that is served: the one before answers, or else the base weights."""
    from edgeflow_backend.learning.version_command import roll_back  # noqa: PLC0415 - as above

    _print(roll_back(_settings(), ProjectRef(host, str(project)), reason))


@learn.command("serve")
def serve_version(
    version: Annotated[int, typer.Argument(help="Number of the version.")],
    project: Annotated[int, typer.Option(help="Id of the Label Studio project.")],
    host: HostOption = "",
) -> None:
    """Have a version answer a project's clicks; one that was refused does not."""
    from edgeflow_backend.learning.version_command import serve_version  # noqa: PLC0415 - as above

    _print(serve_version(_settings(), ProjectRef(host, str(project)), version))


@learn.command()
def forget(
    project: Annotated[int, typer.Option(help="Id of the Label Studio project.")],
    host: HostOption = "",
) -> None:
    """Erase what is kept of a project: objects, copies of images, and versions."""
    from edgeflow_backend.learning.command import forget  # noqa: PLC0415 - as above

    _print(forget(_settings(), ProjectRef(host, str(project))))


def _print(lines: Iterable[str]) -> None:
    """Print lines as they come; exit with 1 at an error."""
    log.configure("ERROR", "console")
    try:
        for line in lines:
            typer.echo(line)
    except EdgeFlowError as error:
        typer.echo(f"error: {clean(error.message)}", err=True)
        typer.echo(f"hint: {clean(error.hint)}", err=True)
        raise typer.Exit(1) from error


def _report(lines: Iterable[Finding | Line]) -> None:
    """Print a report; exit with 1 if something failed."""
    failed = False
    for line in lines:
        failed = failed or line.verdict == "fail"
        typer.secho(f"{line.verdict:<5}", fg=_COLOURS[line.verdict], nl=False)
        typer.echo(line.text)
        for advice in line.advice.splitlines():
            typer.echo(f"      {advice}")
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
