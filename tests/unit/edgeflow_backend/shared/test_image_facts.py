from __future__ import annotations

import pytest

from edgeflow.geometry import Size
from edgeflow_backend.shared.image_facts import KIND, Facts, ImageFacts
from edgeflow_backend.shared.packing import Packer
from tests.redis_server import RedisServer, tier_of

FACTS = Facts(Size(480, 640), "ab" * 32)
URL = "https://labels.example/data/upload/1/photo.png?token=secret"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def test_facts_are_known_to_another_process_until_the_image_is_fetched_again(
    shared_redis: RedisServer,
) -> None:
    clock, ours, theirs = Clock(), tier_of(shared_redis), tier_of(shared_redis)
    ImageFacts(ours, 600, clock).put(URL, FACTS)
    assert ours.flush(10)
    facts = ImageFacts(theirs, 600, clock)
    assert facts.get(URL) == FACTS
    assert facts.get("team-b " + URL) is None, "another Label Studio's tasks need not open it"
    clock.now += 601
    assert facts.get(URL) is None
    clock.now -= 700
    assert facts.get(URL) is None, "from the future: a clock was set"
    stored = b"".join(shared_redis.client.dump(key) + key for key in shared_redis.client.keys("*"))
    assert b"secret" not in stored
    assert b"labels" not in stored
    ours.close()
    theirs.close()


@pytest.mark.parametrize(("height", "digest"), [(0, "ab" * 32), (480, "no digest"), (-1, "")])
def test_facts_that_make_no_sense_are_none(
    shared_redis: RedisServer, height: int, digest: str
) -> None:
    tier, packer = tier_of(shared_redis), Packer()
    packer.real(Clock.now)
    packer.number(height)
    packer.number(640)
    packer.text(digest)
    tier.put(tier.name(KIND, URL), packer.bytes(), 100)
    assert ImageFacts(tier, 600, Clock()).get(URL) is None
    tier.close()
