from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from edgeflow.errors import (
    CheckpointError,
    EdgeFlowError,
    ImageError,
    ImageTooLargeError,
    LabelConfigError,
    PromptError,
)
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.prompts.outline import Outline
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow.prompts.start import NOTHING, Start
from edgeflow_backend.cluster.wire import Asked, Failure, Load, Reply, Segmented, SentMask
from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.errors import (
    ChangedImageError,
    DeadlineError,
    FetchError,
    InternalError,
    NotReadyError,
    OverloadedError,
    SupersededError,
    superseded,
)
from edgeflow_backend.images.decoding.worker import SlowImageError
from edgeflow_backend.images.sources import AsStored, InlineSource, WebSource
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.segmenter import Clicks, Model, OpenedImage, Segmentation
from edgeflow_backend.versions.version import Learnt

SIZE = Size(60, 83)
LEARNT = Learnt(ProjectRef("team-b", "7"), 3, "m.7.3-12345678")


def crossed(value: Any) -> Any:
    """A value after its way between two processes."""
    return pickle.loads(pickle.dumps(value))


def blob(seed: int = 0) -> np.ndarray[Any, np.dtype[np.bool_]]:
    mask = np.zeros(SIZE, dtype=np.bool_)
    mask[7:31, 12:57] = np.random.default_rng(seed).random((24, 45)) > 0.4
    return mask


@pytest.mark.parametrize("mask", [blob(), np.zeros(SIZE, bool), np.ones(SIZE, bool)])
def test_masks_come_out_bit_for_bit(mask: Any) -> None:
    patch = MaskPatch.of(mask)
    back = crossed(SentMask.of(patch)).patch()
    assert back.digest == patch.digest
    assert np.array_equal(back.whole(), mask)
    assert back.pixels.dtype == np.bool_


def test_a_smooth_mask_takes_far_less_than_a_bit_a_pixel() -> None:
    rows, columns = np.mgrid[:1000, :800]
    disk = MaskPatch.of((rows - 500) ** 2 + (columns - 400) ** 2 < 390**2)
    assert len(pickle.dumps(SentMask.of(disk))) < 1000 * 800 / 8 / 8


@pytest.mark.parametrize(
    "start",
    [
        None,
        NOTHING,
        PriorMask(blob()),
        Outline(Box(7, 12, 31, 57)),
        Outline(Box(7, 12, 31, 57), blob(1)),
        Outline(Box(7, 12, 31, 57), beyond=MaskPatch.of(blob(2))),
    ],
)
def test_clicks_and_starts_come_out_as_they_were(start: Start | None) -> None:
    image = OpenedImage(AsStored(WebSource("http://host/a.png", "team-b")), SIZE, "d" * 64)
    clicks = [Click(ImagePoint(3.5, 4.25)), Click(ImagePoint(1e-9, 59.5), positive=False)]
    asked = Clicks(clicks, start, Stream(("scene", "click"), "k1"), frozenset({"k1", ("k2", 3)}))
    sent = crossed(Asked.of(image, asked, Model("other", "other-1", learnt=LEARNT)))
    back = sent.asked
    assert sent.image == image
    assert (sent.model, sent.learnt) == ("other", LEARNT)
    assert list(back.clicks) == clicks
    assert back.stream == asked.stream
    assert back.marks == asked.marks
    assert (back.start and back.start.digest) == (start and start.digest)
    if isinstance(start, Outline):
        assert isinstance(back.start, Outline)
        assert (back.start.beyond and back.start.beyond.digest) == (
            start.beyond and start.beyond.digest
        )


def test_inline_images_cross_with_their_bytes() -> None:
    image = OpenedImage(InlineSource(b"png"), SIZE, "d")
    assert crossed(Asked.of(image, Clicks([]), Model(None, ""))).image.source == image.source


def test_answers_come_out_as_they_were() -> None:
    segmentation = Segmentation(MaskPatch.of(blob()), 0.87654321, 3, "edgeflow_lite-1")
    back = crossed(Segmented.of(segmentation)).segmentation()
    assert back.mask.digest == segmentation.mask.digest
    assert (back.score, back.steps, back.model_version) == (0.87654321, 3, "edgeflow_lite-1")


@pytest.mark.parametrize(
    "error",
    [
        kind("what is wrong", hint="what to do")
        for kind in (
            ChangedImageError,
            CheckpointError,
            DeadlineError,
            FetchError,
            ImageError,
            ImageTooLargeError,
            InternalError,
            LabelConfigError,
            NotReadyError,
            PromptError,
            SupersededError,
        )
    ]
    + [OverloadedError("full", hint="later", retry_after_s=17), superseded()],
)
def test_errors_keep_class_code_message_hint_and_retry(error: EdgeFlowError) -> None:
    back = crossed(Failure.of(error)).error()
    assert type(back) is type(error)
    assert (back.code, back.message, back.hint) == (error.code, error.message, error.hint)
    assert getattr(back, "retry_after_s", None) == getattr(error, "retry_after_s", None)


def test_errors_that_nobody_tells_apart_keep_code_and_words() -> None:
    back = crossed(Failure.of(SlowImageError("too slow", hint="smaller"))).error()
    assert (back.code, back.message, back.hint) == (SlowImageError.code, "too slow", "smaller")
    assert EdgeFlowError.code == "error"  # the class' own


def test_a_reply_gives_its_value_or_raises_its_failure() -> None:
    load = Load("r", 0, ())
    assert crossed(Reply(5, load)).unpacked() == 5
    reply: Reply[int] = crossed(Reply(Failure.of(superseded()), load))
    with pytest.raises(SupersededError):
        reply.unpacked()
