"""What both commands that make tasks share: options, and the choices that they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, get_args
from urllib.parse import urlsplit

import typer

from edgeflow.cli.label_studio import split_login
from edgeflow.errors import EdgeFlowError
from edgeflow.files import check_outputs, in_folders
from edgeflow.label_studio.api.records import Project as ProjectRecord
from edgeflow.preannotation.image_urls import LOCAL_FILES, BelowPrefix, BelowRoot, ImageURLs
from edgeflow.preannotation.mask_controls import KINDS
from edgeflow.preannotation.tasks import META, As, TaskForm, fits_config

INCOMPLETE = 3
"""Exit status of tasks that were made, but lack images or objects that could not be read."""

Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", help="File for the tasks; a labelling config is written beside it."
    ),
]

Project = Annotated[
    int | None,
    typer.Option(
        help="Make the tasks in this Label Studio project over its API, with the token in "
        "LABEL_STUDIO_API_KEY, instead of writing a file."
    ),
]

AsOption = Annotated[
    str, typer.Option("--as", help="What masks become: predictions, or annotations of yours.")
]

ControlKind = Annotated[
    str | None,
    typer.Option(
        "--control",
        help=f"Kind of the masks: {', '.join(KINDS)}. By default the first of them that the "
        "labelling config has; brush without a config.",
    ),
]

TargetConfig = Annotated[
    Path | None,
    typer.Option("--label-config", help="File with the labelling config that the tasks are for."),
]

URLPrefix = Annotated[
    str | None,
    typer.Option(
        "--image-url-prefix",
        help="An image's URL is this and its name in the data. By default "
        f"{LOCAL_FILES} in a file, and an upload with --project.",
    ),
]

LocalFiles = Annotated[
    Path | None,
    typer.Option(
        "--local-files",
        help="Folder that Label Studio serves as local files: an image's URL is its path in it.",
    ),
]

Tolerance = Annotated[
    float,
    typer.Option(help="How far polygons may leave a mask's border, in pixels.", min=0, max=100),
]

Label = Annotated[str | None, typer.Option(help="Label of objects that have none.")]

ConfigLabels = Annotated[
    list[str] | None,
    typer.Option("--label", help="A label of the config; repeat it.", show_default="Object"),
]


def check_labels(labels: list[str]) -> None:
    """Refuse labels that a labelling config cannot hold.

    Raises:
        EdgeFlowError: There is such a label.
    """
    if bad := [label for label in labels if not fits_config(label)]:
        raise EdgeFlowError(f"{bad[0]!a} is no label", hint="name it with characters that print")


def tag_of(control: str | None) -> str | None:
    """The kind of a control by its name on the command line.

    Raises:
        EdgeFlowError: There is no such kind.
    """
    if control is None:
        return None
    if control not in KINDS:
        raise EdgeFlowError(f"unknown --control {control!r}", hint=f"choose {', '.join(KINDS)}")
    return KINDS[control]


def as_what(text: str) -> As:
    """``predictions`` or ``annotations``.

    Raises:
        EdgeFlowError: It is something else.
    """
    for each in get_args(As):
        if text == each:
            return each  # type: ignore[no-any-return]
    raise EdgeFlowError(f"unknown --as {text!r}", hint=f"choose {', '.join(get_args(As))}")


def image_urls(prefix: str | None, local_files: Path | None) -> ImageURLs | None:
    """How images' URLs are made; None if nothing is said.

    Raises:
        EdgeFlowError: Two ways are named, or a folder that is none.
    """
    if prefix is not None and local_files is not None:
        raise EdgeFlowError(
            "images can have one URL", hint="choose --image-url-prefix or --local-files"
        )
    if local_files is not None:
        if not local_files.is_dir():
            raise EdgeFlowError(
                f"{local_files} is no folder",
                hint="--local-files is LOCAL_FILES_DOCUMENT_ROOT as this machine sees it",
            )
        return BelowRoot(local_files)
    return None if prefix is None else BelowPrefix(prefix)


def what_is_shown(project: ProjectRecord, form: TaskForm) -> Iterator[str]:
    """What to change in a project that does not show the predictions that were made.

    Args:
        project: As it was before.
        form: What was made.
    """
    if form.kind == "annotations":
        return
    version, shown = form.model_version, project.model_version
    if shown not in ("", version):
        yield (
            f"the project shows the predictions of {shown!a}: choose {version!a} under Settings, "
            "Annotation"
        )
    if project.shows_predictions is False:
        yield "the project does not show predictions: switch them on under Settings, Annotation"


def path_of(url: str) -> str:
    """The path below which a Label Studio is served; empty for none."""
    bare, _ = split_login(url)
    return urlsplit(bare).path.rstrip("/")


def check_tasks_file(output: Path, config: Path | None, read: list[Path]) -> None:
    """Refuse to write over what is read, and what cannot be written; earlier tasks are replaced."""
    outputs = {"tasks": output}
    if config is not None:
        outputs["labelling config"] = config
    check_outputs(outputs, [*read, *in_folders(outputs.values(), read, _made_here)])


def _made_here(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(4096)
    return f'"meta": {{"{META}"'.encode() in head or b'<KeyPoint name="click"' in head
