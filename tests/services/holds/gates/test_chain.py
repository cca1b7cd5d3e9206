"""Several gates as one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from services.holds.gates import Entry, Gates, LocalGate, ValkeyGate, Won
from tests.factories.gates import attempt, chances, has_a_chance, hold
from tests.fakes.toy_server import toy_settings

SLOT = 1


class Broken(LocalGate):
    """Raises, against its promise."""

    async def enter(self, entries: Sequence[Entry]) -> Sequence[bool]:
        raise RuntimeError("a fault of the gate")

    async def confirm(self, won: Sequence[Won]) -> None:
        raise RuntimeError("a fault of the gate")


class Forgetful(LocalGate):
    """Answers for fewer than it was asked."""

    async def enter(self, entries: Sequence[Entry]) -> Sequence[bool]:
        return (await super().enter(entries))[1:]


async def test_without_gates_everybody_has_a_chance() -> None:
    gates = Gates()
    await hold(gates, attempt(SLOT, "1A"))
    assert await gates.enter([attempt(SLOT, "1A"), attempt(SLOT, "1A")]) == [True, True]


async def test_a_chance_is_what_all_of_them_give() -> None:
    one, other = LocalGate(), LocalGate()
    gates = Gates([one, other])
    await one.enter([attempt(SLOT, "1A")])
    await other.enter([attempt(SLOT, "1B")])
    assert await chances(gates, SLOT, ["1A", "1B", "1C"]) == {"1A": False, "1B": False, "1C": True}


async def test_whom_a_later_gate_diverts_leaves_the_earlier() -> None:
    one, other = LocalGate(), LocalGate()
    await other.enter([attempt(SLOT, "1B")])
    batch = [attempt(SLOT, "1A"), attempt(SLOT, "1B", "1C")]
    assert await Gates([one, other]).enter(batch) == [True, False]
    assert await chances(one, SLOT, ["1A", "1B", "1C"]) == {"1A": False, "1B": True, "1C": True}


async def test_all_of_them_are_told() -> None:
    one, other = LocalGate(), LocalGate()
    await hold(Gates([one, other]), attempt(SLOT, "1A"))
    await Gates([one, other]).taken([(SLOT, "1B")])
    for gate in (one, other):
        assert await chances(gate, SLOT, ["1A", "1B"]) == {"1A": False, "1B": False}
    await Gates([one, other]).forget()
    assert await has_a_chance(other, attempt(SLOT, "1A", "1B"))


@pytest.mark.parametrize("broken", [Broken(), Forgetful()])
async def test_a_fault_of_a_gate_fails_no_sale(broken: LocalGate) -> None:
    sound = LocalGate()
    gates = Gates([broken, sound])
    one, other = attempt(SLOT, "1A"), attempt(SLOT, "1B")
    assert await gates.enter([one, other]) == [True, True]
    await gates.confirm([Won(one, 600)])
    await gates.leave([other])
    assert await chances(sound, SLOT, ["1A", "1B"]) == {"1A": False, "1B": True}


async def test_an_operator_chooses_them(redis_url: str) -> None:
    settings = toy_settings("postgresql://nowhere/jetway", redis_url)
    kinds = {}
    for wanted in ((), ("local",), ("local", "valkey")):
        gates = Gates.from_settings(dataclasses.replace(settings, gates=wanted))
        kinds[wanted] = [type(gate) for gate in gates.gates]
        await gates.aclose()
    assert kinds == {(): [], ("local",): [LocalGate], ("local", "valkey"): [LocalGate, ValkeyGate]}
