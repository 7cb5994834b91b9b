from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow_backend.examples import feed as module
from edgeflow_backend.examples import reader
from edgeflow_backend.examples.feed import Feed
from edgeflow_backend.examples.library import Category, Library
from edgeflow_backend.examples.reader import EXAMPLES_A_TASK, Reader
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.model import EdgeFlowBackend
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.status.calls import Call
from tests.unit.edgeflow_backend.examples.studio import CONFIG, PROJECT, Studio, region, sheet
from tests.unit.edgeflow_backend.loopback import Host, closed_port

REF = ProjectRef("", str(PROJECT))
DISK = Category("mask", ("disk",))
OTHER = Category("mask", ("other",))


class Feeding:
    """A feed and the service whose settings and segmenter it uses."""

    def __init__(self, service: SegmentationService) -> None:
        self.journal = service.journal
        self.reader = Reader(service.segmenter, service.locator, ByteLRU(1_000_000))
        self.feed = Feed(service.settings, self.reader, self.journal)

    def current(self, *, seconds: float = 60.0, project: ProjectRef = REF) -> Library:
        config, model = parse_label_config(CONFIG), self.reader.model(project)
        until = time.monotonic() + seconds
        return self.feed.current(project, config, model, until=until, hurried=False)

    def said(self) -> Call:
        return next(call for call in self.journal.calls.recent() if call.kind == "examples")


@pytest.fixture
def begin(make: Callable[..., SegmentationService]) -> Iterator[Callable[..., Feeding]]:
    """Starts a backend, or one more."""
    feeds: list[Feed] = []

    def start(**changes: Any) -> Feeding:
        feeding = Feeding(make(**changes))
        feeds.append(feeding.feed)
        return feeding

    yield start
    for feed in feeds:
        feed.close()


def names(library: Library, category: Category = DISK) -> list[str]:
    return [example.object for example in library.choose(category, 99)]


def test_the_examples_of_annotated_tasks_are_known_with_where_they_came_from(
    begin: Callable[..., Feeding], studio: Studio
) -> None:
    first = studio.add(sheet(), region(0), region(1, "other"))
    studio.add(sheet(1))
    second = studio.add(sheet(2), region(2))
    feeding = begin()
    library = feeding.current()
    assert library.counts == {DISK: 2, OTHER: 1}
    newest, oldest = library.choose(DISK, 9)
    assert (newest.object, newest.annotation) == ("r2", second["annotations"][0]["id"])
    assert (oldest.object, oldest.annotation) == ("r0", first["annotations"][0]["id"])
    assert newest.descriptor.area == pytest.approx(oldest.descriptor.area)
    assert feeding.said().message == "3 examples of 2 labels"
    assert feeding.said().hint == ""


def test_what_has_not_changed_is_not_read_again(
    begin: Callable[..., Feeding], studio: Studio
) -> None:
    studio.add(sheet(), region(0))
    feeding = begin()
    feeding.current()
    feeding.current()
    assert len(studio.asked("/annotations/")) == 1
    # Never /api/tasks/ID: Label Studio would ask this backend for predictions before it answers.
    assert not [each for each in studio.host.received if re.search(r"/api/tasks/\d+/?$", each.path)]


def test_a_deleted_annotation_and_a_deleted_task_and_a_changed_label_take_their_examples_along(
    begin: Callable[..., Feeding], studio: Studio
) -> None:
    deleted = studio.add(sheet(), region(0))
    gone = studio.add(sheet(1), region(1))
    changed = studio.add(sheet(2), region(2))
    studio.add(sheet(3), region(3))
    feeding = begin()
    assert names(feeding.current()) == ["r3", "r2", "r1", "r0"]
    studio.delete(deleted)
    del studio.tasks[gone["id"]]
    studio.change(changed, region(2, "other"))
    library = feeding.current()
    assert names(library) == ["r3"]
    assert names(library, OTHER) == ["r2"]


def test_an_older_task_than_those_that_are_learnt_from_is_confirmed_too(
    begin: Callable[..., Feeding], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NEWEST", 1)
    old = studio.add(sheet(), region(0))
    feeding = begin()
    assert names(feeding.current()) == ["r0"]
    studio.add(sheet(1), region(1))
    assert names(feeding.current()) == ["r1", "r0"]
    studio.delete(old)
    assert names(feeding.current()) == ["r1"]


def test_a_restart_keeps_what_was_read(begin: Callable[..., Feeding], studio: Studio) -> None:
    kept = studio.add(sheet(), region(0))
    before = begin().current()
    after = begin()
    assert names(after.current()) == names(before) == ["r0"]
    assert len(studio.asked("/annotations/")) == 1
    studio.delete(kept)
    assert names(begin().current()) == []


def test_another_release_describes_all_examples_anew(
    begin: Callable[..., Feeding], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same weights may be looked at in another way then."""
    studio.add(sheet(), region(0))
    begin().current()
    monkeypatch.setattr(reader, "__version__", "9.9.9")
    assert names(begin().current()) == ["r0"]
    assert len(studio.asked("/annotations/")) == 2


def test_a_damaged_file_is_read_again_from_label_studio_and_told(
    begin: Callable[..., Feeding], studio: Studio, examples_dir: Path
) -> None:
    studio.add(sheet(), region(0))
    begin().current()
    (file,) = examples_dir.iterdir()
    assert examples_dir.stat().st_mode & 0o077 == 0
    good = file.read_bytes()
    file.write_bytes(good.replace(b"disk", b"dish"))
    feeding = begin()
    assert names(feeding.current()) == ["r0"]
    (note,) = feeding.journal.notes.recent()
    assert "was damaged" in note.message
    assert note.project == REF.id
    assert file.read_bytes() == good


def test_a_folder_that_cannot_be_written_is_told_and_costs_no_example(
    begin: Callable[..., Feeding], studio: Studio, tmp_path: Path
) -> None:
    studio.add(sheet(), region(0))
    (tmp_path / "file").touch()
    feeding = begin(examples_dir=str(tmp_path / "file" / "examples"))
    assert names(feeding.current()) == ["r0"]
    assert "will be lost with this process" in feeding.said().message
    assert "EDGEFLOW_EXAMPLES_DIR" in feeding.said().hint


def test_other_label_studios_and_projects_have_libraries_of_their_own(
    begin: Callable[..., Feeding], studio: Studio, examples_dir: Path
) -> None:
    studio.add(sheet(), region(0))
    begin().current()
    other = begin(label_studio_url=studio.host.url.replace("127.0.0.1", "localhost"))
    other.current()
    assert len(list(examples_dir.iterdir())) == 2


def test_a_label_keeps_so_many_examples_and_a_task_gives_few(
    begin: Callable[..., Feeding], studio: Studio
) -> None:
    studio.add(sheet(), *(region(number) for number in range(6)))
    studio.add(sheet(1), region(0, id="newest"))
    assert EXAMPLES_A_TASK == 4
    assert names(begin().current()) == ["newest", "r0", "r1", "r2", "r3"]
    assert names(begin(examples_per_label=3).current()) == ["newest", "r0", "r1"]


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"label_studio_api_key": ""}, "no token is set", "set LABEL_STUDIO_API_KEY"),
        ({"label_studio_url": ""}, "its URL is not set", "set LABEL_STUDIO_URL"),
        ({"label_studio_api_key": "wrong"}, "HTTP 401", "check LABEL_STUDIO_API_KEY"),
        ({"label_studio_url": f"http://127.0.0.1:{closed_port()}"}, "does not answer", ""),
    ],
    ids=["no token", "no url", "wrong token", "unreachable"],
)
def test_without_label_studio_nothing_is_known_and_why_is_said(
    begin: Callable[..., Feeding],
    studio: Studio,
    changes: dict[str, str],
    message: str,
    hint: str,
) -> None:
    studio.add(sheet(), region(0))
    begin().current()  # a library that nobody confirms is worth nothing
    feeding = begin(**changes)
    with pytest.raises(LabelStudioError):
        feeding.current()
    assert feeding.said().message.startswith("no examples are used: ")
    assert message in feeding.said().message
    assert hint in feeding.said().hint


def test_a_request_without_a_project_is_told(begin: Callable[..., Feeding], studio: Studio) -> None:
    with pytest.raises(LabelStudioError, match="names no project"):
        begin().current(project=ProjectRef("", "x/../y"))
    assert studio.host.received == []


def test_a_task_that_cannot_be_read_is_told_and_left_alone_until_it_changes(
    begin: Callable[..., Feeding], studio: Studio
) -> None:
    broken = studio.add("data:image/png;base64,AAAA", region(0))
    studio.add(sheet(), region(1))
    feeding = begin()
    assert names(feeding.current()) == ["r1"]
    assert f"1 task could not be read, first {broken['id']}: " in feeding.said().message
    assert feeding.said().hint
    feeding.current()
    assert len(studio.asked(f"/{broken['id']}/annotations/")) == 1
    broken["data"] = {"image": sheet(1)}
    studio.touch(broken)
    assert names(feeding.current()) == ["r0", "r1"]
    assert feeding.said().message == "2 examples of 1 label"


@pytest.mark.parametrize(
    "odd",
    [
        region(0, value={"format": "rle", "rle": [1, 2, 3], "brushlabels": ["disk"]}),
        region(0, original_width=99, original_height=77),
        {"id": "x", "type": "choices", "from_name": "c", "to_name": "image", "value": {}},
        {**region(0), "value": None},
        region(0, to_name="elsewhere"),
        region(0, id="half \ud800"),
    ],
    ids=["rle", "size", "choices", "no value", "no image", "half a character"],
)
def test_odd_annotations_break_nothing_and_cost_only_their_task(
    begin: Callable[..., Feeding], studio: Studio, odd: dict[str, Any]
) -> None:
    studio.add(sheet(), region(1))
    studio.add(sheet(1), odd)
    feeding = begin()
    with capture_logs() as logs:
        assert names(feeding.current()) == ["r1"]
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    feeding.current()


def test_what_there_is_no_time_to_read_is_counted_and_an_event_has_it_read(
    begin: Callable[..., Feeding], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLE_S", 0.0)
    studio.add(sheet(), region(0))
    studio.add(sheet(1), region(1))
    feeding = begin()
    assert names(feeding.current(seconds=0.0)) == []
    assert feeding.said().message == "0 examples of 0 labels; 2 tasks wait to be read"
    feeding.feed.hint(REF)
    deadline = time.monotonic() + 30
    while feeding.said().message != "2 examples of 1 label" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert names(feeding.current(seconds=0.0)) == ["r1", "r0"]


def test_one_who_asks_while_label_studio_asks_back_is_sent_away(
    begin: Callable[..., Feeding], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With "retrieve predictions automatically", Label Studio asks before it lists tasks."""
    monkeypatch.setattr(module, "ASK_S", 0.05)
    studio.add(sheet(), region(0))
    feeding = begin()
    asked: list[Any] = []
    answer = studio.host.routes["*"]

    def ask_back(request: Any, handler: Any) -> Any:
        if not asked and "/api/tasks/?" in request.path:
            asked.append(request)
            with pytest.raises(LabelStudioError, match="still being asked"):
                feeding.current()
        return answer(request, handler)  # type: ignore[operator]

    studio.host.routes["*"] = ask_back
    assert names(feeding.current()) == ["r0"]
    assert asked


@pytest.mark.parametrize(
    ("event", "name", "number", "reads"),
    [
        ("ANNOTATION_UPDATED", "", PROJECT, True),
        ("ANNOTATIONS_DELETED", "", PROJECT, True),
        ("PROJECT_UPDATED", "", PROJECT, False),
        ("ANNOTATION_CREATED", "elsewhere", PROJECT, False),
        ("ANNOTATION_CREATED", "", 9999, False),
        ("ANNOTATION_CREATED", "", None, False),
    ],
)
def test_an_event_is_a_hint_that_label_studio_must_confirm(
    make: Callable[..., SegmentationService],
    studio: Studio,
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    name: str,
    number: int | None,
    reads: bool,
) -> None:
    monkeypatch.setattr(module, "SETTLE_S", 0.0)
    studio.add(sheet(), region(0))
    service = make()
    lie = {"project": {"id": number}, "annotation": {"id": 1, "result": [region(1), region(2)]}}
    EdgeFlowBackend(service=service).fit(event, lie, host=name)
    deadline = time.monotonic() + (30 if reads else 0.2)
    while not service.journal.calls.recent() and time.monotonic() < deadline:
        time.sleep(0.02)
    said = [call.message for call in service.journal.calls.recent()]
    assert said == (["1 example of 1 label"] if reads else [])


def test_events_after_the_end_do_no_harm(begin: Callable[..., Feeding], host: Host) -> None:
    feeding = begin()
    feeding.feed.close()
    feeding.feed.hint(REF)
    assert host.received == []
