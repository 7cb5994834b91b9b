"""Tables as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence


def csv_row(values: Sequence[str | int]) -> bytes:
    """A line of a table (RFC 4180), as UTF-8, whatever the texts hold."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue().encode(errors="backslashreplace")
