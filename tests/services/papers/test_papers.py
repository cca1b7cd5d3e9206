"""What papers say, read back from their PDFs; each is left as pictures in `test-artifacts/papers/` to be looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pypdfium2

from core.money import Money
from models import Booking, PassengerType
from services import bookings, papers
from services.gateways import Gateways
from services.papers import PaperKind, Record
from services.papers.sheets import written
from tests.factories.bookings import GUEST, Desk, key, pass_time, traveller
from tests.fakes.sandbox import Sandbox

PICTURES = Path(__file__).parents[3] / "test-artifacts" / "papers"


def pages(kind: PaperKind, record: Record, name: str) -> list[str]:
    """The text of each page of a paper, which is drawn, and left as pictures under `name`."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    found = []
    with pypdfium2.PdfDocument(papers.draw(kind, record)) as document:
        for number, page in enumerate(document, 1):
            page.render(scale=1.5).to_pil().save(PICTURES / f"{name}-{number}.png")
            found.append(" ".join(page.get_textpage().get_text_range().split()))
    return found


async def paid(desk: Desk, gateways: Gateways) -> Booking:
    """An adult on 3A and an infant on their lap, booked and paid in FLEX."""
    offer, hold_id = await desk.offer(adults=1, infants=1), await desk.hold("3A")
    party = [
        traveller(desk.schedule, PassengerType.ADULT, "Lovelace", "3A"),
        traveller(desk.schedule, PassengerType.INFANT, "Łukasiewicz"),
    ]
    booking = await desk.create(desk.command(offer, hold_id, *party))
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    return booking


async def record_of(desk: Desk, booking: Booking) -> tuple[Record, list[PaperKind]]:
    """What papers tell of a booking, and which there are."""
    async with desk.database.reading() as session:
        now = await session.get_one(Booking, booking.id)
        return await papers.read(session, now), await papers.kinds_of(session, booking.id)


async def test_an_e_ticket_tells_flights_travellers_and_conditions(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways)
    record, kinds = await record_of(desk, booking)
    assert kinds == [PaperKind.E_TICKET, PaperKind.RECEIPT]
    (text,) = pages(PaperKind.E_TICKET, record, "e-ticket")
    day, leaves = f"{desk.schedule.day:%a %d %b %Y}", record.flights[0].departure.departs_at.isoformat()
    assert text.startswith(f"Jetway E-ticket and itinerary Record locator {booking.pnr} ")
    for said in (
        "UA1 United Air Lines",
        "Economy, class Y, Flex",
        "09:00 JFK",
        f"{day}, UTC−{leaves[-5:]}",
        "12:00 LAX",
    ):
        assert said in text
    ada, lap = (f"{one.coupons[0].number[:3]} {one.coupons[0].number[3:]}" for one in record.travellers)
    assert f"Ms Ada Lovelace Adult UA1 3A {ada} Ms Ada Łukasiewicz Infant UA1 on a lap {lap} Conditions" in text
    assert "Flex: refundable less USD 25.00 for the booking" in text


async def test_a_receipt_adds_up_and_shows_what_went_back(desk: Desk, gateways: Gateways, sandbox: Sandbox) -> None:
    booking = await paid(desk, gateways)
    record, _ = await record_of(desk, booking)
    (text,) = pages(PaperKind.RECEIPT, record, "receipt")
    total = f"USD {record.total.amount:,}"
    assert f"For ada@example.org Booked on {record.made_at:%d %b %Y}. JFK–LAX, 2 travellers." in text
    items = " ".join(f"{label} {written(amount)}" for label, amount in record.lines)
    assert f"Item Amount {items} Total {total} What was paid" in text
    assert f"Paid, less refunds {total}" in text

    await pass_time(desk.database, timedelta(days=2))
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())
    record, kinds = await record_of(desk, booking)
    assert kinds == [PaperKind.RECEIPT]
    (text,) = pages(PaperKind.RECEIPT, record, "receipt-of-a-cancelled-booking")
    assert f"Refund re_{text.partition(' re_')[2].split()[0]} −{written(Money(booking.total - 2500, 'USD'))}" in text
    assert "2 travellers. The booking was cancelled." in text
    assert "Paid, less refunds USD 25.00" in text


async def test_a_booking_that_is_not_paid_has_no_papers(desk: Desk) -> None:
    _, kinds = await record_of(desk, await desk.booked("3A"))
    assert kinds == []


async def test_long_lists_go_on_overleaf_with_their_heads(desk: Desk, gateways: Gateways) -> None:
    record, _ = await record_of(desk, await paid(desk, gateways))
    ada = record.travellers[0]
    longest = replace(ada, name="Mr " + " ".join(["Ἀριστοκλῆς"] * 12))
    several = pages(PaperKind.E_TICKET, replace(record, travellers=(longest, *[ada] * 40)), "e-ticket-of-a-group")
    assert len(several) == 2
    for number, text in enumerate(several, 1):
        assert f"Page {number} of 2" in text
        assert f"Record locator {record.pnr}" in text
        assert text.count("Traveller Flight Seat Ticket") == 1


async def test_letters_that_the_typeface_lacks_are_marked(desk: Desk, gateways: Gateways) -> None:
    record, _ = await record_of(desk, await paid(desk, gateways))
    someone = replace(record.travellers[0], name="Ms Ærø Ångström Київ 田中")
    (text,) = pages(PaperKind.E_TICKET, replace(record, travellers=(someone,)), "e-ticket-of-many-letters")
    assert "Ms Ærø Ångström Київ ??" in text
