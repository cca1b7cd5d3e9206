"""What every test may ask for: a real PostgreSQL, a real Valkey, a database of its own. Wiring only.

Each test process starts its own servers; a test's database is a copy of one migrated template, or one that was tidied
after another test (`tests/fakes/shelves.py`). `server` is the whole of Jetway with a real schedule, once per process.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from core.db import Database
from core.embedded import EmbeddedPostgres, EmbeddedValkey
from core.keys import Keyring
from core.passwords import Passwords
from core.settings import asyncpg_url
from services.seats import Plans
from tests.factories.facts import misfits_in
from tests.factories.schedules import Schedule
from tests.fakes.furnished import Furnished, Place
from tests.fakes.given import GivenPostgres, GivenValkey
from tests.fakes.sandbox import gateways, sandbox
from tests.fakes.servers import Server, started
from tests.fakes.shelves import Shelf
from tests.fakes.tls import share_contexts

__all__ = ["gateways", "sandbox"]

ROOT = Path(__file__).parents[1]


def pytest_configure() -> None:
    """What the whole process shares."""
    share_contexts()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that need the whole of Jetway come last: until then it need not run beside the others."""
    whole = {item.path for item in items if "server" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path in whole)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A short path that every user may enter: sockets and a server that drops root live there."""
    with tempfile.TemporaryDirectory(prefix="jetway-", dir="/tmp") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[EmbeddedPostgres | GivenPostgres]:
    """One PostgreSQL per test process; the one at TEST_DATABASE_URL for all of them, where that is set."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield GivenPostgres(given, os.environ.get("PYTEST_XDIST_WORKER", "main"))
        return
    # Nothing cuts this one's power: fsync would only wait for the disk.
    with EmbeddedPostgres(folder / "postgres", settings={"fsync": "off"}) as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: EmbeddedPostgres | GivenPostgres) -> EmbeddedPostgres | GivenPostgres:
    """The same, once its default database has every migration; that database is the template of the others."""
    if isinstance(postgres, GivenPostgres):
        asyncio.run(postgres.prepare())
    migrate(postgres.url())
    return postgres


@pytest.fixture(scope="session")
def valkey(folder: Path) -> Iterator[EmbeddedValkey | GivenValkey]:
    """One Valkey per test process; the server at TEST_REDIS_URL for all of them, where that is set."""
    if given := os.environ.get("TEST_REDIS_URL"):
        yield GivenValkey(given)
        return
    with EmbeddedValkey(folder / "valkey") as server:
        yield server


@pytest.fixture
def redis_url(valkey: EmbeddedValkey | GivenValkey) -> str:
    """The address of Valkey. Tests keep apart by the names of their slots and keys."""
    return valkey.url


@pytest.fixture(scope="session")
def shelf(migrated: EmbeddedPostgres | GivenPostgres) -> Shelf:
    """The databases of this process."""
    return Shelf(migrated.url())


@pytest.fixture(scope="session")
def furnished(shelf: Shelf) -> Furnished:
    """Those of them that have a schedule."""
    return Furnished(shelf)


@pytest.fixture
def days_ahead() -> int:
    """In how many days the flights of `schedule` leave."""
    return 10


@pytest.fixture
async def place(request: pytest.FixtureRequest, furnished: Furnished, days_ahead: int) -> AsyncIterator[Place]:
    """A migrated database that is this test's alone, with a schedule for whoever asks for one."""
    async with furnished.place(days_ahead if "schedule" in request.fixturenames else None) as place:
        yield place


@pytest.fixture
def database_url(place: Place) -> str:
    """The address of that database."""
    return place.url


@pytest.fixture(scope="module")
def module_database_url(shelf: Shelf) -> Iterator[str]:
    """The address of an empty, migrated database for all tests of a module."""
    with asyncio.Runner() as runner:
        made = shelf.database()
        yield runner.run(made.__aenter__())
        runner.run(made.__aexit__(None, None, None))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """That database, open; in the end its facts are what their schemas say."""
    database = Database(asyncpg_url(database_url), pool_size=12)
    yield database
    await database.close()
    assert await misfits_in(database_url) == []


@pytest.fixture
def schedule(database: Database, place: Place) -> Schedule:
    """The small schedule of that database: UA1 and UA2 from JFK to LAX on one day, with twelve seats each."""
    assert place.schedule is not None
    return place.schedule


@pytest.fixture
def plans() -> Plans:
    """The layouts read so far: none."""
    return Plans()


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    """The threads that hash."""
    threads = Passwords()
    yield threads
    threads.close()


@pytest.fixture
def keyring() -> Keyring:
    """Keys that no other test has."""
    return Keyring((os.urandom(32),))


@pytest.fixture(scope="session")
def server(folder: Path) -> Iterator[Server]:
    """The whole of Jetway as `make run` starts it, with the demo schedule, standing still (no replay)."""
    with started(folder / "home") as running:
        yield running


@pytest.fixture(scope="session")
def server_url(server: Server) -> str:
    """Where that server answers."""
    return server.url


def migrate(url: str) -> None:
    """Bring a database to the newest migration, as an operator would."""
    subprocess.run(
        [sys.executable, "-m", "alembic", "-c", ROOT / "alembic.ini", "upgrade", "head"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        check=True,
        stdout=subprocess.DEVNULL,
    )
