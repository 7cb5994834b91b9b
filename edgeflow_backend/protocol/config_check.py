"""What keeps a labelling config from working well, in words."""

from __future__ import annotations

from typing import NamedTuple

from edgeflow.errors import LabelConfigError, brief
from edgeflow.label_studio.config.controls import Control
from edgeflow.label_studio.config.label_config import TaskConfig, parse_label_config
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.config.recommended import recommended_config, recommended_like
from edgeflow.label_studio.controls import LABELS_TAG
from edgeflow_backend.protocol.attributes import misplaced
from edgeflow_backend.protocol.exports import export_warnings
from edgeflow_backend.protocol.targets import PAGES, resolve

RECOMMENDED = recommended_config()
"""The recommended config of a project with one label and brush masks."""


class Findings(NamedTuple):
    """What is to be said of a labelling config, in words, each with what to do.

    Attributes:
        problems: What keeps it from working well with this backend.
        warnings: What it does to Label Studio's own exports.
        recommended: A config of the same image, labels and kind of mask without either.
    """

    problems: list[str]
    warnings: list[str]
    recommended: str


def examine(xml: object) -> Findings:
    """Everything that is to be said of a labelling config.

    No task is looked at, so nothing is said of what a task decides.

    Args:
        xml: The config's text, untrusted.

    Raises:
        LabelConfigError: It cannot be read.
    """
    written = parse_label_config(xml)
    config = written.for_task(None)
    found = [*problems(config), *misplaced(written.root)]
    return Findings(found, export_warnings(config), recommended_like(config))


def check(xml: object) -> list[str]:
    """What keeps a config from working well with this backend, each with how to fix it.

    Args:
        xml: The config's text, untrusted.

    Raises:
        LabelConfigError: It cannot be read.
    """
    return examine(xml).problems


def problems(config: TaskConfig) -> list[str]:
    """What keeps a parsed config from working well, each with how to fix it."""
    clicks = [control for control in config.controls if control.sends == "clicks"]
    shapes = [control for control in config.controls if control.sends == "shapes"]
    prompts = [*clicks, *(control for control in shapes if control.smart and control.smart_only)]
    messages = []
    if not config.images:
        messages.append('There is no Image tag; add <Image name="image" value="$image"/>.')
    if not prompts:
        messages.append(
            'No control takes clicks; add <KeyPoint name="click" toName="image" smart="true" '
            'smartOnly="true"/>.'
        )
    messages += [
        f"The Image tag '{brief(image.name)}' shows nothing; add value=\"$image\"."
        for image in config.images
        if not image.value
    ]
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


def _prompt_problems(prompt: Control, config: TaskConfig) -> list[str]:
    """What keeps prompts that are made with a control from being answered."""
    messages = []
    if not prompt.smart:
        messages.append(f'{prompt} is not smart; set smart="true".')
    image = config.image(prompt.to_name)
    if prompt.find == PAGES and image is not None and not _has_pages(prompt, config):
        messages.append(
            f"{prompt} has edgeflowFind=\"{PAGES}\", and the Image tag '{brief(image.name)}' shows "
            'one image; give it a valueList="$pages", put both into a Repeater, or give the other '
            "Image tags such a control, too."
        )
    try:
        resolve(config, prompt.name, prompt.to_name)
        for label in prompt.labels or _carried_labels(prompt, config):
            resolve(config, prompt.name, prompt.to_name, [label.stored])
    except LabelConfigError as error:
        messages.append(f"{prompt}: {error.message}; {error.hint}.")
    return messages


def _has_pages(prompt: Control, config: TaskConfig) -> bool:
    """Whether what is found on a control's image may be on another, too."""
    return not _is_single(prompt, config) or any(
        other.find == PAGES and other.to_name != prompt.to_name and _is_single(other, config)
        for other in config.controls
    )


def _is_single(control: Control, config: TaskConfig) -> bool:
    """Whether a control is on an Image tag that shows one image and stands in no Repeater."""
    image = config.image(control.to_name)
    return image is not None and not (image.several or image.repeated)


def _carried_labels(prompt: Control, config: TaskConfig) -> list[Label]:
    """The labels that prompts made with an unlabelled control may have."""
    return [
        label
        for control in config.controls
        if control.tag == LABELS_TAG and control.is_on(prompt.to_name)
        for label in control.labels
    ]
