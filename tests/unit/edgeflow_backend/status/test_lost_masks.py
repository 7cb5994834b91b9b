from __future__ import annotations

from edgeflow_backend.status.lost_masks import MAX_ANNOTATIONS, MAX_PROJECTS, MAX_TASKS, LostMasks
from tests.unit.edgeflow_backend.status.clock import START, Clock


def test_annotations_are_counted_and_their_tasks_named_once_the_newest_first(clock: Clock) -> None:
    lost = LostMasks(clock)
    for annotation, task in ((1, 7), (2, 8), (3, 7), (1, 7)):
        lost.note("12", annotation, task)
    (project,) = lost.recent()
    assert (project.project, project.annotations, project.tasks) == ("12", 3, ("7", "8"))
    assert (project.more, project.last) == (0, START)


def test_what_has_its_mask_or_is_gone_is_forgotten() -> None:
    lost = LostMasks()
    for annotation in range(4):
        lost.note("12", annotation, annotation // 2)
    lost.note("13", 0, 0)
    lost.forget("12", [0, 99, None])
    lost.forget("14", [0])
    assert [each.annotations for each in lost.recent()] == [1, 3]
    lost.forget_tasks("12", [1, "x"])
    assert [each.annotations for each in lost.recent()] == [1, 1]
    lost.forget("12", [1])
    assert [each.project for each in lost.recent()] == ["13"]


def test_the_memory_is_bounded() -> None:
    lost = LostMasks()
    for project in range(MAX_PROJECTS + 5):
        lost.note(str(project), 1, 1)
    for annotation in range(MAX_ANNOTATIONS + 5):
        lost.note("x" * 10_000, annotation, annotation)
    projects = lost.recent()
    assert len(projects) == MAX_PROJECTS
    assert len(projects[0].project) <= 64
    assert projects[0].annotations == MAX_ANNOTATIONS
    assert len(projects[0].tasks) == MAX_TASKS
    assert projects[0].more == MAX_ANNOTATIONS - MAX_TASKS
