"""The day of a flight, told from what happened to it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from demo.replay import AHEAD, ReplayClock
from demo.schedule import Departure, Moved
from demo.timeline import Step, known_by, reached_by, timeline
from models import FlightStatus
from services.flights import FLIGHT, FlightUpdate

S = FlightStatus
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
WHEN = Moved(NOON, NOON + timedelta(hours=5))


def departure(**changes: Any) -> Departure:
    """A flight that left and arrived on time, but for `changes`."""
    usual: dict[str, Any] = {"departure_delay": 0, "arrival_delay": 0, "air_time": 270, **changes}
    return Departure("UA", 1545, "EWR", "IAH", date(2013, 7, 9), 720, 300, "N14228", **usual)


def statuses(steps: list[Step]) -> list[tuple[FlightStatus, int]]:
    """Each new status, with the minutes from the scheduled departure to it."""
    return [(step.update.status, round((step.at - NOON).total_seconds() / 60)) for step in steps if step.update.status]


def test_a_punctual_flight_boards_leaves_flies_and_lands() -> None:
    assert statuses(timeline(departure(), WHEN, 7)) == [
        (S.BOARDING, -35),
        (S.DEPARTED, 0),
        (S.IN_FLIGHT, 21),
        (S.LANDED, 300),
    ]


def test_a_long_delay_is_first_thought_half_as_long() -> None:
    late = timeline(departure(departure_delay=124, arrival_delay=110), WHEN, 7)
    announced = [step.update for step in late if step.update.status is S.DELAYED]
    assert [update.estimated_departure_at for update in announced] == [
        NOON + timedelta(minutes=65),
        NOON + timedelta(minutes=125),
    ]
    assert statuses(late)[-1] == (S.LANDED, 410)


def test_a_cancelled_flight_is_cancelled_before_it_was_to_board() -> None:
    (cancelled,) = statuses(timeline(departure(departure_delay=None, arrival_delay=None, air_time=None), WHEN, 7))
    assert cancelled[0] is S.CANCELLED
    assert -240 <= cancelled[1] <= -60


def test_a_flight_that_did_not_arrive_is_diverted() -> None:
    assert statuses(timeline(departure(arrival_delay=None, air_time=None), WHEN, 7))[-1] == (S.DIVERTED, 240)


@pytest.mark.parametrize(
    "real",
    [
        departure(),
        departure(departure_delay=40, arrival_delay=35),
        departure(departure_delay=200, arrival_delay=180),
        departure(departure_delay=-8, arrival_delay=-20),
        departure(arrival_delay=None, air_time=None),
        departure(departure_delay=None, arrival_delay=None, air_time=None),
    ],
)
def test_every_day_is_one_that_the_machine_allows(real: Departure) -> None:
    status = S.SCHEDULED
    for following, _ in statuses(timeline(real, WHEN, 7)):
        if following is not status:
            FLIGHT.check(status, following)
        status = following
    assert status in (S.LANDED, S.DIVERTED, S.CANCELLED)


def test_what_is_known_adds_up() -> None:
    steps = timeline(departure(departure_delay=40, arrival_delay=35), WHEN, 7)
    assert known_by(steps, NOON - timedelta(hours=4)) is None
    known = known_by(steps, NOON + timedelta(minutes=41))
    assert known is not None
    assert known.status is S.DEPARTED
    assert known.departure_terminal == "C"
    assert known.departure_gate is not None
    assert known.actual_departure_at == NOON + timedelta(minutes=40)
    assert known.actual_arrival_at is None


def test_what_was_missed_is_caught_up_with_through_the_departure() -> None:
    landed = FlightUpdate(slot_id=7, status=S.LANDED, actual_departure_at=NOON, actual_arrival_at=WHEN.arrives_at)
    first, second = reached_by(S.SCHEDULED, landed)
    assert (first.status, first.actual_departure_at, first.actual_arrival_at) == (S.DEPARTED, NOON, None)
    assert second == landed


def test_nothing_is_taken_back() -> None:
    assert reached_by(S.IN_FLIGHT, FlightUpdate(slot_id=7, status=S.BOARDING)) == []
    assert reached_by(S.CANCELLED, FlightUpdate(slot_id=7, status=S.DEPARTED)) == []


def test_the_replays_clock_runs_fast_and_then_with_the_walls() -> None:
    time = ReplayClock(start=NOON, began=NOON, speed=60)
    assert time.at(NOON + timedelta(minutes=1)) == NOON + timedelta(hours=1)
    assert time.at(NOON + timedelta(hours=1)) == NOON + timedelta(hours=1) + AHEAD
    assert time.seconds_until(NOON + timedelta(hours=1), NOON) == 60
    assert time.seconds_until(NOON + timedelta(hours=14), NOON + timedelta(hours=1)) == 3600
