"""Which status of a flight may follow which."""

import pytest

from core.states import WrongState
from models import FlightStatus
from services.flights import FACTS, FLIGHT, SOLD_WHILE

S = FlightStatus


def test_the_table_is_the_one_that_was_meant() -> None:
    assert set(FLIGHT.transitions()) == {
        (S.SCHEDULED, S.DELAYED),
        (S.SCHEDULED, S.BOARDING),
        (S.SCHEDULED, S.DEPARTED),
        (S.SCHEDULED, S.CANCELLED),
        (S.DELAYED, S.SCHEDULED),
        (S.DELAYED, S.BOARDING),
        (S.DELAYED, S.DEPARTED),
        (S.DELAYED, S.CANCELLED),
        (S.BOARDING, S.DELAYED),
        (S.BOARDING, S.DEPARTED),
        (S.BOARDING, S.CANCELLED),
        (S.DEPARTED, S.IN_FLIGHT),
        (S.DEPARTED, S.LANDED),
        (S.DEPARTED, S.DIVERTED),
        (S.IN_FLIGHT, S.LANDED),
        (S.IN_FLIGHT, S.DIVERTED),
        (S.DIVERTED, S.IN_FLIGHT),
        (S.DIVERTED, S.LANDED),
    }


def test_only_landing_and_cancellation_are_final() -> None:
    assert {status for status in S if FLIGHT.is_final(status)} == {S.LANDED, S.CANCELLED}


@pytest.mark.parametrize("status", [S.DEPARTED, S.IN_FLIGHT, S.LANDED, S.DIVERTED])
def test_what_has_left_cannot_be_cancelled(status: FlightStatus) -> None:
    with pytest.raises(WrongState):
        FLIGHT.check(status, S.CANCELLED)


def test_nothing_leads_back_to_a_flight_that_is_sold() -> None:
    assert not [pair for pair in FLIGHT.transitions() if pair[0] not in SOLD_WHILE and pair[1] in SOLD_WHILE]


def test_every_status_has_its_fact() -> None:
    assert set(FACTS) == set(S)
    assert len(set(FACTS.values())) == len(FACTS)
