"""Several objects in one request.

With "auto-accept" on, clicks that come before the answer to the last one arrive together, although
each may be of another object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from edgeflow.errors import PromptError
from edgeflow_backend.errors import superseded
from edgeflow_backend.objects.recent_answers import RecentAnswer
from edgeflow_backend.objects.refine import reaches
from edgeflow_backend.objects.signs import Visit
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.prompts import ClickPrompt
from edgeflow_backend.protocol.wire import KeyPoint


def separate(
    prompt: Prompt,
    visit: Visit,
    answer: Callable[[Prompt], RecentAnswer],
    *,
    reach: float,
) -> tuple[list[RecentAnswer], list[PromptError]]:
    """Answer each object that a request's clicks may be of.

    Where clicks may be of several objects, each is taken as if it had come after the answer to the
    ones before: on a mask, or if positive beside it, it belongs to that object. A negative click on
    no mask at all belongs to the newest. Any other begins an object, or refines one of the task's.

    Args:
        prompt: The request's.
        visit: Says whether it may hold several objects.
        answer: Answers the part of the prompt that is about one object.
        reach: How far outside a mask a positive click may lie, percent of the image's longer side.

    Returns:
        At least one answer, and why other clicks have none.

    Raises:
        PromptError: No click has an answer.
        SupersededError: A newer request holds all these clicks.
    """
    if not (visit.pending and isinstance(prompt, ClickPrompt)):
        whole = answer(prompt)
        if not (visit.pending and isinstance(prompt, ClickPrompt)):  # told apart by a late request
            return [whole], []
    found: list[tuple[ClickPrompt, RecentAnswer]] = []
    lost: list[PromptError] = []
    for click in prompt.points:
        refused: PromptError | None = None
        for number in _choices(click, [answered for _, answered in found], reach):
            if visit.overtaken:
                raise superseded()
            earlier = found[number][0].points if number < len(found) else ()
            its = replace(prompt, points=(*earlier, click))
            try:
                found[number : number + 1] = [(its, answer(its))]
            except PromptError as error:
                refused = error
            else:
                break
        else:
            lost += [refused] if refused is not None else []
    if not found:
        raise lost[-1]
    return [answered for _, answered in found], lost


def _choices(click: KeyPoint, answers: Sequence[RecentAnswer], reach: float) -> Sequence[int]:
    """Which of the answers' objects a click may be of, the likeliest first; a new one is last."""
    new = len(answers)
    for pixels in reaches(click, reach, answers[0].mask.image_size) if answers else ():
        for number in reversed(range(new)):
            if answers[number].mask.within(click.value.x, click.value.y, pixels):
                return [number]
    return [new] if click.positive or not answers else [new, new - 1]
