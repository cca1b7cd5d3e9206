"""Several gates, one behind the other, as one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Self

from core.log import logger
from core.settings import Settings
from core.telemetry import GATE_ANSWERS
from services.holds.gates.local import LocalGate
from services.holds.gates.protocol import Entry, Gate, Unit, Won
from services.holds.gates.valkey import ValkeyGate

log = logger("gates")


class Gates:
    """Gates in the order in which they are asked, the cheapest first; without any, everybody has a chance.

    A gate that raises against its promise is logged and counts as having no opinion: no fault of a gate may fail a
    sale.
    """

    def __init__(self, gates: Sequence[Gate] = ()) -> None:
        self.gates = tuple(gates)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The gates that an operator wants. Connects nowhere before it is asked."""
        makers: dict[str, Callable[[], Gate]] = {
            "local": LocalGate,
            "valkey": lambda: ValkeyGate.connect(settings.redis_url),
        }
        return cls([makers[name]() for name in settings.gates])

    async def enter(self, entries: Sequence[Entry]) -> Sequence[bool]:
        """See `Gate.enter`. Whoever a later gate diverts has left the earlier ones."""
        chances = [True] * len(entries)
        for position, gate in enumerate(self.gates):
            asked = [index for index, chance in enumerate(chances) if chance]
            if not asked:
                break
            answers = await self._ask(gate, [entries[index] for index in asked])
            diverted = [index for index, answer in zip(asked, answers, strict=True) if not answer]
            for index in diverted:
                chances[index] = False
            if diverted:
                left = [entries[index] for index in diverted]
                await self._tell(self.gates[:position], lambda earlier, left=left: earlier.leave(left))  # type: ignore[misc]
        return chances

    async def settled(self, entries: Sequence[Entry]) -> None:
        """See `Gate.settled`."""
        await self._tell(self.gates, lambda gate: gate.settled(entries))

    async def confirm(self, won: Sequence[Won]) -> None:
        """See `Gate.confirm`."""
        await self._tell(self.gates, lambda gate: gate.confirm(won))

    async def leave(self, lost: Sequence[Entry]) -> None:
        """See `Gate.leave`."""
        await self._tell(self.gates, lambda gate: gate.leave(lost))

    async def taken(self, units: Collection[Unit]) -> None:
        """See `Gate.taken`."""
        await self._tell(self.gates, lambda gate: gate.taken(units))

    async def forget(self) -> None:
        """See `Gate.forget`."""
        await self._tell(self.gates, lambda gate: gate.forget())

    async def aclose(self) -> None:
        """See `Gate.aclose`."""
        await self._tell(self.gates, lambda gate: gate.aclose())

    async def _ask(self, gate: Gate, entries: Sequence[Entry]) -> Sequence[bool]:
        try:
            answers = await gate.enter(entries)
            if len(answers) != len(entries):
                raise AssertionError(f"{len(answers)} answers for {len(entries)} attempts")
        except Exception:
            log.exception("gate.failed", gate=type(gate).__name__)
            return [True] * len(entries)
        diverted = len(entries) - sum(answers)
        GATE_ANSWERS.labels(type(gate).__name__, "chance").inc(len(entries) - diverted)
        GATE_ANSWERS.labels(type(gate).__name__, "diverted").inc(diverted)
        return answers

    async def _tell(self, gates: Sequence[Gate], call: Callable[[Gate], Coroutine[Any, Any, None]]) -> None:
        for gate in gates:
            try:
                await call(gate)
            except Exception:
                log.exception("gate.failed", gate=type(gate).__name__)
