"""A recent answer as bytes."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from edgeflow.errors import PromptError
from edgeflow.geometry import Size
from edgeflow.prompts.click import check_clicks
from edgeflow_backend.objects.recent_answers import RecentAnswer
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.protocol.prompts import ClickPrompt
from edgeflow_backend.protocol.record import RecordedClick
from edgeflow_backend.protocol.wire import OUTLINE_REGION, KeyPoint
from edgeflow_backend.shared.packing import Packer, SpoiledValueError, Unpacker
from edgeflow_backend.shared.states import pack_start, unpack_start

MAX_NAME = 256
"""Longest id of a region."""

_RECORDED = TypeAdapter(tuple[RecordedClick, ...])


def pack_answer(packer: Packer, answer: RecentAnswer) -> None:
    """Add an answer, with as much of its prompt as is needed to divide it again.

    Raises:
        ValueError: Its object starts from something unknown.
    """
    _pack_object(packer, answer.before)
    shared = answer.after.start is answer.before.start
    packer.flag(shared)
    _pack_object(packer, answer.after, with_start=not shared)
    _pack_texts(packer, answer.prompt_ids)
    packer.text(answer.to_name)
    packer.flag(answer.item_index is not None)
    if answer.item_index is not None:
        packer.number(answer.item_index)
    packer.patch(answer.mask)
    packer.real(answer.score)
    packer.text(answer.model_version)
    packer.flag(answer.drawn)
    packer.flag(answer.waits)
    packer.text(answer.author)
    packer.text(answer.draft)
    prompt = answer.prompt
    points = prompt.points if isinstance(prompt, ClickPrompt) else ()
    _pack_texts(packer, tuple(point.model_dump_json() for point in points))


def unpack_answer(unpacker: Unpacker, size: Size) -> RecentAnswer:
    """The answer that :func:`pack_answer` was given.

    Args:
        unpacker: Where it is read from.
        size: Size of its image.

    Raises:
        SpoiledValueError: There is none, or it does not lie on the image.
    """
    try:
        return _unpack_answer(unpacker, size)
    except (ValidationError, PromptError) as error:
        raise SpoiledValueError("an answer that makes no sense") from error


def _unpack_answer(unpacker: Unpacker, size: Size) -> RecentAnswer:
    before = _unpack_object(unpacker, size)
    shared = unpacker.flag()
    after = _unpack_object(unpacker, size, before=before if shared else None)
    ids = _unpack_texts(unpacker)
    to_name = unpacker.text()
    item_index = unpacker.number(0) if unpacker.flag() else None
    mask = unpacker.patch()
    if mask.image_size != size or mask.empty or not ids or not _made(after):
        raise SpoiledValueError("an answer of another image, or to nothing")
    score, model = unpacker.real(), unpacker.text()
    drawn, waits = unpacker.flag(), unpacker.flag()
    author, draft = unpacker.text(), unpacker.text()
    points = tuple(KeyPoint.model_validate_json(text) for text in _unpack_texts(unpacker))
    return RecentAnswer(
        before=before,
        after=after,
        prompt_ids=ids,
        to_name=to_name,
        item_index=item_index,
        mask=mask,
        score=score,
        model_version=model,
        drawn=drawn,
        waits=waits,
        prompt=ClickPrompt(points) if points else None,
        author=author,
        draft=draft,
    )


def _pack_object(packer: Packer, each: SegmentedObject, *, with_start: bool = True) -> None:
    packer.text(each.region_id)
    packer.text(each.control)
    _pack_texts(packer, each.labels)
    if with_start:
        pack_start(packer, each.start)
    packer.clicks(each.clicks)
    packer.number(len(each.recorded))
    for key, x, y, positive in each.recorded:
        packer.text(key)
        packer.real(x)
        packer.real(y)
        packer.flag(positive)
    packer.text("" if each.outline is None else each.outline.model_dump_json())
    packer.flag(each.from_mask)
    packer.flag(each.exists)
    packer.text(each.track)


def _unpack_object(
    unpacker: Unpacker, size: Size, before: SegmentedObject | None = None
) -> SegmentedObject:
    """An object; with the start of the one ``before``, if that is given."""
    region_id, control, labels = unpacker.text(), unpacker.text(), _unpack_texts(unpacker)
    if len(region_id) > MAX_NAME:
        raise SpoiledValueError("an id that is none")
    start = unpack_start(unpacker) if before is None else before.start
    if start is not None:
        start.check(size)
    clicks = unpacker.clicks()
    check_clicks(clicks, size)
    recorded = _RECORDED.validate_python(
        tuple(_recorded(unpacker) for _ in range(unpacker.count(25)))
    )
    outline = unpacker.text()
    return SegmentedObject(
        region_id=region_id,
        control=control,
        labels=labels,
        start=start,
        clicks=clicks,
        recorded=recorded,
        outline=OUTLINE_REGION.validate_json(outline) if outline else None,
        from_mask=unpacker.flag(),
        exists=unpacker.flag(),
        track=unpacker.text(),
    )


def _made(each: SegmentedObject) -> bool:
    """Whether something made it: a prompt, or another page's object."""
    return bool(each.recorded or each.outline or each.track)


def _recorded(unpacker: Unpacker) -> RecordedClick:
    return unpacker.text(), unpacker.real(), unpacker.real(), unpacker.flag()


def _pack_texts(packer: Packer, texts: tuple[str, ...]) -> None:
    packer.number(len(texts))
    for text in texts:
        packer.text(text)


def _unpack_texts(unpacker: Unpacker) -> tuple[str, ...]:
    return tuple(unpacker.text() for _ in range(unpacker.count(8)))
