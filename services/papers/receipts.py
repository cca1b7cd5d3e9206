"""The receipt: what was bought, what was paid, what went back."""

from __future__ import annotations

from core.money import add
from models import BookingStatus
from services.papers.records import Record
from services.papers.sheets import BODY, LARGE, QUIET, SMALL, Sheet, written


def draw(record: Record) -> bytes:
    """The receipt of a booking for which money was taken, as a PDF."""
    sheet = Sheet("Receipt", record.pnr, record.drawn_at)
    sheet.paragraph(f"For {record.email}", LARGE)
    ended = " The booking was cancelled." if record.status is BookingStatus.CANCELLED else ""
    sheet.paragraph(f"Booked on {record.made_at:%d %b %Y}. {journey(record)}{ended}", BODY, QUIET)
    sheet.chapter("What it cost")
    rows = [(label, written(amount)) for label, amount in record.lines]
    sheet.listing(("Item", "Amount"), rows, (130, 44), ("Total", written(record.total)))
    sheet.chapter("What was paid")
    balance = add((one.amount for one in record.movements), record.total.currency)
    moved = [(f"{one.at:%d %b %Y}", one.label, one.reference, written(one.amount)) for one in record.movements]
    columns = ("Date", "What", "Reference", "Amount")
    sheet.listing(columns, moved, (28, 40, 66, 40), ("", "Paid, less refunds", "", written(balance)))
    sheet.ln(4)
    note = "Refunds are shown once your bank has been told; it may take some days until they are on your account."
    sheet.paragraph(note, SMALL, QUIET)
    return sheet.finished()


def journey(record: Record) -> str:
    """Where it goes, and for how many: `JFK–LAX–SFO, 2 travellers.`"""
    stops: list[str] = []
    for flight in record.flights:
        for place in (flight.departure.origin, flight.departure.destination):
            if stops[-1:] != [place.iata_code]:
                stops.append(place.iata_code)
    count = len(record.travellers)
    return f"{'–'.join(stops)}, {count} traveller{'' if count == 1 else 's'}."
