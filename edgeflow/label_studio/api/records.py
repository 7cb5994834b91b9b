"""What Label Studio's API answers with, as far as this project reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgeflow.label_studio.values import JSONObject


@dataclass(frozen=True)
class Project:
    """A project.

    Attributes:
        id: Its id.
        title: Its title.
        label_config: Its labelling config.
        maximum_annotations: How many people annotate a task; None if Label Studio does not say.
        model_version: Version of the predictions, or title of the ML backend, that the project
            shows to annotators; empty for none.
        shows_predictions: Whether its tasks are labelled from predictions; None if Label Studio
            does not say.
        sampling: How its next task is chosen, in Label Studio's words; empty if it does not say.
    """

    id: int
    title: str
    label_config: str
    maximum_annotations: int | None
    model_version: str = ""
    shows_predictions: bool | None = None
    sampling: str = ""

    @classmethod
    def of(cls, body: JSONObject) -> Project:
        """Read an answer."""
        shown = body.get("show_collab_predictions")
        overlap = body.get("maximum_annotations")
        return cls(
            id=int(body["id"]),
            title=_text(body, "title"),
            label_config=_text(body, "label_config"),
            maximum_annotations=overlap if type(overlap) is int else None,
            model_version=_text(body, "model_version"),
            shows_predictions=shown if isinstance(shown, bool) else None,
            sampling=_text(body, "sampling"),
        )


@dataclass(frozen=True)
class MLBackend:
    """A project's connection to an ML backend.

    Attributes:
        id: Its id.
        url: URL under which Label Studio reaches it.
        title: Its name in the project's settings.
        is_interactive: Whether clicks are sent to it.
        state: ``CO`` connected, ``DI`` disconnected, ``ER`` error, ``TR`` training, ``PR``
            predicting.
        error: Why, if it is in error.
        model_version: Version that it told when Label Studio last asked.
        basic_auth_user: User for HTTP Basic; empty for none.
    """

    id: int
    url: str
    title: str
    is_interactive: bool
    state: str
    error: str
    model_version: str
    basic_auth_user: str

    @classmethod
    def of(cls, body: JSONObject) -> MLBackend:
        """Read an answer."""
        return cls(
            id=int(body["id"]),
            url=_text(body, "url"),
            title=_text(body, "title"),
            is_interactive=body.get("is_interactive") is True,
            state=_text(body, "state"),
            error=_text(body, "error_message"),
            model_version=_text(body, "model_version"),
            basic_auth_user=_text(body, "basic_auth_user"),
        )


@dataclass(frozen=True)
class Webhook:
    """A subscription to a project's events.

    Attributes:
        id: Its id.
        url: URL that events are sent to.
        headers: Header fields that go with them; may hold a password.
        is_active: Whether events are sent.
        send_payload: Whether more than the event's name is sent.
        all_actions: Whether every event is sent.
        actions: The events that are, otherwise.
    """

    id: int
    url: str
    headers: Mapping[str, str] = field(repr=False)
    is_active: bool
    send_payload: bool
    all_actions: bool
    actions: tuple[str, ...]

    @classmethod
    def of(cls, body: JSONObject) -> Webhook:
        """Read an answer."""
        headers, actions = body.get("headers"), body.get("actions")
        return cls(
            id=int(body["id"]),
            url=_text(body, "url"),
            headers=headers if isinstance(headers, dict) else {},
            is_active=body.get("is_active") is True,
            send_payload=body.get("send_payload") is True,
            all_actions=body.get("send_for_all_actions") is True,
            actions=tuple(map(str, actions)) if isinstance(actions, list) else (),
        )


def _text(body: JSONObject, key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""
