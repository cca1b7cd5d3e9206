"""`make run`, from the first start through every way in which it can be ended."""

from __future__ import annotations

import contextlib
import signal
import socket
import stat
from pathlib import Path

import psutil
import pytest

from core.embedded import EmbeddedPostgres
from tests.laptop.run import HOST, Run, processes, until

pytestmark = pytest.mark.laptop


def test_the_port_is_taken(home: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        run = Run(home, port)
        assert run.process.wait(30) == 1
    assert f"Port {port} of {HOST} is taken." in run.said()
    assert f"PORT={port + 1} make -C " in run.said()
    assert not (home / "postgres").exists()


def test_ready_and_stopped_with_nothing_left(run: Run, home: Path) -> None:
    assert run.readyz() == 200
    assert f"http://{HOST}:{run.port}/graphiql" in run.said()
    assert stat.S_IMODE((home / "secrets").stat().st_mode) == 0o600
    assert run.interrupt() == 0
    assert processes(home) == []


def test_a_second_run_of_the_same_home_is_refused(run: Run, home: Path) -> None:
    second = Run(home)
    assert second.process.wait(30) == 1
    assert f"http://{HOST}:{run.port} (process {run.process.pid}, data in {home})" in second.said()
    assert run.readyz() == 200


def test_everything_ends_with_a_killed_supervisor_and_the_next_start_is_whole(run: Run, home: Path) -> None:
    run.kill()
    until(lambda: processes(home) == [], 30)
    again = Run(home, run.port).until_ready()
    assert again.readyz() == 200
    assert again.interrupt() == 0


def test_a_start_right_after_a_killed_one_waits_for_what_it_left(run: Run, home: Path) -> None:
    run.kill()
    again = Run(home, run.port).until_ready()
    assert again.readyz() == 200
    assert again.interrupt() == 0


def test_all_killed_at_once(run: Run, home: Path) -> None:
    victims = [*processes(home), psutil.Process(run.process.pid)]
    for victim in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
    run.process.wait()
    again = Run(home, run.port).until_ready()
    assert again.readyz() == 200
    assert again.interrupt() == 0


@pytest.mark.parametrize("name", ["postgres", "valkey-server", "app", "worker"])
def test_what_is_killed_is_started_again(run: Run, home: Path, name: str) -> None:
    victim = find(home, name)
    victim.kill()
    until(lambda: "was ended by SIGKILL; it is started again" in run.said(), 30)
    until(lambda: any(is_called(process, name) for process in processes(home)) and run.readyz() == 200, 60)
    assert run.interrupt() == 0
    assert processes(home) == []


def test_an_end_while_starting_leaves_nothing(home: Path) -> None:
    run = Run(home)
    until(lambda: "PostgreSQL ready" in run.said(), 30)
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait(30) == 0
    assert processes(home) == []


def test_the_data_stays(home: Path) -> None:
    with EmbeddedPostgres(home / "postgres") as postgres:
        assert (postgres.data_dir / "PG_VERSION").read_text() == "18\n"


def find(home: Path, name: str) -> psutil.Process:
    """The one process of `home` called `name`: the parent of all others of that name."""
    called = [process for process in processes(home) if is_called(process, name)]
    (first,) = [process for process in called if process.ppid() not in {other.pid for other in called}]
    return first


def is_called(process: psutil.Process, name: str) -> bool:
    """Whether a process is the program, or runs the module, called `name`."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.name() == name or name in process.cmdline()[4:5]
    return False
