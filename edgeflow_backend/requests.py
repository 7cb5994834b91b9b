"""One interactive request, understood, and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.protocol.project import NO_PROJECT, ProjectRef
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.targets import Target
from edgeflow_backend.segmenter.segmenter import Model, OpenedImage


@dataclass(frozen=True)
class Request:
    """One interactive request, understood.

    Attributes:
        task: Label Studio's task, with the image's URL in its data.
        prompt: What the annotator clicked or drew.
        config: The project's labelling config, as the task shows it.
        project: Which project of which Label Studio asks.
        refines: Of a prompt that nobody sends now: whether it may refine what the task's drafts
            hold.
    """

    task: JSONObject
    prompt: Prompt
    config: TaskConfig
    project: ProjectRef = NO_PROJECT
    refines: bool = False

    @property
    def task_id(self) -> object:
        """The task's id, as Label Studio has it; None where a client sends none."""
        return self.task.get("id")

    @property
    def place(self) -> str:
        """Identifies a task, as well as its id does."""
        return f"{self.project.host}|{self.project.id}|{self.task_id}"


@dataclass(frozen=True)
class ResolvedRequest:
    """A request and everything that it refers to.

    Attributes:
        target: What the labelling config says of the prompt.
        image: The image that was prompted on.
        model: The model that answers.
        deadline: On ``time.monotonic``'s clock.
    """

    request: Request
    target: Target
    image: OpenedImage
    model: Model
    deadline: float

    @property
    def scene(self) -> str:
        """Identifies what clicks may belong together: an image in a task.

        The image is part of it, since other clients may send tasks without ids.
        """
        return f"{self.request.place}|{self.image.digest}"


@dataclass(frozen=True)
class Answer:
    """Regions, their score, and the version of the model that made them.

    Attributes:
        lost: Why clicks on other objects have no regions.
        searched: Whether it holds what was searched for, which takes longer than a click.
    """

    regions: list[JSONObject]
    score: float
    model_version: str
    lost: tuple[EdgeFlowError, ...] = ()
    searched: bool = False


def joined(answers: Sequence[Answer], lost: Sequence[EdgeFlowError]) -> Answer:
    """One answer with the regions of several objects, and their mean score."""
    return Answer(
        [region for answer in answers for region in answer.regions],
        sum(answer.score for answer in answers) / len(answers),
        answers[0].model_version,
        tuple(lost),
    )
