"""The process that reads foreign weights: whatever they do to it, only it ends.

Run by :func:`edgeflow.checkpoints.convert.isolation.read_source`. It limits its own processor time,
memory and output, reads one source, and leaves the tensors as a safetensors file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from edgeflow.checkpoints.convert.sources import open_source
from edgeflow.errors import EdgeFlowError

NOTE = "note"
"""Key of the metadata: name and sha256 of the source, as JSON."""


def main() -> None:
    """Read ``argv[1]`` into ``argv[2]`` with ``argv[3]`` bytes and ``argv[4]`` seconds.

    An error in words goes to standard output as JSON, with exit code 1.
    """
    source, result, memory, seconds = sys.argv[1:5]
    limit(int(memory), int(seconds))
    try:
        found = open_source(Path(source))
        note = json.dumps({"name": found.name, "sha256": found.sha256})
        tensors = {name: np.ascontiguousarray(each) for name, each in found.tensors.items()}
        save_file(tensors, result, metadata={NOTE: note})
    except EdgeFlowError as error:
        sys.stdout.write(json.dumps({"message": error.message, "hint": error.hint}))
        sys.exit(1)


def limit(memory: int, seconds: int) -> None:
    """Limit what this process may take beyond what it has; nothing where the system cannot."""
    try:
        import resource  # noqa: PLC0415 - Unix only
    except ImportError:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(usage.ru_utime + usage.ru_stime)
    limits = {
        resource.RLIMIT_CPU: spent + seconds,
        resource.RLIMIT_DATA: _data_bytes() + memory,
        resource.RLIMIT_FSIZE: memory,
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in limits.items():
        _, hard = resource.getrlimit(kind)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))


def _data_bytes() -> int:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 1 << 30  # not Linux: generous
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmData")), 0)
