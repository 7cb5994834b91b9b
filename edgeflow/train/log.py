"""The log of a run: JSON lines, and the same for TensorBoard if it is installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol


class _Writer(Protocol):
    def add_scalar(self, tag: str, value: float, step: int) -> None: ...

    def close(self) -> None: ...


class Log:
    """Figures by step. On resuming, lines of steps that will be repeated are dropped.

    Args:
        folder: Folder of ``log.jsonl`` and TensorBoard's files.
        step: Step at which the run continues.
    """

    def __init__(self, folder: Path, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "log.jsonl"
        earlier = _lines_until(path, step) if path.is_file() else []
        path.write_text("".join(f"{line}\n" for line in earlier), encoding="utf-8")
        self._file: IO[str] = path.open("a", encoding="utf-8", buffering=1)
        self._writer = _tensorboard(folder, step)

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if self._writer is not None:
            self._writer.close()

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Write figures of a step."""
        self._file.write(json.dumps({"step": step, **figures}) + "\n")
        if self._writer is not None:
            for name, value in figures.items():
                self._writer.add_scalar(name, value, step)


def _lines_until(path: Path, step: int) -> list[str]:
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if int(json.loads(line)["step"]) <= step:
                kept.append(line)
        except (ValueError, KeyError, TypeError):
            continue  # the line that a kill cut short
    return kept


def _tensorboard(folder: Path, step: int) -> _Writer | None:
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)
