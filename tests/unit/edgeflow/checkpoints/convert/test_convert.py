from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from edgeflow.checkpoints.checkpoint import find
from edgeflow.checkpoints.convert.convert import convert
from edgeflow.checkpoints.convert.names import static_operators
from edgeflow.checkpoints.convert.paddle_params import read_pdparams
from edgeflow.checkpoints.convert.paddle_static import read_static
from edgeflow.checkpoints.convert.recognise import recognise
from edgeflow.checkpoints.convert.sources import open_source
from edgeflow.errors import CheckpointError, ConversionError, FileWriteError
from edgeflow.nn.ritm import RITM
from tests.unit.edgeflow.checkpoints.convert.foreign import (
    GOLDEN,
    TINY,
    Arrays,
    Trap,
    pdparams,
    static,
    tensor_bytes,
    write_pdparams,
)


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Foreign weights are read without a process of their own, which takes seconds to start."""
    monkeypatch.setattr("edgeflow.checkpoints.convert.convert.read_source", open_source)


quicker = pytest.mark.usefixtures("read_here")
"""What is read in a process of its own is the same: see ``test_isolation`` and the first tests."""


@pytest.fixture
def arrays() -> Arrays:
    """A published state dict, to be spoiled."""
    return {k: np.array(v) for k, v in read_pdparams(pdparams().read_bytes()).items()}


@pytest.mark.slow
def test_a_converted_model_is_found_by_name_with_its_provenance(tmp_path: Path) -> None:
    convert(pdparams(), tmp_path / "ours.safetensors", use="a test")
    checkpoint = find("ours", tmp_path)
    assert isinstance(checkpoint.load(), RITM)
    assert checkpoint.entry.feedback == "mask"
    assert checkpoint.entry.use == "a test"
    source = checkpoint.entry.source
    assert source is not None
    assert source.name == pdparams().name
    assert len(source.sha256) == 64


@quicker
def test_a_manifest_that_names_another_feedback_than_the_networks_is_refused(
    tmp_path: Path,
) -> None:
    convert(pdparams(), tmp_path / "ours.safetensors")
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"feedback": "mask"', '"feedback": "edge"'))
    with pytest.raises(CheckpointError, match="feeds back"):
        find("ours", tmp_path).load()


@quicker
def test_a_second_conversion_joins_the_manifest_and_a_repeated_one_replaces(tmp_path: Path) -> None:
    for name in ("a", "b", "a"):
        convert(pdparams(), tmp_path / f"{name}.safetensors")
    assert json.loads((tmp_path / "manifest.json").read_text())["models"].keys() == {"a", "b"}
    assert {path.name for path in tmp_path.iterdir()} == {
        "a.safetensors", "b.safetensors", "manifest.json",
    }  # fmt: skip


@quicker
def test_converting_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        convert(GOLDEN / "static" / f"static_{TINY[0]}.pdmodel", tmp_path / f"{name}.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.slow
def test_ritms_own_checkpoints_convert_to_the_same_network(tmp_path: Path, arrays: Arrays) -> None:
    state = {
        name.replace("._mean", ".running_mean").replace("._variance", ".running_var"):
        torch.from_numpy(array) for name, array in arrays.items()
    }  # fmt: skip
    state["feature_extractor.bn1.num_batches_tracked"] = torch.tensor(3)
    torch.save({"state_dict": state, "config": {"class": "x"}}, tmp_path / "ritm.pth")
    from_pth = convert(tmp_path / "ritm.pth", tmp_path / "a.safetensors").load()
    from_paddle = convert(pdparams(), tmp_path / "b.safetensors").load()
    for name, tensor in from_paddle.state_dict().items():
        assert torch.equal(tensor, from_pth.state_dict()[name]), name


def test_a_hostile_pth_is_refused_and_does_not_run(tmp_path: Path) -> None:
    torch.save({"state_dict": {"a": Trap(tmp_path / "sprung")}}, tmp_path / "x.pth")
    with pytest.raises(ConversionError, match="nothing in it was run"):
        open_source(tmp_path / "x.pth")
    (tmp_path / "y.pth").write_bytes(pickle.dumps(Trap(tmp_path / "sprung"), protocol=2))
    with pytest.raises(ConversionError):
        open_source(tmp_path / "y.pth")
    assert not (tmp_path / "sprung").exists()


@quicker
@pytest.mark.parametrize("spoil", ["missing", "renamed", "superfluous", "wrong shape"])
def test_a_state_dict_that_does_not_fit_is_refused_with_every_difference_named(
    tmp_path: Path, arrays: Arrays, spoil: str
) -> None:
    name = "feature_extractor.stage2.0.branches.0.0.conv1.weight"
    ours = "backbone.stage2.0.branches.0.0.conv1.weight"
    expected = [f"missing {ours}"]
    if spoil == "missing":
        del arrays[name]
    elif spoil == "renamed":
        arrays["another.name"] = arrays.pop(name)
        expected.append("superfluous another.name")
    elif spoil == "superfluous":
        arrays["another.name"] = arrays[name]
        expected = ["superfluous another.name"]
    else:
        arrays[name] = arrays[name][:, :3]
        expected = [f"{ours} has shape (4, 3, 3, 3), expected (4, 4, 3, 3)"]
    source = write_pdparams(tmp_path / "spoilt.pdparams", arrays)
    with pytest.raises(CheckpointError) as caught:
        convert(source, tmp_path / "out" / "w.safetensors")
    for text in expected:
        assert text in caught.value.message
    assert not (tmp_path / "out").exists()


@quicker
def test_two_names_for_one_tensor_are_refused(tmp_path: Path, arrays: Arrays) -> None:
    arrays["backbone.bn1.bias"] = arrays["feature_extractor.bn1.bias"] + 1
    with pytest.raises(ConversionError, match=r"two tensors .* backbone.bn1.bias"):
        convert(write_pdparams(tmp_path / "n.pdparams", arrays), tmp_path / "w.safetensors")


@quicker
def test_values_that_are_not_finite_are_refused(tmp_path: Path, arrays: Arrays) -> None:
    arrays["feature_extractor.bn1.bias"][3] = np.nan
    with pytest.raises(
        ConversionError, match=r"backbone.bn1.bias holds values that are not finite"
    ):
        convert(write_pdparams(tmp_path / "n.pdparams", arrays), tmp_path / "w.safetensors")


@quicker
def test_an_unknown_architecture_is_named_as_such(tmp_path: Path) -> None:
    source = write_pdparams(tmp_path / "x.pdparams", {"fc.weight": np.ones(3, np.float32)})
    with pytest.raises(ConversionError, match="unknown architecture"):
        convert(source, tmp_path / "w.safetensors")


def test_the_networks_options_are_read_off_the_shapes() -> None:
    for network, expected in (
        (RITM(18, 48, small=True), "ritm_hrnet, width 18, OCR 48, small depth"),
        (RITM(), "ritm_hrnet, width 18, OCR 64, full depth"),
    ):
        state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
        assert str(recognise(state)) == expected


@quicker
@pytest.mark.parametrize(
    "ending",
    [".pdparams"]
    + [pytest.param(each, marks=pytest.mark.slow) for each in (".pth", ".safetensors")],
)
def test_a_ritm_without_previous_mask_gives_the_same_output(
    tmp_path: Path, arrays: Arrays, ending: str
) -> None:
    name = "maps_transform.0.weight"
    baseline = {**arrays, name: arrays[name][:, 1:]}
    tensors = {key: torch.from_numpy(np.array(each)) for key, each in baseline.items()}
    path = tmp_path / f"baseline{ending}"
    if ending == ".pdparams":
        write_pdparams(path, baseline)
    elif ending == ".pth":
        config = {"params": {"with_prev_mask": {"type": "bool", "value": False}}}
        torch.save({"state_dict": tensors, "config": config}, path)
    else:
        save_file(tensors, path)
    network = convert(path, tmp_path / "w.safetensors").load()
    assert isinstance(network, RITM)
    image, clicks = torch.rand(1, 3, 64, 96), torch.rand(1, 2, 64, 96).round()
    with torch.no_grad():
        masks = [
            network.infer(image, torch.cat((previous, clicks), dim=1))[0]
            for previous in (torch.zeros(1, 1, 64, 96), torch.rand(1, 1, 64, 96))
        ]
        stem = network.prompt_stem  # the first convolution again, with the baseline's own weights
        bare = torch.nn.functional.conv2d(clicks, tensors[name], tensors["maps_transform.0.bias"])
        full = stem.conv1(torch.cat((torch.rand(1, 1, 64, 96), clicks), dim=1))
    assert torch.equal(masks[0], masks[1])
    torch.testing.assert_close(full, bare, rtol=0, atol=1e-6)


@quicker
def test_an_edgeflow_with_two_prompt_maps_is_refused(tmp_path: Path) -> None:
    arrays = dict(read_pdparams(pdparams(TINY[0]).read_bytes()))
    arrays["maps_transform.0.weight"] = arrays["maps_transform.0.weight"][:, 1:]
    with pytest.raises(CheckpointError, match=r"prompt_stem.conv1.weight has shape"):
        convert(write_pdparams(tmp_path / "w.pdparams", arrays), tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rgb_conv.0.weight", "f-BRS"),
        ("maps_transform.weight", "conv_extend"),
        ("image_encoder.patch_embed.proj.weight", "SAM"),
        ("model.image_encoder.patch_embed.proj.weight", "SAM"),
        ("vision_encoder.layers.0.weight", "SAM"),
        ("backbone.patch_embed.proj.weight", "SimpleClick"),
        ("feature_extractor.patch_embed1.proj.weight", "SegFormer"),
        ("feature_extractor.aspp.x", "DeepLab"),
        ("neck.lateral.0.conv.weight", "EdgeFlow-Lite"),
        ("stage4.0.x", "HRNet without"),
        ("fc.weight", "unknown architecture"),
    ],
)
def test_another_network_is_named(tmp_path: Path, name: str, said: str) -> None:
    source = write_pdparams(tmp_path / "x.pdparams", {name: np.ones(3, np.float32)})
    with pytest.raises(ConversionError, match=said) as caught:
        recognise(open_source(source).tensors)
    assert caught.value.hint


@quicker
def test_a_converted_file_converts_to_itself(tmp_path: Path) -> None:
    first = convert(pdparams(), tmp_path / "a.safetensors")
    second = convert(first.path, tmp_path / "b.safetensors")
    assert second.path.read_bytes() == first.path.read_bytes()
    with pytest.raises(FileWriteError):
        convert(first.path, first.path)


def zip_of(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ["../evil.pdmodel", "/etc/evil", "a/../../evil", "C:\\evil"])
def test_a_zip_that_points_outside_of_itself_is_refused(tmp_path: Path, name: str) -> None:
    model, parameters = static()
    path = zip_of(tmp_path / "x.zip", {"a.pdmodel": model, "a.pdiparams": parameters, name: b"x"})
    with pytest.raises(ConversionError, match="points outside"):
        open_source(path)


def test_a_zip_that_would_unpack_to_gigabytes_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {"a.pdmodel": b"x", "a.pdiparams": bytes(1000)})
    data = bytearray(path.read_bytes())
    position = data.rfind(b"PK\x01\x02")  # the central directory's entry of a.pdiparams
    data[position + 24 : position + 28] = (0xF0000000).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ConversionError, match="unpack to more than"):
        open_source(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 damaged", b"not a zip at all"])
def test_a_damaged_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ConversionError, match="damaged"):
        open_source(tmp_path / "x.zip")


@pytest.mark.slow
def test_a_folder_with_one_export_is_opened(tmp_path: Path) -> None:
    model, parameters = static()
    (tmp_path / "net.pdmodel").write_bytes(model)
    with pytest.raises(ConversionError, match="there is no"):
        open_source(tmp_path)
    (tmp_path / "net.pdiparams").write_bytes(parameters)
    assert "backbone.conv1.weight" in open_source(tmp_path).tensors


@pytest.mark.parametrize("name", ["w.onnx", "w", "w.tar"])
def test_unknown_formats_and_missing_files_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConversionError, match="there is no"):
        open_source(tmp_path / name)
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ConversionError, match="unknown format"):
        open_source(tmp_path / name)


def test_an_export_of_another_network_is_refused_by_its_fingerprint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "edgeflow.checkpoints.convert.recognise.static_operators",
        lambda network: {**static_operators(network), "conv2d": 1},
    )
    with pytest.raises(ConversionError, match="operators conv2d, a ritm_hrnet has 1"):
        open_source(GOLDEN / "static" / f"static_{TINY[1]}.pdmodel")


@quicker
def test_an_export_whose_tensors_changed_places_is_refused_by_their_shapes(tmp_path: Path) -> None:
    model, _ = static()
    tensors = read_static(*static()).tensors
    order = sorted(tensors)
    shapes = [tensors[name].shape for name in order]
    first, second = order[0], order[next(i for i, s in enumerate(shapes) if s != shapes[0])]
    tensors[first], tensors[second] = tensors[second], tensors[first]
    (tmp_path / "x.pdmodel").write_bytes(model)
    data = b"".join(tensor_bytes(tensors[name]) for name in order)
    (tmp_path / "x.pdiparams").write_bytes(data)
    with pytest.raises(CheckpointError, match="has shape"):
        convert(tmp_path / "x.pdmodel", tmp_path / "w.safetensors")


def test_the_destination_must_be_safetensors(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"does not end in \.safetensors"):
        convert(pdparams(), tmp_path / "w.pth")
