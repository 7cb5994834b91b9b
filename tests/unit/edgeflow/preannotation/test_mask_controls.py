from __future__ import annotations

import pytest

from edgeflow.errors import LabelConfigError
from edgeflow.label_studio.config.label_config import TaskConfig, parse_label_config
from edgeflow.preannotation.mask_controls import KINDS, MaskControls, mask_controls

A, B = '<Label value="A"/>', '<Label value="B b" alias="b"/>'
IMAGE = '<Image name="i" value="$image"/>'
OWN = f'<BrushLabels name="m" toName="i">{A}{B}</BrushLabels>'
POLYGON = f'<PolygonLabels name="p" toName="i">{A}</PolygonLabels>'
BESIDE = f'<Labels name="l" toName="i">{A}{B}</Labels><Bitmask name="n" toName="i"/>'


def parsed(tags: str) -> TaskConfig:
    return parse_label_config(f"<View>{tags}</View>").for_task(None)


def controls(tags: str, kind: str | None = None) -> MaskControls:
    return mask_controls(parsed(IMAGE + tags), kind)


HELD = {
    "in the mask itself": (OWN, None, ["A"], ("m", ("A",), {})),
    "by alias": (OWN, None, ["b"], ("m", ("b",), {})),
    "by value, stored as the alias": (OWN, None, ["B b", "A"], ("m", ("b", "A"), {})),
    "none of several": (OWN, None, [], ("m", (), {})),
    "the only one": (POLYGON, None, [], ("p", ("A",), {})),
    "beside": (BESIDE, None, ["B b"], ("n", (), {"l": ("b",)})),
    "none beside": (BESIDE, None, [], ("n", (), {})),
    "the preferred kind": (POLYGON + OWN, None, ["A"], ("m", ("A",), {})),
    "the kind that is asked for": (POLYGON + OWN, "Polygon", ["A"], ("p", ("A",), {})),
    "the control that has the label": (
        f'<BrushLabels name="x" toName="i">{A}</BrushLabels>{OWN}', None, ["B b"],
        ("m", ("b",), {}),
    ),
    "labels that tasks tell": (
        '<BrushLabels name="m" toName="i" value="$labels"/>', None, ["any"], ("m", ("any",), {}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HELD)
def test_where_a_mask_goes(case: str) -> None:
    tags, kind, labels, expected = HELD[case]
    held = controls(tags, kind).hold(labels)
    carried = {control.name: names for control, names in held.carried}
    assert (held.control.name, held.labels, carried) == expected


@pytest.mark.parametrize("tags", [OWN, BESIDE, '<Brush name="m" toName="i"/>'])
def test_a_label_that_the_config_lacks_is_refused_with_the_way_out(tags: str) -> None:
    with pytest.raises(LabelConfigError, match="'C'") as caught:
        controls(tags).hold(["A", "C"] if "A" in tags else ["C"])
    assert '<Label value="C' in caught.value.hint or '<Label value="A"/>' in caught.value.hint


REFUSED = {
    "no mask control": IMAGE + '<KeyPointLabels name="k" toName="i"/>',
    "rectangles are no masks": IMAGE + '<RectangleLabels name="r" toName="i"/>',
    "no image": '<Text name="i" value="$t"/>' + OWN,
    "two images": IMAGE + '<Image name="j" value="$other"/>' + OWN,
    "another kind": IMAGE + POLYGON,
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_config_without_a_place_for_masks_is_refused(case: str) -> None:
    with pytest.raises(LabelConfigError) as caught:
        mask_controls(parsed(REFUSED[case]), "Brush" if case == "another kind" else None)
    assert caught.value.hint


def test_of_several_images_one_is_chosen_by_name() -> None:
    tags = f'{IMAGE}<Image name="j" value="$other"/>{OWN}{OWN.replace("m", "o").replace("i", "j")}'
    config = parsed(tags.replace("jmage", "image"))
    assert mask_controls(config, None, "i").masks[0].name == "m"


def test_kinds_are_those_that_cover_their_object() -> None:
    assert KINDS == {"brush": "Brush", "bitmask": "Bitmask", "polygon": "Polygon"}
