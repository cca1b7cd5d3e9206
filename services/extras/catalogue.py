"""How staff look after the catalogue of extras: what there is, what it costs, and how many of it a flight has."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from core.db import ReadSession, Session
from core.errors import Invalid, NotFound
from core.money import EXPONENTS, Money
from models import STOCK, Airline, Extra, ExtraKind, ExtraPrice, ExtraScope, Flight, Pool
from services import holds, outbox, pools
from services.pools import NotAuthorised
from services.transitions import Cause

CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,19}")
MAX_NAME = 60
MAX_EACH = 9
MAX_HOURS = 720
MAX_STOCK = 10_000


@dataclass(frozen=True, kw_only=True)
class DefineExtra:
    """An extra as it shall be sold from now on."""

    airline_code: str
    code: str
    kind: ExtraKind
    name: str
    scope: ExtraScope
    max_per_passenger: int
    closes_hours: int
    refundable: bool
    infants: bool
    stocked: bool


@dataclass(frozen=True, kw_only=True)
class Entry(DefineExtra):
    """An extra as it is in the catalogue, with what one costs in each currency; `retired`: it is sold no more."""

    retired: bool
    prices: tuple[Money, ...]


def airline_stream(airline_code: str) -> str:
    """The stream of everything that happens to an airline's catalogue."""
    return f"airline:{airline_code}"


async def define(session: Session, command: DefineExtra, cause: Cause) -> Extra:
    """Put an extra into the catalogue, or change the one of that code; one that was retired is sold again.

    What passengers have already stays as they bought it. Raises Invalid, and NotFound (the airline).
    """
    check(command)
    if await session.get(Airline, command.airline_code) is None:
        raise NotFound("There is no such airline.")
    values = {**vars(command), "name": " ".join(command.name.split()), "retired_at": None}
    written = upsert(Extra).values(values).on_conflict_do_update(index_elements=["airline_code", "code"], set_=values)
    await session.execute(written)
    extra = await locked(session, command.airline_code, command.code)
    await say(session, extra, "catalogue.defined", {"kind": extra.kind, "scope": extra.scope}, cause)
    return extra


def check(command: DefineExtra) -> None:
    """Raises Invalid with the field that cannot be meant."""
    name = " ".join(command.name.split())
    if not CODE.fullmatch(command.code):
        raise Invalid("A code has 1 to 20 capital letters, digits and hyphens.", field="code")
    if not (1 <= len(name) <= MAX_NAME and name.isprintable()):
        raise Invalid(f"A name has 1 to {MAX_NAME} letters.", field="name")
    if not 1 <= command.max_per_passenger <= MAX_EACH:
        raise Invalid(f"A passenger can have 1 to {MAX_EACH}.", field="maxPerPassenger")
    if not 0 <= command.closes_hours <= MAX_HOURS:
        raise Invalid(f"It is sold until 0 to {MAX_HOURS} hours before departure.", field="closesHours")
    if command.stocked and command.scope is ExtraScope.JOURNEY:
        raise Invalid("Only what is sold for a flight can be counted there.", field="stocked")


async def price(
    session: Session, airline_code: str, code: str, currency: str, amount: int | None, cause: Cause
) -> Extra:
    """Set what one of an extra costs in a currency, in minor units; None: it is not sold in that any more.

    Raises Invalid, and NotFound (the extra).
    """
    if amount is not None and amount < 0:
        raise Invalid("No price is less than nothing.", field="minorUnits")
    if currency not in EXPONENTS:
        raise Invalid("Name the currency by its ISO 4217 code.", field="currency")
    extra = await locked(session, airline_code, code)
    row = await session.get(ExtraPrice, (extra.id, currency))
    if amount is None and row is not None:
        await session.delete(row)
    elif amount is not None:
        session.add(row := row or ExtraPrice(extra_id=extra.id, currency=currency))
        row.amount = amount
    await say(session, extra, "catalogue.priced", {"currency": currency, "amount": amount}, cause)
    return extra


async def retire(session: Session, airline_code: str, code: str, cause: Cause) -> Extra:
    """Sell an extra no more; who has it keeps it. Retiring it again changes nothing. Raises NotFound."""
    extra = await locked(session, airline_code, code)
    if extra.retired_at is None:
        extra.retired_at = (await session.execute(select(func.jetway_now()))).scalar_one()
        await say(session, extra, "catalogue.retired", {}, cause)
    return extra


async def catalogue_of(session: ReadSession, airline_code: str, code: str | None = None) -> list[Entry]:
    """What is in an airline's catalogue, by kind and code, also what was retired; of one code alone if given."""
    chosen = select(Extra).where(Extra.airline_code == airline_code).order_by(Extra.kind, Extra.code)
    found = (await session.scalars(chosen if code is None else chosen.where(Extra.code == code))).all()
    prices: dict[int, list[Money]] = defaultdict(list)
    named = ExtraPrice.extra_id.in_([one.id for one in found])
    for row in await session.scalars(select(ExtraPrice).where(named).order_by(ExtraPrice.currency)):
        prices[row.extra_id].append(Money(row.amount, row.currency))
    return [
        Entry(
            **{name: getattr(one, name) for name in DefineExtra.__dataclass_fields__},
            retired=one.retired_at is not None,
            prices=tuple(prices[one.id]),
        )
        for one in found
    ]


async def locked(session: Session, airline_code: str, code: str) -> Extra:
    """The extra of an airline, kept from every other writer; raises NotFound."""
    chosen = select(Extra).where(Extra.airline_code == airline_code, Extra.code == code).with_for_update()
    extra: Extra | None = await session.scalar(chosen.execution_options(populate_existing=True))
    if extra is None:
        raise NotFound("This airline has no such extra.")
    return extra


async def say(session: Session, extra: Extra, kind: str, told: dict[str, object], cause: Cause) -> None:
    """Write the change of a locked extra, and the fact that is its history."""
    await session.flush()
    payload = {"airline": extra.airline_code, "code": extra.code, **told, "actor": cause.actor, "reason": cause.reason}
    await outbox.record(session, kind, airline_stream(extra.airline_code), payload)


async def set_stock(session: Session, slot_id: int, code: str, stock: int, cause: Cause) -> Pool:
    """Set how many of a counted extra a flight has: what is held and sold of it already is among them.

    Raises NotFound (the flight), UNKNOWN_EXTRA, EXTRA_NOT_OFFERED for what is not counted, Invalid, and NotAuthorised
    below what is held and sold.
    """
    if not 0 <= stock <= MAX_STOCK:
        raise Invalid(f"A flight has 0 to {MAX_STOCK}.", field="stock")
    await check_counted(session, slot_id, code)
    name = STOCK + code
    await holds.expire_due_in(session, [(slot_id, name)])
    fresh = upsert(Pool).values(slot_id=slot_id, code=name, authorised=stock, capacity=stock)
    made = await session.scalar(fresh.on_conflict_do_nothing().returning(Pool.code))
    pool = await pools.locked(session, slot_id, name)
    least, before = pool.held + pool.sold, None if made else pool.authorised
    if stock < least:
        raise NotAuthorised(f"{least} are held and sold.", least=least, most=MAX_STOCK)
    if before != stock:
        pool.authorised = pool.capacity = stock
        await pools.say(session, pool, "inventory.stocked", {"stock": stock, "from": before}, cause)
    return pool


async def check_counted(session: ReadSession, slot_id: int, code: str) -> None:
    """The flight's airline has such an extra, and it is counted."""
    flight = await session.get(Flight, slot_id)
    if flight is None:
        raise NotFound("There is no such flight.")
    chosen = select(Extra).where(Extra.airline_code == flight.airline_code, Extra.code == code)
    extra: Extra | None = await session.scalar(chosen)
    if extra is None:
        raise Invalid(f"There is no extra {code}.", field="code", code="UNKNOWN_EXTRA")
    if not extra.stocked:
        raise Invalid(f"{extra.name} is not counted.", field="code", code="EXTRA_NOT_OFFERED")


async def stock_of(session: ReadSession, slot_id: int) -> list[Pool]:
    """The pools of a slot that count extras, by code."""
    chosen = select(Pool).where(Pool.slot_id == slot_id, Pool.code.startswith(STOCK)).order_by(Pool.code)
    return list(await session.scalars(chosen))
