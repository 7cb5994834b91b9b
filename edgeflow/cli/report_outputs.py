"""Where an evaluation writes its figures and its report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from edgeflow.errors import EdgeFlowError
from edgeflow.files import check_outputs, in_folders


def check_report_outputs(
    json: Path | None,
    report: Path | None,
    read: Sequence[Path],
    *,
    files: Sequence[str],
    results: str,
    recognise: Callable[[Path], object],
) -> None:
    """Refuse, before anything is measured, to write over the dataset; earlier results may go.

    Args:
        json: File of figures.
        report: Folder of the report.
        read: Files and folders of the dataset.
        files: Names of the report's files.
        results: The one among them that holds figures.
        recognise: Raises an :class:`EdgeFlowError` for a file that holds no such figures.

    Raises:
        FileWriteError: An output would replace what is read, or cannot be written.
    """

    def made_here(path: Path) -> bool:
        for each in (path, path.with_name(results)):
            with contextlib.suppress(EdgeFlowError):
                recognise(each)
                return True
        return False

    outputs = {} if json is None else {"JSON file": json}
    if report is not None:
        outputs |= {f"report's {name}": report / name for name in files}
    check_outputs(outputs, [*read, *in_folders(outputs.values(), read, made_here)])
