"""Mostly one property: whatever is cached, forgotten or interleaved, a replay gives the answer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from edgeflow.checkpoints import find
from edgeflow.crop import ZoomPolicy
from edgeflow.errors import CheckpointError, PromptError
from edgeflow.geometry import ImagePoint, Region, Size
from edgeflow.images import decode_image
from edgeflow.nn.registry import ARCHITECTURES
from edgeflow.predictor import (
    EncodedImage,
    Prediction,
    Predictor,
    State,
    StateStore,
    load_predictor,
    mask_box,
)
from edgeflow.prompts import Click, disk_maps
from edgeflow.runtime import Runtime, StepOutput
from edgeflow.runtime.torch_eager import DeviceError, TorchRuntime
from edgeflow.sampling import Aligned
from tests.unit.edgeflow.samples import PHOTOS, FakeRuntime, click, disk_picture, negative

# Small views, and regions small enough for the small pictures of these tests to be zoomed into.
OURS = ZoomPolicy(name="ours", long_side=96, min_side=32)
EISEGS = ZoomPolicy(
    name="eisegs", long_side=96, square=True, min_side=40, keep_whole=True, sampling=Aligned()
)
WHOLE = ZoomPolicy(name="whole", long_side=96, min_side=10_000)

PICTURES = (
    disk_picture(96, 128),
    disk_picture(96, 128, shade=120),
    disk_picture(150, 90),
)


class Request(NamedTuple):
    picture: int
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
    """A predictor, its pictures, and what it answers without any store."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.images = [predictor.encode(picture) for picture in PICTURES]
        self._fresh: dict[Request, Prediction] = {}

    def fresh(self, request: Request) -> Prediction:
        if request not in self._fresh:
            self._fresh[request] = self.ask(request, None)
        return self._fresh[request]

    def ask(self, request: Request, store: StateStore | None) -> Prediction:
        return self.predictor.predict(self.images[request.picture], request.clicks, store)

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
    assert one.state.region == other.state.region
    assert one.state.mask_box == other.state.mask_box


@pytest.fixture(scope="module", params=[OURS, EISEGS], ids=lambda policy: policy.name)
def desk(request: pytest.FixtureRequest, shipped_runtime: TorchRuntime) -> Desk:
    return Desk(Predictor(shipped_runtime, version="v", policy=request.param))


@pytest.fixture(scope="session")
def shipped_runtime() -> TorchRuntime:
    return TorchRuntime(find("edgeflow_lite").load(), torch.device("cpu"), feedback="edge")


@pytest.fixture(scope="module")
def ours(shipped_runtime: TorchRuntime) -> Desk:
    return Desk(Predictor(shipped_runtime, version="v", policy=OURS))


# Few places, so that annotators often share a prefix, and one that needs a replay to the pixel.
PLACES = [(0.5, 0.5), (0.45, 0.6), (0.1, 0.15), (0.62, 0.41), (0.933, 0.07)]


def place(picture: int, fractions: tuple[float, float]) -> ImagePoint:
    height, width, _ = PICTURES[picture].shape
    return ImagePoint(fractions[0] * (width - 1), fractions[1] * (height - 1))


@st.composite
def streams(draw: st.DrawFn) -> list[Request]:
    """What one annotator sends: clicks added, undone, dragged, and sent twice."""
    picture = draw(st.integers(0, len(PICTURES) - 1))

    def new_click() -> Click:
        return Click(place(picture, draw(st.sampled_from(PLACES))), draw(st.booleans()))

    clicks: list[Click] = [new_click()]
    requests = [Request(picture, tuple(clicks))]
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
        requests.append(Request(picture, tuple(clicks)))
    return requests


@st.composite
def interleavings(draw: st.DrawFn) -> list[Request]:
    """Several annotators' requests in any order that keeps each one's own."""
    sources = draw(st.lists(streams(), min_size=1, max_size=4))
    turns = draw(st.permutations([i for i, stream in enumerate(sources) for _ in stream]))
    left = [iter(stream) for stream in sources]
    return [next(left[turn]) for turn in turns]


PROPERTY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@PROPERTY
@given(requests=interleavings())
def test_interleaved_annotators_get_what_each_would_get_alone(
    desk: Desk, requests: list[Request]
) -> None:
    store = RememberingStore()
    for request in requests:
        desk.check(request, store)


@PROPERTY
@given(requests=interleavings())
def test_annotators_on_several_threads_get_what_each_would_get_alone(
    desk: Desk, requests: list[Request]
) -> None:
    store = RememberingStore()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda request: desk.ask(request, store), requests))
    for request, answer in zip(requests, answers, strict=True):
        assert_same(answer, desk.fresh(request))


@PROPERTY
@given(requests=interleavings(), chance=st.randoms(use_true_random=False))
def test_a_store_that_forgets_at_random_never_changes_an_answer(
    desk: Desk, requests: list[Request], chance: random.Random
) -> None:
    store = ForgetfulStore(chance)
    for request in requests:
        desk.check(request, store)


@PROPERTY
@given(requests=interleavings())
def test_a_request_runs_exactly_the_steps_of_its_unknown_tail(
    desk: Desk, requests: list[Request]
) -> None:
    store = RememberingStore()
    known: set[Request] = set()
    for picture, clicks in requests:
        prefixes = [Request(picture, clicks[:count]) for count in range(1, len(clicks) + 1)]
        expected = sum(prefix not in known for prefix in prefixes)
        assert desk.ask(Request(picture, clicks), store).steps == expected
        known.update(prefixes)


THREE = (click(64, 48), negative(10, 10), click(80, 40))


def test_every_prefix_in_the_store_equals_its_replay(desk: Desk) -> None:
    store = RememberingStore()
    desk.ask(Request(0, THREE), store)
    assert len(store.states) == 3
    for count, state in enumerate(store.states.values(), start=1):
        replayed = desk.fresh(Request(0, THREE[:count])).state
        assert torch.equal(state.probability, replayed.probability)
        assert torch.equal(state.feedback, replayed.feedback)
        assert state.clicks == THREE[:count]


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


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_dragged_click_equals_a_fresh_replay(desk: Desk, moved: int) -> None:
    store = RememberingStore()
    desk.ask(Request(0, THREE), store)
    dragged = list(THREE)
    dragged[moved] = Click(ImagePoint(60, 52), THREE[moved].positive)
    assert desk.check(Request(0, tuple(dragged)), store).steps == 3 - moved


def test_the_order_of_clicks_matters_and_is_kept(desk: Desk) -> None:
    store = RememberingStore()
    forth = desk.check(Request(0, THREE), store)
    back = desk.check(Request(0, THREE[::-1]), store)
    assert back.steps == 3
    assert not torch.equal(forth.state.probability, back.state.probability)


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
        image = predictor.encode(PICTURES[0])
        answer = predictor.predict(image, THREE, store)
        assert answer.steps == 3
        assert_same(answer, predictor.predict(image, THREE))
    assert len(store.states) == 3 * len(runtimes)


def test_pictures_of_equal_bytes_but_other_shape_do_not_share_states(ours: Desk) -> None:
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
    image = predictor.encode(PICTURES[0])
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
    image = predictor.encode(PICTURES[0])
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
    declared = ARCHITECTURES[architecture]
    network = declared.build({"width": 4, "ocr_width": 8, "small": True}).eval()
    runtime = TorchRuntime(network, torch.device("cpu"), feedback=declared.feedback)
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
    image = predictor.encode(PICTURES[0])
    first = predictor.predict(image, THREE[:1]).state
    runtime.mask, runtime.edge = 0.9, 0.5
    state, _ = predictor.step(image, first, THREE[0])
    assert first.region is None
    assert state.region is not None
    assert state.region.area < 96 * 128 / 2
    size = OURS.network_size(state.region.size)
    whole = Region(0, 0, 96, 128)
    expected = OURS.sampling.carry(edge, whole, state.region, size, Size(96, 128))
    assert torch.equal(runtime.prompts[-1][:, :1], expected)


@pytest.mark.parametrize("policy", [OURS, EISEGS, WHOLE], ids=lambda policy: policy.name)
def test_every_step_shows_all_clicks_so_far_and_the_region_at_network_size(
    policy: ZoomPolicy, shipped_runtime: TorchRuntime
) -> None:
    recorder, states, image = record(shipped_runtime, THREE, policy)
    steps = zip(states, recorder.images, recorder.prompts, strict=True)
    for count, (state, view, prompt) in enumerate(steps, start=1):
        frame = state.region or Region.whole(image.size)
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


def test_after_an_empty_mask_the_whole_picture_is_shown_again() -> None:
    runtime = FakeRuntime(mask=0.9)
    predictor = Predictor(runtime, version="v", policy=OURS)
    image = predictor.encode(PICTURES[0])
    state = predictor.predict(image, THREE[:2]).state
    assert state.region is not None
    runtime.mask = 0.1
    state, _ = predictor.step(image, state, THREE[2])
    state, _ = predictor.step(image, state, THREE[0])
    assert state.region is None
    assert torch.equal(runtime.images[-1], image.overview)


# What comes out


def test_a_mask_is_bool_and_of_the_pictures_size(desk: Desk) -> None:
    for picture, shape in enumerate(((96, 128), (96, 128), (150, 90))):
        answer = desk.fresh(Request(picture, (Click(place(picture, (0.5, 0.5))),)))
        assert answer.mask.dtype == np.bool_
        assert answer.mask.shape == shape
        assert answer.mask.any()
        assert 0.5 < answer.score <= 1


def test_an_empty_mask_has_no_box_and_no_score() -> None:
    predictor = Predictor(FakeRuntime(mask=0.5), version="v", policy=OURS)
    answer = predictor.predict(predictor.encode(PICTURES[0]), [negative(5, 5)])
    assert not answer.mask.any()
    assert answer.score == 0.0
    assert answer.state.mask_box is None


def test_the_score_is_the_mean_probability_inside_the_mask() -> None:
    mask = torch.full((1, 1, 64, 96), 0.2)
    mask[..., :32, :] = 0.7
    mask[..., :16, :] = 0.9
    predictor = Predictor(FakeRuntime(mask), version="v", policy=OURS)
    answer = predictor.predict(predictor.encode(PICTURES[0]), [click(5, 5)])
    assert answer.score == pytest.approx(0.8)
    assert answer.state.mask_box is not None
    assert answer.state.mask_box.left == 0
    assert answer.state.mask_box.right == 128
    assert answer.state.mask_box.bottom == pytest.approx(48, abs=1)


def test_the_box_is_that_of_the_mask(desk: Desk) -> None:
    answer = desk.fresh(Request(0, THREE))
    assert answer.state.mask_box == mask_box(torch.from_numpy(answer.mask))


def test_the_answer_keeps_no_gradients(ours: Desk) -> None:
    state = ours.fresh(Request(0, THREE)).state
    assert not state.probability.requires_grad
    assert not state.feedback.requires_grad
    assert state.nbytes == state.probability.nbytes + state.feedback.nbytes


@given(
    st.integers(1, 12).flatmap(
        lambda h: st.integers(1, 12).flatmap(
            lambda w: st.lists(
                st.lists(st.sampled_from([False, False, True]), min_size=w, max_size=w),
                min_size=h,
                max_size=h,
            )
        )
    )
)
def test_a_box_is_the_smallest_around_all_pixels_of_a_mask(rows: list[list[bool]]) -> None:
    box = mask_box(torch.tensor(rows))
    found = np.argwhere(np.array(rows))
    if len(found) == 0:
        assert box is None
    else:
        (top, left), (bottom, right) = found.min(axis=0), found.max(axis=0) + 1
        assert box == Region(top, left, bottom, right)


# What is refused


def test_no_clicks_are_refused() -> None:
    runtime = FakeRuntime()
    predictor = Predictor(runtime, version="v", policy=OURS)
    with pytest.raises(PromptError, match="no clicks") as caught:
        predictor.predict(predictor.encode(PICTURES[0]), [])
    assert "positive click" in caught.value.hint
    assert not runtime.images


def test_a_click_outside_is_refused_before_anything_runs() -> None:
    runtime = FakeRuntime()
    store = RememberingStore()
    predictor = Predictor(runtime, version="v", policy=OURS)
    with pytest.raises(PromptError, match="click 2 at x=128, y=48 lies outside"):
        predictor.predict(predictor.encode(PICTURES[0]), [click(64, 48), click(128, 48)], store)
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
def test_only_height_width_3_uint8_is_a_picture(image: npt.NDArray[np.uint8]) -> None:
    predictor = Predictor(FakeRuntime(), version="v", policy=OURS)
    with pytest.raises(ValueError, match="H×W×3 uint8"):
        predictor.encode(image)


# Encoding


@pytest.fixture
def fake() -> Predictor:
    return Predictor(FakeRuntime(), version="v", policy=OURS)


def test_an_encoded_picture_holds_all_pixels_and_an_overview(fake: Predictor) -> None:
    image = fake.encode(PICTURES[0])
    assert image.size == Size(96, 128)
    assert torch.equal(image.pixels[0].permute(1, 2, 0), torch.from_numpy(PICTURES[0]))
    assert image.overview.shape == (1, 3, 64, 96)
    assert image.nbytes == 96 * 128 * 3 + 64 * 96 * 3 * 4


def test_the_digest_tells_pictures_apart(fake: Predictor) -> None:
    changed = PICTURES[0].copy()
    changed[5, 7, 2] ^= 1
    digests = {fake.encode(picture).digest for picture in (*PICTURES, changed)}
    assert len(digests) == 4
    assert fake.encode(PICTURES[0].copy()).digest == fake.encode(PICTURES[0]).digest


def test_the_digest_tells_shapes_of_equal_bytes_apart(fake: Predictor) -> None:
    flat = np.zeros(24 * 32 * 3, np.uint8)
    shapes = [(24, 32, 3), (32, 24, 3), (12, 64, 3), (1, 768, 3), (768, 1, 3)]
    assert len({fake.encode(flat.reshape(shape)).digest for shape in shapes}) == len(shapes)


def test_the_memory_layout_of_a_picture_does_not_matter(fake: Predictor) -> None:
    mirrored = PICTURES[0][:, ::-1]
    for picture in (mirrored, np.asfortranarray(mirrored)):
        assert fake.encode(picture).digest == fake.encode(mirrored.copy()).digest
        assert torch.equal(fake.encode(picture).pixels, fake.encode(mirrored.copy()).pixels)


def test_a_read_only_picture_is_encoded(fake: Predictor) -> None:
    frozen = PICTURES[0].copy()
    frozen.flags.writeable = False
    assert fake.encode(frozen).digest == fake.encode(PICTURES[0]).digest


def test_what_becomes_of_the_array_does_not_change_the_encoded_picture(fake: Predictor) -> None:
    picture = PICTURES[0].copy()
    image = fake.encode(picture)
    picture[:] = 0
    assert torch.equal(image.pixels[0].permute(1, 2, 0), torch.from_numpy(PICTURES[0]))


def test_the_tiniest_picture_is_segmented(ours: Desk) -> None:
    image = ours.predictor.encode(np.full((1, 1, 3), 99, np.uint8))
    assert ours.predictor.predict(image, [click(0, 0), negative(0, 0)]).mask.shape == (1, 1)


# Loading, and real pictures


@pytest.fixture(scope="module")
def shipped() -> Predictor:
    return load_predictor(device="cpu")


def test_a_loaded_predictor_knows_its_version_and_uses_our_policy(shipped: Predictor) -> None:
    assert shipped.version == find("edgeflow_lite").version
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
    assert answer.score > 0.6


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
