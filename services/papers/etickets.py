"""The e-ticket: the itinerary receipt that a traveller carries.

Source: IATA Resolution 722f asks for the passenger's name, the flights with local times, the booking class, the ticket
numbers, the free baggage and the conditions; what was paid is on the receipt.
"""

from __future__ import annotations

from datetime import datetime

from core.money import Money
from models import FlightStatus, PassengerType
from services.departures import Place
from services.papers.records import BookedFlight, Record, Traveller
from services.papers.sheets import BODY, COLOUR, LARGE, QUIET, RULE, SMALL, Sheet, written

CARD = 40.0
"""The height of a flight's card."""

OFF_SCHEDULE = frozenset({FlightStatus.DELAYED, FlightStatus.CANCELLED, FlightStatus.DIVERTED})
"""What a traveller must not miss."""


def draw(record: Record) -> bytes:
    """The e-ticket of a booking with good tickets, as a PDF."""
    sheet = Sheet("E-ticket and itinerary", record.pnr, record.drawn_at)
    sheet.paragraph("Show the record locator or this page, and a document that proves who you are.", BODY, QUIET)
    good = {coupon.slot_id for traveller in record.travellers for coupon in traveller.coupons}
    flights = [one for one in record.flights if one.departure.slot_id in good]
    sheet.chapter("Flights", room=CARD + 16)
    for flight in flights:
        card(sheet, flight)
    sheet.chapter("Travellers and tickets")
    designators = {one.departure.slot_id: one.departure.designator for one in record.flights}
    rows = [row for traveller in record.travellers for row in tickets(traveller, designators)]
    sheet.listing(("Traveller", "", "Flight", "Seat", "Ticket"), rows, (66, 18, 24, 28, 38))
    sheet.chapter("Conditions")
    for text in dict.fromkeys(conditions(one) for one in flights):
        sheet.paragraph(text)
    sheet.ln(2)
    sheet.paragraph("All times are local, with their distance from UTC.", SMALL, QUIET)
    return sheet.finished()


def card(sheet: Sheet, flight: BookedFlight) -> None:
    """A flight: where from and to, when, in which cabin."""
    if sheet.will_page_break(CARD):
        sheet.add_page()
    top, left, width = sheet.get_y(), sheet.l_margin, sheet.epw
    departure = flight.departure
    sheet.set_draw_color(*RULE)
    sheet.rect(left, top, width, CARD - 4, style="D", round_corners=True, corner_radius=2)
    cabin = flight.cabin.replace("_", " ").capitalize()
    sheet.at(left + 5, top + 4, 90, f"{departure.designator}  {departure.airline.name}", LARGE, "B")
    sheet.at(left + 100, top + 4, width - 105, f"{cabin}, class {flight.booking_class}, {flight.family.name}")
    middle = left + width / 2
    leaves, arrives = departure.estimated_departure_at, departure.estimated_arrival_at
    end(sheet, left + 5, top + 13, departure.origin, departure.departs_at, departure.departure_terminal, leaves)
    end(sheet, middle + 18, top + 13, departure.destination, departure.arrives_at, departure.arrival_terminal, arrives)
    sheet.set_draw_color(*COLOUR)
    sheet.line(middle - 16, top + 20, middle + 10, top + 20)
    sheet.line(middle + 7, top + 18.5, middle + 10, top + 20)
    sheet.line(middle + 7, top + 21.5, middle + 10, top + 20)
    hours, minutes = divmod(departure.duration_minutes, 60)
    sheet.at(middle - 14, top + 14, 24, f"{hours} h {minutes:02} min", SMALL, quiet=True)
    sheet.at(middle - 14, top + 22, 24, departure.aircraft.name, SMALL, quiet=True)
    if departure.status in OFF_SCHEDULE:
        sheet.at(middle - 14, top + 28, 24, departure.status.capitalize(), BODY, "B")
    sheet.set_xy(left, top + CARD)


def end(
    sheet: Sheet, x: float, y: float, place: Place, moment: datetime, terminal: str | None, expected: datetime | None
) -> None:
    """One end of a flight: time, day and place, and when it is expected to be by now."""
    width = sheet.epw / 2 - 23
    sheet.at(x, y, width, f"{moment:%H:%M}  {place.iata_code}", LARGE + 3, "B")
    offset = moment.isoformat()[-6:].replace("-", "−")
    news = f", now {expected:%H:%M}" if expected is not None and expected != moment else ""
    sheet.at(x, y + 9, width, f"{moment:%a %d %b %Y}, UTC{offset}{news}")
    where = place.name if terminal is None else f"{place.name}, terminal {terminal}"
    sheet.at(x, y + 14.5, width, where, SMALL, quiet=True)


def tickets(traveller: Traveller, designators: dict[int, str]) -> list[tuple[str, str, str, str, str]]:
    """The rows of somebody's tickets; the name stands in the first."""
    lap = traveller.type is PassengerType.INFANT
    rows = []
    for index, coupon in enumerate(traveller.coupons):
        seat = "on a lap" if lap else coupon.seat or "at check-in"
        name = (traveller.name, traveller.type.capitalize()) if index == 0 else ("", "")
        rows.append((*name, designators[coupon.slot_id], seat, f"{coupon.number[:3]} {coupon.number[3:]}"))
    return rows


def conditions(flight: BookedFlight) -> str:
    """What the fare allows, in words."""
    family = flight.family
    fee = Money(family.cancellation_fee, family.currency)
    refund = (
        f"refundable less {written(fee)} for the booking, by the time that is left"
        if family.refundable
        else ("not refundable")
    )
    change = "changes are allowed" if family.changeable else "no changes"
    bags = {0: "no checked bag included", 1: "1 checked bag included"}.get(
        family.checked_bags, f"{family.checked_bags} checked bags included"
    )
    return f"{family.name}: {refund}; {change}; {bags} for each traveller with a seat."
