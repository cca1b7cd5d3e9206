"""Rules against fraud, those who pay, and payments as rows for what only counts them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func

from core.db import Database
from core.ids import uuid7
from core.keys import Keyring
from models import FraudMeasure, FraudSubject, FraudVerdict, Payment, PaymentStatus
from services import fraud
from services.fraud import Payer, SetFraudRule
from services.gateways import UNKNOWN_RISK, Risk
from services.transitions import Cause

KEYS = Keyring((b"k" * 32,))
ADA, BOB = (fraud.payer(KEYS, user_id=UUID(int=number)) for number in (1, 2))


async def rule(
    database: Database,
    measure: FraudMeasure,
    subject: FraudSubject,
    most: int,
    verdict: FraudVerdict = FraudVerdict.BLOCK,
    seconds: int = 3600,
) -> None:
    """The rule of that measure and subject; amounts are in US dollars."""
    command = SetFraudRule(
        name=f"{measure}_{subject}".lower(),
        measure=measure,
        subject=subject,
        window_seconds=None if subject is FraudSubject.PAYMENT else seconds,
        currency="USD" if measure is FraudMeasure.AMOUNT else None,
        most=most,
        verdict=verdict,
        reason="a test",
    )
    async with database.transaction() as session:
        await fraud.set_rule(session, command, Cause(actor="test", reason=command.reason))


async def payment(database: Database, booking_id: UUID, amount: int = 100_00, currency: str = "USD") -> UUID:
    """A payment that was declined already, so that a booking may have many."""
    made = uuid7()
    async with database.transaction() as session:
        session.add(
            Payment(
                id=made,
                booking_id=booking_id,
                gateway="stripe",
                method="pm_card_visa",
                status=PaymentStatus.DECLINED,
                amount=amount,
                currency=currency,
                created_at=func.jetway_now(),
            )
        )
    return made


async def screened(database: Database, booking_id: UUID, payer: Payer, amount: int = 100_00) -> FraudVerdict:
    """The verdict on one more payment, before its gateway is asked."""
    made = await payment(database, booking_id, amount)
    async with database.transaction() as session:
        return await fraud.screen(session, await session.get_one(Payment, made), payer)


async def assessed(
    database: Database, booking_id: UUID, payer: Payer, risk: Risk = UNKNOWN_RISK, amount: int = 100_00
) -> FraudVerdict:
    """The verdict on one more payment, once its gateway has promised the money."""
    made = await payment(database, booking_id, amount)
    async with database.transaction() as session:
        row = await session.get_one(Payment, made)
        await fraud.screen(session, row, payer)
        return await fraud.assess(session, row, risk)


async def declined(database: Database, booking_id: UUID, payer: Payer, risk: Risk = UNKNOWN_RISK) -> None:
    """One more payment, which its bank refuses."""
    made = await payment(database, booking_id)
    async with database.transaction() as session:
        row = await session.get_one(Payment, made)
        await fraud.screen(session, row, payer)
        await fraud.note_decline(session, row, "insufficient_funds", risk)
