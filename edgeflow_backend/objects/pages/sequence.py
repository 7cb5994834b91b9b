"""Which images of a task are pages of one sequence.

Those of one Image tag with a list (``valueList``), those that a ``Repeater`` makes of one Image
tag, and Image tags beside each other of which each has a control that asks for pages. Others may
show different things and are no sequence.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from edgeflow.errors import EdgeFlowError, LabelConfigError
from edgeflow.label_studio.config.controls import ImageTag
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.images.sources import AsStored, Source, task_image
from edgeflow_backend.objects.task_regions import TaskRegion
from edgeflow_backend.protocol.targets import Target, finds_pages, resolve
from edgeflow_backend.requests import ResolvedRequest

_Place = tuple[ImageTag, int | None, Target]


@dataclass(frozen=True)
class Page:
    """An image of a task, and what holds masks on it.

    Attributes:
        to_name: Its tag.
        item_index: Which of the tag's images; None where the tag has one.
        target: Where masks go.
        source: Where the image is; None if it cannot be found.
        trouble: Why it cannot be found.
    """

    to_name: str
    item_index: int | None
    target: Target
    source: Source | AsStored | None
    trouble: str = ""


@dataclass(frozen=True)
class PageSequence:
    """Pages in order.

    Attributes:
        name: Identifies it in its task.
        pages: At least the prompt's own.
        here: Index of the prompt's page.
    """

    name: str
    pages: tuple[Page, ...]
    here: int

    def regions_by_page(self, regions: Iterable[TaskRegion]) -> dict[int, list[TaskRegion]]:
        """The regions on its pages, in their order."""
        places = {(page.to_name, page.item_index or 0): n for n, page in enumerate(self.pages)}
        found: dict[int, list[TaskRegion]] = {}
        for region in regions:
            number = places.get((region.to_name, region.item_index or 0))
            if number is not None:
                found.setdefault(number, []).append(region)
        return found


def sequence_of(resolved: ResolvedRequest, locator: Locator) -> PageSequence:
    """The pages among which a prompt's image is one; no image is fetched.

    Args:
        resolved: The request.
        locator: Finds the images.
    """
    request, own = resolved.request, resolved.target
    newest, data = request.prompt.newest, request.task["data"]
    listed = own.image.shown(data)
    if isinstance(listed, list):
        places: list[_Place] = [(own.image, number, own) for number in range(len(listed))]
        here = newest.item_index or 0
    else:
        places = _of_tags(resolved)
        here = next(n for n, (image, _, _) in enumerate(places) if image.name == newest.to_name)
    pages = []
    for number, (image, index, target) in enumerate(places):
        own_page = (resolved.image.source, "")
        source, trouble = own_page if number == here else _located(resolved, locator, image, index)
        pages.append(Page(image.name, index, target, source, trouble))
    return PageSequence(own.image.repeated or places[0][0].name, tuple(pages), here)


def _of_tags(resolved: ResolvedRequest) -> list[_Place]:
    """The Image tags that are pages with the prompt's, and where masks go on each.

    Those that the same Repeater made; or, with none, those that a Repeater has not made, either.
    """
    request, own = resolved.request, resolved.target
    newest, config = request.prompt.newest, request.config
    places: list[_Place] = []
    for image in config.images:
        if image.name == newest.to_name:
            places.append((image, newest.item_index, own))
        elif image.repeated == own.image.repeated and not image.several:
            asking = [
                control.name
                for control in config.controls
                if control.is_on(image.name) and finds_pages(config, control.name)
            ]
            with contextlib.suppress(LabelConfigError):  # nothing there can hold the label
                if asking:
                    target = resolve(config, asking[0], image.name, request.prompt.labels)
                    if target.stored == own.stored:
                        places.append((image, None, target))
    return places


def _located(
    resolved: ResolvedRequest, locator: Locator, tag: ImageTag, index: int | None
) -> tuple[Source | AsStored | None, str]:
    request = resolved.request
    try:
        url = task_image(request.task["data"], tag, index)
        source = locator.locate(url, host=request.project.host, task_id=request.task_id)
    except EdgeFlowError as error:
        return None, error.message
    # As the prompt's own image, which the editor turned or did not.
    return (AsStored(source) if isinstance(resolved.image.source, AsStored) else source), ""
