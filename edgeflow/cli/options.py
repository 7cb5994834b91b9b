"""Options that several commands share, each defined once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated

import typer

from edgeflow.data.opening import LAYOUTS
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.zoom import POLICIES
from edgeflow.runtime.selection import RUNTIME_NAMES


def one_of(names: Collection[str], what: str) -> Callable[[str], str]:
    """A callback that refuses values but those named."""

    def check(name: str) -> str:
        if name not in names:
            raise typer.BadParameter(f"{name!r} is not a {what}; choose one of {', '.join(names)}")
        return name

    return check


Model = Annotated[str, typer.Option(help="A model's name, or a weights file.")]

ModelsDir = Annotated[
    Path | None,
    typer.Option(help="Folder of converted and downloaded weights.", show_default="your cache"),
]

Runtime = Annotated[str, typer.Option(help=f"{', '.join(RUNTIME_NAMES)}; see docs/runtimes.md.")]

MaxPixels = Annotated[int, typer.Option(help="Refuse larger images.")]

MaxImageMB = Annotated[
    float, typer.Option(help="Largest image file that is fetched, in megabytes.", min=0.001)
]

Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]

Zoom = Annotated[
    str,
    typer.Option(
        help=f"Zoom policy: {', '.join(POLICIES)}.", callback=one_of(POLICIES, "zoom policy")
    ),
]

Quality = Annotated[
    str,
    typer.Option(
        help=f"{', '.join(QUALITIES)}: how long a click may take; see docs/quality.md.",
        callback=one_of(QUALITIES, "quality"),
    ),
]

Layout = Annotated[
    str, typer.Option(help=f"auto, or one of {', '.join(LAYOUTS)}; see docs/datasets.md.")
]

Split = Annotated[str | None, typer.Option(help="Part of a dataset that has splits, such as val.")]

Images = Annotated[
    Path | None, typer.Option(help="Folder of the images, for a layout that cannot tell.")
]

LabelConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--label-config",
        help="File with the labelling config of the Label Studio project, for tasks with several "
        "images.",
    ),
]
