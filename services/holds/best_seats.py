"""Holding the best seats: found and taken in one request, again where a rival was quicker.

Rivals in one process never choose the same seats: a `Desk` knows what is being taken at this moment, and whoever looks
at a cabin leaves that out. Rivals elsewhere are met in the database, which says who was first; whoever was not looks
again. Nobody is told that a flight is sold out because of seats that are only being taken: they wait for the outcome.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace

from core.db import Database, ReadSession
from core.errors import Conflict, NotFound
from services import idempotency
from services.fares import Party
from services.holds.desk import Attempt, Desk
from services.holds.locks import items
from services.holds.moves import Owner
from services.holds.placing import Placed, Placer, SalesClosed, SeatsTaken, SoldOut
from services.holds.requests import Want, check_shape, fingerprint
from services.seats import Plans
from services.seats.arrangements import Shortage
from services.seats.suggestions import BestSeats, CabinNow, Suggestion, look, suggest, suggest_among
from services.seats.wishes import wishes_of

OPERATION = "holdBestSeats"
TRIES = 8
"""How often somebody looks again because a rival elsewhere was quicker. Each time that rival has got seats."""


class NoSafeSeat(Conflict):
    """Seats are left, but too few outside exit rows for those who may not sit there. Nothing was held."""

    default_code = "NO_SAFE_SEAT"


class SeatsContested(Conflict):
    """Others were quicker every time. Nothing was held; there may be seats all the same."""

    default_code = "SEATS_CONTESTED"


@dataclass(frozen=True, kw_only=True)
class BestSeatsWanted:
    """What a party asks for: the best seats on each of these flights, all of them or none, for so many minutes."""

    flights: tuple[BestSeats, ...]
    party: Party
    minutes: int

    @property
    def wants(self) -> list[Want]:
        """How many seats that is, before they are chosen."""
        return [Want(slot_id=one.slot_id, quantities={one.cabin: self.party.seated}) for one in self.flights]

    @property
    def asked(self) -> object:
        """What an idempotency key stands for: the wish, not the seats that come of it."""
        return {
            "party": [self.party.adults, self.party.children, self.party.infants],
            "flights": sorted([one.slot_id, one.cabin, sorted(set(one.wishes)), one.near] for one in self.flights),
        }


@dataclass(frozen=True, kw_only=True)
class BestSeatsHeld:
    """The hold, and for each flight, in the order in which they were asked for, why these seats."""

    hold: Placed
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, kw_only=True)
class BestSeatsClerk:
    """Holds best seats. One per process, like the Placer and the Desk that it works with."""

    db: Database
    plans: Plans
    placer: Placer
    desk: Desk = field(default_factory=Desk)

    async def hold(self, owner: Owner, wanted: BestSeatsWanted, key: str) -> BestSeatsHeld:
        """Hold the best seats for the party on every flight, or nothing; the same key again, the same hold.

        Raises Invalid (minutes, flights, near, key), UnknownSeat (near), NotFound (the flight), SalesClosed, SoldOut,
        NoSafeSeat, SeatsContested, idempotency.KeyReused; nothing is held then. Raises Unavailable where the database
        is away: whether something is held is unknown then, and the same key tells.
        """
        check_shape(wanted.wants, wanted.minutes)
        key = idempotency.check_key(owner.key, key)
        try:
            return await self._hold(owner, wanted, key)
        except (NotFound, SalesClosed, SoldOut, NoSafeSeat, SeatsContested):
            # Whoever asks again has had an answer already, and the seats may be gone because of it.
            wants = await self._known(owner, wanted, key)
            if wants is None:
                raise
            return await self._described(await self._place(owner, wanted, wants, key), wanted)

    async def _hold(self, owner: Owner, wanted: BestSeatsWanted, key: str) -> BestSeatsHeld:
        """Look and take, until nobody was quicker."""
        for _ in range(TRIES):
            suggestions, attempt = await self._choose(wanted)
            wants = [Want(slot_id=one.slot_id, units=one.numbers) for one in suggestions]
            try:
                placed = await self._place(owner, wanted, wants, key)
            except SeatsTaken:
                continue
            finally:
                self.desk.end(attempt)
            if units_of(placed) == attempt.units:
                return BestSeatsHeld(hold=placed, suggestions=tuple(suggestions))
            return await self._described(placed, wanted)
        raise SeatsContested("Others were quicker each time. Ask again.")

    async def _choose(self, wanted: BestSeatsWanted) -> tuple[list[Suggestion], Attempt]:
        """The best seats that nobody has or is taking, and that nobody else in this process takes from now on."""
        while True:
            with self.desk.watching() as watch:
                cabins = await self._look(wanted)
                found = [
                    suggest(now, one, wanted.party, f"flights.{index}.near", elsewhere=watch.units_of(one.slot_id))
                    for index, (now, one) in enumerate(zip(cabins, wanted.flights, strict=True))
                ]
                suggestions = [one for one in found if isinstance(one, Suggestion)]
                if len(suggestions) == len(found):
                    return suggestions, self.desk.begin(suggestions)
            short = {one.slot_id for one, none in zip(wanted.flights, found, strict=True) if isinstance(none, Shortage)}
            if not any(watch.units_of(slot_id) for slot_id in short):
                for one, answer in zip(wanted.flights, found, strict=True):
                    decided(answer, one, wanted.party)
            await watch.over(short)

    async def _look(self, wanted: BestSeatsWanted) -> list[CabinNow]:
        """The cabins as they are now, each still on sale."""
        async with self.db.reading(primary=True) as session:
            found = [
                await look(session, self.plans, one.slot_id, one.cabin, wanted.party.seated) for one in wanted.flights
            ]
        if any(now is None for now in found):
            raise NotFound("There is no such flight, or its seats are not chosen.")
        return [on_sale(now) for now in found if now is not None]

    async def _place(self, owner: Owner, wanted: BestSeatsWanted, wants: Sequence[Want], key: str) -> Placed:
        """Take these seats; the hold that came of the key before, whatever its seats are."""
        return await self.placer.place(owner, wants, wanted.minutes, key, operation=OPERATION, asked=wanted.asked)

    async def _known(self, owner: Owner, wanted: BestSeatsWanted, key: str) -> list[Want] | None:
        """What the hold keeps that came of this key before; None for a new key. Raises KeyReused."""
        print_ = fingerprint((), wanted.minutes, wanted.asked)
        async with self.db.reading(primary=True) as session:
            hold_id = await idempotency.known(session, owner.key, OPERATION, key, print_)
            kept = [] if hold_id is None else await items(session, hold_id)
        return [Want(slot_id=one.slot_id, units=tuple(one.units)) for one in kept] or None

    async def _described(self, placed: Placed, wanted: BestSeatsWanted) -> BestSeatsHeld:
        """A hold that was placed before, told as what it keeps: what was left around it then is not known any more."""
        held: dict[int, set[str]] = {}
        for slot_id, unit in units_of(placed):
            held.setdefault(slot_id, set()).add(unit)
        suggestions = []
        async with self.db.reading(primary=True) as session:
            for one in wanted.flights:
                now = await look(session, self.plans, one.slot_id, one.cabin, wanted.party.seated)
                found = None if now is None else retold(now, one, wanted.party, held.get(one.slot_id, set()))
                suggestions += [found] if found is not None else []
        return BestSeatsHeld(hold=placed, suggestions=tuple(suggestions))


async def suggest_seats(session: ReadSession, plans: Plans, asked: BestSeats, party: Party) -> Suggestion | None:
    """The best seats for the party at this moment; None where seats are not chosen on the flight, or there is none.

    Raises Invalid and UnknownSeat (near), SalesClosed, SoldOut and NoSafeSeat.
    """
    now = await look(session, plans, asked.slot_id, asked.cabin, party.seated)
    return None if now is None else decided(suggest(on_sale(now), asked, party, "near"), asked, party)


def on_sale(now: CabinNow) -> CabinNow:
    """The cabin; raises SalesClosed where its flight is not sold any more."""
    if now.closed:
        raise SalesClosed("This flight is not sold any more.")
    return now


def decided(found: Suggestion | Shortage, asked: BestSeats, party: Party) -> Suggestion:
    """The suggestion; raises SoldOut or NoSafeSeat where there is none."""
    if isinstance(found, Suggestion):
        return found
    if found.left < party.seated:
        raise SoldOut(asked.slot_id, asked.cabin, found.left)
    raise NoSafeSeat(
        f"Children, infants in arms and whoever needs an accessible seat do not sit in an exit row, and only "
        f"{found.safe} of the {found.left} seats left are elsewhere."
    )


def retold(now: CabinNow, asked: BestSeats, party: Party, held: Set[str]) -> Suggestion | None:
    """Seats that the party holds, as a suggestion; None where they are not what such a party takes."""
    wishes = wishes_of(now.plan, asked.wishes, asked.near, "near")
    found = suggest_among(replace(now, left=party.seated), asked, party, wishes, held)
    return found if isinstance(found, Suggestion) else None


def units_of(placed: Placed) -> frozenset[tuple[int, str]]:
    """The seats of a hold, by (slot, number)."""
    return frozenset((item.slot_id, unit) for item in placed.items for unit in item.units)
