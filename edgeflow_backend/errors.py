"""Errors of requests, in two kinds.

A *refused* request (malformed, or one too many) gets an HTTP error. A well-formed request that
cannot be served (any other :class:`edgeflow.errors.EdgeFlowError`) gets a valid answer with an
empty result: Label Studio's editor shows a failed call as nothing at all, and an empty result keeps
the editor responsive.
"""

from __future__ import annotations

from typing import ClassVar

from edgeflow.errors import EdgeFlowError, PromptError


class RefusedRequestError(EdgeFlowError):
    """A request that is answered with an HTTP error.

    Attributes:
        http_status: HTTP status of the answer.
        retry_after_s: Seconds until a retry; None if retrying cannot help.
    """

    http_status: ClassVar[int] = 400
    retry_after_s: int | None = None


class MalformedRequestError(RefusedRequestError):
    """A request that no backend could understand."""

    code = "malformed_request"


class OverloadedError(RefusedRequestError):
    """Too many predictions are waiting already.

    Args:
        message: What happened.
        hint: What the client can do about it.
        retry_after_s: Seconds until a retry.
    """

    code = "overloaded"
    http_status = 503

    def __init__(self, message: str, *, hint: str = "", retry_after_s: int = 2) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class NotReadyError(RefusedRequestError):
    """The model is still loading, or could not be loaded."""

    code = "not_ready"
    http_status = 503
    retry_after_s = 5


class UnsupportedPromptError(EdgeFlowError):
    """A prompt of a kind that this model does not support."""

    code = "prompt_unsupported"


class NothingAskedError(PromptError):
    """A request without any prompt: nobody clicked, so nobody lost anything.

    Label Studio's editor sends one when a point leaves it that was not accepted, as with *Submit*.
    """

    code = "nothing_asked"


class NothingAlikeError(PromptError):
    """A search that found nothing more: everything of the kind is there already."""

    code = "nothing_alike"


class FetchError(EdgeFlowError):
    """An image that could not be fetched."""

    code = "image_fetch"


class ChangedImageError(FetchError):
    """Another image lies behind a URL than when it was opened."""

    code = "image_changed"


class DeadlineError(EdgeFlowError):
    """Something took longer than its time limit."""

    code = "deadline"


class SupersededError(EdgeFlowError):
    """A newer request for the same object came before the network had run for this one.

    Label Studio's editor waits for every answer but uses only the one to its newest request. So
    the older request is answered at once with an empty result, which the editor takes for "nothing
    found". It does not get the newer one's mask, which does not answer its clicks, nor an HTTP
    error, after which the editor may stop sending clicks.
    """

    code = "superseded"


def superseded() -> SupersededError:
    """The error of a request that a newer one made obsolete."""
    return SupersededError(
        "a newer click on the same object came first",
        hint="nothing to do: the newest click will be answered",
    )


class InternalError(EdgeFlowError):
    """A defect of this backend; the details are in the log."""

    code = "internal"
