"""``edgeflow similar``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from edgeflow.arrays import RGBImage
from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.cli.cutting.render import read_mask
from edgeflow.cli.image_output import (
    check_numbers_ending,
    check_overlay_ending,
    encode_numbers,
    encode_overlay,
)
from edgeflow.cli.options import Device, MaxPixels, Model, ModelsDir, Quality, Runtime, Zoom
from edgeflow.cli.predict import parse_click
from edgeflow.cli.similar_output import Numbered, as_coco, draw_numbered
from edgeflow.errors import EdgeFlowError, ImageError, no_object
from edgeflow.files import check_outputs, is_special, write_atomically
from edgeflow.geometry import Size
from edgeflow.images import MAX_PIXELS, decode_image, quiet_decoders
from edgeflow.inference.predictor import Predictor, load_predictor
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.state import EncodedImage
from edgeflow.inference.zoom import POLICIES
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.similar.finder import SimilarFinder
from edgeflow.similar.found import SimilarOptions
from edgeflow.similar.numbered import number_map

DEFAULTS = SimilarOptions()


def similar(
    image: Annotated[Path, typer.Argument(help="Image file.", exists=True, dir_okay=False)],
    click: Annotated[
        list[str] | None,
        typer.Option(
            "--click",
            "-c",
            metavar="X,Y",
            help="A click on the example, in pixels from the top left; further ones correct its "
            "mask, as in `edgeflow predict`.",
        ),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y", help="A click on a further example; repeat it."),
    ] = None,
    unlike: Annotated[
        list[str] | None,
        typer.Option(
            "--not", metavar="X,Y", help="A click on an object of another kind; repeat it."
        ),
    ] = None,
    example: Annotated[
        Path | None,
        typer.Option(
            help="Another image, with the example that --example-mask shows.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    example_mask: Annotated[
        Path | None,
        typer.Option(
            help="Mask of the example in that image, or without --example in this one: what is "
            "brighter than 127.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="PNG for the objects' numbers: 0 background, 1 the example, 2, 3, … the others, "
            "best first; several examples come before them.",
        ),
    ] = Path("similar.png"),
    overlay: Annotated[
        Path | None,
        typer.Option(
            help="File for the image with all objects and their numbers; may also be a .jpg."
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="COCO file for the masks with their scores.")
    ] = None,
    label: Annotated[str, typer.Option(help="Class name in the COCO file.")] = "object",
    limit: Annotated[int, typer.Option(help="Most objects to find.", min=1)] = DEFAULTS.limit,
    seconds: Annotated[
        float, typer.Option(help="Time after which the search ends.", min=0.1)
    ] = DEFAULTS.seconds,
    model: Model = DEFAULT_MODEL,
    models_dir: ModelsDir = None,
    zoom: Zoom = "edgeflow",
    quality: Quality = "fast",
    runtime: Runtime = "torch",
    device: Device = "auto",
    max_pixels: MaxPixels = MAX_PIXELS,
) -> None:
    """Find all objects that look like an example."""
    clicks, more, others = (
        [parse_click(text) for text in each or ()] for each in (click, also, unlike)
    )
    _check_prompts(clicks, [*more, *others], example, example_mask)
    _check_outputs(output, overlay, json, [image, example, example_mask, Path(model)])
    rgb = _read(image, max_pixels)
    size = Size(*rgb.shape[:2])
    shown = None if example is None else _read(example, max_pixels)
    given: MaskPatch | None = None
    if example_mask is not None:
        with _naming(example_mask):
            masked = size if shown is None else Size(*shown.shape[:2])
            given = MaskPatch.of(read_mask(example_mask, masked))
    predictor = load_predictor(
        model,
        folder=models_dir,
        device=device,
        runtime=runtime,
        policy=POLICIES[zoom],
        quality=QUALITIES[quality],
    )
    finder, encoded = SimilarFinder(predictor), predictor.encode(rgb)
    examples = [
        _segment(predictor, encoded, each) for each in (clicks, *([one] for one in more)) if each
    ]
    if given is not None and shown is None:
        examples.insert(0, Numbered(given))
    found = finder.find(
        encoded,
        [each.mask for each in examples],
        counter_examples=[_segment(predictor, encoded, [one]).mask for one in others],
        descriptors=(
            []
            if shown is None or given is None
            else [finder.describe(predictor.encode(shown), given)]
        ),
        options=SimilarOptions(limit=limit, seconds=seconds),
    )
    objects = [
        *examples,
        *(Numbered(each.mask, each.score, each.similarity) for each in found.candidates),
    ]
    files = {output: encode_numbers(number_map([each.mask for each in objects], size))}
    if overlay is not None:
        drawn = draw_numbered(rgb, objects, len(examples), [*clicks, *more])
        files[overlay] = encode_overlay(drawn, overlay)
    if json is not None:
        files[json] = as_coco(objects, size, image.name, label)
    for path, data in files.items():
        write_atomically(path, data)
    to_err = any(map(is_special, files))  # standard output may be one of them
    typer.echo(
        f"{output}: {_told(len(examples), len(found.candidates))}, {found.steps} network steps in "
        f"{found.seconds * 1000:.0f} ms ({predictor.execution})",
        err=to_err,
    )
    if not found.complete:
        typer.echo("not all places were looked at: raise --limit or --seconds for more", err=True)


def _check_prompts(
    clicks: Sequence[Click], singles: Iterable[Click], example: Path | None, mask: Path | None
) -> None:
    """Refuse a command line that names no example, or only half of one."""
    if example is not None and mask is None:
        raise EdgeFlowError(
            f"where the example is in {example} is not said",
            hint="name its mask with --example-mask; `edgeflow predict` makes one",
        )
    if not clicks and mask is None:
        raise EdgeFlowError(
            "there is no example", hint="click on one with --click X,Y, or name an --example-mask"
        )
    if not all(each.positive for each in singles):
        raise EdgeFlowError(
            "a click of --also or --not is negative",
            hint="click on the object, without a minus; --not says that it is of another kind",
        )


def _check_outputs(
    output: Path, overlay: Path | None, json: Path | None, inputs: Iterable[Path | None]
) -> None:
    """Refuse, before the model is loaded, what could not be written or would destroy an input."""
    check_numbers_ending(output)
    outputs = {"numbers": output}
    if overlay is not None:
        check_overlay_ending(overlay)
        outputs["overlay"] = overlay
    if json is not None:
        outputs["COCO file"] = json
    check_outputs(outputs, [path for path in inputs if path is not None], make_folders=False)


def _read(path: Path, max_pixels: int) -> RGBImage:
    with _naming(path), quiet_decoders():
        return decode_image(path.read_bytes(), max_pixels=max_pixels)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Say which of several files it is that cannot be decoded."""
    try:
        yield
    except ImageError as error:
        raise ImageError(f"{path}: {error.message}", hint=error.hint) from error


def _segment(predictor: Predictor, image: EncodedImage, clicks: Sequence[Click]) -> Numbered:
    prediction = predictor.predict(image, clicks)
    if prediction.patch.empty:
        raise no_object()
    return Numbered(prediction.patch, prediction.score)


def _told(examples: int, found: int) -> str:
    if not found:
        return "nothing like it was found"
    numbers = f"{examples + 1} to {examples + found}" if found > 1 else str(examples + 1)
    return f"{found} found, numbered {numbers}"
