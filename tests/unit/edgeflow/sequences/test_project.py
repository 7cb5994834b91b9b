"""Annotated pages of a project to predictions for the others: once, and whatever fails."""

from __future__ import annotations

from typing import Any

import pytest

from edgeflow.geometry import Size
from edgeflow.inference.predictor import load_predictor
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.brush_rle import encode_brush
from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.label_studio.region_masks import parse_brush
from edgeflow.preannotation.tasks import Report, TaskForm
from edgeflow.propagate.options import PropagateOptions
from edgeflow.propagate.propagator import Propagator
from edgeflow.pull.fetch import Pictures
from edgeflow.sequences.project import Limits, ProjectPropagate
from tests.unit.edgeflow.data.making import encoded
from tests.unit.edgeflow.label_studio.api.test_client import as_json, connect
from tests.unit.edgeflow.preannotation.studio import PROJECT, FakeStudio
from tests.unit.edgeflow.sequences.moving import COUNT, HEIGHT, WIDTH, disk, iou, picture
from tests.unit.edgeflow_backend.loopback import Host

LABELS = '<Label value="disk"/><Label value="hole"/>'
PAGES = (
    '<View><Image name="i" valueList="$pages"/>'
    f'<BrushLabels name="m" toName="i">{LABELS}</BrushLabels></View>'
)
TAGS = "".join(
    f'<Image name="i{number}" value="$p{number}"/>'
    f'<BrushLabels name="m{number}" toName="i{number}">{LABELS}</BrushLabels>'
    for number in range(3)
)
SIZE = Size(HEIGHT, WIDTH)


@pytest.fixture(scope="module")
def propagator() -> Propagator:
    return Propagator(load_predictor())


@pytest.fixture
def studio(host: Host) -> FakeStudio:
    """Five pages of a moving disk."""
    studio = FakeStudio(host, PAGES)
    for number in range(COUNT):
        studio.files[f"upload/{PROJECT}/{number}.png"] = encoded(picture(number))
    return studio


def urls() -> list[str]:
    return [f"/data/upload/{PROJECT}/{number}.png" for number in range(COUNT)]


def region(page: int, **other: Any) -> dict[str, Any]:
    rle = list(encode_brush(disk(page)))
    return {
        "id": f"r{page}",
        "type": "brushlabels",
        "from_name": "m",
        "to_name": "i",
        "item_index": page,
        "original_width": WIDTH,
        "original_height": HEIGHT,
        "value": {"format": "rle", "rle": rle, "brushlabels": ["disk"]},
        **other,
    }


def annotate(studio: FakeStudio, *results: dict[str, Any], **data: Any) -> None:
    annotations = [{"id": 1, "result": list(results)}] if results else []
    studio.tasks.append({"data": data or {"pages": urls()}, "annotations": annotations})


def command(host: Host) -> ProjectPropagate:
    api = connect(host)
    config = parse_label_config(api.project(PROJECT).label_config)
    return ProjectPropagate(api, PROJECT, config, None, TaskForm(model_version="carried x"))


def run(host: Host, propagator: Propagator) -> Report:
    report, api = Report(), connect(host)
    pictures = Pictures(host.url, api.credentials)
    list(command(host).run(propagator, pictures, PropagateOptions(), Limits(1_000_000), report))
    return report


def test_a_mask_on_one_page_becomes_a_prediction_for_the_others_once(
    host: Host, studio: FakeStudio, propagator: Propagator
) -> None:
    annotate(studio, region(1))
    annotate(studio)  # nobody has looked at it
    for added, there in ((1, 0), (0, 1)):
        report = run(host, propagator)
        assert report.complete
        assert (report.count["added"], report.count["there"]) == (added, there)
    (prediction,) = studio.tasks[0]["predictions"]
    assert prediction["model_version"] == "carried x"
    found = {each["item_index"]: each for each in prediction["result"]}
    assert sorted(found) == [0, 2, 3, 4]
    for page, each in found.items():
        assert each["value"]["brushlabels"] == ["disk"]
        assert iou(parse_brush(each["value"]).mask(SIZE), disk(page)) > 0.85
    scores = [each["score"] for each in found.values()]
    assert prediction["score"] == pytest.approx(sum(scores) / 4)
    assert len({each["id"] for each in prediction["result"]}) == 4
    assert "predictions" not in studio.tasks[1]


def test_a_dry_run_says_what_there_is_to_do_and_changes_nothing(
    host: Host, studio: FakeStudio
) -> None:
    annotate(studio, region(1), region(3))
    annotate(studio, *map(region, range(COUNT)))
    studio.files.clear()  # nothing is fetched
    told = [work.told for work in command(host).work(Report())]
    assert told == ["task 1: 1 object on 2 of 5 pages"]
    assert all("predictions" not in task for task in studio.tasks)


def test_pages_that_are_annotated_are_never_answered(
    host: Host, studio: FakeStudio, propagator: Propagator
) -> None:
    annotate(studio, region(0), region(2), region(4))
    run(host, propagator)
    (prediction,) = studio.tasks[0]["predictions"]
    assert sorted(each["item_index"] for each in prediction["result"]) == [1, 3]


def test_regions_that_say_so_are_one_object_among_several_of_their_label(
    host: Host, studio: FakeStudio
) -> None:
    track = {"meta": {"edgeflow": {"track": "first"}}}
    annotate(studio, region(0, **track), region(0, id="other"), region(4, **track))
    annotate(studio, region(0), region(0, id="other"), region(4))
    objects = [work.sequences[0][1] for work in command(host).work(Report())]
    assert [[each.pages for each in found] for found in objects] == [
        [[0, 4], [0]],
        [[0], [0], [4]],
    ]


def test_a_page_that_is_gone_ends_its_direction_and_is_told(
    host: Host, studio: FakeStudio, propagator: Propagator
) -> None:
    annotate(studio, region(1))
    annotate(studio, region(1), pages=[*urls()[:2], None])
    del studio.files[f"upload/{PROJECT}/3.png"]
    report = run(host, propagator)
    assert [sorted(each["item_index"] for each in task["predictions"][0]["result"])
            for task in studio.tasks] == [[0, 2], [0]]  # fmt: skip
    assert [each.fault for each in report.left_out] == ["task 1, page 4", "task 2, page 3"]
    assert "HTTP 404" in report.left_out[0].reason


def test_images_of_a_tag_each_are_pages_too(host: Host, propagator: Propagator) -> None:
    studio = FakeStudio(host, f"<View>{TAGS}</View>")
    for number in range(3):
        studio.files[f"upload/{PROJECT}/{number}.png"] = encoded(picture(number))
    data = {f"p{number}": url for number, url in enumerate(urls()[:3])}
    own = region(1, from_name="m1", to_name="i1")
    del own["item_index"]
    annotate(studio, own, **data)
    assert run(host, propagator).count["added"] == 1
    result = studio.tasks[0]["predictions"][0]["result"]
    names = [(each["from_name"], each["to_name"], "item_index" in each) for each in result]
    assert sorted(names) == [("m0", "i0", False), ("m2", "i2", False)]


def test_what_does_not_fit_is_told_and_costs_nothing_else(
    host: Host, studio: FakeStudio, propagator: Propagator
) -> None:
    value = {"format": "rle", "rle": list(encode_brush(disk(0)[:50, :50])), "brushlabels": ["disk"]}
    annotate(studio, region(0, value=value, original_width=50, original_height=50))
    annotate(studio, region(0, value={"format": "rle", "rle": [1, 2], "brushlabels": ["disk"]}))
    annotate(studio, region(0, original_width=None))
    annotate(studio, region(9))
    annotate(studio, region(1))
    report = run(host, propagator)
    assert [bool(task.get("predictions")) for task in studio.tasks] == [False] * 4 + [True]
    faults = " ".join(each.fault for each in report.left_out)
    assert all(f"task {number}" in faults for number in range(1, 5))


def test_a_refused_prediction_is_told_and_a_breakdown_ends_the_run(
    host: Host, studio: FakeStudio, propagator: Propagator
) -> None:
    annotate(studio, region(1), pages=urls()[:2])
    studio.refuses = ("brushlabels",)
    assert [each.fault for each in run(host, propagator).left_out] == ["task 1"]
    host.routes["/api/predictions/"] = as_json({}, 500)
    with pytest.raises(LabelStudioError, match="500"):
        run(host, propagator)


def test_a_single_image_is_no_sequence(
    host: Host, studio: FakeStudio, propagator: Propagator
) -> None:
    annotate(studio, region(0), pages=urls()[:1])
    report = run(host, propagator)
    assert report.complete
    assert not report.count["added"]
