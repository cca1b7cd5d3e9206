"""The aircraft of the real schedule: `planes.csv` by tail number, put into families of airliners.

The registry of tail numbers behind the data is the present one, so some numbers now belong to other aircraft (a Cessna
flies for JetBlue, a helicopter for Envoy), and it gives the seats of a *type*, at times of another one. What no airline
flew counts as unknown; an unknown aircraft is the carrier's typical one. A seat count that the type cannot have is
replaced by the family's usual one.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from demo.schedule import data_file


class Body(StrEnum):
    """How an airliner is built: small with one cabin, with one aisle, or with two."""

    REGIONAL = "REGIONAL"
    NARROW = "NARROW"
    WIDE = "WIDE"


@dataclass(frozen=True)
class Family:
    """A family of airliners: how its cabins are laid out, from left to right and from front to back.

    `code` is the ICAO type designator, `models` the beginnings of the registry's model names. `economy` and `premium`
    are rows of seat letters with a space for each aisle; `premium_rows` the rows of the cabin in front. `exits` are
    (how far back as a share of all rows, how many rows). `seats` are the fewest and the most that such an aircraft
    has had, and what it usually has.
    """

    code: str
    models: tuple[str, ...]
    body: Body
    economy: str
    premium: str
    premium_rows: int
    exits: tuple[tuple[float, int], ...]
    seats: tuple[int, int, int]


FAMILIES = (
    Family("CRJ2", ("CL-600-2B19",), Body.REGIONAL, "AB CD", "", 0, ((0.55, 1),), (40, 55, 50)),
    Family("CRJ7", ("CL-600-2C10",), Body.REGIONAL, "AB CD", "", 0, ((0.5, 1),), (63, 80, 66)),
    Family("CRJ9", ("CL-600-2D24",), Body.REGIONAL, "AB CD", "", 0, ((0.5, 2),), (70, 95, 76)),
    Family("E145", ("EMB-145",), Body.REGIONAL, "A BC", "", 0, ((0.6, 1),), (48, 55, 50)),
    Family("E190", ("ERJ 190",), Body.REGIONAL, "AB CD", "", 0, ((0.5, 1),), (94, 114, 100)),
    Family("B712", ("717-2",), Body.NARROW, "AB DEF", "AB EF", 3, ((0.6, 2),), (95, 134, 117)),
    Family("DC95", ("DC-9-5",), Body.NARROW, "AB DEF", "AB EF", 4, ((0.6, 2),), (110, 139, 125)),
    Family("MD80", ("DC-9-8", "MD-8"), Body.NARROW, "AB DEF", "AB EF", 4, ((0.6, 2),), (130, 172, 149)),
    Family("MD90", ("MD-90",), Body.NARROW, "AB DEF", "AB EF", 4, ((0.6, 2),), (139, 172, 160)),
    Family("B733", ("737-3",), Body.NARROW, "ABC DEF", "AB EF", 2, ((0.45, 1),), (120, 149, 137)),
    Family("B734", ("737-4",), Body.NARROW, "ABC DEF", "AB EF", 3, ((0.45, 2),), (138, 188, 144)),
    Family("B735", ("737-5",), Body.NARROW, "ABC DEF", "AB EF", 2, ((0.45, 1),), (104, 149, 122)),
    Family("B737", ("737-7",), Body.NARROW, "ABC DEF", "AB EF", 3, ((0.45, 1),), (118, 149, 137)),
    Family("B738", ("737-8",), Body.NARROW, "ABC DEF", "AB EF", 4, ((0.47, 2),), (138, 189, 160)),
    Family("B739", ("737-9",), Body.NARROW, "ABC DEF", "AB EF", 5, ((0.47, 2),), (149, 222, 180)),
    Family("A319", ("A319",), Body.NARROW, "ABC DEF", "AB EF", 3, ((0.42, 1),), (100, 160, 145)),
    Family("A320", ("A320",), Body.NARROW, "ABC DEF", "AB EF", 3, ((0.42, 2),), (138, 200, 182)),
    Family("A321", ("A321",), Body.NARROW, "ABC DEF", "AB EF", 4, ((0.3, 1), (0.7, 1)), (160, 240, 199)),
    Family("B752", ("757-2",), Body.NARROW, "ABC DEF", "AB EF", 6, ((0.3, 1), (0.62, 1)), (158, 239, 178)),
    Family("B753", ("757-3",), Body.NARROW, "ABC DEF", "AB EF", 6, ((0.3, 1), (0.55, 2), (0.75, 1)), (213, 289, 234)),
    Family("B762", ("767-2",), Body.WIDE, "AB DEF HJ", "AB DF HJ", 5, ((0.5, 1),), (168, 255, 216)),
    Family("B763", ("767-3",), Body.WIDE, "AB DEF HJ", "AB DF HJ", 6, ((0.5, 2),), (183, 351, 261)),
    Family("B764", ("767-4",), Body.WIDE, "AB DEF HJ", "AB DF HJ", 6, ((0.3, 1), (0.65, 1)), (235, 375, 296)),
    Family("A332", ("A330-2",), Body.WIDE, "AB CDEG HJ", "AB DE HJ", 3, ((0.35, 1), (0.7, 1)), (210, 406, 294)),
    Family("A333", ("A330-3",), Body.WIDE, "AB CDEG HJ", "AB DE HJ", 5, ((0.35, 1), (0.7, 1)), (250, 440, 335)),
    Family("B772", ("777-2",), Body.WIDE, "ABC DEF GHJ", "AB DF HJ", 8, ((0.3, 1), (0.65, 1)), (247, 440, 313)),
    Family("B788", ("787-8",), Body.WIDE, "ABC DEF GHJ", "AB DF HJ", 6, ((0.4, 1), (0.7, 1)), (200, 381, 242)),
    Family(
        "B744", ("747-4",), Body.WIDE, "ABC DEFG HJK", "AB EF JK", 8, ((0.3, 1), (0.5, 1), (0.75, 1)), (340, 660, 416)
    ),
)

WIDE_BODY_CARRIERS = frozenset({"AA", "DL", "HA", "UA", "US"})
"""The carriers of the data that flew wide-bodies in 2013."""

TYPICAL = MappingProxyType(
    {
        "9E": "CL-600-2D24",
        "AA": "DC-9-82(MD-82)",
        "AS": "737-890",
        "B6": "A320-232",
        "DL": "MD-88",
        "EV": "EMB-145LR",
        "F9": "A320-214",
        "FL": "717-200",
        "HA": "A330-243",
        "MQ": "EMB-145LR",
        "OO": "CL-600-2C10",
        "UA": "737-824",
        "US": "A319-112",
        "VX": "A320-214",
        "WN": "737-7H4",
        "YV": "CL-600-2C10",
    }
)
"""The single-aisle model with which each carrier flew most often (a test reckons it from the data).

Hawaiian had wide-bodies only. Of Envoy's own fleet the data know no tail number; the Embraer 145 was most of it.
"""

MAKERS = MappingProxyType(
    {
        "AIRBUS": "Airbus",
        "AIRBUS INDUSTRIE": "Airbus",
        "BOEING": "Boeing",
        "BOMBARDIER INC": "Bombardier",
        "CANADAIR": "Bombardier",
        "EMBRAER": "Embraer",
        "MCDONNELL DOUGLAS": "McDonnell Douglas",
        "MCDONNELL DOUGLAS AIRCRAFT CO": "McDonnell Douglas",
        "MCDONNELL DOUGLAS CORPORATION": "McDonnell Douglas",
    }
)
SOLD_AS = MappingProxyType(
    {
        "CL-600-2B19": "CRJ200",
        "CL-600-2C10": "CRJ700",
        "CL-600-2D24": "CRJ900",
        "DC-9-82(MD-82)": "MD-82",
        "DC-9-83(MD-83)": "MD-83",
        "EMB-145": "ERJ-145",
        "EMB-145LR": "ERJ-145LR",
        "EMB-145XR": "ERJ-145XR",
        "ERJ 190-100 IGW": "E190",
    }
)
"""The names that airlines use for models which the registry calls otherwise."""


@dataclass(frozen=True, kw_only=True)
class Airframe:
    """An airliner: its maker, its name as people know it (`Boeing 737-824`), its family and its seats."""

    maker: str
    name: str
    family: Family
    seats: int


@dataclass(frozen=True)
class Registered:
    """An airframe under the registration by which Jetway knows it: its tail number, or `UA-TYPICAL`."""

    registration: str
    airframe: Airframe


def aircraft_of(airline: str, tail_number: str) -> Registered:
    """The aircraft that flies as `tail_number` for `airline`: the carrier's typical one where that is not known."""
    airframe = airframes().get(tail_number)
    if airframe is None or (airframe.family.body is Body.WIDE and airline not in WIDE_BODY_CARRIERS):
        return Registered(f"{airline}-TYPICAL", typical(airline))
    return Registered(tail_number, airframe)


@lru_cache(maxsize=1)
def airframes() -> dict[str, Airframe]:
    """The airliners of `planes.csv` by tail number."""
    known = {}
    with data_file("planes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            airframe = recognised(row["manufacturer"], row["model"], int(row["seats"]))
            if airframe is not None:
                known[row["tailnum"]] = airframe
    return known


@lru_cache(maxsize=len(TYPICAL))
def typical(airline: str) -> Airframe:
    """The airframe with which `airline` flew most often; raises KeyError for an airline that is not in the data."""
    model = TYPICAL[airline]
    name = SOLD_AS.get(model, model)
    alike = Counter(airframe for airframe in airframes().values() if airframe.name.endswith(f" {name}"))
    return alike.most_common(1)[0][0]


def recognised(manufacturer: str, model: str, seats: int) -> Airframe | None:
    """The airliner that the registry describes; None for anything else that flies."""
    family = next((family for family in FAMILIES if model.startswith(family.models)), None)
    if family is None or manufacturer not in MAKERS:
        return None
    maker = "McDonnell Douglas" if family.code in ("MD80", "MD90") else MAKERS[manufacturer]
    fewest, most, usual = family.seats
    return Airframe(
        maker=maker,
        name=f"{maker} {SOLD_AS.get(model, model)}",
        family=family,
        seats=seats if fewest <= seats <= most else usual,
    )
