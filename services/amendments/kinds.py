"""The kinds of change that there are: one file for each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from models import AmendmentKind
from services.amendments.drafts import Kind
from services.amendments.extras import AddExtras, Extras
from services.amendments.flights import ChangeFlights, Flights
from services.amendments.giving_up import Fewer, GiveUpExtras
from services.amendments.names import CorrectName, Names
from services.amendments.seats import ChangeSeats, Seats

Wish = ChangeFlights | ChangeSeats | CorrectName | AddExtras | GiveUpExtras
"""What may be asked for."""

BY_WISH: Mapping[type, Kind[Any]] = MappingProxyType(
    {ChangeFlights: Flights(), ChangeSeats: Seats(), CorrectName: Names(), AddExtras: Extras(), GiveUpExtras: Fewer()}
)
KINDS: Mapping[AmendmentKind, Kind[Any]] = MappingProxyType({one.kind: one for one in BY_WISH.values()})
