"""What keeps a labelling config from working well, in words."""

from __future__ import annotations

from edgeflow_backend.errors import LabelConfigError
from edgeflow_backend.protocol.controls import Control
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
    """What keeps a config from working well with this backend, each with how to fix it."""
    clicks = [control for control in config.controls if control.sends == "clicks"]
    shapes = [control for control in config.controls if control.sends == "shapes"]
    prompts = [*clicks, *(control for control in shapes if control.smart and control.smart_only)]
    messages = []
    if not config.images:
        messages.append('There is no Image tag; add <Image name="image" value="$image"/>.')
    if not prompts:
        messages.append(
            "No control takes clicks; add <KeyPointLabels> with the labels of the mask control, "
            'smart="true" and smartOnly="true".'
        )
    for prompt in prompts:
        messages += _prompt_problems(prompt, config)
    for control in config.controls:
        if control in shapes and control.smart and not control.smart_only:
            messages.append(
                f'{control} takes the smart tool\'s place from the keypoints; set smart="false", '
                'or smartOnly="true" if boxes are to be prompts.'
            )
        elif control.kind is not None and control.sends == "nothing" and control.smart:
            messages.append(
                f"{control} takes the smart tool's place, and Label Studio sends nothing of what "
                'is drawn with it; set smart="false".'
            )
    return messages


def _prompt_problems(prompt: Control, config: LabelConfig) -> list[str]:
    """What keeps prompts that are made with a control from being answered."""
    messages = []
    if not prompt.smart:
        messages.append(f'{prompt} is not smart; set smart="true".')
    try:
        for label in prompt.labels or (None,):
            stored = None if label is None else prompt.stored(label)
            config.resolve(prompt.name, prompt.to_name, stored)
    except LabelConfigError as error:
        messages.append(f"{prompt}: {error.message}; {error.hint}.")
    return messages
