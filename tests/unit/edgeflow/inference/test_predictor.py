"""Mostly one property: whatever is cached, forgotten or interleaved, a replay gives the answer."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, find
from edgeflow.errors import CheckpointError, PromptError
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.images import decode_image
from edgeflow.inference.predictor import (
    Prediction,
    Predictor,
    load_predictor,
)
from edgeflow.inference.sampling import Aligned
from edgeflow.inference.state import EncodedImage, State, StateStore
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.masks.cleanup import Cleanup
from edgeflow.masks.patch import bounding_box
from edgeflow.masks.score import Calibration
from edgeflow.nn.interface import Feedback
from edgeflow.nn.lite import EdgeFlowLite
from edgeflow.nn.registry import ARCHITECTURES
from edgeflow.prompts.click import Click
from edgeflow.prompts.implied import deepest_point
from edgeflow.prompts.outline import Outline
from edgeflow.prompts.prior_mask import PriorMask, feedback_of, merge
from edgeflow.prompts.start import Start
from edgeflow.runtime.base import Runtime, StepOutput
from edgeflow.runtime.devices import DeviceError
from edgeflow.runtime.torch_eager import TorchRuntime
from tests.unit.edgeflow.samples import PHOTOS, FakeRuntime, click, disk_image, disk_maps, negative

Mask = npt.NDArray[np.bool_]

# Small views, and regions small enough for the small images of these tests to be zoomed into.
OURS = ZoomPolicy(name="ours", long_side=96, min_side=32)
EISEGS = ZoomPolicy(
    name="eisegs", long_side=96, square=True, min_side=40, keep_whole=True, sampling=Aligned()
)
WHOLE = ZoomPolicy(name="whole", long_side=96, min_side=10_000)

IMAGES = (
    disk_image(96, 128),
    disk_image(96, 128, shade=120),
    disk_image(150, 90),
)


class Request(NamedTuple):
    image: int
    clicks: tuple[Click, ...]


class RememberingStore:
    """Keeps everything."""

    def __init__(self) -> None:
        self.states: dict[bytes, State] = {}

    def get(self, key: bytes) -> State | None:
        return self.states.get(key)

    def put(self, key: bytes, state: State) -> None:
        self.states[key] = state


class ForgetfulStore(RememberingStore):
    """Loses entries whenever chance says so: at once, later, or all of them."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def get(self, key: bytes) -> State | None:
        if self._chance.random() < 0.3:
            self.states.pop(key, None)
        return super().get(key)

    def put(self, key: bytes, state: State) -> None:
        if self._chance.random() < 0.7:
            super().put(key, state)
        if self._chance.random() < 0.1:
            self.states.clear()


class Desk:
    """A predictor, its images, and what it answers without any store."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.images = [predictor.encode(image) for image in IMAGES]
        self._fresh: dict[Request, Prediction] = {}

    def fresh(self, request: Request) -> Prediction:
        if request not in self._fresh:
            self._fresh[request] = self.ask(request, None)
        return self._fresh[request]

    def ask(self, request: Request, store: StateStore | None) -> Prediction:
        return self.predictor.predict(self.images[request.image], request.clicks, store)

    def check(self, request: Request, store: StateStore) -> Prediction:
        answer = self.ask(request, store)
        assert_same(answer, self.fresh(request))
        assert 0 <= answer.steps <= len(request.clicks)
        return answer


def assert_same(one: Prediction, other: Prediction) -> None:
    """Bit for bit; only the steps that it took may differ."""
    assert np.array_equal(one.mask, other.mask)
    assert one.score == other.score
    assert torch.equal(one.state.probability, other.state.probability)
    assert torch.equal(one.state.feedback, other.state.feedback)
    assert one.state.clicks == other.state.clicks
    assert one.state.implied == other.state.implied
    assert one.state.region == other.state.region
    assert one.state.mask_box == other.state.mask_box


@pytest.fixture(scope="module", params=[OURS, EISEGS], ids=lambda policy: policy.name)
def desk(request: pytest.FixtureRequest, shipped_runtime: TorchRuntime) -> Desk:
    return Desk(Predictor(shipped_runtime, version="v", policy=request.param))


@pytest.fixture(scope="module", params=[OURS, EISEGS], ids=lambda policy: policy.name)
def quick_desk(request: pytest.FixtureRequest) -> Desk:
    """The same with a stand-in: what a store may change does not depend on the network."""
    return Desk(Predictor(Painter(), version="v", policy=request.param))


@pytest.fixture(scope="session")
def shipped_runtime() -> TorchRuntime:
    return TorchRuntime(find("edgeflow_lite").load(), torch.device("cpu"))


@pytest.fixture(scope="module")
def ours(shipped_runtime: TorchRuntime) -> Desk:
    return Desk(Predictor(shipped_runtime, version="v", policy=OURS))


# Few places, so that annotators often share a prefix, and one that needs a replay to the pixel.
PLACES = [(0.5, 0.5), (0.45, 0.6), (0.1, 0.15), (0.62, 0.41), (0.933, 0.07)]


def place(image: int, fractions: tuple[float, float]) -> ImagePoint:
    height, width, _ = IMAGES[image].shape
    return ImagePoint(fractions[0] * (width - 1), fractions[1] * (height - 1))


@st.composite
def streams(draw: st.DrawFn) -> list[Request]:
    """What one annotator sends: clicks added, undone, dragged, and sent twice."""
    image = draw(st.integers(0, len(IMAGES) - 1))

    def new_click() -> Click:
        return Click(place(image, draw(st.sampled_from(PLACES))), draw(st.booleans()))

    clicks: list[Click] = [new_click()]
    requests = [Request(image, tuple(clicks))]
    for _ in range(draw(st.integers(0, 4))):
        action = draw(st.sampled_from(["add", "add", "add", "undo", "drag", "delete", "repeat"]))
        if action == "add":
            clicks.append(new_click())
        elif action == "drag":
            clicks[draw(st.integers(0, len(clicks) - 1))] = new_click()
        elif action == "undo" and len(clicks) > 1:
            clicks.pop()
        elif action == "delete" and len(clicks) > 1:
            clicks.pop(draw(st.integers(0, len(clicks) - 1)))
        requests.append(Request(image, tuple(clicks)))
    return requests


@st.composite
def interleavings(draw: st.DrawFn) -> list[Request]:
    """Several annotators' requests in any order that keeps each one's own."""
    sources = draw(st.lists(streams(), min_size=1, max_size=4))
    turns = draw(st.permutations([i for i, stream in enumerate(sources) for _ in stream]))
    left = [iter(stream) for stream in sources]
    return [next(left[turn]) for turn in turns]


PROPERTY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
BRIEF = settings(PROPERTY, max_examples=4)


@pytest.mark.slow
@PROPERTY
@given(requests=interleavings())
def test_interleaved_annotators_get_what_each_would_get_alone(
    quick_desk: Desk, requests: list[Request]
) -> None:
    store = RememberingStore()
    for request in requests:
        quick_desk.check(request, store)


@pytest.mark.slow
@BRIEF
@given(requests=interleavings(), chance=st.randoms(use_true_random=False))
def test_interleaved_annotators_of_the_real_network_get_what_each_would_get_alone(
    desk: Desk, requests: list[Request], chance: random.Random
) -> None:
    remembering, forgetful = RememberingStore(), ForgetfulStore(chance)
    for request in requests:
        desk.check(request, remembering)
        desk.check(request, forgetful)


@pytest.mark.slow
@settings(PROPERTY, max_examples=8)
@given(requests=interleavings())
def test_annotators_on_several_threads_get_what_each_would_get_alone(
    desk: Desk, requests: list[Request]
) -> None:
    store = RememberingStore()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda request: desk.ask(request, store), requests))
    for request, answer in zip(requests, answers, strict=True):
        assert_same(answer, desk.fresh(request))


@pytest.mark.slow
@PROPERTY
@given(requests=interleavings(), chance=st.randoms(use_true_random=False))
def test_a_store_that_forgets_at_random_never_changes_an_answer(
    quick_desk: Desk, requests: list[Request], chance: random.Random
) -> None:
    store = ForgetfulStore(chance)
    for request in requests:
        quick_desk.check(request, store)


@pytest.mark.slow
@PROPERTY
@given(requests=interleavings())
def test_a_request_runs_exactly_the_steps_of_its_unknown_tail(
    quick_desk: Desk, requests: list[Request]
) -> None:
    store = RememberingStore()
    known: set[Request] = set()
    for image, clicks in requests:
        prefixes = [Request(image, clicks[:count]) for count in range(1, len(clicks) + 1)]
        expected = sum(prefix not in known for prefix in prefixes)
        assert quick_desk.ask(Request(image, clicks), store).steps == expected
        known.update(prefixes)


THREE = (click(64, 48), negative(10, 10), click(80, 40))


@pytest.mark.slow
def test_every_prefix_in_the_store_equals_its_replay(desk: Desk) -> None:
    store = RememberingStore()
    desk.ask(Request(0, THREE), store)
    assert len(store.states) == 3
    for count, state in enumerate(store.states.values(), start=1):
        replayed = desk.fresh(Request(0, THREE[:count])).state
        assert torch.equal(state.probability, replayed.probability)
        assert torch.equal(state.feedback, replayed.feedback)
        assert state.clicks == THREE[:count]


@pytest.mark.slow
def test_steps_count_network_runs(desk: Desk) -> None:
    store = RememberingStore()
    assert desk.ask(Request(0, THREE), None).steps == 3
    assert desk.check(Request(0, THREE[:1]), store).steps == 1
    assert desk.check(Request(0, THREE), store).steps == 2
    assert desk.check(Request(0, THREE), store).steps == 0
    assert desk.check(Request(1, THREE), store).steps == 3


def test_undo_equals_a_fresh_replay_and_costs_nothing(desk: Desk) -> None:
    store = RememberingStore()
    desk.ask(Request(0, THREE), store)
    assert desk.check(Request(0, THREE[:2]), store).steps == 0
    other = (*THREE[:2], click(50, 60))
    assert desk.check(Request(0, other), store).steps == 1
    assert desk.check(Request(0, THREE), store).steps == 0


@pytest.mark.slow
@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_dragged_click_equals_a_fresh_replay(desk: Desk, moved: int) -> None:
    store = RememberingStore()
    desk.ask(Request(0, THREE), store)
    dragged = list(THREE)
    dragged[moved] = Click(ImagePoint(60, 52), THREE[moved].positive)
    assert desk.check(Request(0, tuple(dragged)), store).steps == 3 - moved


@pytest.mark.slow
def test_the_order_of_clicks_matters_and_is_kept(desk: Desk) -> None:
    store = RememberingStore()
    forth = desk.check(Request(0, THREE), store)
    back = desk.check(Request(0, THREE[::-1]), store)
    assert back.steps == 3
    assert not torch.equal(forth.state.probability, back.state.probability)


@pytest.mark.slow
def test_predictors_may_share_a_store_without_mixing(shipped_runtime: TorchRuntime) -> None:
    class Renamed(FakeRuntime):
        name = "renamed"

    runtimes: list[tuple[Runtime, str, ZoomPolicy]] = [
        (shipped_runtime, "v1", OURS),
        (shipped_runtime, "v1", replace(OURS, expansion=2.0)),
        (shipped_runtime, "v1", EISEGS),
        (shipped_runtime, "v2", OURS),
        (FakeRuntime(mask=0.9), "v1", OURS),
        (Renamed(mask=0.2), "v1", OURS),
    ]
    store = RememberingStore()
    for runtime, version, policy in runtimes:
        predictor = Predictor(runtime, version=version, policy=policy)
        image = predictor.encode(IMAGES[0])
        answer = predictor.predict(image, THREE, store)
        assert answer.steps == 3
        assert_same(answer, predictor.predict(image, THREE))
    assert len(store.states) == 3 * len(runtimes)


def test_images_of_equal_bytes_but_other_shape_do_not_share_states(ours: Desk) -> None:
    store = RememberingStore()
    flat = np.random.default_rng(0).integers(0, 256, 64 * 96 * 3, dtype=np.uint8)
    for shape in ((64, 96, 3), (96, 64, 3)):
        image = ours.predictor.encode(flat.reshape(shape))
        answer = ours.predictor.predict(image, [click(40, 40)], store)
        assert answer.steps == 1
        assert answer.mask.shape == shape[:2]


# What the network is shown


class Recorder:
    """A runtime that notes what the one behind it is given."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.name = runtime.name
        self.device = runtime.device
        self.feedback = runtime.feedback
        self.images: list[Tensor] = []
        self.prompts: list[Tensor] = []

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        self.images.append(image.clone())
        self.prompts.append(prompt.clone())
        return self._runtime.run(image, prompt)


def record(
    runtime: Runtime, clicks: Sequence[Click], policy: ZoomPolicy = WHOLE
) -> tuple[Recorder, list[State], EncodedImage]:
    recorder = Recorder(runtime)
    predictor = Predictor(recorder, version="v", policy=policy)
    image = predictor.encode(IMAGES[0])
    store = RememberingStore()
    predictor.predict(image, clicks, store)
    return recorder, list(store.states.values()), image


def test_the_first_step_is_fed_nothing(shipped_runtime: TorchRuntime) -> None:
    recorder, _, image = record(shipped_runtime, THREE[:1])
    assert not recorder.prompts[0][:, 0].any()
    assert torch.equal(recorder.images[0], image.overview)


def test_the_edge_map_of_a_step_is_fed_to_the_next(shipped_runtime: TorchRuntime) -> None:
    recorder, states, _ = record(shipped_runtime, THREE)
    assert states[0].feedback.max() > 0.1
    for before, prompt in zip(states, recorder.prompts[1:], strict=False):
        assert torch.equal(prompt[:, :1], before.feedback)
        assert not torch.equal(prompt[:, :1], before.probability)


def test_the_fed_back_edge_map_makes_a_difference(shipped_runtime: TorchRuntime) -> None:
    predictor = Predictor(shipped_runtime, version="v", policy=WHOLE)
    image = predictor.encode(IMAGES[0])
    state = predictor.predict(image, THREE[:1]).state
    forgotten = replace(state, feedback=torch.zeros_like(state.feedback))
    with_edges, _ = predictor.step(image, state, THREE[1])
    without, _ = predictor.step(image, forgotten, THREE[1])
    assert (with_edges.probability - without.probability).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("architecture", "feeds_its_mask"), [("ritm_hrnet", True), ("edgeflow_hrnet", False)]
)
def test_the_published_networks_are_fed_what_they_were_trained_on(
    architecture: str, feeds_its_mask: bool
) -> None:
    network = ARCHITECTURES[architecture](width=4, ocr_width=8, small=True).eval()
    runtime = TorchRuntime(network, torch.device("cpu"))
    recorder, states, _ = record(runtime, THREE)
    for before, prompt in zip(states, recorder.prompts[1:], strict=False):
        assert torch.equal(prompt[:, :1], before.feedback)
        assert torch.equal(before.feedback, before.probability) is feeds_its_mask


def test_a_fed_back_map_follows_the_zoom() -> None:
    edge = torch.rand(1, 1, 64, 96)
    mask = torch.zeros(1, 1, 64, 96)
    mask[..., 20:44, 36:60] = 0.9
    runtime = FakeRuntime(mask, edge)
    predictor = Predictor(runtime, version="v", policy=replace(OURS, long_side=96))
    image = predictor.encode(IMAGES[0])
    first = predictor.predict(image, THREE[:1]).state
    runtime.mask, runtime.edge = 0.9, 0.5
    state, _ = predictor.step(image, first, THREE[0])
    assert first.region is None
    assert state.region is not None
    assert state.region.area < 96 * 128 / 2
    size = OURS.network_size(state.region.size)
    whole = Box(0, 0, 96, 128)
    expected = OURS.sampling.carry(edge, whole, state.region, size, Size(96, 128))
    assert torch.equal(runtime.prompts[-1][:, :1], expected)


@pytest.mark.parametrize("policy", [OURS, EISEGS, WHOLE], ids=lambda policy: policy.name)
def test_every_step_shows_all_clicks_so_far_and_the_region_at_network_size(
    policy: ZoomPolicy, shipped_runtime: TorchRuntime
) -> None:
    recorder, states, image = record(shipped_runtime, THREE, policy)
    steps = zip(states, recorder.images, recorder.prompts, strict=True)
    for count, (state, view, prompt) in enumerate(steps, start=1):
        frame = state.region or Box.whole(image.size)
        size = policy.network_size(frame.size)
        assert view.shape == prompt.shape == (1, 3, *size)
        assert torch.equal(view, policy.sampling.view(image.pixels, frame, size))
        points = [(policy.sampling.locate(c.point, frame, size), c.positive) for c in THREE[:count]]
        assert torch.equal(prompt[0, 1:], torch.from_numpy(disk_maps(points, size)))


def test_a_found_object_is_zoomed_into(ours: Desk) -> None:
    state = ours.fresh(Request(0, THREE)).state
    assert state.region is not None
    assert state.region.area < 96 * 128
    assert all(state.region.contains(c.point) for c in THREE if c.positive)


def test_after_an_empty_mask_the_whole_image_is_shown_again() -> None:
    runtime = FakeRuntime(mask=0.9)
    predictor = Predictor(runtime, version="v", policy=OURS)
    image = predictor.encode(IMAGES[0])
    state = predictor.predict(image, THREE[:2]).state
    assert state.region is not None
    runtime.mask = 0.1
    state, _ = predictor.step(image, state, THREE[2])
    state, _ = predictor.step(image, state, THREE[0])
    assert state.region is None
    assert torch.equal(runtime.images[-1], image.overview)


# What comes out


def test_a_mask_is_bool_and_of_the_images_size(desk: Desk) -> None:
    for image, shape in enumerate(((96, 128), (96, 128), (150, 90))):
        answer = desk.fresh(Request(image, (Click(place(image, (0.5, 0.5))),)))
        assert answer.mask.dtype == np.bool_
        assert answer.mask.shape == shape
        assert answer.mask.any()
        assert 0.5 < answer.score <= 1


def test_an_empty_mask_has_no_box_and_no_score() -> None:
    predictor = Predictor(FakeRuntime(mask=0.5), version="v", policy=OURS)
    answer = predictor.predict(predictor.encode(IMAGES[0]), [negative(5, 5)])
    assert not answer.mask.any()
    assert answer.score == 0.0
    assert answer.state.mask_box is None


def test_without_a_calibration_the_score_is_the_mean_probability_inside_the_mask() -> None:
    mask = torch.full((1, 1, 64, 96), 0.2)
    mask[..., :32, :] = 0.7
    mask[..., :16, :] = 0.9
    predictor = Predictor(FakeRuntime(mask), version="v", policy=OURS)
    answer = predictor.predict(predictor.encode(IMAGES[0]), [click(5, 5)])
    assert answer.score == pytest.approx(0.8)
    assert answer.state.mask_box is not None
    assert answer.state.mask_box.left == 0
    assert answer.state.mask_box.right == 128
    assert answer.state.mask_box.bottom == pytest.approx(48, abs=1)


def test_the_box_is_that_of_the_mask(desk: Desk) -> None:
    answer = desk.fresh(Request(0, THREE))
    assert answer.state.mask_box == bounding_box(answer.mask)


def test_a_mask_is_kept_without_the_empty_space_around_it(desk: Desk) -> None:
    answer = desk.fresh(Request(0, THREE))
    assert answer.patch.box == bounding_box(answer.mask)
    assert np.array_equal(answer.patch.pixels, answer.mask[answer.patch.box.slices])
    assert answer.mask is answer.mask


def test_the_answer_keeps_no_gradients(ours: Desk) -> None:
    state = ours.fresh(Request(0, THREE)).state
    assert not state.probability.requires_grad
    assert not state.feedback.requires_grad
    assert state.nbytes == state.probability.nbytes + state.feedback.nbytes


# What is refused


def test_no_clicks_are_refused() -> None:
    runtime = FakeRuntime()
    predictor = Predictor(runtime, version="v", policy=OURS)
    with pytest.raises(PromptError, match="no clicks") as caught:
        predictor.predict(predictor.encode(IMAGES[0]), [])
    assert "positive click" in caught.value.hint
    assert not runtime.images


def test_a_click_outside_is_refused_before_anything_runs() -> None:
    runtime = FakeRuntime()
    store = RememberingStore()
    predictor = Predictor(runtime, version="v", policy=OURS)
    with pytest.raises(PromptError, match="click 2 at x=128, y=48 lies outside"):
        predictor.predict(predictor.encode(IMAGES[0]), [click(64, 48), click(128, 48)], store)
    assert not runtime.images
    assert not store.states


def test_a_click_outside_is_refused_even_if_its_prefix_is_known(ours: Desk) -> None:
    store = RememberingStore()
    ours.ask(Request(0, THREE), store)
    with pytest.raises(PromptError, match="click 4"):
        ours.ask(Request(0, (*THREE, click(-9, 0))), store)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((32, 32, 4), np.uint8),
        np.zeros((32, 32, 1), np.uint8),
        np.zeros((3, 32, 32), np.uint8),
        np.zeros((32, 32, 3), np.float32),
        np.zeros((32, 32, 3), np.int8),
        np.zeros((32, 32, 3), np.bool_),
        np.zeros((32, 32), np.uint8),
        np.zeros((1, 32, 32, 3), np.uint8),
    ],
    ids=lambda image: f"{image.dtype} {image.shape}",
)
def test_only_height_width_3_uint8_is_an_image(image: npt.NDArray[np.uint8]) -> None:
    predictor = Predictor(FakeRuntime(), version="v", policy=OURS)
    with pytest.raises(ValueError, match="H×W×3 uint8"):
        predictor.encode(image)


# Encoding


@pytest.fixture
def fake() -> Predictor:
    return Predictor(FakeRuntime(), version="v", policy=OURS)


def test_an_encoded_image_holds_all_pixels_and_an_overview(fake: Predictor) -> None:
    image = fake.encode(IMAGES[0])
    assert image.size == Size(96, 128)
    assert torch.equal(image.pixels[0].permute(1, 2, 0), torch.from_numpy(IMAGES[0]))
    assert image.overview.shape == (1, 3, 64, 96)
    assert image.nbytes == 96 * 128 * 3 + 64 * 96 * 3 * 4


def test_the_digest_tells_images_apart(fake: Predictor) -> None:
    changed = IMAGES[0].copy()
    changed[5, 7, 2] ^= 1
    digests = {fake.encode(image).digest for image in (*IMAGES, changed)}
    assert len(digests) == 4
    assert fake.encode(IMAGES[0].copy()).digest == fake.encode(IMAGES[0]).digest


def test_the_digest_tells_shapes_of_equal_bytes_apart(fake: Predictor) -> None:
    flat = np.zeros(24 * 32 * 3, np.uint8)
    shapes = [(24, 32, 3), (32, 24, 3), (12, 64, 3), (1, 768, 3), (768, 1, 3)]
    assert len({fake.encode(flat.reshape(shape)).digest for shape in shapes}) == len(shapes)


def test_the_memory_layout_of_an_image_does_not_matter(fake: Predictor) -> None:
    mirrored = IMAGES[0][:, ::-1]
    for image in (mirrored, np.asfortranarray(mirrored)):
        assert fake.encode(image).digest == fake.encode(mirrored.copy()).digest
        assert torch.equal(fake.encode(image).pixels, fake.encode(mirrored.copy()).pixels)


def test_a_read_only_image_is_encoded(fake: Predictor) -> None:
    frozen = IMAGES[0].copy()
    frozen.flags.writeable = False
    assert fake.encode(frozen).digest == fake.encode(IMAGES[0]).digest


def test_what_becomes_of_the_array_does_not_change_the_encoded_image(fake: Predictor) -> None:
    rgb = IMAGES[0].copy()
    image = fake.encode(rgb)
    rgb[:] = 0
    assert torch.equal(image.pixels[0].permute(1, 2, 0), torch.from_numpy(IMAGES[0]))


def test_the_tiniest_image_is_segmented(ours: Desk) -> None:
    image = ours.predictor.encode(np.full((1, 1, 3), 99, np.uint8))
    assert ours.predictor.predict(image, [click(0, 0), negative(0, 0)]).mask.shape == (1, 1)


# Loading, and real images


@pytest.fixture(scope="module")
def shipped() -> Predictor:
    return load_predictor(device="cpu")


def test_a_loaded_predictor_knows_its_version_and_uses_our_policy(shipped: Predictor) -> None:
    assert shipped.version == find(DEFAULT_MODEL).version
    assert shipped.policy == ZoomPolicy()
    assert shipped.runtime.device == torch.device("cpu")


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(CheckpointError, match="no model named 'nothing'"):
        load_predictor("nothing")


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(DeviceError, match="'abacus'"):
        load_predictor(device="abacus")


class Photo(NamedTuple):
    name: str
    clicks: tuple[Click, ...]
    share: tuple[float, float]
    outside: tuple[int, int]


@pytest.mark.slow
@pytest.mark.parametrize(
    "photo",
    [
        Photo("coins", (click(108, 185),), (0.005, 0.04), (300, 40)),
        Photo("cat", (click(220, 180),), (0.3, 0.9), (430, 20)),
        Photo("coffee", (click(310, 160), click(310, 220)), (0.05, 0.35), (40, 40)),
        Photo("rocket", (click(322, 200),), (0.002, 0.05), (60, 200)),
    ],
    ids=lambda photo: photo.name,
)
def test_an_object_of_a_photograph_is_found(shipped: Predictor, photo: Photo) -> None:
    image = shipped.encode(decode_image((PHOTOS / f"{photo.name}.jpg").read_bytes()))
    answer = shipped.predict(image, photo.clicks)
    for x, y in (c.point for c in photo.clicks):
        assert answer.mask[int(y), int(x)]
    assert not answer.mask[photo.outside[1], photo.outside[0]]
    low, high = photo.share
    assert low < answer.mask.mean() < high
    assert 0.4 < answer.score < 1  # an estimate of the mask's IoU, not the mean probability


@pytest.mark.slow
def test_a_negative_click_takes_its_place_out_of_the_mask(shipped: Predictor) -> None:
    image = shipped.encode(decode_image((PHOTOS / "astronaut.jpg").read_bytes()))
    first = click(230, 300)
    before = shipped.predict(image, [first])
    rows, cols = np.nonzero(before.mask)
    far = int(np.argmax(np.hypot(rows - 300, cols - 230)))
    spot = negative(float(cols[far]), float(rows[far]))
    after = shipped.predict(image, [first, spot])
    assert not after.mask[rows[far], cols[far]]
    assert after.mask[300, 230]


# Objects that begin with an outline or a mask


class Painter:
    """A quick stand-in: its masks depend on all that it is shown, and are ragged, with holes."""

    name = "painter"
    device = torch.device("cpu")

    def __init__(self, feedback: Feedback = "edge") -> None:
        self.feedback = feedback
        self.images: list[Tensor] = []
        self.prompts: list[Tensor] = []

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        self.images.append(image.clone())
        self.prompts.append(prompt.clone())
        fed_back, ours, theirs = prompt[:, :1], prompt[:, 1:2], prompt[:, 2:]
        wide = F.avg_pool2d(ours, 31, stride=1, padding=15) - F.avg_pool2d(
            theirs, 15, stride=1, padding=7
        )
        grain = image[:, :1].frac() * 0.5
        mask = (grain + 0.2 * fed_back + 4 * wide + 0.4 * ours - 0.6 * theirs).clamp(0, 1)
        return StepOutput(mask, mask if self.feedback == "mask" else 4 * mask * (1 - mask))


def drawn(size: Size) -> Mask:
    """A disk with a hole, a flaw beside it and a speck in a corner."""
    rows, cols = np.mgrid[: size.height, : size.width]
    far = np.hypot(rows - size.height * 0.5, cols - size.width * 0.45)
    mask: Mask = (far < min(size) / 4) & (far > 3)
    mask[size.height // 2 : size.height // 2 + 6, -20:-8] = True
    mask[0, -1] = True
    return mask


def lasso(size: Size) -> Outline:
    rows, cols = np.mgrid[: size.height, : size.width]
    inside: Mask = np.abs(rows - size.height // 2) + np.abs(cols - size.width // 2) < min(size) / 3
    region = bounding_box(inside)
    assert region is not None
    return Outline(region, inside)


STARTS: dict[str, Callable[[Size], Start | None]] = {
    "nothing": lambda _: None,
    "box": lambda size: Outline(Box(16, 20, size.height - 16, size.width - 20)),
    "corner": lambda size: Outline(Box(0, 0, size.height // 2, size.width // 2)),
    "whole": lambda size: Outline(Box.whole(size)),
    "lasso": lasso,
    "drawn": lambda size: PriorMask(drawn(size)),
    "empty": lambda size: PriorMask(np.zeros(size, np.bool_)),
    "full": lambda size: PriorMask(np.ones(size, np.bool_)),
}
OUTLINES = ("box", "corner", "whole", "lasso")
OUTLINE_STEPS = 2  # before any click, where the first finds something
PRIORS = ("drawn", "empty", "full")


class StartRequest(NamedTuple):
    image: int
    start: str
    clicks: tuple[Click, ...]


class StartDesk:
    """A predictor, its images, and what it answers without any store; each start made anew."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.images = [predictor.encode(image) for image in IMAGES]
        self._fresh: dict[StartRequest, Prediction] = {}

    def fresh(self, request: StartRequest) -> Prediction:
        if request not in self._fresh:
            self._fresh[request] = self.ask(request, None)
        return self._fresh[request]

    def ask(self, request: StartRequest, store: StateStore | None = None) -> Prediction:
        image = self.images[request.image]
        start = STARTS[request.start](image.size)
        return self.predictor.predict(image, request.clicks, store, start=start)

    def check(self, request: StartRequest, store: StateStore) -> Prediction:
        answer = self.ask(request, store)
        assert_same_start(answer, self.fresh(request))
        return answer


def assert_same_start(one: Prediction, other: Prediction) -> None:
    assert_same(one, other)
    first, second = one.state.start, other.state.start
    assert type(first) is type(second)
    if isinstance(first, PriorMask) and isinstance(second, PriorMask):
        assert np.array_equal(first.mask, second.mask)
        assert np.array_equal(first.mask, one.mask)
    if isinstance(first, Outline) and isinstance(second, Outline):
        assert first.box == second.box
        assert first.digest == second.digest


class MaskFed(EdgeFlowLite):
    feedback = "mask"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((EdgeFlowLite, OURS), id="ours"),
        pytest.param((EdgeFlowLite, EISEGS), id="eisegs"),
        pytest.param((MaskFed, OURS), id="fed its mask"),
    ],
)
def start_desk(request: pytest.FixtureRequest, shipped_network: EdgeFlowLite) -> StartDesk:
    """The shipped network; the last one as if it were of RITM's kind."""
    kind, policy = request.param
    network = kind().eval()
    network.load_state_dict(shipped_network.state_dict())
    runtime = TorchRuntime(network, torch.device("cpu"))
    return StartDesk(Predictor(runtime, version="v", policy=policy, calibration=CALIBRATED))


@pytest.fixture(scope="module", params=["edge", "mask"])
def painted(request: pytest.FixtureRequest) -> StartDesk:
    cleanup = Cleanup(min_part=0.2, max_hole=0.1)
    return StartDesk(Predictor(Painter(request.param), version="v", policy=OURS, cleanup=cleanup))


CALIBRATED = Calibration(bias=-1.0, slope=1.5, clicks=0.3)


@st.composite
def start_requests(draw: st.DrawFn) -> list[StartRequest]:
    """Requests of all kinds that often share a prefix, with a start or without."""
    requests = []
    for _ in range(draw(st.integers(1, 4))):
        image = draw(st.sampled_from([0, 2]))
        start = draw(st.sampled_from(sorted(STARTS)))
        clicks = [
            Click(place(image, where), sign)
            for where, sign in draw(
                st.lists(
                    st.tuples(st.sampled_from(PLACES[:3]), st.booleans()),
                    min_size=0 if start in OUTLINES else 1,
                    max_size=3,
                )
            )
        ]
        requests += [
            StartRequest(image, start, tuple(clicks[:count]))
            for count in draw(st.permutations(range(len(clicks) + 1)))
            if count or start in OUTLINES
        ]
    return requests


@pytest.mark.slow
@settings(PROPERTY, max_examples=12)
@given(requests=start_requests(), chance=st.randoms(use_true_random=False))
def test_no_store_changes_an_answer_whatever_an_object_began_with(
    painted: StartDesk, requests: list[StartRequest], chance: random.Random
) -> None:
    remembering, forgetful = RememberingStore(), ForgetfulStore(chance)
    for request in requests:
        painted.check(request, remembering)
        painted.check(request, forgetful)
    for request in requests:
        assert painted.check(request, remembering).steps == 0


@pytest.mark.slow
@BRIEF
@given(requests=start_requests(), chance=st.randoms(use_true_random=False))
def test_no_store_changes_an_answer_of_the_real_network(
    start_desk: StartDesk, requests: list[StartRequest], chance: random.Random
) -> None:
    remembering, forgetful = RememberingStore(), ForgetfulStore(chance)
    for request in requests:
        start_desk.check(request, remembering)
        start_desk.check(request, forgetful)


@pytest.mark.slow
@BRIEF
@given(requests=start_requests())
def test_threads_that_share_a_store_get_what_each_start_would_get_alone(
    start_desk: StartDesk, requests: list[StartRequest]
) -> None:
    store = RememberingStore()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda request: start_desk.ask(request, store), requests))
    for request, answer in zip(requests, answers, strict=True):
        assert_same_start(answer, start_desk.fresh(request))


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS)
def test_every_prefix_of_an_object_with_a_start_in_the_store_equals_its_replay(
    start_desk: StartDesk, start: str
) -> None:
    store = RememberingStore()
    start_desk.ask(StartRequest(0, start, THREE), store)
    first = 0 if start in OUTLINES else 1
    assert len(store.states) == 4 - first
    for count, state in enumerate(store.states.values(), start=first):
        replayed = start_desk.fresh(StartRequest(0, start, THREE[:count])).state
        assert torch.equal(state.probability, replayed.probability)
        assert torch.equal(state.feedback, replayed.feedback)
        assert state.mask_box == replayed.mask_box
        assert state.implied == replayed.implied
        assert state.clicks == replayed.clicks == THREE[:count]


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS)
def test_each_entry_may_be_lost_alone(painted: StartDesk, start: str) -> None:
    request = StartRequest(0, start, THREE)
    full = RememberingStore()
    painted.ask(request, full)
    for lost in full.states:
        store = RememberingStore()
        store.states = {key: state for key, state in full.states.items() if key != lost}
        painted.check(request, store)
        for kept in full.states:
            only = RememberingStore()
            only.states = {kept: full.states[kept]}
            painted.check(request, only)


@PROPERTY
@given(requests=start_requests())
def test_a_request_with_a_start_runs_exactly_its_unknown_tail(requests: list[StartRequest]) -> None:
    runtime = FakeRuntime(mask=0.9)
    desk = StartDesk(Predictor(runtime, version="v", policy=OURS))
    store = RememberingStore()
    known: set[StartRequest] = set()
    for request in requests:
        first = 0 if request.start in OUTLINES else 1
        prefixes = [
            request._replace(clicks=request.clicks[:count])
            for count in range(first, len(request.clicks) + 1)
        ]
        expected = sum(
            1 if prefix.clicks else OUTLINE_STEPS for prefix in prefixes if prefix not in known
        )
        before = len(runtime.images)
        assert desk.ask(request, store).steps == expected == len(runtime.images) - before
        known.update(prefixes)


@pytest.mark.slow
def test_equal_images_and_clicks_with_different_starts_share_nothing(start_desk: StartDesk) -> None:
    store = RememberingStore()
    expected = 0
    for start in STARTS:
        answer = start_desk.check(StartRequest(0, start, THREE), store)
        expected += 4 if start in OUTLINES else 3
        assert answer.steps == (5 if start in OUTLINES else 3)
    assert len(store.states) == expected
    for start in STARTS:
        assert start_desk.check(StartRequest(0, start, THREE), store).steps == 0


@pytest.mark.slow
def test_undoing_all_clicks_of_an_outline_gives_its_first_answer_for_nothing(
    start_desk: StartDesk,
) -> None:
    store = RememberingStore()
    assert start_desk.check(StartRequest(0, "box", THREE), store).steps == OUTLINE_STEPS + 3
    assert start_desk.check(StartRequest(0, "box", ()), store).steps == 0
    assert start_desk.check(StartRequest(0, "box", (click(20, 20),)), store).steps == 1


def test_predictors_that_clean_differently_share_nothing() -> None:
    store = RememberingStore()
    for cleanup in (None, Cleanup(min_part=0.5), Cleanup(largest_only=True), Cleanup(smoothing=2)):
        predictor = Predictor(Painter(), version="v", policy=OURS, cleanup=cleanup)
        image = predictor.encode(IMAGES[0])
        answer = predictor.predict(image, THREE, store)
        assert answer.steps == 3
        assert_same(answer, predictor.predict(image, THREE))


def test_a_calibration_changes_scores_and_nothing_else() -> None:
    store = RememberingStore()
    plain = Predictor(Painter(), version="v", policy=OURS)
    calibrated = Predictor(Painter(), version="v", policy=OURS, calibration=CALIBRATED)
    image = plain.encode(IMAGES[0])
    first, second = plain.predict(image, THREE, store), calibrated.predict(image, THREE, store)
    assert second.steps == 0
    assert second.score != first.score
    assert second.score == calibrated.predict(image, THREE).score
    inside = second.state.probability[second.state.probability > 0.5].double().mean().item()
    odds = (inside / (1 - inside)) ** 1.5 * math.exp(-1) * 3**0.3
    assert second.score == pytest.approx(odds / (1 + odds), abs=1e-6)
    assert np.array_equal(first.mask, second.mask)


def test_nothing_as_a_start_is_the_same_as_none_given(start_desk: StartDesk) -> None:
    image = start_desk.images[0]
    store = RememberingStore()
    assert_same(
        start_desk.predictor.predict(image, THREE, store),
        start_desk.predictor.predict(image, THREE, store, start=None),
    )
    assert len(store.states) == 3


# Outlines


@pytest.mark.slow
@pytest.mark.parametrize("start", OUTLINES)
@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_mask_never_leaves_its_outline(start_desk: StartDesk, start: str, count: int) -> None:
    clicks = (click(3, 3), click(125, 93), click(64, 48))
    answer = start_desk.fresh(StartRequest(0, start, clicks[:count]))
    assert not (answer.mask & ~inside_of(start)).any()
    assert answer.state.mask_box == bounding_box(answer.mask)
    assert 0 <= answer.score <= 1


def inside_of(start: str) -> Mask:
    """The inside of an outline on the first image."""
    outline = STARTS[start](Size(96, 128))
    assert isinstance(outline, Outline)
    inside: Mask = outline.confine(torch.ones(96, 128), Box(0, 0, 96, 128)).numpy() > 0
    return inside


@PROPERTY
@given(data=st.data())
def test_a_mask_of_a_network_that_finds_everything_fills_the_outline(data: st.DataObject) -> None:
    top, left = data.draw(st.integers(0, 95)), data.draw(st.integers(0, 127))
    bottom, right = data.draw(st.integers(top + 1, 96)), data.draw(st.integers(left + 1, 128))
    inside = np.zeros((96, 128), np.bool_)
    inside[top:bottom, left:right] = True
    predictor = Predictor(FakeRuntime(mask=0.9), version="v", policy=OURS)
    image = predictor.encode(IMAGES[0])
    region = Box(top, left, bottom, right)
    for start in (Outline(region), Outline(region, inside)):
        assert np.array_equal(predictor.predict(image, [], start=start).mask, inside)
        answer = predictor.predict(image, [click(64, 48), negative(3, 3)], start=start)
        assert np.array_equal(answer.mask, inside)
        assert answer.state.mask_box == region


def test_an_outline_finds_the_object_in_it(start_desk: StartDesk) -> None:
    rows, cols = np.mgrid[:96, :128]
    disk = np.hypot(rows - 48, cols - 64) < 24
    for start in ("box", "lasso"):
        answer = start_desk.fresh(StartRequest(0, start, ()))
        assert (answer.mask & disk).sum() / (answer.mask | disk).sum() > 0.8


def test_an_outline_is_shown_its_surroundings_and_its_implied_clicks() -> None:
    runtime = Painter()
    predictor = Predictor(runtime, version="v", policy=OURS)
    image = predictor.encode(IMAGES[0])
    outline = Outline(Box(30, 40, 60, 90))
    answer = predictor.predict(image, [], start=outline)
    region = OURS.around(outline.box, image.size)
    size = OURS.network_size(region.size)
    assert answer.steps == len(runtime.images) == OUTLINE_STEPS == 2
    assert answer.state.region == region
    for view in runtime.images:
        assert torch.equal(view, OURS.sampling.view(image.pixels, region, size))

    def disks(clicks: Sequence[Click]) -> Tensor:
        locate = OURS.sampling.locate
        points = [(locate(c.point, region, size), c.positive) for c in clicks]
        return torch.from_numpy(disk_maps(points, size))

    implied = outline.implied_clicks(image.size)
    assert len(implied) == 5
    assert torch.equal(runtime.prompts[0][0, 1:], disks(implied))
    assert not runtime.prompts[0][0, 0].any()
    middle, *negatives = answer.state.implied
    assert tuple(negatives) == implied[1:]
    assert torch.equal(runtime.prompts[1][0, 1:], disks(answer.state.implied))
    assert runtime.prompts[1][0, 0].any()

    corrected = predictor.predict(image, [click(70, 52)], start=outline)
    assert corrected.state.implied == (middle, *negatives)
    assert corrected.state.clicks == (click(70, 52),)


def test_the_second_run_of_an_outline_is_fed_back_what_the_first_gave() -> None:
    runtime = FakeRuntime(mask=0.9, edge=0.625)
    predictor = Predictor(runtime, version="v", policy=OURS)
    predictor.predict(predictor.encode(IMAGES[0]), [], start=Outline(Box(30, 40, 60, 90)))
    first, second = runtime.prompts
    assert not first[:, 0].any()
    assert (second[:, 0] == 0.625).all()


def test_the_second_run_of_an_outline_clicks_on_the_middle_of_what_the_first_found() -> None:
    found = torch.full((1, 1, 96, 96), 0.1)
    found[..., 60:80, 60:80] = 0.9
    predictor = Predictor(FakeRuntime(found), version="v", policy=replace(OURS, square=True))
    answer = predictor.predict(predictor.encode(IMAGES[0]), [], start=Outline(Box(0, 0, 96, 128)))
    x, y = answer.state.implied[0].point
    assert answer.mask[int(y), int(x)]
    assert y == pytest.approx(69.5, abs=2)
    assert x == pytest.approx(69.5 * 128 / 96, abs=8)


@pytest.mark.parametrize("mask", [0.1, 0.9])
@pytest.mark.parametrize("clicks", [(), THREE[:1], THREE])
def test_steps_of_an_outline_are_network_runs_whether_or_not_it_finds_anything(
    mask: float, clicks: tuple[Click, ...]
) -> None:
    runtime = FakeRuntime(mask=mask)
    predictor = Predictor(runtime, version="v", policy=OURS)
    image = predictor.encode(IMAGES[0])
    answer = predictor.predict(image, clicks, start=Outline(Box(30, 40, 60, 90)))
    assert answer.steps == len(runtime.images)


def test_an_outline_in_which_nothing_is_found_is_empty_and_can_be_clicked_in() -> None:
    runtime = FakeRuntime(mask=0.1)
    predictor = Predictor(runtime, version="v", policy=OURS)
    image = predictor.encode(IMAGES[0])
    outline = Outline(Box(30, 40, 60, 90))
    store = RememberingStore()
    empty = predictor.predict(image, [], store, start=outline)
    assert not empty.mask.any()
    assert empty.score == 0
    assert empty.state.mask_box is None
    runtime.mask = 0.9
    answer = predictor.predict(image, [click(64, 48)], store, start=outline)
    assert answer.steps == 1
    assert answer.state.mask_box == outline.box


def test_an_outline_whose_mask_was_clicked_away_can_be_clicked_in() -> None:
    runtime = FakeRuntime(mask=0.9)
    predictor = Predictor(runtime, version="v", policy=OURS)
    image = predictor.encode(IMAGES[0])
    outline = lasso(image.size)
    store = RememberingStore()
    full = predictor.predict(image, [], store, start=outline)
    assert outline.inside is not None
    assert np.array_equal(full.mask, outline.inside)
    runtime.mask = 0.1
    gone = predictor.predict(image, [negative(64, 48)], store, start=outline)
    assert not gone.mask.any()
    assert gone.score == 0
    assert gone.state.mask_box is None
    runtime.mask = 0.9
    clicks = [negative(64, 48), click(70, 48)]
    back = predictor.predict(image, clicks, store, start=outline)
    assert np.array_equal(back.mask, outline.inside)
    assert back.state.region is None  # nothing was left to zoom into
    assert back.steps == 1


def test_a_rectangle_and_a_lasso_along_it_find_about_the_same(start_desk: StartDesk) -> None:
    image = start_desk.images[0]
    region = Box(16, 20, 80, 108)
    inside = np.zeros((96, 128), np.bool_)
    inside[16:80, 20:108] = True
    rectangle = start_desk.predictor.predict(image, [], start=Outline(region))
    along = start_desk.predictor.predict(image, [], start=Outline(region, inside))
    both = (rectangle.mask & along.mask).sum() / (rectangle.mask | along.mask).sum()
    assert both > 0.9


@pytest.mark.slow
def test_a_one_pixel_outline_of_the_tiniest_image_is_answered(start_desk: StartDesk) -> None:
    image = start_desk.predictor.encode(np.full((1, 1, 3), 99, np.uint8))
    outline = Outline(Box(0, 0, 1, 1), np.ones((1, 1), np.bool_))
    for clicks in ([], [click(0, 0)], [negative(0, 0), click(0.4, -0.5)]):
        assert start_desk.predictor.predict(image, clicks, start=outline).mask.shape == (1, 1)


# Prior masks


@pytest.mark.slow
@PROPERTY
@given(
    clicks=st.lists(st.tuples(st.sampled_from(PLACES), st.booleans()), min_size=1, max_size=4),
    start=st.sampled_from(PRIORS),
)
def test_each_click_on_a_mask_changes_one_connected_part_that_holds_it(
    painted: StartDesk, clicks: list[tuple[tuple[float, float], bool]], start: str
) -> None:
    made = tuple(Click(place(0, where), sign) for where, sign in clicks)
    prior = STARTS[start](Size(96, 128))
    assert isinstance(prior, PriorMask)
    before = prior.mask
    for count, newest in enumerate(made, start=1):
        answer = painted.fresh(StartRequest(0, start, made[:count]))
        assert_one_part_changed(before, answer.mask, newest)
        before = answer.mask


def assert_one_part_changed(before: Mask, after: Mask, newest: Click) -> None:
    changed = before ^ after
    if changed.any():
        parts, _ = cv2.connectedComponents(changed.astype(np.uint8), connectivity=4)
        at = round(newest.point.y), round(newest.point.x)
        assert parts == 2
        assert changed[at]
        assert after[at] == newest.positive


def test_what_is_far_from_the_flaw_stays_bit_for_bit(start_desk: StartDesk) -> None:
    mask = drawn(Size(96, 128))
    flaw = np.zeros_like(mask)
    flaw[48:54, 108:120] = True
    assert mask[flaw].all()
    clicks = (negative(114, 51),)
    answer = start_desk.fresh(StartRequest(0, "drawn", clicks))
    assert np.array_equal(answer.mask & ~flaw, mask & ~flaw)
    assert not answer.mask[51, 114]
    hole = (*clicks, click(round(128 * 0.45), 48))
    mended = start_desk.fresh(StartRequest(0, "drawn", hole))
    assert mended.mask[48, round(128 * 0.45)]
    assert mended.mask[0, 127]  # the speck that nobody clicked on
    assert_one_part_changed(answer.mask, mended.mask, hole[1])


def test_a_mask_is_merged_with_what_the_network_finds() -> None:
    found = torch.full((1, 1, 64, 96), 0.2)
    found[..., 10:40, 10:50] = 0.9
    found[..., 5:25, 70:90] = 0.8
    predictor = Predictor(FakeRuntime(found), version="v", policy=WHOLE)
    image = predictor.encode(IMAGES[0])
    before = drawn(image.size)
    for made in (click(30, 20), click(105, 20), negative(57, 70), negative(114, 51), click(2, 90)):
        predicted = predictor.predict(image, [made]).mask
        expected = merge(before, predicted, made)
        answer = predictor.predict(image, [made], start=PriorMask(before))
        assert np.array_equal(answer.mask, expected)
        assert answer.steps == 1
        assert answer.state.mask_box == bounding_box(expected)
    assert np.array_equal(before, drawn(image.size))


@pytest.mark.parametrize("feedback", ["edge", "mask"])
@pytest.mark.parametrize("policy", [OURS, EISEGS, WHOLE], ids=lambda policy: policy.name)
def test_every_step_is_fed_the_mask_as_it_is_then(feedback: Feedback, policy: ZoomPolicy) -> None:
    runtime = Painter(feedback)
    predictor = Predictor(runtime, version="v", policy=policy)
    image = predictor.encode(IMAGES[0])
    mask = drawn(image.size)
    for count in range(1, 4):
        runtime.prompts.clear()
        answer = predictor.predict(image, THREE[:count], start=PriorMask(drawn(image.size)))
        assert len(runtime.prompts) == count
        prompt = runtime.prompts[-1]
        seen = (Click(deepest_point(mask)), *THREE[:count])
        box = bounding_box(mask)
        region = policy.choose(None, box, seen, image.size)
        frame = region or Box.whole(image.size)
        size = policy.network_size(frame.size)
        points = [(policy.sampling.locate(c.point, frame, size), c.positive) for c in seen]
        assert answer.state.region == region
        assert answer.state.clicks == THREE[:count]
        assert torch.equal(prompt[:, :1], feedback_of(mask, frame, size, feedback))
        assert torch.equal(prompt[0, 1:], torch.from_numpy(disk_maps(points, size)))
        assert torch.equal(runtime.images[-1], policy.sampling.view(image.pixels, frame, size))
        mask = answer.mask


@pytest.mark.parametrize(
    ("mask", "made"),
    [
        (0.1, click(64, 20)),  # the network does not follow a positive click
        (0.9, negative(40, 48)),  # nor a negative one
        (0.9, click(40, 48)),  # a click on what is on the mask already
        (0.1, negative(5, 5)),  # and one on what is not
    ],
)
def test_a_click_that_asks_for_nothing_or_is_not_followed_leaves_the_mask(
    mask: float, made: Click
) -> None:
    predictor = Predictor(FakeRuntime(mask), version="v", policy=OURS)
    image = predictor.encode(IMAGES[0])
    before = drawn(image.size)
    assert before[48, 40]
    answer = predictor.predict(image, [made], start=PriorMask(before))
    assert np.array_equal(answer.mask, before)
    assert answer.state.mask_box == bounding_box(before)


def test_a_mask_that_is_clicked_away_leaves_an_empty_one_to_refine() -> None:
    runtime = FakeRuntime(mask=0.1)
    predictor = Predictor(runtime, version="v", policy=OURS)
    image = predictor.encode(IMAGES[0])
    rows, cols = np.mgrid[:96, :128]
    before = np.hypot(rows - 48, cols - 64) < 15
    store = RememberingStore()
    gone = predictor.predict(image, [negative(64, 48)], store, start=PriorMask(before))
    assert not gone.mask.any()
    assert gone.score == 0
    assert gone.state.mask_box is None
    still = predictor.predict(
        image, [negative(64, 48), negative(9, 9)], store, start=PriorMask(before)
    )
    assert not still.mask.any()
    assert still.state.region is None
    assert not runtime.prompts[-1][:, :2].any()  # nothing fed back, no implied click
    runtime.mask = 0.9
    clicks = [negative(64, 48), click(60, 40)]
    back = predictor.predict(image, clicks, store, start=PriorMask(before))
    assert back.mask.all()
    assert back.steps == 1
    assert torch.equal(runtime.images[-1], image.overview)


def test_an_empty_mask_is_like_nothing_except_for_what_is_not_connected(
    start_desk: StartDesk,
) -> None:
    for made in (click(64, 48), click(10, 10)):
        plain = start_desk.fresh(StartRequest(0, "nothing", (made,)))
        answer = start_desk.fresh(StartRequest(0, "empty", (made,)))
        assert torch.equal(answer.state.probability, plain.state.probability)
        empty = np.zeros_like(plain.mask)
        assert np.array_equal(answer.mask, merge(empty, plain.mask, made))


def test_a_prior_mask_before_any_click_is_what_it_is(start_desk: StartDesk) -> None:
    image = start_desk.images[0]
    before = drawn(image.size)
    state = start_desk.predictor.start(image, PriorMask(before))
    assert state.mask_box == bounding_box(before)
    shown = start_desk.predictor.probability(image, state)
    assert shown.dtype == torch.float32
    assert np.array_equal(shown.numpy(), before.astype(np.float32))
    assert not state.feedback.any()
    assert not state.clicks


@pytest.mark.parametrize("start", ["drawn", "full", "box", "lasso"])
def test_no_implied_click_contradicts_a_negative_one(start: str) -> None:
    # The middle is where people click to say that all of this is wrong.
    runtime = Painter()
    predictor = Predictor(runtime, version="v", policy=OURS)
    image = predictor.encode(IMAGES[0])
    origin = STARTS[start](image.size)
    if isinstance(origin, PriorMask):
        middle = deepest_point(origin.mask)
    else:
        middle = predictor.predict(image, [], start=origin).state.implied[0].point
    for aside in (0, 2):
        made = negative(middle.x + aside, middle.y)
        state = predictor.predict(image, [made], start=origin).state
        frame = state.region or Box.whole(image.size)
        size = OURS.network_size(frame.size)
        at = OURS.sampling.locate(made.point, frame, size)
        shown = runtime.prompts[-1][0, :, round(at.row), round(at.col)]
        assert shown[2] == 1
        assert shown[1] == 0


@pytest.mark.parametrize("start", ["nothing", *PRIORS])
def test_without_clicks_only_an_outline_is_answered(start: str) -> None:
    runtime = FakeRuntime(mask=0.9)
    desk = StartDesk(Predictor(runtime, version="v", policy=OURS))
    store = RememberingStore()
    with pytest.raises(PromptError, match="no clicks"):
        desk.ask(StartRequest(0, start, ()), store)
    desk.ask(StartRequest(0, start, THREE), store)
    with pytest.raises(PromptError, match="no clicks"):
        desk.ask(StartRequest(0, start, ()), store)
    assert len(runtime.images) == 3


# Arrays stay as they are


@pytest.mark.slow
def test_an_answer_may_be_written_to(painted: StartDesk) -> None:
    for start in STARTS:
        store = RememberingStore()
        request = StartRequest(0, start, THREE)
        for _ in range(3):
            answer = painted.check(request, store)
            answer.mask[:] = ~answer.mask


def test_a_start_is_left_as_it_was(painted: StartDesk) -> None:
    image = painted.images[0]
    prior, outline = PriorMask(drawn(image.size)), lasso(image.size)
    painted.predictor.predict(image, THREE, start=prior)
    painted.predictor.predict(image, THREE, start=outline)
    assert np.array_equal(prior.mask, drawn(image.size))
    assert outline.inside is not None
    assert lasso(image.size).digest == Outline(outline.box, outline.inside).digest


def test_what_becomes_of_a_lasso_does_not_change_what_is_remembered_of_it(
    painted: StartDesk,
) -> None:
    image = painted.images[0]
    store = RememberingStore()
    region, inside = lasso(image.size).box, lasso(image.size).inside
    assert inside is not None
    painted.predictor.predict(image, (), store, start=Outline(region, inside))
    inside[:, :64] = False
    painted.check(StartRequest(0, "lasso", ()), store)


def test_what_becomes_of_a_mask_does_not_change_what_is_remembered_of_it(
    painted: StartDesk,
) -> None:
    image = painted.images[0]
    store = RememberingStore()
    mask = drawn(image.size)
    prior = PriorMask(mask)
    painted.predictor.predict(image, THREE, store, start=prior)
    mask[:] = False
    painted.check(StartRequest(0, "drawn", THREE), store)
    cached = painted.predictor.predict(image, THREE, store, start=prior)
    assert_same_start(cached, painted.predictor.predict(image, THREE, start=prior))
    cached = painted.predictor.predict(image, THREE, store, start=PriorMask(mask))
    assert_same_start(cached, painted.fresh(StartRequest(0, "empty", THREE)))


ARRANGED: dict[str, Callable[[Mask], Mask]] = {
    "column by column": np.asfortranarray,
    "mirrored": lambda mask: mask[:, ::-1].copy()[:, ::-1],
    "every other pixel": lambda mask: np.repeat(np.repeat(mask, 2, 0), 2, 1)[::2, ::2],
}


@pytest.mark.slow
@pytest.mark.parametrize("arranged", ARRANGED)
def test_the_memory_layout_of_a_start_does_not_matter(painted: StartDesk, arranged: str) -> None:
    image = painted.images[0]
    arrange = ARRANGED[arranged]
    prior, outline = PriorMask(arrange(drawn(image.size))), lasso(image.size)
    assert outline.inside is not None
    outline = Outline(outline.box, arrange(outline.inside))
    answer = painted.predictor.predict(image, THREE, start=prior)
    assert_same_start(answer, painted.fresh(StartRequest(0, "drawn", THREE)))
    answer = painted.predictor.predict(image, THREE, start=outline)
    assert_same_start(answer, painted.fresh(StartRequest(0, "lasso", THREE)))


@pytest.fixture
def _every_warning() -> Iterator[None]:
    """PyTorch gives some warnings once in the life of a process."""
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(before)


@pytest.mark.usefixtures("_every_warning")
@pytest.mark.parametrize("start", ["drawn", "lasso"])
def test_a_read_only_start_is_used(painted: StartDesk, start: str) -> None:
    image = painted.images[0]
    origin = STARTS[start](image.size)
    array = origin.mask if isinstance(origin, PriorMask) else lasso(image.size).inside
    assert array is not None
    array.flags.writeable = False
    frozen = Outline(origin.box, array) if isinstance(origin, Outline) else PriorMask(array)
    answer = painted.predictor.predict(image, THREE, start=frozen)
    assert_same_start(answer, painted.fresh(StartRequest(0, start, THREE)))


def test_a_state_counts_the_mask_or_lasso_that_it_holds() -> None:
    # A store is capped by these bytes.
    predictor = Predictor(FakeRuntime(mask=0.9), version="v", policy=OURS)
    image = predictor.encode(IMAGES[0])
    for start, held in (
        (Outline(Box(16, 20, 80, 108)), 0),
        (PriorMask(drawn(image.size)), 96 * 128),
        (lasso(image.size), 96 * 128),
    ):
        state = predictor.predict(image, THREE, start=start).state
        maps = state.probability.nbytes + state.feedback.nbytes
        assert state.nbytes >= maps + held


# Starts that cannot be used


def refused(start: Start, clicks: Sequence[Click] = THREE) -> str:
    """The message with which a start is refused before anything runs."""
    runtime = FakeRuntime(mask=0.9)
    predictor = Predictor(runtime, version="v", policy=OURS)
    store = RememberingStore()
    with pytest.raises(PromptError) as caught:
        predictor.predict(predictor.encode(IMAGES[0]), clicks, store, start=start)
    assert not runtime.images
    assert not store.states
    return caught.value.message


@pytest.mark.parametrize(
    "shape", [(50, 60), (150, 160), (128, 96), (1, 128), (96, 1), (96, 127), (97, 128)], ids=str
)
def test_a_mask_of_another_size_than_the_image_is_refused(shape: tuple[int, int]) -> None:
    assert "128×96" in refused(PriorMask(np.ones(shape, np.bool_)))
    assert "128×96" in refused(PriorMask(np.zeros(shape, np.bool_)))


@pytest.mark.parametrize("shape", [(50, 60), (128, 96), (1, 128), (97, 128)], ids=str)
def test_a_lasso_of_another_size_than_the_image_is_refused(shape: tuple[int, int]) -> None:
    inside = np.ones(shape, np.bool_)
    assert "128×96" in refused(Outline(Box(10, 10, 40, 40), inside), ())


@pytest.mark.parametrize(
    "region",
    [
        Box(-10, -10, 20, 20),
        Box(90, 100, 150, 200),
        Box(0, 0, 97, 128),
        Box(0, 0, 96, 129),
        Box(-1, 0, 96, 128),
        Box(200, 200, 220, 220),
        Box(-40, -40, -10, -10),
        Box(20, 20, 20, 40),
        Box(20, 40, 40, 40),
        Box(40, 40, 20, 20),
    ],
    ids=lambda region: str(tuple(region)),
)
def test_an_outline_that_is_not_on_the_image_or_empty_is_refused(region: Box) -> None:
    refused(Outline(region), ())


def test_a_lasso_with_nothing_inside_is_refused() -> None:
    refused(Outline(Box(10, 10, 20, 20), np.zeros((96, 128), np.bool_)), ())


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("outside", [click(128, 48), negative(-9, 0), click(float("nan"), 5)])
def test_a_click_outside_is_refused_whatever_the_start(start: str, outside: Click) -> None:
    runtime = FakeRuntime(mask=0.9)
    desk = StartDesk(Predictor(runtime, version="v", policy=OURS))
    store = RememberingStore()
    with pytest.raises(PromptError, match="click 2"):
        desk.ask(StartRequest(0, start, (click(64, 48), outside)), store)
    assert not runtime.images
    assert not store.states


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(
    "made", [click(-0.5, -0.5), click(127.5, 95.5), negative(127.5, -0.5), negative(-0.5, 95.5)]
)
def test_a_click_on_the_very_border_is_answered_whatever_the_start(
    painted: StartDesk, start: str, made: Click
) -> None:
    store = RememberingStore()
    answer = painted.check(StartRequest(0, start, (made, THREE[0])), store)
    assert answer.mask.shape == (96, 128)
    assert 0 <= answer.score <= 1


# Cleaning


def speckled() -> Tensor:
    """An object, a speck and a pinhole, in network pixels of the first image's whole."""
    found = torch.full((1, 1, 64, 96), 0.1)
    found[..., 20:50, 20:60] = 0.9
    found[..., 30:32, 40:42] = 0.2
    found[..., 5, 80:82] = 0.9
    return found


def test_a_mask_is_cleaned_and_the_state_is_not() -> None:
    predictor = Predictor(FakeRuntime(speckled()), version="v", policy=WHOLE)
    image = predictor.encode(IMAGES[0])
    answer = predictor.predict(image, [click(60, 50)])
    ragged = Predictor(
        FakeRuntime(speckled()), version="v", policy=WHOLE, cleanup=Cleanup(0, max_hole=0)
    ).predict(image, [click(60, 50)])
    rows, cols = slice(6, 12), slice(104, 112)
    assert not answer.mask[rows, cols].any()
    assert ragged.mask[rows, cols].any()
    assert answer.mask[46, 54]
    assert not ragged.mask[46, 54]
    assert torch.equal(answer.state.probability, speckled())
    assert torch.equal(answer.state.probability, ragged.state.probability)
    # Regions follow what the network found, specks and all.
    assert answer.state.mask_box == ragged.state.mask_box
    assert answer.state.mask_box == bounding_box(ragged.mask)


def test_a_mask_that_cleaning_empties_scores_nothing() -> None:
    found = torch.full((1, 1, 64, 96), 0.1)
    found[..., 30, 20:70] = 0.9
    predictor = Predictor(
        FakeRuntime(found), version="v", policy=WHOLE, cleanup=Cleanup(smoothing=4.0)
    )
    answer = predictor.predict(predictor.encode(IMAGES[0]), [click(5, 5)])
    assert not answer.mask.any()
    assert answer.score == 0


def test_a_click_keeps_its_speck_and_its_pinhole() -> None:
    predictor = Predictor(FakeRuntime(speckled()), version="v", policy=WHOLE)
    image = predictor.encode(IMAGES[0])
    store = RememberingStore()
    clicks = [click(60, 50), click(107.5, 8), negative(54.2, 46)]
    for count in (1, 2, 3):
        answer = predictor.predict(image, clicks[:count], store)
        assert bool(answer.mask[8, 107]) is (count >= 2)
        assert bool(answer.mask[46, 54]) is (count < 3)
        again = predictor.predict(image, clicks[:count], store)
        assert again.steps == 0
        assert_same(again, answer)


@pytest.mark.slow
@pytest.mark.parametrize(
    "cleanup",
    [Cleanup(), Cleanup(largest_only=True), Cleanup(smoothing=2.5), Cleanup(0.5, True, 0.5, 1.0)],
    ids=str,
)
def test_no_cleaning_makes_a_cached_answer_differ(cleanup: Cleanup) -> None:
    desk = StartDesk(Predictor(Painter(), version="v", policy=OURS, cleanup=cleanup))
    for start in STARTS:
        store = RememberingStore()
        for count in (3, 1, 2, 3):
            desk.check(StartRequest(0, start, THREE[:count]), store)
            desk.check(StartRequest(0, start, THREE[:count]), store)


# Real images


@pytest.mark.slow
def test_a_loaded_predictor_is_calibrated_and_cleans(shipped: Predictor) -> None:
    assert shipped.calibration == find(DEFAULT_MODEL).entry.calibration
    assert shipped.calibration != Calibration()
    assert shipped.cleanup == Cleanup()
    tidier = load_predictor(device="cpu", cleanup=Cleanup(largest_only=True))
    assert tidier.cleanup == Cleanup(largest_only=True)
    assert tidier.runtime.feedback == "edge"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "at"), [("coins", (108, 185)), ("coffee", (310, 220))])
def test_a_box_around_an_object_of_a_photograph_finds_it(
    shipped: Predictor, name: str, at: tuple[int, int]
) -> None:
    image = shipped.encode(decode_image((PHOTOS / f"{name}.jpg").read_bytes()))
    clicked = shipped.predict(image, [click(*at)])
    region = clicked.state.mask_box
    assert region is not None
    boxed = shipped.predict(image, [], start=Outline(region))
    assert (boxed.mask & clicked.mask).sum() / (boxed.mask | clicked.mask).sum() > 0.7
    outside = boxed.mask.copy()
    outside[region.top : region.bottom, region.left : region.right] = False
    assert not outside.any()
    assert 0.4 < boxed.score < 1


def test_a_bite_out_of_a_mask_is_given_back_and_all_else_stays(shipped: Predictor) -> None:
    image = shipped.encode(decode_image((PHOTOS / "cat.jpg").read_bytes()))
    whole = shipped.predict(image, [click(220, 180)]).mask
    bitten, bite = whole.copy(), np.zeros_like(whole)
    bite[160:200, 200:240] = True
    assert whole[bite].all()
    bitten[bite] = False
    bitten[5:9, 5:9] = True
    answer = shipped.predict(image, [click(220, 180)], start=PriorMask(bitten))
    assert answer.mask[bite].mean() > 0.9
    assert answer.mask[5:9, 5:9].all()
    assert_one_part_changed(bitten, answer.mask, click(220, 180))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "region"),
    [("coins", Box(20, 280, 80, 340)), ("coffee", Box(20, 20, 120, 120))],
)
@pytest.mark.parametrize("aside", [0, 12])
def test_a_negative_click_on_a_mask_of_nothing_takes_its_place_out(
    shipped: Predictor, name: str, region: Box, aside: int
) -> None:
    image = shipped.encode(decode_image((PHOTOS / f"{name}.jpg").read_bytes()))
    mask = np.zeros(image.size, np.bool_)
    mask[region.top : region.bottom, region.left : region.right] = True
    x, y = deepest_point(mask)
    answer = shipped.predict(image, [negative(x + aside, y)], start=PriorMask(mask))
    assert not answer.mask[int(y), int(x) + aside]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "region"),
    [("coins", Box(20, 280, 80, 340)), ("coffee", Box(20, 20, 120, 120))],
)
def test_a_negative_click_in_the_middle_of_what_an_outline_found_takes_its_place_out(
    shipped: Predictor, name: str, region: Box
) -> None:
    image = shipped.encode(decode_image((PHOTOS / f"{name}.jpg").read_bytes()))
    found = shipped.predict(image, [], start=Outline(region))
    x, y = deepest_point(found.mask)
    answer = shipped.predict(image, [negative(x, y)], start=Outline(region))
    assert not answer.mask[int(y), int(x)]
