from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from edgeflow.label_studio.config.tags import MAX_LENGTH
from edgeflow_backend.protocol.config_check import RECOMMENDED, Findings, examine
from edgeflow_backend.redact.texts import TEXT_LENGTH
from edgeflow_backend.status.config_checks import MAX_PROBLEMS, MAX_PROJECTS, ConfigChecks
from tests.unit.edgeflow_backend.status.clock import START, Clock

SMART_BRUSH = RECOMMENDED.replace('smart="false"', 'smart="true"')
PARSE = "edgeflow_backend.status.config_checks.examine"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every labelling config that was really parsed."""
    seen: list[object] = []

    def spy(xml: object) -> Findings:
        seen.append(xml)
        return examine(xml)

    monkeypatch.setattr(PARSE, spy)
    return seen


def test_a_good_config_has_no_problems(clock: Clock) -> None:
    checks = ConfigChecks(clock)
    assert checks.check("12", RECOMMENDED, "setup") == ()
    (check,) = checks.recent()
    assert (check.project, check.problems, check.last_seen) == ("12", (), START)
    assert check.place == "setup"


def test_problems_are_kept_in_words() -> None:
    checks = ConfigChecks()
    found = checks.check("12", SMART_BRUSH, "predict")
    (check,) = checks.recent()
    assert check.problems == found
    assert len(found) == 1
    assert 'smart="false"' in found[0]


@pytest.mark.parametrize("xml", ["<View", "", None, 7, "x" * (MAX_LENGTH + 1), "<View>\ud800"])
def test_a_text_that_is_not_a_config_is_one_problem_with_a_fix(xml: object) -> None:
    (problem,) = ConfigChecks().check("12", xml, "setup")
    assert problem.endswith(".")
    assert "; " in problem
    assert "xxx" not in problem


def test_a_config_is_parsed_again_only_when_it_changed(clock: Clock, parsed: list[object]) -> None:
    checks = ConfigChecks(clock)
    found = checks.check("12", SMART_BRUSH, "setup")
    for _ in range(5):
        clock.sleep(10)
        assert checks.check("12", SMART_BRUSH, "predict") == found
    assert parsed == [SMART_BRUSH]
    (check,) = checks.recent()
    assert (check.last_seen, check.place) == (START + timedelta(seconds=50), "predict")
    assert checks.check("12", RECOMMENDED, "predict") == ()
    assert checks.check("12", SMART_BRUSH, "predict") == found
    assert parsed == [SMART_BRUSH, RECOMMENDED, SMART_BRUSH]


def test_projects_are_checked_apart(parsed: list[object]) -> None:
    checks = ConfigChecks()
    checks.check("1", RECOMMENDED, "setup")
    checks.check("2", SMART_BRUSH, "setup")
    checks.check("1", RECOMMENDED, "setup")
    assert [(check.project, len(check.problems)) for check in checks.recent()] == [
        ("1", 0),
        ("2", 1),
    ]
    assert len(parsed) == 2


def test_a_missing_config_is_not_examined_again_and_again(parsed: list[object]) -> None:
    checks = ConfigChecks()
    for _ in range(3):
        assert len(checks.check("12", None, "predict")) == 1
    assert len(parsed) == 1


def test_an_unchanged_config_costs_next_to_nothing() -> None:
    checks = ConfigChecks()
    large = RECOMMENDED.replace("</View>", '<Label value="x"/>' * 20_000 + "</View>")
    checks.check("12", large, "setup")
    started = time.thread_time()  # so that busy machines do not matter
    for _ in range(20):
        checks.check("12", large, "predict")
    assert (time.thread_time() - started) / 20 < 0.02


def test_problems_are_bounded_in_number_and_length() -> None:
    boxes = "".join(
        f'<RectangleLabels name="{"y" * 900}{number}" toName="image"/>' for number in range(100)
    )
    xml = RECOMMENDED.replace("</View>", f"{boxes}</View>")
    found = ConfigChecks().check("12", xml, "setup")
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1] == f"And {100 - MAX_PROBLEMS} more."
    assert all(len(problem) <= TEXT_LENGTH for problem in found)


def test_a_defect_of_the_check_costs_no_click(monkeypatch: pytest.MonkeyPatch) -> None:
    def defective(_: object) -> list[str]:
        raise RecursionError("too deep")

    monkeypatch.setattr(PARSE, defective)
    with capture_logs() as logs:
        (problem,) = ConfigChecks().check("12", RECOMMENDED, "predict")
    assert "log" in problem
    assert [entry["log_level"] for entry in logs] == ["error"]


def test_the_project_that_asked_longest_ago_is_forgotten_first() -> None:
    checks = ConfigChecks()
    for number in range(MAX_PROJECTS):
        checks.check(str(number), RECOMMENDED, "setup")
    checks.check("0", RECOMMENDED, "predict")
    checks.check("new", RECOMMENDED, "setup")
    projects = [check.project for check in checks.recent()]
    assert len(projects) == MAX_PROJECTS
    assert projects[:2] == ["new", "0"]
    assert "1" not in projects


@pytest.mark.slow
def test_eight_threads_may_check_at_once() -> None:
    checks = ConfigChecks()
    configs = (RECOMMENDED, SMART_BRUSH)

    def hammer(thread: int) -> None:
        for number in range(10_000 // 8):
            good = (number + thread) % 2
            found = checks.check(str(number % 300), configs[good], "predict")
            assert len(found) == good
            assert len(checks.recent()) <= MAX_PROJECTS

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8)))
    assert len(checks.recent()) == MAX_PROJECTS
