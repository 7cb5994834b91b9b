"""Snapshots of a backend in each state of its model."""

from edgeflow_backend.status.report import Cache, Snapshot

READY = Snapshot(
    "ready",
    "edgeflow_lite-99845a7f",
    "torch 2.13.0 cpu float32",
    waiting=2,
    queue_limit=48,
    caches=(Cache("images", 312_400_000, 1_024_000_000), Cache("click states", 0, 512_000_000)),
    label_studios={"": "https://labels.example", "team-b": "http://10.0.0.7:8080"},
    refining={"12": "clicks refine masks of the draft: 2 people annotate each task."},
)
LOADING = Snapshot("loading", "edgeflow_lite", message="the model is still loading", hint="wait")
FAILED = Snapshot("failed", "mine", message="no weights named 'mine'", hint="run `edgeflow models`")
