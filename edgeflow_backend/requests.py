"""One interactive request, understood, and its answer."""

from __future__ import annotations

from dataclasses import dataclass

from edgeflow.inference.state import EncodedImage
from edgeflow.label_studio.values import JSONObject
from edgeflow_backend.protocol.label_config import LabelConfig
from edgeflow_backend.protocol.prompts import Prompt


@dataclass(frozen=True)
class Request:
    """One interactive request, understood.

    Attributes:
        task: Label Studio's, with the image's address in its data.
        prompt: the clicks, or what was drawn.
        config: the project's labelling config.
        project: the project's id, for models chosen by project.
        host: name of the Label Studio that asks, where there are several.
    """

    task: JSONObject
    prompt: Prompt
    config: LabelConfig
    project: str = ""
    host: str = ""

    @property
    def label(self) -> str | None:
        """The prompt's label, by value."""
        newest = self.prompt.newest
        return self.config.label_value(newest.from_name, newest.value.label)

    def scene(self, image: EncodedImage) -> str:
        """Tells apart what clicks may belong together: an image in a task.

        With the image, since clients other than Label Studio may send tasks without ids.
        """
        return f"{self.host}|{self.project}|{self.task.get('id')}|{image.digest}"


@dataclass(frozen=True)
class Answer:
    """Regions, their score, and the version of the model that made them."""

    regions: list[JSONObject]
    score: float
    model_version: str
