"""``edgeflow import``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from edgeflow.annotated import Annotations
from edgeflow.cli.label_studio import URL, APIKey, open_api
from edgeflow.cli.options import Images, Layout, Split
from edgeflow.cli.preannotation.options import (
    INCOMPLETE,
    AsOption,
    ControlKind,
    Label,
    LocalFiles,
    Output,
    Project,
    TargetConfig,
    Tolerance,
    URLPrefix,
    as_what,
    check_tasks_file,
    image_urls,
    path_of,
    tag_of,
    what_is_shown,
)
from edgeflow.data.annotators import FIRST
from edgeflow.data.drawn_tasks import read_label_config
from edgeflow.errors import EdgeFlowError
from edgeflow.export.reading.sources import open_annotations
from edgeflow.files import write_atomically
from edgeflow.label_studio.config.label_config import TaskConfig, parse_label_config
from edgeflow.label_studio.region_values import PolygonOptions
from edgeflow.preannotation.image_urls import BelowPrefix, ImageURLs
from edgeflow.preannotation.importing import FileImport, WrittenConfig
from edgeflow.preannotation.mask_controls import KINDS, mask_controls
from edgeflow.preannotation.project import ProjectImport
from edgeflow.preannotation.tasks import Report, TaskForm


def import_data(
    source: Annotated[
        Path, typer.Argument(help="Annotated images: whatever `edgeflow datasets` reads.")
    ],
    output: Output = Path("tasks.json"),
    url: URL = "",
    project: Project = None,
    api_key: APIKey = "",
    as_: AsOption = "predictions",
    control: ControlKind = None,
    label_config: TargetConfig = None,
    image_url_prefix: URLPrefix = None,
    local_files: LocalFiles = None,
    label: Label = None,
    model_version: Annotated[
        str, typer.Option(help="Model version that predictions are stored under.")
    ] = "import",
    tolerance: Tolerance = 1.0,
    annotator: Annotated[
        str, typer.Option(help="Of Label Studio tasks: whose annotation counts, as for export.")
    ] = FIRST,
    layout: Layout = "auto",
    split: Split = None,
    images: Images = None,
    source_label_config: Annotated[
        Path | None,
        typer.Option(
            help="File with the labelling config of the Label Studio project that SOURCE is from."
        ),
    ] = None,
) -> None:
    """Make Label Studio tasks of annotated images, so that clicks refine their masks.

    Into a project, a second run makes no task twice. Exits with 3 if something was lost.
    """
    form = TaskForm(as_what(as_), model_version, PolygonOptions(tolerance=tolerance), label)
    kind, urls = tag_of(control), image_urls(image_url_prefix, local_files)
    if project is None:
        made_config = output.with_suffix(".xml") if label_config is None else None
        read = [each for each in (source, images, label_config, source_label_config) if each]
        check_tasks_file(output, made_config, read)
    elif label_config is not None:
        raise EdgeFlowError(
            "the project has a labelling config of its own", hint="leave --label-config out"
        )
    annotations = open_annotations(
        source,
        layout=layout,
        split=split,
        images=images,
        label_config=source_label_config,
        annotator=annotator,
    )
    report = Report()
    if project is not None:
        api = open_api(url, api_key)
        record = api.project(project)
        controls = mask_controls(parse_label_config(record.label_config).for_task(None), kind)
        into = ProjectImport(api, project, annotations, controls, urls, form, path_of(url))
        _follow(into.run(report), annotations)
        typer.echo(_in_project(project, report))
        for line in what_is_shown(record, form):
            typer.echo(line)
    else:
        target = read_label_config(label_config).for_task(None) if label_config else None
        made = _write(output, annotations, target, kind, urls or BelowPrefix(), form, report)
        typer.echo(f"{output}: {report.count['tasks']} tasks, {report.count['objects']} objects")
        if made is not None:
            write_atomically(output.with_suffix(".xml"), made.encode())
            typer.echo(f"{output.with_suffix('.xml')}: the labelling config for the project")
    for line in report.lines():
        typer.echo(line)
    if not report.complete:
        raise typer.Exit(INCOMPLETE)


def _write(
    output: Path,
    annotations: Annotations,
    config: TaskConfig | None,
    kind: str | None,
    urls: ImageURLs,
    form: TaskForm,
    report: Report,
) -> str | None:
    """Write the tasks; without a labelling config, returns one that fits them."""
    if config is not None:
        controls = mask_controls(config, kind)
        _follow(FileImport(annotations, controls, urls, form).write(output, report), annotations)
        return None
    made = WrittenConfig(kind or KINDS["brush"], annotations, form.label)
    form = replace(form, label=made.label)
    into = FileImport(annotations, made.controls, urls, form)
    _follow(into.write(output, report), annotations)
    return made.xml(list(report.labels))


def _follow(steps: Iterator[int], annotations: Annotations) -> None:
    with typer.progressbar(steps, label=annotations.name, length=annotations.count) as bar:
        for _ in bar:
            pass


def _in_project(project: int, report: Report) -> str:
    count = report.count
    added = f", {count['added']} had the image and got masks" if count["added"] else ""
    return (
        f"project {project}: {count['tasks']} tasks made with {count['objects']} objects{added}, "
        f"{count['there']} were there"
    )
