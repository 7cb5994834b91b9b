"""Parts of labelling configs as people write them."""

from __future__ import annotations

IMAGE = '<Image name="image" value="$image"/>'
CLICK = (
    '<KeyPointLabels name="click" toName="image"><Label value="A"/><Label value="B"/>'
    "</KeyPointLabels>"
)
MASK = (
    '<BrushLabels name="mask" toName="image" smart="false"><Label value="A"/><Label value="B"/>'
    "</BrushLabels>"
)
