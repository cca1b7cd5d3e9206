"""Tables: columns, keys and constraints; nothing else.

Everything is imported here, so that `Base.metadata` is whole wherever `models` is imported.
"""

from models.amendments import Amendment, AmendmentKind, AmendmentStatus
from models.base import Base
from models.bookings import (
    Booking,
    BookingLine,
    BookingSegment,
    BookingStatus,
    CancellationQuote,
    CancellationRule,
    Locator,
    Passenger,
    PassengerTitle,
    PassengerType,
    SeatAssignment,
)
from models.clients import ApiClient, DocumentPolicy
from models.documents import TrustedDocument, TrustHead
from models.extras import STOCK, BookingExtra, Extra, ExtraKind, ExtraPrice, ExtraScope, ExtraStatus
from models.fares import (
    Charge,
    ChargeBasis,
    Fare,
    FareFamily,
    PriceLineKind,
    SeatCharge,
)
from models.flights import Aircraft, Airline, Airport, Cabin, Flight, FlightStatus
from models.holds import Hold, HoldItem, HoldStatus
from models.inventory import (
    Claim,
    Layout,
    LayoutUnit,
    Pool,
    Product,
    ProductKind,
    SeatPosition,
    SeatStatus,
    Slot,
    SlotStatus,
)
from models.ledger import LedgerAccount, Posting, PostingKind
from models.notices import FlightAlert, Notice, NoticeKind
from models.outbox import Fact, Heartbeat, IdempotencyKey, RelayCursor, RelayHead, Transition
from models.payments import Payment, PaymentStatus, Refund, RefundStatus, WebhookEvent
from models.reconciliation import Discrepancy, DiscrepancyKind, Walk
from models.tickets import TICKET_SERIALS, Ticket, TicketStatus
from models.travellers import AssistanceCode, DocumentType, Gender, MealCode, TravelDocument
from models.users import RefreshToken, Role, User, UserSession

__all__ = [
    "Aircraft",
    "Airline",
    "Airport",
    "Amendment",
    "AmendmentKind",
    "AmendmentStatus",
    "ApiClient",
    "AssistanceCode",
    "Base",
    "Booking",
    "BookingExtra",
    "BookingLine",
    "BookingSegment",
    "BookingStatus",
    "Cabin",
    "CancellationQuote",
    "CancellationRule",
    "Charge",
    "ChargeBasis",
    "Claim",
    "Discrepancy",
    "DiscrepancyKind",
    "DocumentPolicy",
    "DocumentType",
    "Extra",
    "ExtraKind",
    "ExtraPrice",
    "ExtraScope",
    "ExtraStatus",
    "Fact",
    "Fare",
    "FareFamily",
    "Flight",
    "FlightAlert",
    "FlightStatus",
    "Gender",
    "Heartbeat",
    "Hold",
    "HoldItem",
    "HoldStatus",
    "IdempotencyKey",
    "Layout",
    "LayoutUnit",
    "LedgerAccount",
    "Locator",
    "MealCode",
    "Notice",
    "NoticeKind",
    "Passenger",
    "PassengerTitle",
    "PassengerType",
    "Payment",
    "PaymentStatus",
    "Pool",
    "Posting",
    "PostingKind",
    "PriceLineKind",
    "Product",
    "ProductKind",
    "RefreshToken",
    "Refund",
    "RefundStatus",
    "RelayCursor",
    "RelayHead",
    "Role",
    "STOCK",
    "SeatAssignment",
    "SeatCharge",
    "SeatPosition",
    "SeatStatus",
    "Slot",
    "SlotStatus",
    "TICKET_SERIALS",
    "Ticket",
    "TicketStatus",
    "Transition",
    "TravelDocument",
    "TrustHead",
    "TrustedDocument",
    "User",
    "UserSession",
    "WebhookEvent",
    "Walk",
]
