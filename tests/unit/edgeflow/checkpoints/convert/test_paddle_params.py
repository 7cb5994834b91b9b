from __future__ import annotations

import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.checkpoints.convert.paddle_params import DROPPED, read_pdparams
from edgeflow.errors import ConversionError
from tests.unit.edgeflow.checkpoints.convert.foreign import Trap, pdparams


def dump(value: object, protocol: int = 4) -> bytes:
    return pickle.dumps(value, protocol=protocol)


def test_a_published_file_is_read_as_numpy_itself_would() -> None:
    data = pdparams().read_bytes()
    expected = pickle.loads(data)
    del expected[DROPPED]
    arrays = read_pdparams(data)
    assert arrays.keys() == expected.keys()
    for name, array in arrays.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, expected[name])


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_every_protocol_that_paddle_ever_wrote_is_read(protocol: int) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(read_pdparams(dump({"a": array}, protocol))["a"], array)


@pytest.mark.parametrize("place", ["value", "key", "alone", "beside"])
def test_a_hostile_pickle_is_refused_and_does_not_run(tmp_path: Path, place: str) -> None:
    trap = Trap(tmp_path / "sprung")
    good = {"a": np.ones(3, np.float32)}
    hostile: object = {
        "value": {"a": trap},
        "key": {(trap,): 1},
        "alone": trap,
        "beside": [good, trap],
    }[place]
    with pytest.raises(ConversionError, match=r"wants to call \w+\.mkdir.* was not run"):
        read_pdparams(dump(hostile))
    assert not (tmp_path / "sprung").exists()
    pickle.loads(dump(hostile))
    assert (tmp_path / "sprung").exists()  # by the ordinary means it does spring


@pytest.mark.parametrize(
    "name",
    ["os system", "builtins eval", "numpy load", "numpy.core.multiarray fromfile", "copyreg _rec"],
)
def test_only_names_of_arrays_are_admitted(name: str) -> None:
    code = f"c{name.replace(' ', chr(10))}\n(S'x'\ntR.".encode()
    assert any(op.name == "GLOBAL" for op, _, _ in pickletools.genops(code))
    with pytest.raises(ConversionError, match="was not run"):
        read_pdparams(code)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.ones(3, np.float64), "float32"),
        (np.ones(3, ">f4"), "little-endian"),
        (np.ones(3, np.int32), "float32"),
        (np.ones(3, np.uint8), "float32"),
        (np.asfortranarray(np.ones((2, 3), np.float32)), "C order"),
        (np.array([{}]), "float32|damaged|readable"),
        ("text", "not an array"),
        (3, "not an array"),
    ],
    ids=str,
)
def test_anything_but_plain_float32_is_refused_by_name(array: object, said: str) -> None:
    with pytest.raises(ConversionError, match=said):
        read_pdparams(dump({"layer.weight": array}))


class Tensor:
    """Is stored as Paddle stores a tensor that is not in a bare state dict."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return tuple, (("generated_name_0", self._array),)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda a: {"model": {"a": a}},
        lambda a: {"state_dict": {"a": a}, "epoch": 3, "best": np.float64(0.5)},
        lambda a: {"model": {"a": Tensor(a)}, "optimizer": {"LR_Scheduler": {"last_lr": 0.1}}},
        lambda a: {"a": Tensor(a), DROPPED: {"a": "generated_name_0"}},
        lambda a: OrderedDict(a=a),
        lambda a: {"model": {"state_dict": OrderedDict(a=Tensor(a))}},
        lambda a: {"model_state_dict": {"a": a, DROPPED: {}}, "step": np.int64(1)},
        lambda a: {"net": {"a": a}, "log": [1, "x", None]},
    ],
)
def test_a_wrapped_state_dict_is_found(wrap: Callable[[np.ndarray], object]) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    for protocol in (2, 4):
        found = read_pdparams(dump(wrap(array), protocol))
        assert found.keys() == {"a"}
        np.testing.assert_array_equal(found["a"], array)


@pytest.mark.parametrize("values", [[0.1, -3.5, 65504.0], [0.0, -0.0, 6e-8], [np.inf, 1.0, 2.0]])
def test_half_precision_is_widened_exactly(values: list[float]) -> None:
    half = np.array(values, np.float16)
    np.testing.assert_array_equal(read_pdparams(dump({"a": half}))["a"], half.astype(np.float32))
    tensor = torch.tensor(values).bfloat16()
    stored = tensor.view(torch.int16).numpy().view(np.uint16)  # as Paddle stores bfloat16
    found = read_pdparams(dump({"a": stored}))["a"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, tensor.float().numpy())


def test_a_shape_that_claims_gigabytes_is_refused_without_allocating_them() -> None:
    data = dump({"a": np.ones((7, 11), np.float32)})
    claimed = data.replace(b"K\x07K\x0b\x86", b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86")
    assert claimed != data
    with pytest.raises(ConversionError, match=r"does not fit its data|readable"):
        read_pdparams(claimed)


@pytest.mark.parametrize("value", [[], 3, "x", {1: np.ones(2, np.float32)}])
def test_a_pickle_that_is_not_a_state_dict_is_refused(value: object) -> None:
    with pytest.raises(ConversionError, match="not hold a state dict"):
        read_pdparams(dump(value))


def test_a_file_cut_anywhere_is_refused() -> None:
    data = dump({"a": np.ones(9, np.float32), "b": np.ones((2, 2), np.float32)})
    for length in range(len(data)):
        with pytest.raises(ConversionError):
            read_pdparams(data[:length])


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_with_one_kind_of_error(data: bytes) -> None:
    with pytest.raises(ConversionError):
        read_pdparams(data)
