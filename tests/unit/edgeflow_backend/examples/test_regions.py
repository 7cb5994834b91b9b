from __future__ import annotations

import pytest

from edgeflow.geometry import ImagePoint
from edgeflow.label_studio.config.label_config import TaskConfig, parse_label_config
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.similar.found import Candidate
from edgeflow_backend.examples.accepted import Place
from edgeflow_backend.examples.library import Category
from edgeflow_backend.examples.regions import holding_control, suggestion
from edgeflow_backend.examples.settle import Claim
from edgeflow_backend.protocol.record import read_record
from tests.unit.edgeflow_backend.examples.studio import CENTRES, disk

CONTROLS = """
<View>
  <Image name="image" value="$image"/><Image name="second" value="$other"/>
  <BrushLabels name="mask" toName="image"><Label value="coin" alias="c"/></BrushLabels>
  <PolygonLabels name="outline" toName="image" value="$labels"><Label value="coin"/></PolygonLabels>
  <Brush name="plain" toName="image"/><Polygon name="lone" toName="second"/>
  <Labels name="names" toName="image"><Label value="nut"/></Labels>
  <EllipseLabels name="ring" toName="image"><Label value="coin"/></EllipseLabels>
</View>
"""


@pytest.fixture
def config() -> TaskConfig:
    return parse_label_config(CONTROLS).for_task({"labels": [{"value": "leaf"}]})


@pytest.mark.parametrize(
    ("control", "labels", "image", "held"),
    [
        ("mask", ("coin",), "image", True),
        ("mask", ("c",), "image", True),
        ("mask", ("nut",), "image", False),
        ("mask", ("coin", "nut"), "image", False),
        ("mask", (), "image", False),
        ("mask", ("coin",), "second", False),
        ("outline", ("leaf",), "image", True),
        ("plain", ("nut",), "image", True),
        ("plain", ("nut", "coin"), "image", False),
        ("plain", ("coin",), "image", False),
        ("plain", (), "image", True),
        ("lone", (), "second", True),
        ("ring", ("coin",), "image", False),
        ("gone", ("coin",), "image", False),
    ],
)
def test_a_category_is_sought_where_the_config_can_hold_it(
    config: TaskConfig, control: str, labels: tuple[str, ...], image: str, held: bool
) -> None:
    found = holding_control(config, Category(control, labels), image)
    assert (found.name if found else None) == (control if held else None)


def claim(category: Category, number: int = 0) -> Claim:
    click = Click(ImagePoint(*map(float, CENTRES[number])))
    return Claim(category, Candidate(click, MaskPatch.of(disk(number)), 0.8, 0.9))


def test_a_suggestion_says_how_it_was_made_and_keeps_its_id(config: TaskConfig) -> None:
    wanted, place = claim(Category("mask", ("coin",))), Place("image", 2)
    first, second = (
        suggestion(wanted, 7, place, config, "m-1", PolygonOptions()) for _ in range(2)
    )
    assert first == second
    (region,) = first.regions
    assert (region["item_index"], region["score"], first.score) == (2, 0.8, 0.8)
    record = read_record(region)
    assert record is not None
    assert record.from_mask
    assert record.model == "m-1"
    assert len(record.clicks) == 1
    ids = {
        suggestion(each, task, where, config, "m-1", PolygonOptions()).regions[0]["id"]
        for each, task, where in (
            (wanted, 7, place),
            (wanted, 8, place),
            (wanted, 7, Place("image", 0)),
            (claim(wanted.category, 1), 7, place),
        )
    }
    assert len(ids) == 4


def test_labels_of_their_own_control_come_along(config: TaskConfig) -> None:
    wanted = claim(Category("plain", ("nut",)))
    answer = suggestion(wanted, 7, Place("image", 0), config, "m-1", PolygonOptions())
    assert [region["from_name"] for region in answer.regions] == ["plain", "names"]
    assert "item_index" not in answer.regions[0]
