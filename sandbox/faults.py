"""Trouble on demand: what testers ordered, and whether it strikes this request or this webhook.

A fault is kept in the store until it has struck `times` times, so it outlives a restart.
"""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.store import Doc, Store
from sandbox.wire import new_id

REQUEST_KINDS = frozenset({"slow", "error", "reset"})
WEBHOOK_KINDS = frozenset({"webhook_duplicate", "webhook_delay", "webhook_drop"})


class BadFault(ValueError):
    """An order that makes no sense; the message says why."""


@dataclass(frozen=True)
class Fault:
    """One strike.

    `when` is "before" the work (nothing happened) or "after" it was committed. `sticky` has an error saved under the
    idempotency key, as Stripe does with a 500 from an endpoint that had begun.
    """

    kind: str
    when: str = "after"
    seconds: float = 1.0
    status: int = 500
    copies: int = 1
    sticky: bool = False


def order(store: Store, wish: Mapping[str, Any]) -> Doc:
    """Keep a fault as asked for; returns it with its id. Raises BadFault."""
    body = dict(wish)
    kind = body.get("kind")
    if kind not in REQUEST_KINDS | WEBHOOK_KINDS:
        raise BadFault(f"kind must be one of {', '.join(sorted(REQUEST_KINDS | WEBHOOK_KINDS))}")
    known = {"kind": str, "when": str, "seconds": (int, float), "status": int, "copies": int, "sticky": bool}
    matchers = {"method": str, "path": str, "event": str, "object": str}
    times = body.pop("times", 1)
    for name, value in body.items():
        expected: Any = (known | matchers).get(name)
        if expected is None or not isinstance(value, expected):
            raise BadFault(f"{name} is unknown or of the wrong type")
    if body.get("when", "after") not in ("before", "after"):
        raise BadFault("when must be before or after")
    if not isinstance(times, int) or times < 1 or body.get("seconds", 0) < 0:
        raise BadFault("times is at least 1 and seconds at least 0")
    if not 400 <= body.get("status", 500) <= 599 or not 1 <= body.get("copies", 1) <= 100:
        raise BadFault("status is from 400 to 599 and copies from 1 to 100")
    fault_id = new_id("fault", 12)
    store.db.execute("INSERT INTO faults VALUES (?, ?, ?)", (fault_id, orjson.dumps(body).decode(), times))
    return {"id": fault_id, "times": times, **body}


def pending(store: Store) -> list[Doc]:
    """Faults that have yet to strike, oldest first."""
    rows = store.db.execute("SELECT id, body, remaining FROM faults ORDER BY rowid")
    return [{"id": row["id"], "times": row["remaining"], **orjson.loads(row["body"])} for row in rows]


def clear(store: Store, fault_id: str | None = None) -> int:
    """Call off one fault or all of them; returns how many."""
    if fault_id is None:
        return store.db.execute("DELETE FROM faults").rowcount
    return store.db.execute("DELETE FROM faults WHERE id = ?", (fault_id,)).rowcount


def strike_request(store: Store, method: str, path: str) -> list[Fault]:
    """The faults that strike this request, each spent once, in a transaction. At most one of each kind."""
    wishes: dict[str, Doc] = {}
    for wish in pending(store):
        if (
            wish["kind"] in REQUEST_KINDS
            and fnmatch.fnmatchcase(method, wish.get("method", "POST"))
            and fnmatch.fnmatchcase(path, wish.get("path", "*"))
        ):
            wishes.setdefault(wish["kind"], wish)
    if not wishes:
        return []
    with store.transaction():
        return [_spend(store, wish) for wish in wishes.values()]


def queue(store: Store, event: Doc, now: float) -> None:
    """Queue the delivery of a new event, as the faults would have it."""
    due, copies, state = now, 1, "pending"
    for wish in pending(store):
        if wish["kind"] in WEBHOOK_KINDS and _about(wish, event):
            fault = _spend(store, wish)
            if fault.kind == "webhook_duplicate":
                copies += fault.copies
            elif fault.kind == "webhook_delay":
                due += fault.seconds
            else:
                state = "dropped"
    store.db.executemany(
        "INSERT INTO deliveries (event, state, due) VALUES (?, ?, ?)", [(event["id"], state, due)] * copies
    )


def _about(wish: Doc, event: Doc) -> bool:
    about = event["data"]["object"]
    return fnmatch.fnmatchcase(event["type"], wish.get("event", "*")) and (
        "object" not in wish or wish["object"] in (about["id"], about.get("payment_intent"))
    )


def _spend(store: Store, wish: Doc) -> Fault:
    store.db.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", (wish["id"],))
    store.db.execute("DELETE FROM faults WHERE remaining <= 0")
    names = Fault.__dataclass_fields__
    return Fault(**{name: value for name, value in wish.items() if name in names})
