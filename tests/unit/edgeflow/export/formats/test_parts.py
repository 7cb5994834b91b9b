from __future__ import annotations

import json

from edgeflow.export.formats.parts import lines, listed, of_part
from edgeflow.export.output import Record


def test_records_of_a_part_keep_their_order() -> None:
    records = [{"split": split, "n": n} for n, split in enumerate("abab")]
    assert [each["n"] for each in of_part(records, "b")] == [1, 3]


def test_lists_and_lines_are_json() -> None:
    entries: list[Record] = [{"a": 1}, {"b": "é\n"}]
    assert json.loads(b"".join(listed(entries))) == entries
    assert json.loads(b"".join(listed([]))) == []
    assert [json.loads(line) for line in b"".join(lines(entries)).splitlines()] == entries
