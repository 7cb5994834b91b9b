"""What goes wrong between this project and a Label Studio."""

from __future__ import annotations

from edgeflow.errors import EdgeFlowError


class LabelStudioError(EdgeFlowError):
    """Label Studio gave no answer, or not the one that was asked for.

    The message never holds a token.

    Attributes:
        status: HTTP status of the answer; None if there was none.
        detail: What Label Studio said itself; empty if nothing.
    """

    code = "label_studio"

    def __init__(
        self, message: str, *, hint: str = "", status: int | None = None, detail: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.detail = detail
