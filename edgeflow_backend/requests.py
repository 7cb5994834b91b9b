"""One interactive request, understood, and its answer."""

from __future__ import annotations

from dataclasses import dataclass

from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.protocol.project import NO_PROJECT, ProjectRef
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.targets import Target


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


@dataclass(frozen=True)
class ResolvedRequest:
    """A request and everything that it refers to.

    Attributes:
        target: What the labelling config says of the prompt.
        image: The image that was prompted on.
        predictor: The model that answers.
        deadline: On ``time.monotonic``'s clock.
    """

    request: Request
    target: Target
    image: EncodedImage
    predictor: Predictor
    deadline: float

    @property
    def scene(self) -> str:
        """Identifies what clicks may belong together: an image in a task.

        The image is part of it, since other clients may send tasks without ids.
        """
        request = self.request
        project = request.project
        return f"{project.host}|{project.id}|{request.task_id}|{self.image.digest}"


@dataclass(frozen=True)
class Answer:
    """Regions, their score, and the version of the model that made them."""

    regions: list[JSONObject]
    score: float
    model_version: str
