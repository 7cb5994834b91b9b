from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from types import SimpleNamespace

import grpc
import pytest
import ray

from edgeflow_backend.cluster import ray_cluster
from edgeflow_backend.cluster.errors import ClusterError
from edgeflow_backend.cluster.join import fingerprint_of
from edgeflow_backend.settings import Settings

Code = grpc.StatusCode


class _Head(grpc.GenericRpcHandler):  # type: ignore[misc]  # untyped
    """Answers every call alike."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    def service(self, _: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        def answer(_: bytes, context: grpc.ServicerContext) -> bytes:
            if self._code is not Code.OK:
                context.abort(self._code, "no")
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
def head(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a head that answers strangers with the test's parameter."""
    pool = futures.ThreadPoolExecutor(1)
    server = grpc.server(pool, [_Head(request.param)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    ended: threading.Event = server.stop(None)
    ended.wait(5)
    pool.shutdown()


@pytest.mark.parametrize("head", [Code.UNAUTHENTICATED], indirect=True)
def test_a_head_that_asks_for_a_token_is_no_open_door(head: str) -> None:
    assert not ray_cluster.lets_anybody_in(head)


@pytest.mark.parametrize(
    "head", [Code.OK, Code.UNIMPLEMENTED, Code.INVALID_ARGUMENT], indirect=True
)
def test_any_other_answer_counts_as_open(head: str) -> None:
    assert ray_cluster.lets_anybody_in(head)


def test_a_head_that_speaks_to_members_only_is_no_open_door() -> None:
    """Mutual TLS ends the connection of a stranger, as nothing there does."""
    assert not ray_cluster.lets_anybody_in("127.0.0.1:1")


@pytest.mark.parametrize("head", [Code.OK], indirect=True)
def test_a_door_leaves_a_cluster_that_lets_anybody_in_unless_told_to_stay(
    head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[bool] = []
    joined = SimpleNamespace(gcs_address=head)
    monkeypatch.setattr(ray, "init", lambda *_, **__: None)
    monkeypatch.setattr(ray, "get_runtime_context", lambda: joined)
    monkeypatch.setattr(ray, "shutdown", lambda: left.append(True))
    with pytest.raises(ClusterError, match="asks for no token") as caught:
        ray_cluster.connect("auto", allow_open=False)
    assert "EDGEFLOW_CLUSTER_WITHOUT_TOKEN" in caught.value.hint
    assert left == [True]
    ray_cluster.connect("auto", allow_open=True)
    assert left == [True]


def test_settings_and_their_secrets_are_told_apart() -> None:
    same = [Settings(label_studio_api_key=key) for key in ("a" * 40, "a" * 40, "b" * 40)]
    first, again, other = map(fingerprint_of, same)
    assert first == again != other
    assert fingerprint_of(Settings(zoom="ritm")) != fingerprint_of(Settings())
    assert "a" * 40 not in first


ASKED = """
from edgeflow_backend.cluster.join import fingerprint_of
from edgeflow_backend.settings import Settings
print(fingerprint_of(Settings()))
"""


def test_a_door_that_starts_again_has_the_same_fingerprint() -> None:
    """Whatever order its process gives to sets: otherwise it would replace all replicas."""
    set_up = {
        "EDGEFLOW_LABEL_STUDIO_HOSTS": '{"a": {"url": "http://a", "api_key": "0123456789"}}',
        "EDGEFLOW_REDIS_KEY": "k" * 16,
    }
    found = {
        subprocess.run(
            [sys.executable, "-c", ASKED],
            env={**os.environ, **set_up, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in range(3)
    }
    assert len(found) == 1
