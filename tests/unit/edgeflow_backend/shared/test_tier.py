"""Against a real Redis, and against what only pretends to be one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edgeflow_backend.settings import Settings
from edgeflow_backend.shared.breaker import FAILURES
from edgeflow_backend.shared.connection import RedisMissingError
from edgeflow_backend.shared.tier import MAX_FIELDS, MAX_VALUE_BYTES, Tier, open_tier
from edgeflow_backend.status.metrics import Metrics
from tests.contract.tls import Authority, self_signed
from tests.redis_server import RedisServer, redis_server, tier_of
from tests.unit.edgeflow_backend.shared.liar import LIES, Answer, liar, silence

BODY = os.urandom(1000)
TTL_S = 100.0


@contextmanager
def opened(server: RedisServer | str, **more: Any) -> Iterator[Tier]:
    tier = tier_of(server, **more)
    yield tier
    tier.close()


def counted(tier: Tier) -> dict[str, float]:
    """Lookups and errors by outcome and reason."""
    found: dict[str, float] = {}
    for counter, label in ((tier._metrics.lookups, "outcome"), (tier._metrics.errors, "reason")):
        for sample in next(iter(counter.collect())).samples:
            if sample.name.endswith("_total"):
                found[sample.labels[label]] = sample.value
    return found


def test_values_come_back_and_are_counted(shared_redis: RedisServer) -> None:
    with opened(shared_redis, key="k" * 16) as tier:
        name, other = tier.name("test", "one"), tier.name("test", "other")
        assert tier.get(name) is None
        tier.put(name, BODY, TTL_S)
        assert tier.get(name) == BODY
        assert tier.first([other, name]) == (1, BODY)
        assert tier.first([other]) is None
        assert tier.first([]) is None
        assert counted(tier) == {"miss": 2, "hit": 2}
        assert tier.reached
    assert 90_000 < shared_redis.client.pttl(name) <= TTL_S * 1000


def test_values_are_written_in_the_background(shared_redis: RedisServer) -> None:
    with opened(shared_redis) as tier:
        tier.put_later(tier.name("test", "one"), lambda: BODY, len(BODY), TTL_S)
        assert tier.flush(10)
        assert tier.get(tier.name("test", "one")) == BODY


def test_several_values_under_one_name(shared_redis: RedisServer) -> None:
    with opened(shared_redis) as tier:
        name = tier.name("test", "several")
        assert tier.fields(name) == {}
        for field in ("a", "b", "c"):
            tier.put_field(name, field, field.encode() * 9, TTL_S)
        tier.drop_fields(name, ["b"])
        assert tier.flush(10)
        assert tier.fields(name) == {"a": b"a" * 9, "c": b"c" * 9}
        client = shared_redis.client
        client.hset(name, "b", client.hget(name, "a"))  # moved
        assert tier.fields(name) == {"a": b"a" * 9, "c": b"c" * 9}
        assert counted(tier)["refused"] == 1
        for number in range(3 * MAX_FIELDS):
            client.hset(name, str(number), "x")
        assert tier.fields(name) == {}
        assert tier.flush(10)
        assert not client.exists(name), "it would stay as long as anybody adds to it"


def test_what_is_too_large_is_neither_stored_nor_fetched(shared_redis: RedisServer) -> None:
    with opened(shared_redis) as tier:
        name = tier.name("test", "large")
        tier.put(name, bytes(MAX_VALUE_BYTES), TTL_S)
        assert shared_redis.client.exists(name) == 0
        assert counted(tier) == {"too large": 1}
        shared_redis.client.set(name, bytes(MAX_VALUE_BYTES + 1))
        assert tier.first([name]) is None


def test_a_value_of_another_kind_is_none(shared_redis: RedisServer) -> None:
    with opened(shared_redis) as tier:
        name = tier.name("test", "list")
        shared_redis.client.lpush(name, "x")
        assert tier.get(name) is None
        assert tier.first([name]) is None
        assert tier.fields(name) == {}
        assert counted(tier) == {"refused": 3}
        assert tier.reached, "it answers, and others may be served"


def test_any_changed_byte_in_redis_makes_a_value_none(shared_redis: RedisServer) -> None:
    with opened(shared_redis, key="k" * 16) as tier:
        name = tier.name("test", "poisoned")
        tier.put(name, BODY, TTL_S)
        value = shared_redis.client.get(name)
        for place in [*range(60), *range(60, len(value), 97)]:
            spoiled = bytearray(value)
            spoiled[place] ^= 1 << place % 8
            shared_redis.client.set(name, bytes(spoiled))
            assert tier.get(name) is None
        for part in (value[:-1], value + b"x", value[:36], b""):
            shared_redis.client.set(name, part)
            assert tier.get(name) is None


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_lies_are_none_and_take_no_longer_than_allowed(lie: Answer) -> None:
    with liar(lie) as url, opened(url, call_s=0.1) as tier:
        started = time.monotonic()
        for _ in range(3):
            assert tier.get("name") is None
            assert tier.first(["name", "another"]) is None
            assert tier.fields("name") == {}
            tier.put("name", BODY, TTL_S)
            tier.put_field("name", "field", BODY, TTL_S)
        # Three failures open the breaker; what is wrong but prompt may go on.
        assert time.monotonic() - started < 5
        tier.put_later("name", lambda: BODY, 1, TTL_S)
        tier.flush(5)


def test_a_server_that_is_not_there_is_left_alone_and_found_again(tmp_path: Path) -> None:
    now = 0.0
    with redis_server(tmp_path) as server, opened(server, clock=lambda: now) as tier:
        name = tier.name("test", "one")
        tier.put(name, BODY, TTL_S)
        server.kill()  # in the midst
        for _ in range(FAILURES + 2):
            assert tier.get(name) is None
        assert counted(tier)["connection"] == FAILURES, "then it is left alone"
        shown = tier.describe()
        assert not shown.reached
        assert shown.message.startswith("not reached (connection); all is computed here")
        server.start()
        assert tier.get(name) is None
        now = 6.0
        assert tier.get(name) is None, "it is another one, and empty"
        tier.put(name, BODY, TTL_S)
        assert tier.get(name) == BODY
        assert tier.describe().reached


def test_a_slow_server_costs_a_moment(shared_redis: RedisServer) -> None:
    with opened(shared_redis, call_s=0.1) as tier:
        name = tier.name("test", "slow")
        with shared_redis.halted():
            started = time.monotonic()
            for _ in range(FAILURES + 20):
                assert tier.get(name) is None
            assert time.monotonic() - started < 2
        assert counted(tier) == {"timeout": FAILURES}


def test_a_full_server_keeps_what_it_has(shared_redis: RedisServer) -> None:
    with opened(shared_redis) as tier:
        name, other = tier.name("test", "one"), tier.name("test", "other")
        tier.put(name, BODY, TTL_S)
        shared_redis.client.config_set("maxmemory", "1mb")
        try:
            tier.put(other, BODY, TTL_S)
            assert tier.get(other) is None
            assert tier.get(name) == BODY
            assert counted(tier)["full"] == 1
            assert tier.reached
        finally:
            shared_redis.client.config_set("maxmemory", "0")


def test_a_server_that_evicts_has_values_or_has_none(shared_redis: RedisServer) -> None:
    client = shared_redis.client
    used = int(client.info("memory")["used_memory"])
    client.config_set("maxmemory", str(used + 300_000))
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with opened(shared_redis) as tier:
            names = [tier.name("test", str(number)) for number in range(60)]
            for name in names:
                tier.put(name, BODY * 20, TTL_S)
            found = [tier.get(name) for name in names]
            assert None in found
            assert BODY * 20 in found
            assert set(found) == {None, BODY * 20}
    finally:
        client.config_set("maxmemory", "0")
        client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_is_told_without_repeating_it(
    shared_redis: RedisServer, password: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"redis://:{password}@127.0.0.1:{shared_redis.port}/0"
    with opened(url) as tier:
        for _ in range(FAILURES):
            assert tier.get("name") is None
        assert counted(tier) == {"authentication": FAILURES}
        assert "authentication" in tier.describe().message
    shown = "".join(capsys.readouterr())
    assert "redis is not reached" in shown
    assert "wrong" not in shown


def test_tls_is_checked(tmp_path: Path) -> None:
    authority, another = Authority(tmp_path / "a"), Authority(tmp_path / "b")
    with redis_server(tmp_path, authority.certificate(), authority.file) as server:
        with opened(server) as tier:
            name = tier.name("test", "one")
            tier.put(name, BODY, TTL_S)
            assert tier.get(name) == BODY
        for trusted in (another.file, None):
            server.ca = trusted
            with opened(server) as tier:
                assert tier.get(name) is None
                assert counted(tier) == {"connection": 1}
        server.ca = authority.file
        with opened(server.url.replace("rediss", "redis")) as tier:
            assert tier.get(name) is None
        with opened(server.url.replace("localhost", "127.0.0.1")) as tier:
            tier.put(name, BODY, TTL_S)
            assert counted(tier) == {"connection": 1}, "the certificate is for localhost"
    itself = self_signed(tmp_path / "c")
    with redis_server(tmp_path / "d", itself, itself) as server:
        server.ca = authority.file
        with opened(server) as tier:
            assert tier.get(name) is None
            assert counted(tier) == {"connection": 1}


def test_without_a_url_there_is_no_tier_and_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    assert open_tier(Settings(), "tests", Metrics()) is None
    with pytest.raises(RedisMissingError, match="not installed"):
        open_tier(Settings(redis_url="redis://localhost"), "tests", Metrics())


def test_a_tier_opens_without_a_server() -> None:
    settings = Settings(redis_url="redis://127.0.0.1:1", redis_key="k" * 16)
    tier = open_tier(settings, "tests", Metrics())
    assert tier is not None
    assert tier.get("name") is None
    assert tier.describe().message == "reached", "one failure may be chance"
    tier.close()


def test_writes_do_not_pile_up_before_a_silent_server() -> None:
    with liar(silence) as url, opened(url, call_s=0.05, queue_bytes=1000) as tier:
        started = time.monotonic()
        for _ in range(500):
            tier.put_later("name", lambda: BODY, 100, TTL_S)
        assert time.monotonic() - started < 5, "each waited for the server"
        assert tier._writer._nbytes <= 1000
        assert counted(tier)["dropped"] >= 400
