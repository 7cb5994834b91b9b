from __future__ import annotations

from tests.redis_server import running_redis, shared_redis

__all__ = ["running_redis", "shared_redis"]
