from __future__ import annotations

import argparse
import calendar
import collections
import functools
import io
import zipfile
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import torch

from edgeflow.checkpoints.convert.sources import open_source
from edgeflow.checkpoints.convert.torch_file import read_zipped_checkpoint
from edgeflow.errors import ConversionError
from tests.unit.edgeflow.checkpoints.convert.foreign import Trap


class Settings(dict[str, object]):
    """Stands for the objects that Lightning and others store."""

    def __init__(self) -> None:
        super().__init__(rate=0.1)
        self.note = "x"


class Sequence(list[int]):
    """A list of another class."""


class Hooks(set[int]):
    """A set of another class."""


def read(value: object) -> dict[str, np.ndarray]:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    with zipfile.ZipFile(buffer) as archive:
        return dict(read_zipped_checkpoint(archive, "archive/data.pkl"))


def state() -> dict[str, torch.Tensor]:
    return {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4)}


@pytest.mark.parametrize(
    "beside",
    [
        Settings(),
        Sequence([1, 2]),
        Hooks({1}),
        argparse.Namespace(rate=0.1),
        functools.partial(int, base=2),
        PurePosixPath("/a"),
        datetime.now(timezone.utc),
        np.float64(3.5),
        np.arange(3),
        collections.Counter("ab"),
        collections.defaultdict(int, a=1),
        {1, 2},
        torch.optim.Adam([torch.nn.Parameter(torch.ones(2))]).state_dict(),
        torch.nn.Linear(2, 2),
        torch.float16,
        torch.tensor([1, 2]),
        torch.device("cpu"),
        {"deep": [{"er": Settings()}]},
    ],
    ids=lambda value: type(value).__name__,
)
def test_objects_beside_the_tensors_are_passed_over(beside: object) -> None:
    found = read({"state_dict": state(), "hyper_parameters": beside, "epoch": 3})
    for name, tensor in state().items():
        np.testing.assert_array_equal(found[name], tensor.numpy())


@pytest.mark.parametrize(
    "checkpoint",
    [
        {"state_dict": state(), "best": torch.tensor(0.9)},
        {"model": state(), "params": {"rate": 0.1}},
        {"net": {"state_dict": state(), "size": torch.tensor([1.0])}, "model": None},
        {"state_dict": {**state(), "x.num_batches_tracked": torch.tensor(3)}},
    ],
)
def test_tensors_and_settings_beside_a_state_dict_are_not_taken_for_it(checkpoint: object) -> None:
    assert read(checkpoint).keys() == state().keys()


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(12.0).reshape(3, 4).t(),
        torch.arange(12.0)[3:7],
        torch.arange(12.0).reshape(3, 4)[:, 1],
        torch.ones(1).expand(3, 4),
        torch.tensor(2.5),
        torch.zeros(0, 3),
        torch.nn.Parameter(torch.ones(3)),
        torch.arange(4).half() / 3,
        torch.arange(4).bfloat16() / 3,
    ],
    ids=lambda tensor: f"{tensor.dtype}{tuple(tensor.stride())}",
)
def test_every_layout_is_read_exactly(tensor: torch.Tensor) -> None:
    found = read({"a": tensor})["a"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, tensor.detach().float().numpy())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": Settings()}, "Settings"),
        ({"a": torch.ones(2, dtype=torch.int64)}, "LongStorage"),
        ({"a": torch.ones(2, dtype=torch.float64)}, "DoubleStorage"),
        ({"a": torch.ones(2).to_sparse()}, "sparse"),
        ({"a": torch.ones(2), "b": "text"}, "str"),
        (torch.nn.Linear(2, 2), "state dict"),
        ([torch.ones(2)], "state dict"),
        ({}, "state dict"),
    ],
)
def test_what_is_no_tensor_is_named(value: object, said: str) -> None:
    with pytest.raises(ConversionError, match=said):
        read(value)


@pytest.mark.parametrize("place", ["beside", "value", "key"])
def test_an_attack_is_refused_even_beside_good_tensors(tmp_path: Path, place: str) -> None:
    trap = Trap(tmp_path / "sprung")
    value = {"beside": {"state_dict": state(), "x": trap}, "value": {**state(), "x": trap},
             "key": {"state_dict": state(), (trap,): 1}}[place]  # fmt: skip
    with pytest.raises(ConversionError, match=r"wants to call \w+\.mkdir.*nothing in it was run"):
        read(value)
    assert not (tmp_path / "sprung").exists()


def test_a_foreign_callable_is_not_called() -> None:
    before = calendar.firstweekday()

    class Quiet:
        def __reduce__(self) -> tuple[object, tuple[int]]:
            return calendar.setfirstweekday, (before + 1,)  # not on the list of attacks

    try:
        assert read({"state_dict": state(), "x": Quiet()}).keys() == state().keys()
        assert calendar.firstweekday() == before
    finally:
        calendar.setfirstweekday(before)


@pytest.mark.parametrize(
    ("offset", "shape", "steps"),
    [(1, (9,), (1,)), (0, (2,), (9,)), (-1, (1,), (1,)), (0, (1, 1), (1,)), (0, (2,), (-1,)),
     (0, ("x",), (1,)), (0, (2**62,), (0,))],
)  # fmt: skip
def test_a_tensor_outside_of_its_storage_is_damage(
    offset: int, shape: tuple[int, ...], steps: tuple[int, ...]
) -> None:
    class Outside:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            storage = torch.ones(4)._typed_storage()  # type: ignore[no-untyped-call]
            return torch._utils._rebuild_tensor_v2, (storage, offset, shape, steps, False, {})

    with pytest.raises(ConversionError, match="damaged"):
        read({"a": Outside()})


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_checkpoint_cut_short_is_damaged(tmp_path: Path, share: float) -> None:
    torch.save(state(), tmp_path / "w.pth")
    data = (tmp_path / "w.pth").read_bytes()
    (tmp_path / "w.pth").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ConversionError, match="damaged"):
        open_source(tmp_path / "w.pth")
