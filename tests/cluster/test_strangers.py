"""Whoever has no token gets nothing done in the cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import requests

from demo.label_studio import free_port
from demo.ray_head import Head
from edgeflow_backend.cluster.ray_cluster import lets_anybody_in


def test_a_job_without_the_token_is_refused_and_never_runs(head: Head, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    job = {"entrypoint": f"touch {proof}"}
    url = f"{head.dashboard}/api/jobs/"
    for headers in ({}, {"Authorization": "Bearer " + "0" * 64}):
        response = requests.post(url, json=job, headers=headers, timeout=10)
        assert response.status_code in {401, 403}
    assert requests.get(url, timeout=10).status_code == 401
    assert not proof.exists()


def test_an_application_without_the_token_is_refused(head: Head) -> None:
    url = f"{head.dashboard}/api/serve/applications/"
    assert requests.put(url, json={"applications": []}, timeout=10).status_code == 401
    assert requests.delete(url, timeout=10).status_code == 401


def test_the_door_can_tell_that_a_cluster_asks_for_a_token(head: Head) -> None:
    assert not lets_anybody_in(head.address)


def test_doors_without_the_token_do_not_join(head: Head, tmp_path: Path) -> None:
    other = tmp_path / "token"
    other.write_text("0" * 64)
    command = [sys.executable, "-m", "edgeflow_backend.cli", "serve", "--cluster", head.address]
    environment = {**os.environ, **head.environment, "RAY_AUTH_TOKEN_PATH": str(other)}
    doors = [
        subprocess.Popen(
            [*command, "--port", str(free_port())],
            env={**environment, "RAY_AUTH_MODE": mode},
            stderr=subprocess.PIPE,
            text=True,
        )
        for mode in ("disabled", "token")
    ]
    for door in doors:
        _, told = door.communicate(timeout=120)
        assert door.returncode == 1, told
        assert "error: " in told
        assert "hint: " in told
        assert "Traceback" not in told
