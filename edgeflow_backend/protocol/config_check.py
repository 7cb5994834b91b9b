"""What keeps a labelling config from working well, in words."""

from __future__ import annotations

from edgeflow.label_studio.controls import BOX_TAGS, CLICK_TAGS, SILENT_TAGS
from edgeflow_backend.errors import LabelConfigError
from edgeflow_backend.protocol.label_config import LabelConfig

RECOMMENDED = """<View>
  <KeyPointLabels name="click" toName="image" smart="true" smartOnly="true">
    <Label value="Object" background="#FFB000"/>
  </KeyPointLabels>
  <Image name="image" value="$image" zoom="true"/>
  <BrushLabels name="mask" toName="image" smart="false">
    <Label value="Object" background="#1E90FF"/>
  </BrushLabels>
</View>"""


def problems(config: LabelConfig) -> list[str]:
    """What keeps a config from working well with this backend, each with the way out."""
    found = []
    if not config.images:
        found.append('There is no Image tag; add <Image name="image" value="$image"/>.')
    clicks = [control for control in config.controls if control.tag in CLICK_TAGS]
    boxes = [c for c in config.controls if c.tag in BOX_TAGS and c.smart and c.smart_only]
    if not clicks and not boxes:
        found.append(
            "No control takes clicks; add <KeyPointLabels> with the labels of the mask control, "
            'smart="true" and smartOnly="true".'
        )
    for prompt in (*clicks, *boxes):
        if not prompt.smart:
            found.append(f'{prompt} is not smart; set smart="true".')
        try:
            config.image(prompt.to_name)
            for label in prompt.labels or (None,):
                config.mask_control(prompt.to_name, label, prompt.name)
        except LabelConfigError as error:
            found.append(f"{prompt}: {error.message}; {error.hint}.")
    for control in config.controls:
        if control.tag in BOX_TAGS and control.smart and not control.smart_only:
            found.append(
                f'{control} takes the smart tool\'s place from the keypoints; set smart="false", '
                'or smartOnly="true" if boxes are to be prompts.'
            )
        elif control.tag in SILENT_TAGS and control.smart:
            found.append(
                f"{control} takes the smart tool's place, and Label Studio sends nothing of what "
                'is drawn with it; set smart="false".'
            )
    return found
