"""The sandbox's memory: one SQLite file, one connection, JSON documents as they go over the wire.

What always holds: a request's changes, its events, their deliveries and its saved answer are committed together or
not at all. WAL with `synchronous=NORMAL` survives the death of the process at any instant. Only the event loop's
thread uses the connection, and nobody awaits inside a transaction, so transactions never interleave.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

Doc = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    created INTEGER NOT NULL,
    body TEXT NOT NULL,
    hidden TEXT NOT NULL,
    payment_intent TEXT GENERATED ALWAYS AS (json_extract(body, '$.payment_intent')) VIRTUAL,
    charge TEXT GENERATED ALWAYS AS (json_extract(body, '$.charge')) VIRTUAL,
    customer TEXT GENERATED ALWAYS AS (json_extract(body, '$.customer')) VIRTUAL,
    type TEXT GENERATED ALWAYS AS (json_extract(body, '$.type')) VIRTUAL
);
CREATE INDEX IF NOT EXISTS objects_by_time ON objects (kind, created, seq);
CREATE INDEX IF NOT EXISTS objects_by_intent ON objects (payment_intent) WHERE payment_intent IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_by_charge ON objects (charge) WHERE charge IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_by_customer ON objects (customer) WHERE customer IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_by_type ON objects (type, created, seq) WHERE kind = 'event';
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, event TEXT NOT NULL, state TEXT NOT NULL, due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, last_status INTEGER, last_error TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS timers (id INTEGER PRIMARY KEY, due REAL NOT NULL, kind TEXT NOT NULL, object TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS timers_due ON timers (due);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL,
    request_id TEXT NOT NULL, created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS faults (id TEXT PRIMARY KEY, body TEXT NOT NULL, remaining INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

_FILTERS = frozenset({"payment_intent", "charge", "customer", "type"})
_RANGES = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Store:
    """Documents, settings and raw SQL for the tables that other rooms of the sandbox own."""

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file; everything committed stays."""
        self.db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit on the way out, roll back on any exception."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def insert(self, doc: Doc, hidden: Mapping[str, Any] | None = None) -> None:
        """Keep a new document; `hidden` is what the sandbox knows of it and never shows."""
        self.db.execute(
            "INSERT INTO objects (id, kind, created, body, hidden) VALUES (?, ?, ?, ?, ?)",
            (doc["id"], doc["object"], doc["created"], _dump(doc), _dump(hidden or {})),
        )

    def save(self, doc: Doc) -> None:
        """Write a changed document back."""
        self.db.execute("UPDATE objects SET body = ? WHERE id = ?", (_dump(doc), doc["id"]))

    def get(self, id: str, kind: str | None = None) -> Doc | None:
        """The document of that id (and kind, if given), or None."""
        row = self.db.execute("SELECT kind, body FROM objects WHERE id = ?", (id,)).fetchone()
        if row is None or (kind is not None and row["kind"] != kind):
            return None
        return _load(row["body"])

    def need(self, id: str, kind: str) -> Doc:
        """The document of that id and kind, which the sandbox knows to exist; LookupError if it doesn't."""
        doc = self.get(id, kind)
        if doc is None:
            raise LookupError(f"{kind} {id}")
        return doc

    def hidden(self, id: str) -> Doc:
        """What the sandbox keeps to itself about a document; empty for an unknown id."""
        row = self.db.execute("SELECT hidden FROM objects WHERE id = ?", (id,)).fetchone()
        return {} if row is None else _load(row["hidden"])

    def hide(self, id: str, **values: Any) -> None:
        """Merge `values` into what the sandbox keeps to itself about a document."""
        self.db.execute("UPDATE objects SET hidden = ? WHERE id = ?", (_dump(self.hidden(id) | values), id))

    def page(
        self,
        kind: str,
        *,
        limit: int,
        equal: Mapping[str, str] | None = None,
        created: Mapping[str, int] | None = None,
        types: list[str] | None = None,
        after: str | None = None,
        before: str | None = None,
    ) -> tuple[list[Doc], bool]:
        """One page, newest first, and whether there is more in that direction.

        `after` and `before` are ids of documents of this kind that the caller has checked; `created` maps
        gt, gte, lt or lte to seconds since the epoch.
        """
        where: list[str] = ["kind = ?"]
        args: list[Any] = [kind]
        for column, value in (equal or {}).items():
            if column not in _FILTERS:
                raise ValueError(column)
            where.append(f"{column} = ?")
            args.append(value)
        for bound, second in (created or {}).items():
            where.append(f"created {_RANGES[bound]} ?")
            args.append(second)
        if types is not None:
            where.append("type IN (SELECT value FROM json_each(?))")
            args.append(_dump(types))
        order, cursor = ("ASC", before) if before else ("DESC", after)
        if cursor:
            where.append(f"(created, seq) {'>' if before else '<'} (SELECT created, seq FROM objects WHERE id = ?)")
            args.append(cursor)
        sql = f"SELECT body FROM objects WHERE {' AND '.join(where)} ORDER BY created {order}, seq {order} LIMIT ?"
        docs = [_load(row["body"]) for row in self.db.execute(sql, (*args, limit + 1))]
        more, docs = len(docs) > limit, docs[:limit]
        return (docs[::-1] if before else docs), more

    def setting(self, name: str) -> str | None:
        """A durable setting, or None."""
        row = self.db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def set_setting(self, name: str, value: str) -> None:
        """Keep a durable setting."""
        self.db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def add_timer(self, due: float, kind: str, object_id: str) -> None:
        """Have `kind` happen to an object at sandbox time `due`."""
        self.db.execute("INSERT INTO timers (due, kind, object) VALUES (?, ?, ?)", (due, kind, object_id))


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


def _load(text: str) -> Doc:
    value: Doc = orjson.loads(text)
    return value
