"""All that makes exports go wrong, in a real Label Studio: every format gives back what was drawn.

Each format is read by software that shares no code with its writer. What Label Studio's own exports
give on the same projects stands beside it, as measured on 1.23.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from demo.label_studio import EMAIL, TOKEN, Client
from edgeflow.cli import app
from edgeflow.export.formats.table import FORMATS
from tests.e2e.conftest import Studio
from tests.e2e.export_project import KINDS, SECOND_ANNOTATOR, SIGNATURE, create, serve_pictures
from tests.e2e.export_truth import BARE, BY_SECOND, CANCELLED, files, pictures
from tests.e2e.format_readers import READERS, Found, Wanted, kept, read_coco, worst_iou

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

READINGS = [(format, reader) for format, readers in READERS.items() for reader in readers]


@dataclass(frozen=True)
class Projects:
    """The projects of this module.

    Attributes:
        url: Label Studio's.
        client: Of the first annotator.
        numbers: Id of each project.
        images: Folder of the pictures.
    """

    url: str
    client: Client
    numbers: dict[str, int]
    images: Path

    def export(self, project: str, folder: Path, *options: str, images: bool = True) -> Result:
        """Run the command, as a user would."""
        command = ["export", "--url", self.url, "--project", str(self.numbers[project])]
        where = ["--images", str(self.images)] if images else []
        result = CliRunner().invoke(
            app,
            [*command, *where, "--pictures", "copy", "-o", str(folder), *options],
            env={"LABEL_STUDIO_API_KEY": TOKEN},
        )
        assert result.exit_code == 0, result.output
        return result


@pytest.fixture(scope="module")
def projects(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Projects]:
    images = tmp_path_factory.mktemp("pictures")
    for name, content in files().items():
        (images / name).write_bytes(content)
    with serve_pictures() as host:
        yield Projects(studio.url, studio.client, create(studio.client, host.url), images)


@pytest.fixture(scope="module")
def exported(projects: Projects, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every project in all formats at once: the folder of each project, with one a format."""
    folder = tmp_path_factory.mktemp("exported")
    for name in KINDS:
        # One format alone would be written into the folder itself.
        formats = list(FORMATS) if len(FORMATS) > 1 else []
        for each in [",".join(formats)] if formats else FORMATS:
            into = folder / name if formats else folder / name / each
            projects.export(name, into, "--format", each)
    return {name: folder / name for name in KINDS}


def test_every_format_has_a_reader_that_is_not_ours() -> None:
    assert sorted(READERS) == sorted(FORMATS)


def test_the_project_is_as_it_was_planned() -> None:
    """Twelve tasks; all of the pictures, and two that are not exported."""
    tasks = [names for kind in KINDS.values() for names in kind.tasks]
    assert len(tasks) == 12
    shown = [name for names in tasks for name in names]
    assert sorted(shown) == sorted([*pictures(), CANCELLED.name, BARE.name])


@pytest.mark.parametrize(("format", "reader"), READINGS, ids=lambda each: str(each))
def test_what_was_drawn_is_what_another_reader_finds(
    exported: dict[str, Path], format: str, reader: str
) -> None:
    row = READERS[format][reader]
    found: dict[str, list[Found]] = {}
    for folder in exported.values():
        for each in row.read(folder / format):
            found.setdefault(each.picture, []).append(each)
    wanted = {
        name if row.extension else Path(name).stem: [
            Wanted(each.label, each.mask) for each in picture.drawn
        ]
        for name, picture in pictures().items()
    }
    assert sorted(found) == sorted(wanted)
    worst = {
        name: worst_iou(kept(drawn, row.keeps), found[name]) for name, drawn in wanted.items()
    }
    assert min(worst.values()) >= row.iou, worst


@pytest.mark.parametrize("format", FORMATS)
def test_no_file_tells_who_annotated_nor_how_to_get_in(
    exported: dict[str, Path], format: str
) -> None:
    secrets = (EMAIL.encode(), SECOND_ANNOTATOR.encode(), TOKEN.encode(), SIGNATURE.encode())
    written = [
        path for folder in exported.values() for path in (folder / format).rglob("*")
        if path.is_file()
    ]  # fmt: skip
    assert written
    for path in written:
        content = path.name.encode() + path.read_bytes()
        assert not [secret for secret in secrets if secret in content], path


@pytest.mark.parametrize("format", FORMATS)
def test_a_second_run_writes_the_same_bytes(
    projects: Projects, exported: dict[str, Path], tmp_path: Path, format: str
) -> None:
    for name, folder in exported.items():
        projects.export(name, tmp_path / name, "--format", format)
        assert _contents(tmp_path / name) == _contents(folder / format)


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
