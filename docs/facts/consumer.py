"""A consumer of facts, to begin with: it keeps a receipt for every captured payment in a SQLite file.

python docs/facts/consumer.py redis://127.0.0.1:6379 receipts.db one

Run as many as you like, each with a name of its own: they share the work (a consumer group). A message that was read
and not acknowledged, because its consumer died, is read by another after half a minute. So a fact may come twice; its
id and what came of it are written in one transaction, and the second time writes nothing.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from typing import Any

import redis

STREAM, GROUP = "jetway:payment.captured", "receipts"
FORGOTTEN_AFTER = 30_000
"""Milliseconds."""

TABLE = "CREATE TABLE IF NOT EXISTS receipts (fact_id INTEGER PRIMARY KEY, booking TEXT, amount INTEGER, currency TEXT)"


def join(client: redis.Redis) -> None:
    """Be there: the group begins with the oldest fact that the stream still has."""
    try:
        client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    except redis.ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def step(client: redis.Redis, store: sqlite3.Connection, name: str, wait: int = 5_000) -> int:
    """Take in what others left, or else what is new, waiting so many milliseconds for it; how many facts."""
    try:
        _, messages, *_ = client.xautoclaim(STREAM, GROUP, name, FORGOTTEN_AFTER, count=100)
        if not messages:
            answer: Any = client.xreadgroup(GROUP, name, {STREAM: ">"}, count=100, block=wait)
            messages = answer[0][1] if answer else []
    except redis.ResponseError as error:
        if "NOGROUP" not in str(error):
            raise
        join(client)  # Valkey was wiped, or the streams began anew
        return 0
    for message_id, fields in messages:
        take_in(store, json.loads(fields[b"fact"]))
        client.xack(STREAM, GROUP, message_id)
    return len(messages)


def take_in(store: sqlite3.Connection, fact: dict[str, Any]) -> None:
    """What this consumer is for; once for each fact."""
    payload = fact["payload"]
    with store:
        store.execute(
            "INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?)",
            (fact["id"], payload["booking"], payload["captured"], payload["currency"]),
        )


def main(url: str, file: str, name: str) -> None:
    """Go on for ever."""
    client, store = redis.Redis.from_url(url, socket_timeout=30, protocol=2), sqlite3.connect(file)
    store.execute(TABLE)
    join(client)
    while True:
        step(client, store, name)


if __name__ == "__main__":
    main(*sys.argv[1:])
