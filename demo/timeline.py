"""The day of a flight as an operator would tell it, from what really happened to it in July 2013. Pure.

Real are cancellations, diversions, and the times of leaving, flying and arriving. When each became known, the first
guess at a long delay, and gates are not in the data: they follow from the flight by fixed rules, written here.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from demo.schedule import Departure, Moved
from models import FlightStatus
from services.flights import FLIGHT, SOLD_WHILE, FlightUpdate

GATE_KNOWN = timedelta(hours=3)
LATE_FROM = 15
"""Minutes from which a flight counts as delayed (14 CFR 234.2)."""

LONG_DELAY = 60
LONG_DELAY_KNOWN = timedelta(minutes=90)
DELAY_KNOWN = timedelta(minutes=60)
WHOLE_DELAY_KNOWN = timedelta(minutes=20)
BOARDING = timedelta(minutes=35)
GATE_MOVES = timedelta(minutes=50)
ONE_GATE_MOVES_IN = 20
TAXI_OUT = 0.7
"""Of the time on the ground that is not flying, how much passes before take-off."""

USUAL_TAXI = timedelta(minutes=15)
DIVERTED_AFTER = 0.8
"""How much of the planned time has passed when a flight turns away."""

TERMINALS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        **{("JFK", airline): "8" for airline in ("AA", "MQ")},
        **{("JFK", airline): "5" for airline in ("B6", "HA")},
        **{("JFK", airline): "4" for airline in ("DL", "9E", "VX")},
        ("JFK", "UA"): "7",
        **{("LGA", airline): "B" for airline in ("AA", "MQ", "UA", "B6", "WN", "FL", "F9")},
        **{("LGA", airline): "D" for airline in ("DL", "9E")},
        ("LGA", "US"): "C",
        **{("EWR", airline): "A" for airline in ("AA", "MQ", "B6", "US", "VX", "EV")},
        ("EWR", "DL"): "B",
        ("EWR", "UA"): "C",
    }
)
"""Terminals in New York in 2013, where we are sure of them."""

GATES = 32


@dataclass(frozen=True)
class Step:
    """At `at` it becomes known that `update`."""

    at: datetime
    update: FlightUpdate


def timeline(departure: Departure, when: Moved, slot_id: int) -> list[Step]:
    """Everything that becomes known of a flight, in order, when `departure` takes place at `when`."""
    said = FlightUpdate(slot_id=slot_id)
    steps = [Step(when.departs_at - GATE_KNOWN, gate_at_departure(departure, 0, said))]
    if departure.departure_delay is None:
        notice = timedelta(minutes=60 + chance(departure, 180, "notice"))
        steps.append(Step(when.departs_at - notice, replace(said, status=FlightStatus.CANCELLED)))
    else:
        steps += delays(departure.departure_delay, when, said)
        steps += leaving(departure, departure.departure_delay, when, said)
        steps += arriving(departure, departure.departure_delay, when, said)
    return sorted(steps, key=lambda step: step.at)


def delays(minutes: int, when: Moved, said: FlightUpdate) -> list[Step]:
    """What is said of a delay before the flight leaves: of a long one first half, then all."""
    if minutes < LATE_FROM:
        return []
    guesses = [(DELAY_KNOWN, minutes)]
    if minutes > LONG_DELAY:
        guesses = [(LONG_DELAY_KNOWN, minutes // 2), (WHOLE_DELAY_KNOWN, minutes)]
    return [
        Step(
            when.departs_at - notice,
            replace(
                said,
                status=FlightStatus.DELAYED,
                estimated_departure_at=when.departs_at + in_fives(guess),
                estimated_arrival_at=when.arrives_at + in_fives(guess),
            ),
        )
        for notice, guess in guesses
    ]


def leaving(departure: Departure, late: int, when: Moved, said: FlightUpdate) -> list[Step]:
    """Boarding, and leaving the gate; one gate in twenty moves shortly before."""
    left_at = when.departs_at + timedelta(minutes=late)
    arrival_delay = late if departure.arrival_delay is None else departure.arrival_delay
    steps = [
        Step(left_at - BOARDING, replace(said, status=FlightStatus.BOARDING, estimated_departure_at=left_at)),
        Step(
            left_at,
            replace(
                said,
                status=FlightStatus.DEPARTED,
                actual_departure_at=left_at,
                estimated_arrival_at=when.arrives_at + timedelta(minutes=arrival_delay),
            ),
        ),
    ]
    if chance(departure, ONE_GATE_MOVES_IN, "moves") == 0:
        steps.append(Step(left_at - GATE_MOVES, gate_at_departure(departure, 1, said)))
    return steps


def arriving(departure: Departure, late: int, when: Moved, said: FlightUpdate) -> list[Step]:
    """Take-off, and landing or turning away."""
    left_at = when.departs_at + timedelta(minutes=late)
    there = replace(said, status=FlightStatus.IN_FLIGHT, arrival_gate=gate(departure, departure.destination, 0))
    if departure.arrival_delay is None or departure.air_time is None:
        turned = left_at + (when.arrives_at - when.departs_at) * DIVERTED_AFTER
        return [Step(left_at + USUAL_TAXI, there), Step(turned, replace(said, status=FlightStatus.DIVERTED))]
    arrived_at = when.arrives_at + timedelta(minutes=departure.arrival_delay)
    taxi = (arrived_at - left_at - timedelta(minutes=departure.air_time)) * TAXI_OUT
    return [
        Step(left_at + taxi, there),
        Step(arrived_at, replace(said, status=FlightStatus.LANDED, actual_arrival_at=arrived_at)),
    ]


def in_fives(minutes: int) -> timedelta:
    """Rounded up to five minutes, as estimates are."""
    return timedelta(minutes=-(-minutes // 5) * 5)


def gate_at_departure(departure: Departure, turn: int, said: FlightUpdate) -> FlightUpdate:
    """Terminal and gate at the origin: its first (`turn` 0), or the one that it moves to (1)."""
    terminal = TERMINALS.get((departure.origin, departure.airline))
    return replace(said, departure_terminal=terminal, departure_gate=gate(departure, departure.origin, turn))


def gate(departure: Departure, airport: str, turn: int) -> str:
    """A gate of our own invention: the terminal's letter, where it has one, and a number."""
    terminal = TERMINALS.get((airport, departure.airline), "ABCD"[chance(departure, 4, airport)])
    number = (chance(departure, GATES, f"gate {airport}") + 7 * turn) % GATES + 1
    return f"{terminal}{number}" if terminal.isalpha() else str(number)


def chance(departure: Departure, below: int, purpose: str) -> int:
    """A number from 0 to `below` - 1 that is always the same for this departure and purpose."""
    name = f"{departure.airline}{departure.number} {departure.day} {departure.origin} {purpose}"
    return zlib.crc32(name.encode()) % below


def known_by(steps: Sequence[Step], moment: datetime) -> FlightUpdate | None:
    """All that is known of a flight at `moment`, as one update; None while nothing is."""
    said = [step.update for step in steps if step.at <= moment]
    if not said:
        return None
    return replace(
        said[0],
        **{
            field.name: getattr(update, field.name)
            for update in said
            for field in fields(update)
            if getattr(update, field.name) is not None
        },
    )


def reached_by(current: FlightStatus, update: FlightUpdate) -> list[FlightUpdate]:
    """The updates, in order, that bring a flight from `current` to what `update` says.

    What was missed is caught up with in one go, or two where the flight has left in between. Nothing is taken back:
    where the flight's status is past what `update` knows of, there is nothing to say.
    """
    target = update.status or current
    if target == current or FLIGHT.allows(current, target):
        return [update]
    if current in SOLD_WHILE and target not in SOLD_WHILE and FLIGHT.allows(FlightStatus.DEPARTED, target):
        left = replace(update, status=FlightStatus.DEPARTED, actual_arrival_at=None)
        return [left, update]
    return []
