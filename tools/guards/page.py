"""The table of threats in Markdown, for docs/security.md."""

from __future__ import annotations

from collections.abc import Sequence

from tools.guards.guard import Threat


def threat_table(threats: Sequence[Threat]) -> str:
    """A section for each threat, with a row for each guard."""
    sections = []
    for threat in threats:
        rows = ["| guard | where | test |", "|---|---|---|"]
        for guard in threat.guards:
            tests = "<br>".join(f"`{test}`" for test in guard.tests)
            rows.append(f"| {guard.does} | `{guard.module}` | {tests} |")
        sections.append("\n".join([f"### {threat.name}", "", *rows]))
    return "\n\n".join(sections)
