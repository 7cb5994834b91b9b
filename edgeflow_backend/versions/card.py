"""What a model folder says of a version: its manifest entry and its card."""

from __future__ import annotations

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.checkpoints.manifest import ModelEntry
from edgeflow_backend.versions.version import Facts


def entry_of(base: Checkpoint, file: str, digest: str, facts: Facts) -> ModelEntry:
    """The manifest entry of weights made from others, which they resemble in all but the figures.

    Args:
        base: The others.
        file: File name of the weights.
        digest: Their SHA-256, in hex.
        facts: The version's.
    """
    return base.entry.model_copy(
        update={
            "file": file,
            "sha256": digest,
            "use": f"the project that it was learnt from; begun as {base.entry.use}",
            "licence": f"of the base weights: {base.entry.licence}; of what was learnt from: the "
            "images' and annotations' own",
            "trained_on": f"{base.name}, then {facts.objects} accepted objects of one project",
            "metrics": {},
            "metrics_note": "the gate's figures are in version.json",
            "source": None,
            "statistics": None,
        }
    )


def card(name: str, base: Checkpoint, entry: ModelEntry, facts: Facts) -> str:
    """The model card, in Markdown."""
    verdict = "accepted" if facts.accepted else f"refused: {facts.reason}"
    return f"""# {name}

* Architecture: `{entry.architecture}`, feeds back its {entry.feedback}.
* File: `{entry.file}`, sha256 `{entry.sha256}`, float16.
* Made from `{base.version}`, sha256 `{facts.base}`, at {facts.made_at}.
* Training: {facts.objects} accepted objects of one Label Studio project.
* The gate's verdict: {verdict}; its figures are in `version.json`.
* Intended use: {entry.use}; interactive segmentation with a person who checks every mask.
* Licence: {entry.licence}.

What it learnt from is private to that project; weights may give parts of it away. Share it with
nobody who may not see the project's images.
"""
