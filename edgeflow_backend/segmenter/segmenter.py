"""What a click's way needs of images and networks, wherever they are.

Everything here is a pure function of weights, image and clicks; what it keeps saves work and never
decides an answer. So a call that failed with its machine may be made again on another one. What is
known of people and their tasks stays on this side: :mod:`edgeflow_backend.objects`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.prompts.start import Start
from edgeflow.similar.descriptor import Descriptor
from edgeflow.similar.found import Found, SimilarOptions
from edgeflow_backend.engine.schedule import Stream
from edgeflow_backend.images.sources import AsStored, Source
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.segmenter.pages import AskedPages, CarriedPages
from edgeflow_backend.status.report import Cache, SharedTier
from edgeflow_backend.versions.version import Learnt


@dataclass(frozen=True)
class Model:
    """A network with its weights.

    Attributes:
        name: Name in the folder of models; None for the default one.
        version: Changes whenever the weights do.
        weights: SHA-256 of the weights of that name; empty where it does not matter.
        learnt: The version of them that a project has learnt; None for those weights themselves.
        predictor: The network, where it is in this process: a request keeps the one it began with.
    """

    name: str | None
    version: str
    weights: str = ""
    learnt: Learnt | None = None
    predictor: Predictor | None = field(default=None, compare=False, repr=False)

    def sent(self) -> Model:
        """The same for another process."""
        return replace(self, predictor=None)


@dataclass(frozen=True)
class OpenedImage:
    """An image that can be segmented.

    Attributes:
        source: Where it came from.
        size: Height and width in pixels, turned as the editor shows it.
        digest: Hex digest of size and pixels.
        encoded: The image itself, where it is in this process.
    """

    source: Source | AsStored
    size: Size
    digest: str
    encoded: EncodedImage | None = None


@dataclass(frozen=True)
class Segmentation:
    """The answer to clicks on an image.

    Attributes:
        mask: The mask, and where in the image it lies; may be empty.
        score: Estimate of its IoU with the object, 0 to 1.
        steps: Network runs that it took.
        model_version: Version of the model that made it.
    """

    mask: MaskPatch
    score: float
    steps: int
    model_version: str


@dataclass(frozen=True)
class Clicks:
    """What is asked of an image.

    Attributes:
        clicks: In image pixels, in the order in which they were made.
        start: Outline or prior mask that the object begins with; None for clicks alone.
        stream: Object that the clicks belong to; None for one of its own.
        marks: Identifies the clicks within the stream; see
            :class:`edgeflow_backend.engine.schedule.Job`.
    """

    clicks: Sequence[Click]
    start: Start | None = None
    stream: Stream | None = None
    marks: frozenset[Hashable] = frozenset()


@dataclass(frozen=True)
class Examples:
    """What is asked for all objects like some.

    Attributes:
        examples: Masks of objects of the kind, at the image's size.
        counter_examples: Masks of objects that are not of the kind.
        taken: Masks that no answer may lie on; those above are, too.
        options: How far to go.
        stream: Who asks; None for a stream of its own.
        marks: Identifies what is asked within the stream, as of :class:`Clicks`.
        descriptors: Objects of the kind in other images; at least one where there are no examples.
    """

    examples: Sequence[MaskPatch]
    counter_examples: Sequence[MaskPatch] = ()
    taken: Sequence[MaskPatch] = ()
    options: SimilarOptions = SimilarOptions()  # noqa: RUF009 - frozen
    stream: Stream | None = None
    marks: frozenset[Hashable] = frozenset()
    descriptors: Sequence[Descriptor] = ()


@dataclass(frozen=True)
class Similar:
    """The objects that are like examples.

    Attributes:
        found: The objects, and what the model that found them thinks of them.
        model_version: Version of that model.
    """

    found: Found
    model_version: str


@dataclass(frozen=True)
class ExampleDescriptors:
    """What objects look like.

    Attributes:
        descriptors: One an object.
        model_version: Version of the model that described them; others understand them not.
    """

    descriptors: tuple[Descriptor, ...]
    model_version: str


class Segmenter(Protocol):
    """Opens images and segments them. Thread-safe. Deadlines are on ``time.monotonic``'s clock."""

    @property
    def default(self) -> Model:
        """The model that answers where nothing names another."""
        ...

    @property
    def runtime(self) -> str:
        """Runtime, device, precision and quality of the default model, in words."""
        ...

    @property
    def waiting(self) -> int:
        """Predictions that wait for the network, running ones included."""
        ...

    def caches(self) -> Sequence[Cache]:
        """How full each cache is."""
        ...

    def shared(self) -> Sequence[SharedTier]:
        """How each use of Redis is, here; empty without it."""
        return ()

    def choose(self, project: ProjectRef, hint: str | None) -> Model:
        """The model for a request.

        It is the version that the project has learnt, if one is served that was made from exactly
        the weights that would answer otherwise. Until that is loaded, a former one answers, or
        those weights.

        Args:
            project: The project; the setting ``project_models`` may name a model for it.
            hint: Name of a model in the labelling config, which takes precedence.

        Raises:
            LabelConfigError: There is no model with that name.
            CheckpointError: Its weights cannot be used.
        """
        ...

    def suited(self, model: Model, image: OpenedImage) -> Model:  # noqa: ARG002
        """The model that answers clicks on an image, as far as this process can tell.

        A version answers images like those that it has learnt from, the weights that it was made
        from all others.

        Args:
            model: The model that was chosen for the request.
            image: The image.
        """
        return model

    def open(self, source: Source | AsStored, *, deadline: float) -> OpenedImage:
        """Fetch and decode an image.

        Raises:
            FetchError: It cannot be fetched.
            ImageError: It cannot be decoded, or is too large.
            OverloadedError: Too many large images are being decoded.
            DeadlineError: It is not there in time.
        """
        ...

    def prefetch(self, source: Source | AsStored) -> None:
        """Start to open an image that may be needed soon, without waiting and without errors."""
        ...

    def segment(
        self, image: OpenedImage, asked: Clicks, model: Model, *, deadline: float
    ) -> Segmentation:
        """Answer clicks on an image.

        Raises:
            PromptError: The clicks are not on the image, or there are none.
            OverloadedError: Too many requests are waiting already.
            SupersededError: A newer request of the same stream came before this one ran.
            DeadlineError: The answer is not there in time.
            NotReadyError: It is being stopped.
        """
        ...

    def find_similar(
        self, image: OpenedImage, asked: Examples, model: Model, *, deadline: float
    ) -> Similar:
        """Find what looks like examples, other people's clicks in between.

        Raises:
            PromptError: There is no example, or one is empty or of another size than the image.
            NoFeaturesError: The model cannot tell what looks alike.
            OverloadedError: Too many requests are waiting already.
            SupersededError: A newer request of the same stream came before this one ran.
            DeadlineError: The answer is not there in time.
            NotReadyError: It is being stopped, or lacks the version that described the examples.
        """
        ...

    def carry(self, asked: AskedPages, model: Model, *, deadline: float) -> CarriedPages:
        """Carry an object through the pages of a task, other people's clicks in between.

        Pages are opened as they are reached; one that cannot be ends its way.

        Raises:
            PromptError: A mask is not of its page's size.
            SupersededError: A newer request of the same stream came.
            NotReadyError: It is being stopped.
        """
        ...

    def describe_examples(
        self, image: OpenedImage, masks: Sequence[MaskPatch], model: Model, *, deadline: float
    ) -> ExampleDescriptors:
        """What objects look like, for searches in other images.

        Args:
            image: The image that they lie in.
            masks: The objects, at the image's size.
            model: Whose features describe them.
            deadline: When the answer must be there.

        Raises:
            PromptError: A mask is empty or of another size than the image.
            NoFeaturesError: The model cannot tell what looks alike.
            DeadlineError: The answer is not there in time.
        """
        ...

    def warm_up(self) -> None:
        """Run a first and a later click, so that no annotator waits for lazy initialisation."""
        ...

    def close(self) -> None:
        """Stop its threads."""
        ...
