from __future__ import annotations

import pytest

from edgeflow import errors
from edgeflow.checkpoints.download import DownloadError
from edgeflow.data.base import DatasetError
from edgeflow.errors import EdgeFlowError
from edgeflow.evaluate.report import ReportError
from edgeflow.evaluate.results import ResultsError
from edgeflow.runtime.base import RuntimeUnavailableError
from edgeflow.runtime.devices import DeviceError
from edgeflow.train.errors import TrainingError

KINDS = [
    kind
    for kind in (
        *vars(errors).values(),
        DatasetError,
        DeviceError,
        DownloadError,
        ReportError,
        ResultsError,
        RuntimeUnavailableError,
        TrainingError,
    )
    if isinstance(kind, type) and issubclass(kind, EdgeFlowError)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_carries_a_message_and_a_hint(kind: type[EdgeFlowError]) -> None:
    error = kind("the sky fell", hint="wear a hat")
    assert str(error) == error.message == "the sky fell"
    assert error.hint == "wear a hat"
    assert kind("the sky fell").hint == ""


def test_codes_tell_errors_apart() -> None:
    # Logs and metrics go by them.
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes)
    assert all(code.isidentifier() and code.islower() for code in codes)


def test_an_image_that_is_too_large_is_an_unusable_image_too() -> None:
    assert issubclass(errors.ImageTooLargeError, errors.ImageError)
