"""A training configuration's TOML file, read once, with every path in it made usable."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import ValidationError

from edgeflow.train.config import Config, Source
from edgeflow.train.errors import TrainingError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DATA = "$EDGEFLOW_DATA"
"""First part of a source's path that lies in the data folder instead of beside the file."""


def read_config(path: Path, data: Path | None = None) -> Config:
    """Read a configuration.

    Relative paths in it are relative to its folder; those of sources that begin with
    ``$EDGEFLOW_DATA`` are in the data folder.

    Args:
        path: TOML file.
        data: Data folder, for configurations that name it.

    Raises:
        TrainingError: The file cannot be read, is not TOML, has unknown or impossible entries, or
            names a source in a data folder that is not given or does not hold it.
    """
    try:
        config = Config.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise TrainingError(
            f"cannot read {path}: {error.strerror}", hint="check the path"
        ) from error
    except (ValidationError, ValueError) as error:
        raise TrainingError(
            f"{path} is not a training configuration: {error}", hint="see docs/training.md"
        ) from error
    return _with_usable_paths(config, path, data)


def _with_usable_paths(config: Config, file: Path, data: Path | None) -> Config:
    def beside(path: Path | None) -> Path | None:
        return None if path is None else file.parent / path.expanduser()

    def usable(source: Source) -> Source:
        path = _source_path(source.path, file, data)
        inside = {
            name: None if each is None else _source_path(each, file, data)
            for name, each in (("images", source.images), ("label_config", source.label_config))
        }
        changes = {"path": path, **inside, "exclude": beside(source.exclude)}
        return source.model_copy(update=changes)

    sources = tuple(usable(source) for source in config.data.sources)
    initial = tuple(
        each.model_copy(update={"file": beside(each.file)}) for each in config.model.initial
    )
    cache, folder = beside(config.data.cache), beside(config.output.folder)
    return config.model_copy(
        update={
            "data": config.data.model_copy(update={"sources": sources, "cache": cache}),
            "model": config.model.model_copy(update={"initial": initial}),
            "output": config.output.model_copy(update={"folder": folder}),
        }
    )


def _source_path(path: Path, file: Path, data: Path | None) -> Path:
    if path.parts[:1] != (DATA,):
        return file.parent / path.expanduser()
    inside = Path(*path.parts[1:])
    location = None if data is None else data / inside
    if location is None or not location.exists():
        fault = "no data folder is given" if location is None else f"{location} does not exist"
        raise TrainingError(
            f"{file} trains on {path}, and {fault}",
            hint=f"name the folder that holds {inside} with --data FOLDER or EDGEFLOW_DATA",
        )
    return location
