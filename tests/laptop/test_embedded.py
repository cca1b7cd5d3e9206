"""PostgreSQL and Valkey from wheels: what a start makes of what an earlier one left."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from core.embedded import EmbeddedPostgres, EmbeddedValkey, StartFailed
from core.embedded.launch import LONGEST_SOCKET_PATH
from tests.laptop.run import until

pytestmark = pytest.mark.laptop
STARTS_AND_TELLS = """
import sys, time
from core.embedded import EmbeddedPostgres, EmbeddedValkey
postgres, valkey = EmbeddedPostgres(sys.argv[1] + "/postgres").start(), EmbeddedValkey(sys.argv[1] + "/valkey").start()
print(postgres.pid, valkey.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def above() -> Iterator[Path]:
    """A folder that only its owner can enter."""
    folder = Path(tempfile.mkdtemp(prefix="jetway-embedded-")).resolve()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def postgres(above: Path) -> EmbeddedPostgres:
    """A server that each test starts and ends; it has a table with one row for each `write()`."""
    return EmbeddedPostgres(above / "postgres")


async def value(server: EmbeddedPostgres, statement: str) -> object:
    """The one value that a statement returns."""
    connection = await asyncpg.connect(server.url())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_what_was_committed_outlives_a_kill(postgres: EmbeddedPostgres) -> None:
    with postgres:
        await value(postgres, "CREATE TABLE kept (n int)")
        await value(postgres, "INSERT INTO kept VALUES (1)")
        postgres.kill()
        postgres.start()
        assert await value(postgres, "SELECT sum(n) FROM kept") == 1
        assert await value(postgres, "SHOW synchronous_commit") == "on"


@pytest.fixture
def unrelated() -> Iterator[subprocess.Popen[bytes]]:
    """A live process that has nothing to do with any database."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.communicate(b"\n")


async def test_a_pid_file_that_names_an_unrelated_process(
    postgres: EmbeddedPostgres, unrelated: subprocess.Popen[bytes]
) -> None:
    pid_file = postgres.data_dir / "postmaster.pid"
    pid_file.write_text(f"{unrelated.pid}\n{postgres.data_dir}\n1\n5432\n\n\n\nready\n")
    with postgres:
        assert await value(postgres, "SELECT 1") == 1
    assert unrelated.poll() is None


async def test_a_server_left_running_is_ended_first(postgres: EmbeddedPostgres) -> None:
    with postgres:
        left = psutil.Process(postgres.pid)
        with EmbeddedPostgres(postgres.data_dir) as second:
            assert left.status() == psutil.STATUS_ZOMBIE  # ended; ours to collect
            assert await value(second, "SELECT sum(n) FROM kept") == 1


async def test_a_first_start_that_was_killed_half_way(above: Path) -> None:
    half = above / "first.new-abc"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(above / "first") as first:
        assert await value(first, "SELECT current_database()") == "jetway"
    assert not half.exists()


async def test_a_path_too_long_for_a_socket(above: Path) -> None:
    folder = above / ("long" * 25)
    with EmbeddedPostgres(folder / "postgres") as server, EmbeddedValkey(folder / "valkey") as valkey:
        assert len(os.fsencode(server.data_dir)) > LONGEST_SOCKET_PATH
        assert await value(server, "SELECT 1") == 1
        with redis.Redis.from_url(valkey.url) as client:
            assert client.ping()


def test_a_folder_that_is_no_database_says_why(above: Path) -> None:
    folder = above / "other"
    folder.mkdir()
    (folder / "PG_VERSION").write_text("9\n")
    with pytest.raises(StartFailed, match="while starting"):
        EmbeddedPostgres(folder).start()
    assert (folder / "PG_VERSION").read_text() == "9\n"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems clear leftovers at the next start instead")
def test_both_end_with_their_starter(above: Path) -> None:
    command = [sys.executable, "-c", STARTS_AND_TELLS, str(above)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pids = [int(pid) for pid in starter.stdout.readline().split()]
        assert all(psutil.pid_exists(pid) for pid in pids)
        starter.kill()
    until(lambda: not any(psutil.pid_exists(pid) for pid in pids), 30)


def test_valkey_keeps_what_it_was_told(above: Path) -> None:
    with EmbeddedValkey(above / "valkey") as valkey:
        with redis.Redis.from_url(valkey.url) as client:
            client.set("kept", "1")
        valkey.stop()
        valkey.start()
        with redis.Redis.from_url(valkey.url) as client:
            assert client.get("kept") == b"1"


def test_valkey_starts_empty_rather_than_not_at_all(above: Path) -> None:
    files = above / "valkey" / "appendonlydir"
    for file in files.glob("*.aof"):
        file.write_bytes(b"no such thing")
    with EmbeddedValkey(above / "valkey") as valkey, redis.Redis.from_url(valkey.url) as client:
        assert client.dbsize() == 0
    assert (above / "valkey" / "unreadable").is_dir()
