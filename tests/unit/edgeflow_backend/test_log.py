from __future__ import annotations

import json
import logging
from datetime import datetime, timezone

import pytest

from edgeflow_backend import log


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was logged; nothing may stand on standard output."""
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_json_logs_are_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO", "json")
    log.get_logger().info("region", clicks=2, name="Käse\nBrot")
    log.get_logger().warning("no region", code="deadline")
    first, second = (json.loads(line) for line in lines(capsys))
    assert (first["event"], first["clicks"], first["name"]) == ("region", 2, "Käse\nBrot")
    assert first["level"] == "info"
    assert second["level"] == "warning"


def test_each_line_has_its_time_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO", "json")
    log.get_logger().info("x")
    (line,) = lines(capsys)
    time = datetime.fromisoformat(json.loads(line)["timestamp"].replace("Z", "+00:00"))
    assert abs((datetime.now(timezone.utc) - time).total_seconds()) < 60


def test_what_the_library_says_is_logged_likewise(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO", "json")
    logging.getLogger("edgeflow.runtime.selection").warning("%s does not start", "openvino")
    logging.getLogger("edgeflow.runtime.selection").debug("not this")
    (line,) = lines(capsys)
    assert json.loads(line)["event"] == "openvino does not start"
    assert json.loads(line)["level"] == "warning"


def test_console_logs_are_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO", "console")
    log.get_logger().info("region", clicks=2)
    (line,) = lines(capsys)
    assert "region" in line
    assert "clicks=2" in line
    assert "\x1b[" not in line


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("DEBUG", ["debug", "info", "warning", "error"]),
        ("INFO", ["info", "warning", "error"]),
        ("WARNING", ["warning", "error"]),
        ("ERROR", ["error"]),
    ],
)
def test_less_severe_messages_are_left_out(
    capsys: pytest.CaptureFixture[str], level: str, shown: list[str]
) -> None:
    log.configure(level, "json")
    logger = log.get_logger()
    for name in ("debug", "info", "warning", "error"):
        getattr(logger, name)("x")
    assert [json.loads(line)["level"] for line in lines(capsys)] == shown


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_is_logged_with_an_exception(
    capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    log.configure("INFO", log_format)
    with pytest.raises(ValueError, match="the reason") as caught:
        int("the reason")
    log.get_logger().error("broken", exc_info=caught.value)
    text = "\n".join(lines(capsys))
    assert "Traceback" in text
    assert "the reason" in text


def test_a_logger_made_before_the_configuration_follows_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logger = log.get_logger()
    log.configure("INFO", "json")
    logger.info("x")
    assert json.loads(lines(capsys)[0])["event"] == "x"


FORGED = "a\n2026-01-01T00:00:00Z [error    ] forged\r\x1b[2J\x9b31m\u2028x"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_text_begins_a_line_of_its_own_or_drives_a_terminal(
    capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    log.configure("INFO", log_format)
    log.get_logger().bind(task=FORGED).info("no region", message=FORGED)
    log.get_logger().info(FORGED)
    logging.getLogger("waitress").warning("refused: %s", FORGED)
    written = lines(capsys)
    assert len(written) == 3
    assert not [line for line in written if set(line) & set("\r\x1b\x9b\u2028")]


def test_a_traceback_keeps_its_lines_and_drives_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("INFO", "console")
    log.get_logger().error("broken", exc_info=ValueError("\x1b[2J"))
    written = lines(capsys)
    assert len(written) > 1
    assert "\x1b" not in "".join(written)


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_what_looks_like_a_secret_is_taken_out_of_every_text(
    capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    log.configure("INFO", log_format)
    secret = "3f9c8e7a" * 5
    said = f"http://anna:{secret}@host/t?token={secret}"
    log.get_logger().bind(task=said).warning(said, reason=f"Authorization: Token {secret}")
    logging.getLogger("edgeflow").warning("cannot reach %s", said)
    log.get_logger().error("broken", exc_info=ValueError(said))
    written = "\n".join(lines(capsys))
    assert "host" in written
    assert secret not in written
