from __future__ import annotations

import errno
import hashlib
import os
import random
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from edgeflow_backend.images.disk_cache import ABANDONED_S, HEADER_BYTES, MAGIC, DiskCache

KEY = "http://studio:8080/data/upload/1/a.png"
DATA = bytes(range(256)) * 4
ROOT = Path(__file__).parents[4]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def open_cache(folder: Path, max_bytes: int = 1_000_000, ttl_s: float = 60.0) -> DiskCache:
    return DiskCache(folder, max_bytes=max_bytes, ttl_s=ttl_s)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def only_file(folder: Path) -> Path:
    (path,) = files(folder)
    return path


def total(folder: Path) -> int:
    return sum(path.stat().st_size for path in files(folder))


def age(path: Path, seconds: float) -> None:
    """Make a file look as if it was last used a while ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


# The good case


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=5000), st.text())
def test_what_was_put_comes_back(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, key: str
) -> None:
    cache = open_cache(tmp_path_factory.mktemp("cache"))
    cache.put(key, data)
    assert cache.get(key) == data


def test_an_unknown_key_gives_nothing(folder: Path) -> None:
    assert open_cache(folder).get(KEY) is None
    assert not folder.exists()


def test_a_restart_forgets_nothing(folder: Path) -> None:
    open_cache(folder).put(KEY, DATA)
    assert open_cache(folder).get(KEY) == DATA


def test_each_key_has_its_own_bytes(folder: Path) -> None:
    cache = open_cache(folder)
    for number in range(50):
        cache.put(str(number), b"%d" % number)
    assert [cache.get(str(number)) for number in range(50)] == [b"%d" % n for n in range(50)]


def test_newer_bytes_replace_older_ones(folder: Path) -> None:
    cache = open_cache(folder)
    cache.put(KEY, DATA)
    cache.put(KEY, b"newer")
    assert cache.get(KEY) == b"newer"
    assert len(files(folder)) == 1


def test_a_file_is_named_after_its_key_and_tells_nothing_of_it(folder: Path) -> None:
    open_cache(folder).put(KEY, DATA)
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    path = folder / digest[:2] / digest
    assert only_file(folder) == path
    content = path.read_bytes()
    assert content.startswith(MAGIC)
    assert content[HEADER_BYTES:] == DATA
    assert b"studio" not in content


def test_a_key_may_be_any_text(folder: Path) -> None:
    cache = open_cache(folder)
    for key in ("", "../../etc/passwd", "a\x00b", "\ud800", "x" * 10_000):
        cache.put(key, DATA)
        assert cache.get(key) == DATA
    assert {path.parent.parent for path in files(folder)} == {folder}


def test_only_the_owner_may_read_it(folder: Path) -> None:
    before = os.umask(0)
    try:
        open_cache(folder).put(KEY, DATA)
    finally:
        os.umask(before)
    path = only_file(folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for made in (path.parent, folder):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700


# Nothing wrong ever comes back


def flip(position: int) -> Callable[[bytes], bytes]:
    return lambda content: (
        content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
    )


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda _: b"",
    "cut in the magic": lambda content: content[:3],
    "cut in the header": lambda content: content[: HEADER_BYTES - 1],
    "cut after the header": lambda content: content[:HEADER_BYTES],
    "cut in the middle": lambda content: content[: len(content) // 2],
    "cut by one": lambda content: content[:-1],
    "longer by one": lambda content: content + b"\0",
    "another kind": flip(0),
    "another version": flip(len(MAGIC) - 1),
    "another checksum": flip(len(MAGIC)),
    "another time": flip(HEADER_BYTES - 1),
    "another first byte": flip(HEADER_BYTES),
    "another last byte": flip(-1 + HEADER_BYTES + len(DATA)),
    "an image without header": lambda content: content[HEADER_BYTES:],
    "zeros": lambda content: bytes(len(content)),
    "text": lambda _: b"hello" * 100,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_a_miss_and_is_removed(folder: Path, damage: str) -> None:
    cache = open_cache(folder)
    cache.put(KEY, DATA)
    path = only_file(folder)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert cache.get(KEY) is None
    assert files(folder) == []
    cache.put(KEY, DATA)
    assert cache.get(KEY) == DATA


@settings(deadline=None, max_examples=60)
@given(st.integers(0, HEADER_BYTES + len(DATA) - 1), st.integers(1, 255))
def test_no_altered_byte_goes_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, position: int, change: int
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    cache = open_cache(folder)
    cache.put(KEY, DATA)
    path = only_file(folder)
    content = bytearray(path.read_bytes())
    content[position] ^= change
    path.write_bytes(content)
    assert cache.get(KEY) is None


def test_a_file_under_another_files_name_is_not_taken_for_it(folder: Path) -> None:
    cache = open_cache(folder)
    cache.put("one", b"image of one")
    one = only_file(folder)
    cache.put("two", b"image of two")
    (two,) = set(files(folder)) - {one}
    two.write_bytes(one.read_bytes())
    assert cache.get("two") is None
    assert cache.get("one") == b"image of one"


def test_a_folder_in_a_files_place_is_a_miss(folder: Path) -> None:
    cache = open_cache(folder)
    cache.put(KEY, DATA)
    path = only_file(folder)
    path.unlink()
    path.mkdir()
    assert cache.get(KEY) is None
    cache.put(KEY, DATA)
    assert cache.get(KEY) is None
    small = open_cache(folder, max_bytes=3 * len(DATA))
    for number in range(5):
        small.put(str(number), DATA)
        assert small.get(str(number)) == DATA, "and it is in nobody's way"


def test_a_file_that_may_only_be_read_is_still_a_hit(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = open_cache(folder)
    cache.put(KEY, DATA)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "utime", refuse)
    assert cache.get(KEY) == DATA


# Age


def test_a_file_that_is_too_old_is_a_miss_and_is_removed(folder: Path) -> None:
    cache = open_cache(folder, ttl_s=0.05)
    cache.put(KEY, DATA)
    assert cache.get(KEY) == DATA
    time.sleep(0.08)
    assert cache.get(KEY) is None
    assert files(folder) == []


def test_using_a_file_does_not_prolong_its_time(folder: Path) -> None:
    cache = open_cache(folder, ttl_s=0.2)
    cache.put(KEY, DATA)
    give_up = time.monotonic() + 5
    while cache.get(KEY) is not None and time.monotonic() < give_up:
        time.sleep(0.01)
    assert cache.get(KEY) is None


def test_a_file_of_the_future_is_a_miss(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = open_cache(folder)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7200)
    cache.put(KEY, DATA)
    monkeypatch.undo()
    assert cache.get(KEY) is None


def test_old_files_are_removed_to_make_room(folder: Path) -> None:
    cache = open_cache(folder, ttl_s=60)
    for number in range(5):
        cache.put(str(number), DATA)
    for path in files(folder):
        age(path, 61)
    open_cache(folder, ttl_s=60).put("new", DATA)
    assert len(files(folder)) == 1


# The cap


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 4000)), max_size=40))
def test_the_bytes_on_disk_never_exceed_the_cap(
    tmp_path_factory: pytest.TempPathFactory, puts: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    cache = open_cache(folder, max_bytes=10_000)
    for key, size in puts:
        cache.put(str(key), bytes(size))
        assert total(folder) <= 10_000
        assert cache.get(str(key)) == bytes(size)


def test_the_least_recently_used_file_is_removed_first(folder: Path) -> None:
    size = len(DATA) + HEADER_BYTES
    cache = open_cache(folder, max_bytes=4 * size)
    for number in range(4):
        cache.put(str(number), DATA)
        age(folder / _name(str(number)), 40 - number)
    assert cache.get("0") == DATA  # used, so "1" is the oldest now
    cache.put("4", DATA)
    assert cache.get("1") is None
    assert [cache.get(key) for key in ("0", "3", "4")] == [DATA] * 3


def _name(key: str) -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{digest[:2]}/{digest}"


def test_a_file_larger_than_the_cap_is_not_kept_and_pushes_nothing_out(folder: Path) -> None:
    cache = open_cache(folder, max_bytes=len(DATA) + 2 * HEADER_BYTES)
    cache.put("small", DATA)
    cache.put("large", DATA + bytes(HEADER_BYTES + 1))
    assert cache.get("large") is None
    assert cache.get("small") == DATA


def test_what_another_process_wrote_counts_too(folder: Path) -> None:
    size = len(DATA) + HEADER_BYTES
    one, two = (open_cache(folder, max_bytes=32 * size) for _ in range(2))
    for number in range(100):
        (one if number % 2 else two).put(str(number), DATA)
        assert total(folder) <= 32 * size + 2 * (2 * size), "a sixteenth for each"


def test_files_of_others_are_neither_counted_nor_removed(folder: Path) -> None:
    shard = folder / "ab"
    shard.mkdir(parents=True)
    foreign = [folder / "notes.txt", shard / "notes.txt", folder / "photos" / ("a" * 64)]
    for path in foreign:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(50_000))
        age(path, 10 * ABANDONED_S)
    cache = open_cache(folder, max_bytes=5000)
    for number in range(20):
        cache.put(str(number), DATA)
    assert all(path.stat().st_size == 50_000 for path in foreign)
    assert cache.get("19") == DATA


def test_what_a_dead_process_left_behind_is_removed(folder: Path) -> None:
    cache = open_cache(folder)
    cache.put(KEY, DATA)
    entry = only_file(folder)
    left, fresh = (entry.with_name(f"{entry.name}.{name}.tmp") for name in ("left", "fresh"))
    left.write_bytes(b"half")
    age(left, ABANDONED_S + 1)
    fresh.write_bytes(b"half")
    open_cache(folder).put("other", DATA)
    assert not left.exists()
    assert fresh.exists()
    assert cache.get(KEY) == DATA


# Many at once


@pytest.mark.slow
def test_many_threads_of_several_caches_may_share_a_folder(folder: Path) -> None:
    size = 1000 + HEADER_BYTES
    caches = [open_cache(folder, max_bytes=8 * size) for _ in range(4)]

    def hammer(seed: int) -> None:
        dice = random.Random(seed)
        cache = caches[seed % len(caches)]
        for _ in range(100):
            key = dice.randrange(12)
            if dice.random() < 0.5:
                cache.put(str(key), bytes([key]) * 1000)
            else:
                assert cache.get(str(key)) in (None, bytes([key]) * 1000)

    with capture_logs() as logs, ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8)))
    assert logs == []
    assert all(path.suffix == "" for path in files(folder))


WRITER = """
import sys
from pathlib import Path
from edgeflow_backend.images.disk_cache import DiskCache
cache = DiskCache(Path(sys.argv[1]), max_bytes=10**7, ttl_s=60)
for turn in range(200):
    cache.put("shared", bytes([int(sys.argv[2])]) * 20_000)
    found = cache.get("shared")
    assert found is not None and len(found) == 20_000 and len(set(found)) == 1
"""


@pytest.mark.slow
def test_processes_that_write_the_same_file_never_see_half_of_it(folder: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(number)], cwd=ROOT)
        for number in range(3)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(files(folder)) == 1


# A folder that does not work


def warnings_of(cache: DiskCache) -> list[dict[str, Any]]:
    """Use a cache that cannot work; what it logs."""
    with capture_logs() as logs:
        for _ in range(3):
            cache.put(KEY, DATA)
            assert cache.get(KEY) is None
            cache.put("other", DATA)
    return [dict(entry) for entry in logs]


def check_one_warning(logs: list[dict[str, Any]], folder: Path) -> None:
    (entry,) = logs
    assert entry["log_level"] == "warning"
    assert entry["folder"] == str(folder)
    assert entry["reason"]
    assert "studio" not in str(entry)


def test_a_folder_that_cannot_be_made_is_told_once_and_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    folder = tmp_path / "file" / "cache"
    check_one_warning(warnings_of(open_cache(folder)), folder)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EIO])
def test_a_full_or_unwritable_folder_is_told_once_and_harms_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    check_one_warning(warnings_of(open_cache(folder)), folder)


def test_a_disk_that_fills_up_while_writing_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fdopen = os.fdopen

    class Full:
        """A file whose first bytes fit and the others do not."""

        def __init__(self, descriptor: int, mode: str) -> None:
            self._file = fdopen(descriptor, mode)

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

        def write(self, data: bytes) -> None:
            self._file.write(data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdopen", Full)
    check_one_warning(warnings_of(open_cache(folder)), folder)
    assert files(folder) == []


def test_a_disk_that_recovers_is_used_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = open_cache(folder)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "mkstemp", refuse)
        warnings_of(cache)
    cache.put(KEY, DATA)
    assert cache.get(KEY) == DATA


def test_a_folder_that_vanishes_is_made_again(folder: Path) -> None:
    cache = open_cache(folder)
    cache.put(KEY, DATA)
    only_file(folder).unlink()
    (folder / _name(KEY)).parent.rmdir()
    folder.rmdir()
    assert cache.get(KEY) is None
    cache.put(KEY, DATA)
    assert cache.get(KEY) == DATA
