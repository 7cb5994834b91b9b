"""Where a click may look for the object that it refines.

A request does not say who clicks. A draft is the clicking annotator's own; a task's annotation, and
what this backend answered a moment ago, may be somebody else's. So those count only where one
person annotates a task, which Label Studio knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from edgeflow.label_studio.api.records import Project
from edgeflow_backend.label_studio.projects import Key, Unknown
from edgeflow_backend.objects.task_regions import Where
from edgeflow_backend.protocol.project import ProjectRef

Setting = Literal["auto", "off", "drafts", "annotations"]
"""Values of ``EDGEFLOW_REFINE``."""


@dataclass(frozen=True)
class RefineRule:
    """The rule of a project.

    Attributes:
        where: Where a click looks.
        reason: Why.
        advice: What to do about it; empty if all is well.
    """

    where: Where
    reason: str
    advice: str = ""

    @property
    def remembers(self) -> bool:
        """Whether recent answers count, which the next draft may not show yet."""
        return self.where == "annotations"

    @property
    def text(self) -> str:
        """The rule in a sentence."""
        return f"{_IN_WORDS[self.where]}: {self.reason}."


_IN_WORDS = {
    "off": "every click begins a new object",
    "drafts": "clicks refine masks of the annotator's saved draft",
    "annotations": "clicks refine masks of the draft, of the task's only annotation and of the "
    "last seconds",
}


def refine_rule(setting: Setting, project: Project | Unknown) -> RefineRule:
    """The rule of a project.

    Args:
        setting: ``EDGEFLOW_REFINE``.
        project: What Label Studio says of the project.
    """
    overlap = None if isinstance(project, Unknown) else project.maximum_annotations
    shared = overlap is not None and overlap > 1
    if setting != "auto":
        influence = setting == "annotations" and shared
        return RefineRule(
            setting,
            f"EDGEFLOW_REFINE={setting}"
            + (f", although {overlap} people annotate each task" if influence else ""),
            "people influence each other's masks; set EDGEFLOW_REFINE=auto" if influence else "",
        )
    if isinstance(project, Unknown):
        return RefineRule(
            "drafts",
            f"Label Studio does not say how many people annotate a task: {project.reason}",
            "see docs/refining.md; if nobody shares tasks, EDGEFLOW_REFINE=annotations needs no "
            "answer",
        )
    if shared:
        return RefineRule("drafts", f"{overlap} people annotate each task")
    if overlap == 1:
        return RefineRule("annotations", "one person annotates each task")
    return RefineRule("drafts", "Label Studio does not say how many people annotate a task")


def describe_rules(
    setting: Setting, projects: Iterable[tuple[Key, Project | Unknown]]
) -> dict[str, str]:
    """The rules of projects in words, with advice, by the projects' names as in the log."""
    rules = {str(ProjectRef(*key)): refine_rule(setting, told) for key, told in projects}
    return {
        project: f"{rule.text} To do: {rule.advice}." if rule.advice else rule.text
        for project, rule in rules.items()
    }
