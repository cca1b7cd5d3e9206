"""`make run`, from the first start through every way in which it can be ended."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
import stat
from pathlib import Path

import asyncpg
import psutil
import pytest

from core.embedded import EmbeddedPostgres
from tests.laptop.run import HOST, Run, Runs, processes, until

pytestmark = pytest.mark.laptop


def test_the_port_is_taken(runs: Runs) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        run = runs.begin(port)
        assert run.process.wait(30) == 1
    assert f"Port {port} of {HOST} is taken." in run.said()
    assert re.search(r"PORT=\d+ make -C \S+ run", run.said())
    assert not (run.home / "postgres").exists()


def test_ready(runs: Runs) -> None:
    run = runs.ready()
    assert run.readyz() == 200
    assert f"http://{HOST}:{run.port}/graphiql" in run.said()
    assert stat.S_IMODE((run.home / "secrets").stat().st_mode) == 0o600


def test_a_second_run_of_the_same_home_is_refused(runs: Runs) -> None:
    run = runs.ready()
    second = Run(run.home)
    assert second.process.wait(30) == 1
    assert f"http://{HOST}:{run.port} (process {run.process.pid}, data in {run.home})" in second.said()
    assert run.readyz() == 200


@pytest.mark.parametrize("name", ["postgres", "valkey-server", "app", "worker"])
def test_what_is_killed_is_started_again(runs: Runs, name: str) -> None:
    run = runs.ready()
    victim = find(run.home, name)
    victim.kill()
    until(lambda: is_running(run.home, name) and run.readyz() == 200, 60)
    assert find(run.home, name) != victim
    assert run.process.poll() is None


def test_everything_ends_with_a_killed_supervisor_and_the_next_start_is_whole(runs: Runs) -> None:
    run = runs.ready()
    asyncio.run(value(run.home, "CREATE TABLE kept AS SELECT 42 AS n"))
    run.kill()
    until(lambda: processes(run.home) == [], 30)
    again = runs.begin(run.port).until_ready()
    assert again.readyz() == 200
    assert asyncio.run(value(run.home, "SELECT n FROM kept")) == 42


def test_a_start_right_after_a_kill_waits_for_what_it_left(runs: Runs) -> None:
    run = runs.ready()
    run.kill()
    assert runs.begin(run.port).until_ready().readyz() == 200


def test_all_killed_at_once(runs: Runs) -> None:
    run = runs.ready()
    for victim in [*processes(run.home), psutil.Process(run.process.pid)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
    run.process.wait()
    assert runs.begin(run.port).until_ready().readyz() == 200


def test_stopped_with_nothing_left(runs: Runs) -> None:
    run = runs.ready()
    assert run.interrupt() == 0
    assert processes(run.home) == []


def test_an_end_while_starting_leaves_nothing(runs: Runs) -> None:
    run = runs.begin()
    until(lambda: "PostgreSQL ready" in run.said(), 30)
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait(60) == 0
    assert processes(run.home) == []


async def value(home: Path, statement: str) -> object:
    """What a statement returns from the database of a running home."""
    connection = await asyncpg.connect(EmbeddedPostgres(home / "postgres").url())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def find(home: Path, name: str) -> psutil.Process:
    """The one process of `home` called `name`: the parent of all others of that name."""
    called = [process for process in processes(home) if is_called(process, name)]
    (first,) = [process for process in called if process.ppid() not in {other.pid for other in called}]
    return first


def is_running(home: Path, name: str) -> bool:
    """Whether a process of `home` is called `name`."""
    return any(is_called(process, name) for process in processes(home))


def is_called(process: psutil.Process, name: str) -> bool:
    """Whether a process is the program, or runs the module, called `name`."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.name() == name or name in process.cmdline()[4:5]
    return False
