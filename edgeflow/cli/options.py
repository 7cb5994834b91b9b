"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ModelsDir = Annotated[
    Path | None,
    typer.Option(help="Folder of converted and downloaded weights.", show_default="your cache"),
]
