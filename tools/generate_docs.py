"""Write the pages that follow from code: commands, settings, configs, rooms, threats, the HTTP API.

``python -m tools.generate_docs`` rewrites them, ``--check`` only compares. The text is built from
Typer's own parameters instead of rendered help, so the terminal's width and colours do not matter.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from pydantic import SecretStr
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

import edgeflow.cli
import edgeflow_backend.cli
from edgeflow.label_studio.config.labels import Label
from edgeflow.label_studio.config.recommended import RECOMMENDATIONS, recommended_config
from edgeflow_backend.openapi.document import describe
from edgeflow_backend.settings import Settings
from tools.guards.page import threat_table
from tools.guards.table import THREATS

DOCS = Path(__file__).parents[1] / "docs"
COMMANDS = {"edgeflow": edgeflow.cli.app, "edgeflow-backend": edgeflow_backend.cli.app}
EXAMPLES = {
    "one": (Label("Coin"),),
    "several": (Label("Small coin"), Label("Large coin")),
}
"""Labels of the recommended labelling configs that are shown, by their number."""
PACKAGES = ("edgeflow", "edgeflow_backend")
_ROLE = re.compile(r":\w+:`|``")
"""Of reStructuredText: what Markdown writes as a plain code span."""
BEGIN, END = "<!-- begin generated: make reference -->", "<!-- end generated -->"


def pages() -> dict[Path, str]:
    """Every generated page with the text it should have."""
    settings, configs = DOCS / "settings.md", DOCS / "labelling-configs.md"
    how, security = DOCS / "how-it-works.md", DOCS / "security.md"
    return {
        DOCS / "reference" / "cli.md": cli_page(),
        DOCS / "reference" / "openapi.json": json.dumps(describe(), indent=2) + "\n",
        settings: _with_part(settings, settings_table()),
        configs: _with_part(configs, recommended_configs()),
        how: _with_part(how, rooms()),
        security: _with_part(security, threat_table(THREATS)),
    }


def _with_part(page: Path, part: str) -> str:
    """A page with its generated part as it should be."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{part}\n\n{END}{after}"


def recommended_configs() -> str:
    """A section for each recommended labelling config, with its picture."""
    sections = []
    for kind, row in RECOMMENDATIONS.items():
        exports = ", ".join(("JSON", *row.exports))
        for number, labels in EXAMPLES.items():
            title = f"{kind}, {number} label{'s' * (len(labels) > 1)}"
            sections += [
                f"## {title}",
                f"```xml\n{recommended_config(kind, labels)}\n```",
                f"Label Studio's exports with these masks and labels: {exports}.",
                f"![{title}, in the editor](assets/config-{kind.lower()}-{number}.jpg)",
            ]
    return "\n\n".join(sections)


def rooms() -> str:
    """A table for each package: its folders, then its modules, each with what it is about."""
    tables = []
    for package in PACKAGES:
        folders = sorted(DOCS.parent.glob(f"{package}/*/__init__.py"))
        modules = [p for p in sorted(DOCS.parent.glob(f"{package}/*.py")) if p.stem != "__init__"]
        rows = [f"| `{package}/` | |", "|---|---|"]
        for path, name in [
            *((path, f"{path.parent.name}/") for path in folders),
            *((path, path.stem) for path in modules),
        ]:
            summary = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split(
                "\n\n"
            )[0]
            rows.append(f"| `{name}` | {_ROLE.sub('`', _cell(summary)).rstrip('.')} |")
        tables.append("\n".join(rows))
    return "\n\n".join(tables)


def settings_table() -> str:
    """A row for each environment variable: name, default and meaning."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if isinstance(field.default, SecretStr) else str(field.default)
        rows.append(
            f"| `EDGEFLOW_{name.upper()}` | {_code(default)} | {_cell(field.description)} |"
        )
    return "\n".join(rows)


def cli_page() -> str:
    """The reference of both commands, in Markdown."""
    sections = [
        "# Command reference",
        "Every argument and option. [Command line](../command-line.md) has examples.",
    ]
    for program, app in COMMANDS.items():
        group = typer.main.get_command(app)
        assert isinstance(group, TyperGroup), program
        sections += [f"## {program}", group.help or ""]
        for name, command in _commands(group):
            arguments = [each for each in command.params if isinstance(each, TyperArgument)]
            options = [
                each for each in command.params if isinstance(each, TyperOption) and not each.hidden
            ]
            usage = [program, name, *(_metavar(each) for each in arguments), "[OPTIONS]"]
            sections += [
                f"### {program} {name}",
                "```text\n" + " ".join(usage) + "\n```",
                command.help or "",
            ]
            rows = [*_argument_rows(arguments), *_option_rows(options)]
            if rows:
                sections.append("\n".join(["| | default | |", "|---|---|---|", *rows]))
    return "\n\n".join(section for section in sections if section) + "\n"


def _commands(group: TyperGroup, before: str = "") -> Iterator[tuple[str, TyperCommand]]:
    """A group's commands, those of its groups included, by their whole names."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _commands(command, f"{before}{name} ")
        else:
            assert isinstance(command, TyperCommand), name
            yield f"{before}{name}", command


def _argument_rows(arguments: list[TyperArgument]) -> Iterator[str]:
    for each in arguments:
        yield f"| `{_metavar(each)}` | {_default(each)} | {_cell(each.help)} |"


def _option_rows(options: list[TyperOption]) -> Iterator[str]:
    for each in options:
        names = ", ".join(f"`{name}`" for name in (*each.opts, *each.secondary_opts))
        meaning = _cell(each.help)
        if each.multiple and "repeat" not in meaning:
            meaning += " Repeatable."
        if each.envvar:
            meaning += f" Also read from `{each.envvar}`."
        yield f"| {names} | {_default(each)} | {meaning} |"


def _metavar(argument: TyperArgument) -> str:
    return argument.metavar or (argument.name or "").upper()


def _default(parameter: TyperArgument | TyperOption) -> str:
    if parameter.required:
        return "required"
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    if isinstance(parameter.default, bool):
        return "on" if parameter.default else "off"
    return "" if parameter.default is None else _code(str(parameter.default))


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("\n", " ")


def main() -> None:
    """Write or compare the pages; exit with 1 if a compared page is out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    stale = [
        path
        for path, text in pages().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(pages()[path], encoding="utf-8")
        sys.stdout.write(
            f"{'out of date' if check else 'written'}: {path.relative_to(DOCS.parent)}\n"
        )
    if check and stale:
        sys.exit("run `make reference`")


if __name__ == "__main__":
    main()
