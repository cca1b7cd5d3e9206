"""Facts, as services record them, and what came of them; and whether they are what their schemas say."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from jsonschema import Draft202012Validator, FormatChecker
from redis.asyncio import Redis

from core import direct
from core.db import Database
from services import outbox
from services.relay import LOCK, SETTINGS, Relay
from services.relay.leading import take_lead
from services.relay.valkey import EVERYTHING

SCHEMAS = Path(__file__).parents[2] / "docs" / "facts"
MADE_UP = "made up by a test"
"""A payload that says so is nobody's, and fits no schema."""

MOST_CHECKED = 300
RECORDED = f"""
SELECT coalesce(position, 1) AS position, id, kind, stream, payload::text FROM facts
WHERE NOT payload ? '{MADE_UP}' ORDER BY id LIMIT {MOST_CHECKED}
"""  # noqa: S608 - a number and words of our own


async def record(database: Database, *facts: tuple[str, str]) -> None:
    """Commit facts given by kind and stream, together, with a payload that says nothing."""
    async with database.transaction() as session:
        for kind, stream in facts:
            await outbox.record(session, kind, stream, {MADE_UP: True})


async def leader(database_url: str) -> asyncpg.Connection:
    """A connection with which a test plays the leading relay."""
    connection = await direct.connect(database_url, "test-relay", SETTINGS)
    assert await take_lead(connection, LOCK)
    return connection


async def relay_all(relay: Relay, connection: asyncpg.Connection) -> int:
    """Let the leader tell everything that is committed; how many facts it told."""
    told = 0
    while count := await relay.turn(connection):
        told += count
    return told


async def told(redis: Redis) -> list[tuple[int, str, str]]:
    """What the Redis Stream holds: position, kind and stream of each fact, from the oldest on."""
    entries: Any = await redis.xrange(EVERYTHING)
    facts = [orjson.loads(fields[b"fact"]) for _, fields in entries]
    return [(fact["position"], fact["kind"], fact["stream"]) for fact in facts]


@cache
def validator(kind: str) -> Draft202012Validator | None:
    """What checks a message of that kind, and refuses fields that its schema does not have; None without a schema."""
    file = SCHEMAS / f"{kind}.json"
    if not file.exists():
        return None
    return Draft202012Validator(closed(json.loads(file.read_text())), format_checker=FormatChecker())


def closed(schema: Any) -> Any:
    """The schema with no room for what it does not name."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {word: closed(value) for word, value in schema.items()}
    return {**inner, "additionalProperties": False} if schema.get("type") == "object" else inner


def misfits(messages: Iterable[dict[str, Any]]) -> list[str]:
    """Where messages are not what the schema of their kind says, a line each."""
    found = []
    for message in messages:
        check = validator(message["kind"])
        if check is None:
            found.append(f"{message['kind']} has no schema: declare it in services/facts, then `make schema`")
        else:
            found += [f"{message['kind']}: {error.json_path}: {error.message}" for error in check.iter_errors(message)]
    return found


async def misfits_in(database_url: str) -> list[str]:
    """Where facts that were recorded there are not what their schemas say."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(RECORDED)
    finally:
        await connection.close()
    return misfits({**row, "payload": orjson.loads(row["payload"])} for row in rows)
