"""What an answer must be: the mask that its own clicks make, or an honest error in time."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.errors import no_object
from edgeflow.geometry import ImagePoint, Size
from edgeflow.images import read_image
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.prompts.click import Click
from edgeflow.prompts.prior_mask import PriorMask

JSONObject = dict[str, Any]
RecordedClick = tuple[str, float, float, bool]

RIGHT = "right"
BROKEN = "broken"
"""The connection ended without an answer, so the client knows that there is none."""

HTTP_ERRORS = {
    400: "malformed_request",
    408: "",
    413: "request_entity_too_large",
    503: "",
}
"""Statuses that a well-behaved or slow client may get, with the code if there is only one."""

RETRY_AFTER = (503,)

CODES = {
    "nothing_asked", "nothing_alike", "prompt_unusable", "prompt_unsupported", "label_config",
    "image_fetch", "image_changed", "image_unreadable", "image_too_large", "image_too_slow",
    "superseded", "deadline", "checkpoint", "features", "replica_lost",
}  # fmt: skip
"""Reasons in a 200 that docs/protocol.md names; ``internal`` is not among them: it is a bug."""

NO_OBJECT = no_object().message
KEPT_MASKS = 4096


@dataclass(frozen=True)
class Asked:
    """One request and what came of it.

    Attributes:
        clicks: All clicks that this annotator has made in this task, by id.
        sent: Ids of those that the request holds, the newest last.
        pictures: Files, any of which the host may have sent for the picture's URL.
        status: HTTP status; 0 if the connection broke.
        headers: Of the answer.
        answer: Its JSON; empty if the connection broke.
        seconds: From sending to the answer's end.
        drafts: Regions of the annotator's draft, by id.
    """

    clicks: Mapping[str, RecordedClick]
    sent: tuple[str, ...]
    pictures: tuple[bytes, ...]
    status: int
    headers: Mapping[str, str]
    answer: JSONObject
    seconds: float
    drafts: Mapping[str, JSONObject] = field(default_factory=dict)


class WrongAnswerError(AssertionError):
    """An answer that is neither right nor an honest error."""


class Oracle:
    """Judges answers by replaying clicks with predictors of its own. Thread-safe.

    Args:
        runtime: What the backend's predictor runs on, as ``/health`` names it; this one must be
            the same, for another one's masks may differ in a pixel.
    """

    def __init__(self, runtime: str) -> None:
        self._runtime = runtime
        self._predictors: dict[str, Predictor] = {}
        self._lock = threading.Lock()
        self._mask = lru_cache(KEPT_MASKS)(self._replay)
        self._encode = lru_cache(64)(self._read)

    def judge(self, asked: Asked, *, within_s: float) -> str:
        """:data:`RIGHT`, :data:`BROKEN`, or the code of an honest error.

        Args:
            asked: A request and its answer.
            within_s: Seconds within which there must be an answer, or the connection's end.

        Raises:
            WrongAnswerError: Anything else.
        """
        if asked.seconds > within_s:
            raise WrongAnswerError(f"{asked.seconds:.1f} s, the limit is {within_s:.1f} s")
        if asked.status == 0:
            return BROKEN
        if asked.status != 200:
            return _http_error(asked)
        (prediction,) = asked.answer["results"]
        if prediction["result"]:
            self._check_regions(asked, prediction)
            return RIGHT
        error = prediction.get("error", {})
        code = _described(error)
        if code not in CODES:
            raise WrongAnswerError(f"not an honest reason: {error}")
        if error["message"] == NO_OBJECT and not asked.drafts:
            self._check_absence(asked, prediction["model_version"])
        return code

    def mask(
        self,
        model: str,
        picture: bytes,
        clicks: Sequence[RecordedClick],
        start: BoolMask | None = None,
    ) -> BoolMask:
        """The mask that clicks make from nothing, or from a mask that was there before."""
        prior = None if start is None else (start.tobytes(), start.shape)
        return self._mask(model, picture, tuple(tuple(click[1:]) for click in clicks), prior)

    def predictor(self, model: str) -> Predictor:
        """A predictor of a model by its version, loaded on first use."""
        with self._lock:
            if model not in self._predictors:
                name = model.rpartition("-")[0]
                loaded = load_predictor(name, device="cpu", runtime="auto")
                if loaded.version != model:
                    raise WrongAnswerError(f"made by {model}, which nobody has")
                if loaded.runtime.name != self._runtime:
                    raise RuntimeError(f"{loaded.runtime.name} here, {self._runtime} there")
                self._predictors[model] = loaded
            return self._predictors[model]

    def _check_regions(self, asked: Asked, prediction: JSONObject) -> None:
        named: list[str] = []
        for region in prediction["result"]:
            record = region["meta"]["edgeflow"]
            if record["model"] != prediction["model_version"]:
                raise WrongAnswerError(f"two models: {record['model']} and {prediction}")
            clicks = record["clicks"]
            _check_clicks(asked, clicks)
            named += [click[0] for click in clicks]
            self._check_mask(asked, region, record)
        if asked.sent[-1] not in named:
            raise WrongAnswerError(f"the newest click {asked.sent[-1]} is in no region: {named}")
        if len(set(named)) < len(named):
            raise WrongAnswerError(f"a click is in two regions: {named}")

    def _check_absence(self, asked: Asked, model: str) -> None:
        clicks = [asked.clicks[key] for key in asked.sent]
        if all(self.mask(model, picture, clicks).any() for picture in asked.pictures):
            raise WrongAnswerError(f"there is an object at {clicks}")

    def _check_mask(self, asked: Asked, region: JSONObject, record: JSONObject) -> None:
        size = Size(region["original_height"], region["original_width"])
        shown = decode_brush(region["value"]["rle"], size) > 0
        clicks, start = record["clicks"], None
        if record.get("from_mask"):
            draft = asked.drafts[region["id"]]
            start = decode_brush(draft["value"]["rle"], size) > 0
            before = {click[0] for click in draft["meta"]["edgeflow"]["clicks"]}
            clicks = [click for click in clicks if click[0] not in before]
        for picture in asked.pictures:
            expected = self.mask(record["model"], picture, clicks, start)
            if expected.shape == shown.shape and np.array_equal(expected, shown):
                return
        raise WrongAnswerError(f"not the mask of its clicks: {record['clicks']}")

    def _replay(
        self,
        model: str,
        picture: bytes,
        clicks: tuple[tuple[float, float, bool], ...],
        prior: tuple[bytes, tuple[int, ...]] | None,
    ) -> BoolMask:
        predictor = self.predictor(model)
        image = self._encode(model, picture)
        start = None
        if prior is not None:
            start = PriorMask(np.frombuffer(prior[0], np.bool_).reshape(prior[1]))
        points = [
            Click(
                ImagePoint(x / 100 * image.size.width - 0.5, y / 100 * image.size.height - 0.5),
                positive,
            )
            for x, y, positive in clicks
        ]
        return predictor.predict(image, points, start=start).mask

    def _read(self, model: str, picture: bytes) -> EncodedImage:
        return self.predictor(model).encode(read_image(picture, partial=True).pixels)


def _check_clicks(asked: Asked, clicks: Sequence[RecordedClick]) -> None:
    """A record names clicks that were made, where they were made."""
    for key, x, y, positive in clicks:
        if key not in asked.clicks:
            raise WrongAnswerError(f"click {key} is not this annotator's")
        _, sent_x, sent_y, sent_positive = asked.clicks[key]
        if abs(x - sent_x) + abs(y - sent_y) > 1e-6 or positive != sent_positive:
            raise WrongAnswerError(f"click {key} is elsewhere: {x}, {y}, {positive}")


def _http_error(asked: Asked) -> str:
    if asked.status not in HTTP_ERRORS:
        raise WrongAnswerError(f"HTTP {asked.status}: {asked.answer}")
    code = _described(asked.answer.get("error", {}))
    if HTTP_ERRORS[asked.status] not in ("", code):
        raise WrongAnswerError(f"HTTP {asked.status} with the code {code}")
    if asked.status in RETRY_AFTER and not asked.headers.get("Retry-After", "").isdecimal():
        raise WrongAnswerError(f"HTTP {asked.status} without Retry-After")
    return code


def _described(error: JSONObject) -> str:
    """The code of an error that says what is wrong and what to do."""
    if not all(isinstance(error.get(key), str) for key in ("code", "message", "hint")):
        raise WrongAnswerError(f"an empty answer without a reason: {error}")
    if not (error["code"] and error["message"] and error["hint"]):
        raise WrongAnswerError(f"a reason without words: {error}")
    return str(error["code"])
