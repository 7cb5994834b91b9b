"""Click states in the second tier, exact to the bit.

The network's thread never waits for Redis: the longest known prefix is looked up before a job joins
the queue, and new states are written in the background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from typing_extensions import override

from edgeflow.errors import PromptError
from edgeflow.evaluate.machine import processor
from edgeflow.geometry import Box, Size
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage, State
from edgeflow.prompts.click import Click
from edgeflow.prompts.outline import Outline
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow.prompts.start import NOTHING, Start
from edgeflow_backend.memory.byte_lru import ByteLRU
from edgeflow_backend.memory.pages import state_to_pages
from edgeflow_backend.shared.packing import Packer, SpoiledValueError, Unpacker
from edgeflow_backend.shared.tier import Tier

KIND = "state"


def pack_state(state: State) -> bytes:
    """A state as bytes.

    Raises:
        ValueError: Its start is of an unknown kind, or its maps are not float32.
    """
    packer = Packer()
    pack_start(packer, state.start)
    packer.clicks(state.implied)
    packer.clicks(state.clicks)
    packer.box(state.region)
    packer.box(state.mask_box)
    packer.map(state.probability)
    packer.map(state.feedback)
    packer.flag(state.close)
    return packer.bytes()


def unpack_state(data: bytes, size: Size) -> State:
    """The state that :func:`pack_state` was given, on the CPU.

    Args:
        data: The bytes.
        size: Size of its image.

    Raises:
        SpoiledValueError: The bytes hold none.
    """
    unpacker = Unpacker(data, size.height * size.width)
    start = unpack_start(unpacker)
    state = State(
        start=NOTHING if start is None else start,
        implied=unpacker.clicks(),
        clicks=unpacker.clicks(),
        region=unpacker.box(),
        mask_box=unpacker.box(),
        probability=unpacker.map(),
        feedback=unpacker.map(),
        close=unpacker.flag(),
    )
    unpacker.end()
    return state


def pack_start(packer: Packer, start: Start | None) -> None:
    """Add what an object starts from.

    Raises:
        ValueError: It is of an unknown kind.
    """
    if start is None or start is NOTHING:
        packer.text("nothing")
    elif type(start) is PriorMask:
        packer.text("mask")
        packer.mask(start.mask)
    elif type(start) is Outline and start.beyond is None:
        packer.text("outline")
        packer.box(start.box)
        packer.flag(start.inside is not None)
        if start.inside is not None:
            packer.mask(start.inside)
    else:
        raise ValueError(f"a start of unknown kind: {type(start).__name__}")


def unpack_start(unpacker: Unpacker) -> Start | None:
    """What :func:`pack_start` was given; None for nothing.

    Raises:
        SpoiledValueError: The bytes hold none.
    """
    kind = unpacker.text()
    if kind == "nothing":
        return None
    if kind == "mask":
        return PriorMask(unpacker.mask())
    box = unpacker.box() if kind == "outline" else None
    if box is None:
        raise SpoiledValueError("a start of unknown kind")
    inside = unpacker.mask() if unpacker.flag() else None
    return Outline(box, inside)


class SharedStates(ByteLRU[bytes, State]):
    """The states of this process, and behind them those of all. Thread-safe.

    Args:
        max_bytes: Limit of all states here.
        tier: Where they are left for others.
        numerics: See :func:`numerics`.
        ttl_s: Seconds that states stay in the tier.
    """

    def __init__(self, max_bytes: int, tier: Tier, *, numerics: str, ttl_s: float) -> None:
        super().__init__(max_bytes, copy=state_to_pages)
        self._tier = tier
        self._numerics, self._ttl_s = numerics, ttl_s

    @override
    def put(self, key: bytes, value: State) -> None:
        """Store a state here, and in the tier when there is time."""
        super().put(key, value)
        self._tier.put_later(self._name(key), lambda: pack_state(value), value.nbytes, self._ttl_s)

    def bring(
        self,
        predictor: Predictor,
        image: EncodedImage,
        clicks: Sequence[Click],
        start: Start | None = None,
    ) -> None:
        """Fetch the longest known prefix of a sequence, where that saves more than one step.

        A click on a healthy backend finds the prefix before it here, and does not ask.

        Args:
            predictor: What will answer the clicks.
            image: On its device.
            clicks: In image pixels.
            start: What the object begins with.
        """
        keys = predictor.prefixes(image, clicks, start)
        shortest = 0 if start is not None and start.opens else 1
        lacking = []
        for count in range(len(keys) - 1, shortest - 1, -1):
            if self.get(keys[count]) is not None:
                break
            lacking.append(count)
        opening = 1 if 0 in lacking else 0  # an outline by itself takes two runs
        if len(lacking) + opening < 2:
            return
        found = self._tier.first([self._name(keys[count]) for count in lacking])
        if found is None:
            return
        count = lacking[found[0]]
        try:
            state = unpack_state(found[1], image.size)
            check_state(state, predictor, image.size, clicks[:count], start)
        except (SpoiledValueError, PromptError):
            self._tier.refuse()
            return
        device = predictor.runtime.device
        here = replace(
            state,
            probability=state.probability.to(device),
            feedback=state.feedback.to(device),
        )
        super().put(keys[count], here)

    def _name(self, key: bytes) -> str:
        return self._tier.name(KIND, self._numerics, key)


def numerics(device: torch.device) -> str:
    """What the last bits of a state depend on besides runtime, weights, image and clicks.

    Processors of different kinds add floats up in different orders.
    """
    accelerator = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    return f"{processor()}|{accelerator}|{torch.get_num_threads()}"


def check_state(
    state: State,
    predictor: Predictor,
    size: Size,
    clicks: Sequence[Click],
    start: Start | None,
) -> None:
    """Refuse a state with which a prediction could fail, or that is of other clicks.

    Raises:
        SpoiledValueError: It does not fit.
        PromptError: Its start does not lie on the image.
    """
    start = NOTHING if start is None else start
    whole = Box.whole(size)
    frame = state.region or whole
    policy = predictor.policy
    sizes = (policy.network_size, policy.window_size) if state.close else (policy.network_size,)
    shapes = [(1, 1, *size_of(frame.size)) for size_of in sizes if frame.area]
    boxes = [box for box in (state.region, state.mask_box) if box is not None]
    if (
        state.clicks != tuple(clicks)
        or type(state.start) is not type(start)
        or (start.prior is None and state.start.digest != start.digest)
        or any(not box.area or box != box.intersection(whole) for box in boxes)
        or state.probability.shape not in shapes
        or state.feedback.shape != state.probability.shape
    ):
        raise SpoiledValueError("a state of other clicks or of another image")
    state.start.check(size)
