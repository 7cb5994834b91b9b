from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.learning.accepted import PercentClick
from edgeflow_backend.images.sources import _decode_data_uri
from edgeflow_backend.learning.reconcile import FULL_S, RETRY_S, told
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.examples.studio import (
    CONFIG,
    PROJECT,
    SIZE,
    Studio,
    as_json,
    disk,
    region,
    sheet,
)
from tests.unit.edgeflow_backend.learning.learning import Learning, clicked
from tests.unit.edgeflow_backend.loopback import Host, Reply

PICTURE = "/data/upload/5/a.png"


def png(seed: int = 0) -> bytes:
    return _decode_data_uri(sheet(seed), 10_000_000)


def serve(host: Host, seed: int = 0) -> None:
    """Have the host show a picture at one location."""
    host.routes[PICTURE] = Reply(body=png(seed), headers={"Content-Type": "image/png"})


def test_an_accepted_object_is_kept_with_its_clicks_its_mask_and_where_it_is_from(
    learning: Learning, studio: Studio, host: Host
) -> None:
    serve(host)
    task = studio.add(PICTURE, clicked(0, clicks=3), clicked(1, "other"))
    task["annotations"][0] |= {
        "completed_by": 4,
        "created_at": "2026-11-28T09:00:00.5Z",
        "updated_at": "2026-11-28T09:30:00.5Z",
        "created_username": "Anna anna@example.com",
    }
    studio.add(sheet(1))
    report = learning.reconcile()
    assert (report.read, report.dropped, list(told(report))) == (1, 0, [])
    first, second = learning.objects
    assert (first.id, first.label, first.control) == ("r0", "disk", "mask")
    assert second.label == "other"
    assert first.clicks == (
        PercentClick(20.0, 30.0, True),
        PercentClick(21.0, 30.0, True),
        PercentClick(22.0, 30.0, False),
    )
    assert (first.start, first.model, first.edited) == ("clicks", "edgeflow_lite-1", False)
    np.testing.assert_array_equal(first.mask.mask(), disk(0))
    assert first.picture == hashlib.sha256(png()).hexdigest()
    assert learning.files.cache.get(first.picture) == png()
    origin = first.origin
    assert (origin.task, origin.annotation) == (task["id"], task["annotations"][0]["id"])
    assert (origin.annotator, origin.counts, origin.ground_truth) == (4, True, False)
    assert (origin.created_at, origin.updated_at) == (
        "2026-11-28T09:00:00.5Z",
        "2026-11-28T09:30:00.5Z",
    )
    kept = b"".join(path.read_bytes() for path in learning.shelf.folders()[0].glob("objects*"))
    assert b"anna" not in kept.lower(), "of a person no more than the number"
    assert PICTURE.encode() not in kept


@pytest.mark.parametrize(
    ("drawn", "start", "edited"),
    [
        (region(0), "hand", False),
        (clicked(0, clicks=0, from_mask=True), "mask", False),
        ({**clicked(0), "value": region(1)["value"]}, "clicks", True),
    ],
    ids=["by-hand", "a-mask", "edited"],
)
def test_what_an_object_began_as_and_whether_it_was_edited_is_kept(
    learning: Learning, studio: Studio, drawn: Any, start: str, edited: bool
) -> None:
    studio.add(sheet(), drawn)
    learning.reconcile()
    (only,) = learning.objects
    assert (only.start, only.edited) == (start, edited)


def test_what_has_not_changed_is_not_read_again_also_by_another_process(
    learning: Learning, studio: Studio, learning_settings: Callable[..., Settings]
) -> None:
    studio.add(sheet(), clicked(0))
    learning.reconcile()
    again = Learning(learning_settings())
    assert again.reconcile().read == 0
    assert again.ids == ["r0"]
    assert len(studio.asked("/annotations/")) == 1


def test_what_is_deleted_changed_or_skipped_leaves(learning: Learning, studio: Studio) -> None:
    deleted, gone, changed, skipped, kept = (studio.add(sheet(n), clicked(n)) for n in range(5))
    learning.reconcile()
    assert learning.ids == ["r0", "r1", "r2", "r3", "r4"]
    studio.delete(deleted)
    del studio.tasks[gone["id"]]
    studio.change(changed, clicked(5, "other"))
    skipped["annotations"][0]["was_cancelled"] = True
    studio.touch(skipped)
    report = learning.reconcile()
    assert learning.ids == ["r5", "r4"]
    assert (report.dropped, report.read) == (4, 2)
    assert set(learning.files.store.stamps()) == {changed["id"], skipped["id"], kept["id"]}


def test_a_skipped_annotation_never_enters_beside_one_that_was_submitted(
    learning: Learning, studio: Studio
) -> None:
    task = studio.add(sheet(), clicked(0))
    studio.annotate(task, clicked(1))["was_cancelled"] = True
    learning.reconcile()
    assert learning.ids == ["r0"]


def test_of_several_annotators_all_are_kept_and_the_first_or_the_truth_counts(
    learning: Learning, studio: Studio
) -> None:
    plain = studio.add(sheet(), clicked(0))
    studio.annotate(plain, clicked(1))
    checked = studio.add(sheet(1), clicked(2))
    studio.annotate(checked, clicked(3))["ground_truth"] = True
    learning.reconcile()
    assert learning.ids == ["r0", "r1", "r2", "r3"]
    assert [each.id for each in learning.objects if each.origin.counts] == ["r0", "r3"]


def test_what_label_studio_does_not_say_changes_nothing(
    learning: Learning, studio: Studio, host: Host
) -> None:
    studio.add(sheet(), clicked(0))
    learning.reconcile()
    answer = host.routes["*"]
    for refusal in (
        as_json({"detail": "Invalid token."}, 401),
        Reply(502, b"<html>bad gateway</html>"),
        Reply(404, b"<html>not here</html>"),
        Reply(200, b"<html>log in</html>"),
    ):
        host.routes["*"] = refusal
        with pytest.raises(LabelStudioError):
            learning.reconcile()
        assert learning.ids == ["r0"]
    host.routes["*"] = answer
    assert learning.reconcile().read == 0


def test_a_deletion_counts_even_if_label_studio_goes_down_before_all_is_read(
    learning: Learning, studio: Studio, host: Host
) -> None:
    first, second = studio.add(sheet(), clicked(0)), studio.add(sheet(1), clicked(1))
    learning.reconcile()
    studio.change(first, clicked(2))
    host.routes[f"/api/tasks/{first['id']}/annotations/"] = Reply(503)
    with pytest.raises(LabelStudioError):
        learning.reconcile()
    assert learning.ids == ["r1"], "the changed one has left"
    del host.routes[f"/api/tasks/{first['id']}/annotations/"]
    learning.reconcile()
    assert learning.ids == ["r2", "r1"]
    assert second["id"] in learning.files.store.stamps()


def test_a_project_that_is_gone_takes_its_objects_along(
    learning: Learning, studio: Studio, host: Host
) -> None:
    studio.add(sheet(), clicked(0))
    learning.reconcile()
    gone = as_json({"detail": "No Project matches the given query."}, 404)
    host.routes[f"/api/projects/{PROJECT}"] = gone
    assert learning.reconcile().dropped == 1
    assert learning.ids == []


def test_a_task_that_a_shifted_page_hides_is_not_taken_for_deleted(
    learning: Learning, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.add(sheet(), clicked(0))
    learning.reconcile()
    monkeypatch.setattr("edgeflow_backend.learning.reconcile.annotated", lambda *_: iter(()))
    assert learning.reconcile().dropped == 0
    assert learning.ids == ["r0"]


def test_a_task_whose_image_is_not_to_be_had_waits_and_keeps_nobody(
    learning: Learning, studio: Studio, host: Host
) -> None:
    studio.add(sheet(), clicked(0))
    broken = studio.add(PICTURE, clicked(1))
    report = learning.reconcile()
    assert list(report.failures) == [broken["id"]]
    assert learning.ids == ["r0"]
    assert "404" in next(told(report))
    serve(host)
    assert list(learning.reconcile().failures) == [broken["id"]], "not asked for again so soon"
    learning.now += RETRY_S
    assert learning.reconcile().failures == {}
    assert learning.ids == ["r0", "r1"]


def test_a_picture_that_is_replaced_takes_along_what_was_drawn_on_the_old_one(
    learning: Learning, studio: Studio, host: Host
) -> None:
    serve(host)
    task = studio.add(PICTURE, clicked(0))
    task["annotations"][0]["updated_at"] = "2020-01-01T00:00:00Z"
    learning.reconcile()
    assert learning.ids == ["r0"]
    serve(host, seed=1)
    learning.files.cache.get(learning.objects[0].picture)
    for path in learning.shelf.folders()[0].glob("pictures/*/*"):
        path.unlink()  # as if it had expired
    report = learning.reconcile(wanted=[task["id"]])
    assert learning.ids == []
    assert "another one" in next(told(report))
    task["annotations"][0]["updated_at"] = "2100-01-01T00:00:00Z"
    studio.touch(task)
    learning.reconcile()
    assert [each.picture for each in learning.objects] == [hashlib.sha256(png(1)).hexdigest()]


def test_what_cannot_be_kept_is_left_out_and_told(learning: Learning, studio: Studio) -> None:
    sizeless = region(0)
    del sizeless["original_width"]
    half = region(1, "\ud800")
    damaged = region(2, value={"format": "rle", "rle": [1, 2, 3], "brushlabels": ["disk"]})
    studio.add(sheet(), sizeless, half, damaged, clicked(3))
    report = learning.reconcile()
    assert learning.ids == ["r3"]
    assert report.left_out.total() == 3
    assert len(list(told(report))) == 3


def test_a_mask_of_too_many_pixels_is_left_out_before_it_is_drawn(
    studio: Studio, learning_settings: Callable[..., Settings]
) -> None:
    studio.add(sheet(), clicked(0))
    learning = Learning(learning_settings(max_pixels=SIZE.height * SIZE.width - 1))
    assert "EDGEFLOW_MAX_PIXELS" in next(told(learning.reconcile()))
    assert learning.ids == []


def test_a_full_store_takes_no_more_and_says_so(
    studio: Studio, learning_settings: Callable[..., Settings]
) -> None:
    for number in range(3):
        studio.add(sheet(number), clicked(number))
    learning = Learning(learning_settings(learn_objects_mb=0.0005))
    report = learning.reconcile()
    assert report.full
    assert report.waiting == len(studio.tasks) - len(learning.ids)
    assert "r2" in learning.ids, "the newest come first"
    assert "EDGEFLOW_LEARN_OBJECTS_MB" in next(told(report))


def test_everything_is_read_again_once_a_day_whatever_label_studio_calls_changed(
    learning: Learning, studio: Studio
) -> None:
    task = studio.add(sheet(), clicked(0))
    learning.reconcile()
    task["annotations"][0]["result"] = [clicked(1)]  # and nothing told of it
    assert learning.reconcile().read == 0
    learning.now += FULL_S
    assert learning.reconcile().read == 1
    assert learning.ids == ["r1"]


def test_a_labelling_config_that_shows_another_image_has_all_read_again(
    learning: Learning, studio: Studio, host: Host
) -> None:
    studio.add(sheet(), clicked(0))
    learning.reconcile()
    more = CONFIG.replace('<Label value="other"/>', '<Label value="other"/><Label value="new"/>')
    host.routes[f"/api/projects/{PROJECT}"] = as_json({"id": PROJECT, "label_config": more})
    assert learning.reconcile().read == 0, "a new label changes no object"
    other = CONFIG.replace("$image", "$photo")
    host.routes[f"/api/projects/{PROJECT}"] = as_json({"id": PROJECT, "label_config": other})
    report = learning.reconcile()
    assert (report.dropped, list(report.failures), learning.ids) == (1, [1], [])


def test_an_end_in_between_leaves_whole_tasks_and_the_next_one_goes_on(
    learning: Learning, studio: Studio
) -> None:
    for number in range(3):
        studio.add(sheet(number), clicked(number))
    asked = iter([False, True])
    assert learning.reconcile(stop=lambda: next(asked)).waiting == 2
    assert learning.ids == ["r2"]
    assert learning.reconcile().read == 2
    assert learning.objects[0].mask.size == SIZE
