"""Which network answers a project, while its version is swapped under clicks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from edgeflow.arrays import FloatArray, RGBImage
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL, Checkpoint, find
from edgeflow.checkpoints.manifest import add_to_manifest
from edgeflow.errors import EdgeFlowError
from edgeflow.geometry import ImagePoint, Size
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.learning.gate.general import general_set
from edgeflow.learning.likeness.likeness import Likeness
from edgeflow.learning.likeness.statistics import ImageStatistics
from edgeflow.learning.likeness.summary import Summariser
from edgeflow.prompts.click import Click
from edgeflow_backend.errors import NotReadyError
from edgeflow_backend.images.sources import InlineSource
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.local import LocalSegmenter
from edgeflow_backend.segmenter.models import ChosenModels
from edgeflow_backend.segmenter.segmenter import Clicks, Examples, Model
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from edgeflow_backend.versions.folders import project_folder, versions_of
from edgeflow_backend.versions.store import Versions
from edgeflow_backend.versions.version import Learnt
from tests.unit.edgeflow_backend.samples import disk_image, disk_png
from tests.unit.edgeflow_backend.versions.version_samples import add
from tests.unit.local_service import local, local_service

PROJECT = ProjectRef("", "7")
CLICKS = (
    Click(ImagePoint(40, 30)),
    Click(ImagePoint(60, 44), positive=False),
    Click(ImagePoint(42, 34)),
)
LOOK = 2.0
"""Seconds in which a change is seen, and more."""


class Team:
    """A service of a project that learns, and the project's versions."""

    def __init__(self, folder: Path, predictor: Predictor) -> None:
        self.settings = Settings(
            learn_dir=str(folder), learn_projects="7", learn_train=False, runtime="torch"
        )
        self.base = find(DEFAULT_MODEL)
        project_folder(self.settings, PROJECT).mkdir(parents=True)
        self.versions: Versions = versions_of(self.settings, PROJECT)
        self._predictor = predictor

    def start(self) -> LocalSegmenter:
        service: SegmentationService = local_service(self.settings, self._predictor)
        service.learning.close()
        segmenter = local(service)
        segmenter.warm_up()
        return segmenter

    def learn(self, change: float, *like: RGBImage) -> str:
        """Serve a version that is for images like some; for all if none is given."""
        likeness = likeness_of(self.base, self._predictor, like) if like else None
        version = add(self.versions, self.base, change, likeness=likeness)
        self.versions.serve(version.number)
        return version.checkpoint.version


@pytest.fixture
def team(tmp_path: Path, predictor: Predictor) -> Team:
    return Team(tmp_path, predictor)


def likeness_of(base: Checkpoint, predictor: Predictor, like: Sequence[RGBImage]) -> Likeness:
    summarise = Summariser(base)

    def summary(rgb: RGBImage) -> FloatArray:
        return summarise(predictor.encode(rgb).overview)

    statistics = ImageStatistics.of([summary(each.rgb) for each in general_set()])
    return Likeness.of(list(map(summary, like)), statistics)


def soon() -> float:
    return time.monotonic() + 120


def answer(segmenter: LocalSegmenter, model: Model, count: int) -> tuple[str, str]:
    """Version and digest of the mask of the first clicks."""
    image = segmenter.open(InlineSource(disk_png()), deadline=soon())
    found = segmenter.segment(image, Clicks(CLICKS[:count]), model, deadline=soon())
    return found.model_version, found.mask.digest


def wait_until(segmenter: LocalSegmenter, holds: Callable[[Model], bool]) -> Model:
    deadline = soon()
    while not holds(model := segmenter.choose(PROJECT, None)):
        assert time.monotonic() < deadline, model
        time.sleep(0.02)
    return model


def test_while_versions_are_swapped_each_answer_is_wholly_of_the_version_it_names(
    team: Team,
) -> None:
    segmenter = team.start()
    found: set[tuple[int, str, str]] = set()
    ended = threading.Event()

    def click(thread: int) -> None:
        round_ = 0
        while not ended.is_set():
            round_ += 1
            count = 1 + (thread + round_) % len(CLICKS)
            model = segmenter.choose(PROJECT, None)
            version, digest = answer(segmenter, model, count)
            assert version == model.version
            found.add((count, version, digest))

    try:
        names = [segmenter.default.version]
        with ThreadPoolExecutor(8) as threads:
            clicking = [threads.submit(click, number) for number in range(8)]
            try:
                for change in (0.05, -0.05):
                    names.append(team.learn(change))
                    wait_until(segmenter, lambda model: model.version == names[-1])
                team.versions.roll_back("worse")
                wait_until(segmenter, lambda model: model.version == names[1])
            finally:
                ended.set()
        for each in clicking:
            each.result()
    finally:
        segmenter.close()
    assert {version for _, version, _ in found} == set(names)
    alone = {}
    for number, name in enumerate(names):  # each version by itself, without what others left
        settings = team.settings.model_copy(update={"learn_projects": ""} if not number else {})
        if number:
            team.versions.serve(number)
        fresh = LocalSegmenterAlone(team, settings)
        for count in range(1, len(CLICKS) + 1):
            version, digest = fresh.answer(count)
            assert version == name
            alone[count, name] = digest
        fresh.close()
    assert {(count, name): digest for count, name, digest in found}.items() <= alone.items()
    assert len(found) == len({(count, name) for count, name, _ in found})
    assert len({alone[3, name] for name in names}) == 3, "the versions differ"


class LocalSegmenterAlone:
    """A new process's segmenter."""

    def __init__(self, team: Team, settings: Settings) -> None:
        team.settings, before = settings, team.settings
        self._segmenter = team.start()
        team.settings = before

    def answer(self, count: int) -> tuple[str, str]:
        return answer(self._segmenter, self._segmenter.choose(PROJECT, None), count)

    def close(self) -> None:
        self._segmenter.close()


def test_a_new_process_answers_by_the_version_from_the_first_click_on(team: Team) -> None:
    name = team.learn(0.05)
    segmenter = team.start()
    try:
        assert segmenter.choose(PROJECT, None).version == name
        assert segmenter.choose(ProjectRef("", "8"), None) == segmenter.default
        assert segmenter.choose(ProjectRef("other", "7"), None) == segmenter.default
        (cache,) = (each for each in segmenter.caches() if each.name == "versions")
        assert 0 < cache.nbytes <= cache.max_bytes
        team.versions.roll_back("worse")
        wait_until(segmenter, lambda model: model.learnt is None)
    finally:
        segmenter.close()


def disks(count: int) -> list[RGBImage]:
    """Images like the one that is clicked on."""
    disk = disk_image().astype(np.int16)
    return [np.clip(disk + 4 * number, 0, 255).astype(np.uint8) for number in range(count)]


def test_an_image_unlike_those_learnt_from_is_answered_by_the_base_weights(team: Team) -> None:
    photographs = [each.rgb for each in general_set() if each.name.startswith("photos/")]
    other, its = team.learn(0.05, *photographs), ""
    segmenter = team.start()
    try:
        image = segmenter.open(InlineSource(disk_png()), deadline=soon())
        chosen = segmenter.choose(PROJECT, None)
        assert chosen.version == other
        suited = segmenter.suited(chosen, image)
        assert (suited.version, suited.learnt) == (segmenter.default.version, None)
        sent = replace(chosen, predictor=None)  # as by a cluster's door, which has no image
        plain = answer(segmenter, segmenter.default, 2)
        assert answer(segmenter, suited, 2) == answer(segmenter, sent, 2) == plain

        its = team.learn(-0.05, *disks(8))
        chosen = wait_until(segmenter, lambda model: model.version == its)
        assert segmenter.suited(chosen, image) == chosen
        version, digest = answer(segmenter, chosen, 2)
        assert version == its
        assert digest != plain[1]
        assert answer(segmenter, replace(chosen, predictor=None), 2) == (its, digest)
    finally:
        segmenter.close()


def test_an_image_that_is_loaded_ahead_is_summed_up_before_it_is_clicked(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = team.learn(0.05, *disks(8))
    summed: list[str] = []
    looked = threading.Event()
    summarise, look_ahead = Summariser.__call__, ChosenModels.look_ahead

    def counted(self: Summariser, overview: Tensor) -> FloatArray:
        summed.append(threading.current_thread().name)
        return summarise(self, overview)

    def looking(self: ChosenModels, image: EncodedImage) -> None:
        look_ahead(self, image)
        looked.set()

    monkeypatch.setattr(Summariser, "__call__", counted)
    monkeypatch.setattr(ChosenModels, "look_ahead", looking)
    segmenter = team.start()
    try:
        chosen = segmenter.choose(PROJECT, None)
        assert chosen.version == name
        segmenter.suited(chosen, segmenter.open(InlineSource(disk_png()), deadline=soon()))
        ahead = InlineSource(disk_png(Size(80, 120)))
        segmenter.prefetch(ahead)
        assert looked.wait(120)
        segmenter.suited(chosen, segmenter.open(ahead, deadline=soon()))
        clicking = threading.current_thread().name
        assert [thread == clicking for thread in summed] == [True, False]
    finally:
        segmenter.close()


def test_a_version_of_other_weights_does_not_answer_a_model_named_in_the_config(
    team: Team, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    other = add(Versions(tmp_path), find(DEFAULT_MODEL), 0.2).checkpoint
    entry = other.entry.model_copy(update={"file": "mine.safetensors"})
    (folder / entry.file).write_bytes(other.path.read_bytes())
    add_to_manifest(folder, "mine", entry)
    team.settings = team.settings.model_copy(update={"models_dir": str(folder)})
    name = team.learn(0.05)
    segmenter = team.start()
    try:
        assert segmenter.choose(PROJECT, None).version == name
        assert segmenter.choose(PROJECT, "mine").version.startswith("mine-")
        assert segmenter.choose(PROJECT, DEFAULT_MODEL).version == name
        with pytest.raises(EdgeFlowError):
            segmenter.choose(PROJECT, "none")
    finally:
        segmenter.close()


def test_where_another_process_names_a_version_that_is_lacking_the_base_answers_and_says_so(
    team: Team,
) -> None:
    segmenter = team.start()
    try:
        lacking = Model(None, "x", "", Learnt(PROJECT, 3, "edgeflow_lite.7.3-12345678"))
        version, digest = answer(segmenter, lacking, 3)
        assert version == segmenter.default.version
        assert answer(segmenter, segmenter.default, 3) == (version, digest)
        image = segmenter.open(InlineSource(disk_png()), deadline=soon())
        mask = segmenter.segment(image, Clicks(CLICKS), segmenter.default, deadline=soon()).mask
        described = segmenter.describe_examples(image, [mask], lacking, deadline=soon())
        assert described.model_version == version
        with pytest.raises(NotReadyError):
            segmenter.find_similar(
                image, Examples([], descriptors=described.descriptors), lacking, deadline=soon()
            )
        learnt = team.learn(0.05)
        found = Learnt(PROJECT, 1, learnt)
        sent = Model(None, learnt, "", found)
        described = segmenter.describe_examples(image, [mask], sent, deadline=soon())
        assert described.model_version == learnt
        assert answer(segmenter, sent, 3)[0] == learnt
    finally:
        segmenter.close()
