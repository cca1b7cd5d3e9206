"""Cabins and seats, derived from the aircraft of the real schedule."""

from collections import Counter

import pytest

from demo.fleet import FAMILIES, TYPICAL, Body, aircraft_of, airframes, typical
from demo.layouts import LETTERS, Plan, plan
from demo.reference import places
from demo.schedule import year_departures
from models import Cabin, SeatPosition


def layout(airline: str, model: str) -> Plan:
    """The layout of the first aircraft whose name ends so."""
    airframe = next(known for known in airframes().values() if known.name.endswith(model))
    return plan(airframe.family, airframe.seats, airline)


def test_every_layout_of_the_data_has_exactly_its_seats() -> None:
    for airframe in set(airframes().values()):
        for airline in TYPICAL:
            drawn = plan(airframe.family, airframe.seats, airline)
            assert len({unit.unit for unit in drawn.units}) == airframe.seats == len(drawn.units)


def test_every_layout_of_the_data_is_well_formed() -> None:
    for airframe in set(airframes().values()):
        for airline in TYPICAL:
            drawn = plan(airframe.family, airframe.seats, airline)
            columns = {section["section"]: section["columns"] for section in drawn.sections}
            assert [unit.row_number for unit in drawn.units] == sorted(unit.row_number for unit in drawn.units)
            assert all(unit.column_letter in columns[unit.section] for unit in drawn.units)
            assert any(unit.exit_row for unit in drawn.units)
            assert not any(unit.accessible and unit.exit_row for unit in drawn.units)


def test_no_letter_is_ever_i() -> None:
    assert not any("I" in family.economy + family.premium for family in FAMILIES)


def test_a_united_737_has_two_cabins() -> None:
    drawn = layout("UA", "737-824")
    assert drawn.code == "B738-149-F16Y133"
    assert drawn.sections == [
        {"section": "FIRST", "columns": ["A", "B", "E", "F"], "aisles_after": ["B"]},
        {"section": "ECONOMY", "columns": ["A", "B", "C", "D", "E", "F"], "aisles_after": ["C"]},
    ]
    assert [unit.unit for unit in drawn.units[:5]] == ["1A", "1B", "1E", "1F", "2A"]
    assert [unit.unit for unit in drawn.units[-2:]] == ["26F", "27A"]
    assert sorted({unit.row_number for unit in drawn.units if unit.exit_row}) == [13, 14]
    assert sorted({unit.row_number for unit in drawn.units if unit.extra_legroom}) == [5, 13, 14]


def test_positions_follow_the_aisles() -> None:
    units = {unit.unit: unit.position for unit in layout("HA", "A330-243").units}
    assert [units[f"20{letter}"] for letter in "ABCDEGHJ"] == [
        SeatPosition.WINDOW,
        SeatPosition.AISLE,
        SeatPosition.AISLE,
        SeatPosition.MIDDLE,
        SeatPosition.MIDDLE,
        SeatPosition.AISLE,
        SeatPosition.AISLE,
        SeatPosition.WINDOW,
    ]


@pytest.mark.parametrize(
    ("airline", "model", "code"),
    [
        ("WN", "737-7H4", "B737-140-Y140"),
        ("B6", "E190", "E190-100-Y100"),
        ("EV", "ERJ-145LR", "E145-55-Y55"),
        ("VX", "A320-214", "A320-182-F8W12Y162"),
        ("UA", "757-222", "B752-178-C28W24Y126"),
        ("AA", "767-223", "B762-255-F10C30Y215"),
        ("DL", "767-332", "B763-330-C36Y294"),
    ],
)
def test_cabins_are_as_the_carrier_has_them(airline: str, model: str, code: str) -> None:
    assert layout(airline, model).code == code


def test_a_seat_count_that_the_type_cannot_have_is_replaced() -> None:
    assert {known.seats for known in airframes().values() if known.family.code == "E190"} == {100}
    assert {known.seats for known in airframes().values() if known.name == "Airbus A321-231"} == {199}


@pytest.mark.parametrize("tail_number", ["", "N725MQ", "N364AA"])
def test_an_aircraft_that_the_carrier_cannot_have_flown_counts_as_its_typical_one(tail_number: str) -> None:
    known = aircraft_of("MQ", tail_number)
    assert (known.registration, known.airframe.name) == ("MQ-TYPICAL", "Embraer ERJ-145LR")


def test_typical_is_the_single_aisle_type_that_the_carrier_flew_most() -> None:
    flown: dict[str, Counter[str]] = {airline: Counter() for airline in TYPICAL}
    zones = {code: place.zone for code, place in places().items()}
    for flight in year_departures(zones):
        airframe = airframes().get(flight.tail_number)
        if airframe is not None and airframe.family.body is not Body.WIDE:
            flown[flight.airline][airframe.name] += 1
    known = {airline: names.most_common(1)[0][0] for airline, names in flown.items() if names}
    assert known == {airline: typical(airline).name for airline in TYPICAL if airline not in ("HA", "MQ")}


def test_every_cabin_has_a_letter() -> None:
    assert set(LETTERS) == set(Cabin)
