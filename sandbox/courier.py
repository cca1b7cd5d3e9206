"""What happens by itself: webhooks that are due, and timers that run out.

Both are rows of the store, so a restart goes on where the last process died. A delivery is repeated until the
receiver answers 2xx: at least once, in no promised order, as with Stripe.
"""

import asyncio
import contextlib
import hashlib
import hmac
import logging
from collections.abc import Callable

import orjson

from sandbox import attempts, clock, disputes, refunds
from sandbox.clock import Clock
from sandbox.paypal import hooks, orders, reports
from sandbox.postman import Postman, Undelivered
from sandbox.settings import Settings
from sandbox.store import Doc, Store
from sandbox.till import Till

_PARALLEL = 8
_FIRST_RETRY, _LONGEST_RETRY = 0.25, 60.0
_TIMERS: dict[str, Callable[[Till, str], None]] = {
    attempts.EXPIRE: attempts.expire,
    attempts.BANK: attempts.settle_bank_debit,
    attempts.DISPUTE: disputes.raise_dispute,
    refunds.SETTLE: refunds.settle,
    orders.SETTLE: orders.settle,
    orders.RAISE: reports.raise_dispute,
}
logger = logging.getLogger("sandbox")


def signature(secret: str, payload: bytes, timestamp: int) -> str:
    """The `Stripe-Signature` of a payload: HMAC-SHA256 over `timestamp.payload`, scheme v1."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class Courier:
    """One background task; `run` it for as long as the server serves, `wake` it when something became due."""

    def __init__(self, store: Store, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._woken = asyncio.Event()
        self._flying: dict[int, asyncio.Task[None]] = {}
        self._answered: list[tuple[str, int, int | None, str | None, float, int]] = []
        """What became of deliveries and is not written down yet; they count as under way until it is."""
        urls = {"event": settings.webhook_url, "paypal_event": settings.paypal_webhook_url}
        self._postmen = {kind: Postman(url) for kind, url in urls.items() if url}

    def wake(self) -> None:
        """Look again now."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver and time until cancelled."""
        try:
            while True:
                try:
                    self._woken.clear()
                    self._file()
                    await self._until(self._run_timers(), self._take_off())
                except Exception:
                    logger.exception("the courier stumbled and goes on")
                    await asyncio.sleep(1)
        finally:
            for postman in self._postmen.values():
                postman.close()
            for task in self._flying.values():
                task.cancel()
            await asyncio.gather(*self._flying.values(), return_exceptions=True)
            self._file()

    async def _until(self, *moments: float | None) -> None:
        """Wait to be woken, at the longest until the first of these moments."""
        known = [moment for moment in moments if moment is not None]
        seconds = max(0.001, min(known) - self._clock.now()) if known else None
        # Not wait_for, which in Python 3.11 forgets that it was cancelled where it was woken at the same time.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    def _run_timers(self) -> float | None:
        """Run what is due; returns when to look again."""
        now = self._clock.now()
        first = self._store.db.execute("SELECT min(due) AS due FROM timers").fetchone()["due"]
        if first is None or first > now:
            return None if first is None else float(first)
        due = self._store.db.execute("SELECT * FROM timers WHERE due <= ? ORDER BY due LIMIT 100", (now,)).fetchall()
        till = Till(self._store, self._clock, self._settings, self._settings.public_url or "")
        for timer in due:
            try:
                with self._store.transaction():
                    self._store.db.execute("DELETE FROM timers WHERE id = ?", (timer["id"],))
                    _TIMERS[timer["kind"]](till, timer["object"])
            except Exception:
                logger.exception("timer %s of %s failed and is given up", timer["kind"], timer["object"])
                with self._store.transaction():
                    self._store.db.execute("DELETE FROM timers WHERE id = ?", (timer["id"],))
        return now

    def _take_off(self) -> float | None:
        """Send what is due, as far as there is room; returns when the next is due that there will be room for."""
        if not self._postmen:
            return None
        now = self._clock.now()
        waiting = self._store.db.execute(
            "SELECT id, event, attempts, due FROM deliveries WHERE state = 'pending' ORDER BY due, id LIMIT ?",
            (_PARALLEL + 1,),
        )
        for row in waiting.fetchall():
            if len(self._flying) == _PARALLEL:
                return None
            if row["id"] in self._flying:
                continue
            if row["due"] > now:
                return float(row["due"])
            task = asyncio.create_task(self._deliver(row["id"], row["event"], row["attempts"]))
            self._flying[row["id"]] = task
        return None

    async def _deliver(self, id: int, event_id: str, attempts: int) -> None:
        status, error = None, None
        try:
            event = self._store.get(event_id) or {}
            payload, headers = self._signed(event)
            status = await self._postmen[event["object"]].post(payload, headers)
        except Undelivered as problem:
            error = str(problem)
        finally:
            self._landed(id, status, error, attempts + 1)

    def _signed(self, event: Doc) -> tuple[bytes, dict[str, str]]:
        """An event as its gateway sends it."""
        if event["object"] == "paypal_event":
            payload = orjson.dumps(event["paypal"])
            return payload, hooks.signed(self._store, self._settings, payload, clock.real())
        payload = orjson.dumps(event, option=orjson.OPT_INDENT_2)
        return payload, {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(self._settings.webhook_secret, payload, int(clock.real())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }

    def _landed(self, id: int, status: int | None, error: str | None, attempts: int) -> None:
        delivered = status is not None and 200 <= status < 300
        wait = 0.0 if delivered else min(_LONGEST_RETRY, _FIRST_RETRY * 2 ** min(attempts - 1, 20))
        state, due = "delivered" if delivered else "pending", self._clock.now() + wait
        self._answered.append((state, attempts, status, error, due, id))
        self.wake()

    def _file(self) -> None:
        """Write down what was answered since the last time, all of it at once."""
        if not self._answered:
            return
        with self._store.transaction():
            self._store.db.executemany(
                "UPDATE deliveries SET state = ?, attempts = ?, last_status = ?, last_error = ?, due = ? WHERE id = ?",
                self._answered,
            )
        for *_, id in self._answered:
            del self._flying[id]
        self._answered.clear()
