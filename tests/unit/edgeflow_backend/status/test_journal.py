from __future__ import annotations

from edgeflow_backend.protocol.config_check import RECOMMENDED
from edgeflow_backend.status.journal import Journal
from tests.unit.edgeflow_backend.status.clock import START, Clock


def test_a_journal_starts_empty_with_one_clock(clock: Clock) -> None:
    journal = Journal(clock)
    clock.sleep(5)
    assert journal.started == START
    assert journal.failures.recent() == []
    assert journal.config_checks.recent() == []
    assert journal.latency.summary().count == 0
    journal.failures.note("code", "message")
    journal.latency.add(0.1)
    journal.config_checks.check("12", RECOMMENDED, "setup")
    assert journal.failures.recent()[0].last == clock.now
    assert journal.latency.summary().last == clock.now
    assert journal.config_checks.recent()[0].last_seen == clock.now


def test_an_image_that_is_not_shown_is_told_with_the_way_out(clock: Clock) -> None:
    journal = Journal(clock)
    journal.note_image("a.tif: it is a TIFF: browsers do not show it")
    journal.note_image("a.png: truncated")
    hints = {each.message: each.hint for each in journal.notes.recent()}
    assert "`edgeflow tile`" in hints["a.tif: it is a TIFF: browsers do not show it"]
    assert "save the image" in hints["a.png: truncated"]
