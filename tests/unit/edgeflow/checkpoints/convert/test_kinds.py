from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from edgeflow.checkpoints.convert.kinds import Kind, kind_of
from edgeflow.checkpoints.convert.paddle_params import read_pdparams
from edgeflow.checkpoints.convert.sources import open_source
from edgeflow.errors import ConversionError
from tests.unit.edgeflow.checkpoints.convert.foreign import pdparams, static


def saved(value: object, *, old: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=not old)
    return buffer.getvalue()


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"{}")
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("w.pdparams"))
    return buffer.getvalue()


def safetensors() -> bytes:
    header = json.dumps({"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}).encode()
    return struct.pack("<Q", len(header)) + header


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("w.pth", saved({}), Kind.ZIP),
        ("w.pth.tar", saved({}), Kind.ZIP),
        ("model_best", saved({}, old=True), Kind.TORCH),
        ("epoch=3.ckpt", saved({}), Kind.ZIP),
        ("w.pdparams", pickle.dumps({}, protocol=2), Kind.PICKLE),
        ("w.pth", pickle.dumps({}, protocol=4), Kind.PICKLE),
        ("w.pdiparams", pickle.dumps({}, protocol=4), Kind.PICKLE),
        ("w.bin", safetensors(), Kind.SAFETENSORS),
        ("w.safetensors", b"\0" * 3, Kind.SAFETENSORS),
        ("w.pdmodel", static()[0], Kind.PROGRAM),
        ("__model__", static()[0], Kind.PROGRAM),
        ("__params__", static()[1], Kind.PARAMETERS),
        ("W.PDIPARAMS", static()[1], Kind.PARAMETERS),
        ("w.zip", zipped("a.pdparams"), Kind.ZIP),
    ],
)  # fmt: skip
def test_content_counts_before_the_ending(name: str, data: bytes, kind: Kind) -> None:
    assert kind_of(name, data) is kind


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("w.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        ("w.pth", b"\n<!DOCTYPE html><title>Sign in</title>", "web page"),
        ("w.pdparams", b'<?xml version="1.0"?><Error>AccessDenied</Error>', "web page"),
        ("w.xml", b'<?xml version="1.0"?>\n<net name="x" version="11">', "OpenVINO"),
        ("w.tar.gz", b"\x1f\x8b\x08\x00rest", r"gzip"),
        ("w.pth", b"BZh9rest", "bzip2"),
        ("w.txz", b"\xfd7zXZ\x00", "xz"),
        ("w.zst", b"\x28\xb5\x2f\xfd\x00", "zstd"),
        ("w.7z", b"7z\xbc\xaf\x27\x1c", "7z"),
        ("w.rar", b"Rar!\x1a\x07", "RAR"),
        ("w.tar", tarred(), "tar archive"),
        ("w.h5", b"\x89HDF\r\n\x1a\n", "Keras"),
        ("w.onnx", b"\x08\x08\x12\x07pytorch\x1a\x051.9", "ONNX"),
        ("w.pth", b"\x08\x09:\xff\x01", "ONNX"),
        ("w.tflite", b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
        ("w.ort", b"\x1c\0\0\0ORTM", "ONNX Runtime"),
        ("w.engine", b"ftrt\0\0", "TensorRT"),
        ("w.gguf", b"GGUF\x03\0\0\0", "GGUF"),
        ("w.npy", b"\x93NUMPY\x01\0", "one NumPy array"),
        ("w.pth", b"\x89PNG\r\n\x1a\n", "picture"),
        ("w.pdparams", b'{"error": "not found"}', "JSON"),
        ("config.json", b'{"model_type": "sam"}', "JSON"),
        ("w.pdparams", bytes(40), "static export"),
        ("w.pth", b"", "empty"),
        ("w", b"x", "unknown format"),
        ("w.npz", zipped("a.npy", "b.npy"), "NumPy arrays"),
        ("w.keras", zipped("metadata.json", "model.weights.h5"), "Keras"),
        ("w.pt2", zipped("w/archive_format", "w/models/model.json"), r"torch\.export"),
        ("sd.zip", zipped("sd/model_index.json", "sd/unet/model.safetensors"), "diffusers"),
        ("m.mlpackage.zip", zipped("m.mlpackage/Manifest.json"), "Core ML"),
        ("w.pt", zipped("w/data.pkl", "w/constants.pkl", "w/code/w.py"), "TorchScript"),
        ("w.zip", zipped(), "0 weights files"),
        ("w.zip", zipped("a.pdparams", "a.pdmodel", "a.pdiparams"), "3 weights files"),
        ("w.zip", zipped("a.pth", "b.pth"), "2 weights files"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_with_the_way_out(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ConversionError, match=said) as caught:
        open_source(tmp_path / name)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["model_index.json", "w.safetensors"], "diffusers"),
        (["config.json", "model.safetensors"], "Hugging Face"),
        (["config.json", "pytorch_model.bin"], "Hugging Face"),
        (["saved_model.pb"], "TensorFlow"),
        (["model.ckpt.index", "model.ckpt.data-00000-of-00001"], "TensorFlow checkpoint"),
        (["a.pth", "b.pth"], "2 weights files"),
        (["a.pdmodel", "a.pdiparams", "b.pdmodel"], "there are 2"),
        (["a.pdmodel"], r"there is no \.pdiparams"),
        (["__model__", "conv2d_0.w_0"], "there is no .* or __params__"),
        (["data.pkl", "version"], "unpacked"),
        ([], "0 weights files"),
    ],
)
def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, names: list[str], said: str) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(ConversionError, match=said) as caught:
        open_source(tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize(
    "names",
    [
        ["__model__", "__params__"],
        ["inference.pdmodel", "inference.pdiparams", "inference.pdiparams.info", "config.json"],
        ["model.pdparams", "model.pdopt", "config.json"],
        ["model.pdparams", "README.md", "._model.pdparams"],
        ["w.safetensors"],
        ["w.pth"],
    ],
)
@pytest.mark.parametrize("zip_it", [False, True])
def test_the_one_model_of_a_folder_or_zip_is_found(
    tmp_path: Path, names: list[str], zip_it: bool
) -> None:
    arrays = read_pdparams(pdparams().read_bytes())
    contents = {
        "__model__": static()[0],
        "__params__": static()[1],
        "inference.pdmodel": static()[0],
        "inference.pdiparams": static()[1],
        "model.pdparams": pdparams().read_bytes(),
        "w.safetensors": save(arrays),
        "w.pth": saved({name: torch.from_numpy(np.array(each)) for name, each in arrays.items()}),
    }
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(contents.get(name, b"{}"))
    path = folder
    if zip_it:
        path = tmp_path / "w.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.write(folder / name, f"export/{name}")
                archive.writestr(f"__MACOSX/export/._{name}", b"litter")
    expected = open_source(pdparams()).tensors
    found = open_source(path).tensors
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
