"""A circuit breaker: whoever does not answer in time is left alone for a while, and nobody waits for it meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from core.log import logger
from core.telemetry import BREAKER_FAILURES, BREAKER_OPEN

FAILURES = 3
"""After so many failures in a row the breaker opens."""

PAUSE_SECONDS = 1.0
"""How long nobody is asked then. After that one question at a time tries whether the answer is back."""

T = TypeVar("T")
log = logger("breaker")


class Breaker:
    """Guards the questions to one neighbour that may fail; belongs to one event loop.

    `failures` are the exceptions that mean that the neighbour failed, a time-out apart; others are the caller's faults
    and pass through. `patience` is how many seconds an answer may take: one that takes longer is a failure, whatever it
    would have said. `clock` tells seconds that only go forward.
    """

    def __init__(
        self,
        name: str,
        failures: tuple[type[Exception], ...],
        *,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._patience = patience
        self._expected: tuple[type[Exception], ...] = (*failures, TimeoutError)
        self._clock = clock
        self._failed = 0
        self._asked_again_at: float | None = None
        self._probing = False
        BREAKER_OPEN.labels(name).set(0)

    @property
    def is_open(self) -> bool:
        """Whether the neighbour is left alone."""
        return self._asked_again_at is not None

    async def ask(self, question: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """The answer, or `otherwise`: where nobody is asked at the moment, where asking fails, or takes too long."""
        if not self._admits():
            return otherwise
        probing = self._probing = self.is_open
        try:
            async with asyncio.timeout(self._patience):
                answer = await question()
        except self._expected as error:
            self._fail(error)
            return otherwise
        finally:
            if probing:
                self._probing = False
        self._succeed()
        return answer

    def _admits(self) -> bool:
        if self._asked_again_at is None:
            return True
        return not self._probing and self._clock() >= self._asked_again_at

    def _fail(self, error: Exception) -> None:
        BREAKER_FAILURES.labels(self._name).inc()
        self._failed += 1
        if self._failed < FAILURES:
            return
        if not self.is_open:
            BREAKER_OPEN.labels(self._name).set(1)
            log.warning("breaker_opened", breaker=self._name, reason=repr(error))
        self._asked_again_at = self._clock() + PAUSE_SECONDS

    def _succeed(self) -> None:
        self._failed = 0
        if self.is_open:
            self._asked_again_at = None
            BREAKER_OPEN.labels(self._name).set(0)
            log.info("breaker_closed", breaker=self._name)
