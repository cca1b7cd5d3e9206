"""Health: alive whatever is away; ready only with everything that a booking needs."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import httpx

from core.embedded import EmbeddedValkey
from tests.fakes.toy_server import toy_server, toy_settings, without_database


async def beat(database_url: str, seconds_ago: int) -> None:
    """A worker said so many seconds ago that it lives."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "INSERT INTO heartbeats VALUES ('worker', clock_timestamp() - make_interval(secs => $1))"
            " ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at",
            seconds_ago,
        )
    finally:
        await connection.close()


async def migrated_to(database_url: str, revision: str) -> None:
    """The database says that it is at that migration."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("UPDATE alembic_version SET version_num = $1", revision)
    finally:
        await connection.close()


def get(url: str, path: str) -> httpx.Response:
    return httpx.get(url + path, timeout=10)


def readiness(url: str) -> tuple[int, dict[str, str]]:
    answer = get(url, "/readyz")
    assert answer.json()["status"] == ("ready" if answer.status_code == 200 else "not ready")
    return answer.status_code, answer.json()["checks"]


async def test_ready_with_database_valkey_worker_and_migrations(database_url: str, redis_url: str) -> None:
    with toy_server(toy_settings(database_url, redis_url)) as url:
        assert readiness(url) == (
            503,
            {"database": "ok", "valkey": "ok", "worker": "no heartbeat in the last 5 s", "migrations": "ok"},
        )
        await beat(database_url, seconds_ago=0)
        assert readiness(url) == (200, {"database": "ok", "valkey": "ok", "worker": "ok", "migrations": "ok"})
        await beat(database_url, seconds_ago=6)
        assert readiness(url)[1]["worker"] == "no heartbeat in the last 5 s"


async def test_not_ready_at_another_migration(database_url: str, redis_url: str) -> None:
    await beat(database_url, seconds_ago=0)
    await migrated_to(database_url, "0000")
    with toy_server(toy_settings(database_url, redis_url)) as url:
        status, checks = readiness(url)
    assert (status, checks["migrations"].split(",")[0], checks["worker"]) == (503, "at 0000", "ok")


async def test_without_valkey_it_starts_lives_and_says_what_is_missing(database_url: str, folder: Path) -> None:
    await beat(database_url, seconds_ago=0)
    with toy_server(toy_settings(database_url, f"unix://{folder}/nowhere.sock")) as url:
        assert get(url, "/healthz").json() == {"status": "alive"}
        status, checks = readiness(url)
    assert (status, checks) == (
        503,
        {"database": "ok", "valkey": "does not answer", "worker": "ok", "migrations": "ok"},
    )


async def test_without_a_database_it_starts_lives_and_says_what_is_missing(database_url: str, redis_url: str) -> None:
    with toy_server(without_database(toy_settings(database_url, redis_url))) as url:
        assert get(url, "/healthz").status_code == 200
        status, checks = readiness(url)
        metrics = get(url, "/metrics")
    away = "does not answer"
    assert (status, checks) == (503, {"database": away, "valkey": "ok", "worker": away, "migrations": away})
    assert metrics.status_code == 200
    assert metrics.headers["content-type"].startswith("text/plain; version=")
    assert 'jetway_database_connections_in_use{engine="write"} 0.0' in metrics.text


async def test_ready_again_once_valkey_is_back(database_url: str, folder: Path) -> None:
    await beat(database_url, seconds_ago=0)
    with EmbeddedValkey(folder / "leaving") as valkey, toy_server(toy_settings(database_url, valkey.url)) as url:
        assert readiness(url)[1]["valkey"] == "ok"
        valkey.kill()
        assert readiness(url)[1]["valkey"] == "does not answer"
        valkey.start()
        assert readiness(url)[1]["valkey"] == "ok"
