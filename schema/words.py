"""What the members of enums, the fields of inputs and the arguments of fields mean, in words for clients.

Enums belong to the tables and inputs to the services, which know no GraphQL and so cannot carry these themselves.
`tests/contracts` finds whatever has no words; words that stand for nothing raise when the schema is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from graphql import GraphQLEnumType, GraphQLField, GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema

A_KEY = "Your name for this request: sent again with the same input, it has the same result and happens once."
A_BOOKING_TOKEN = "A guest's proof of ownership, from createBooking. Whoever signed in needs none."  # noqa: S105
A_HOLD_TOKEN = "A guest's proof of ownership, from holdSeats. Whoever signed in needs none."  # noqa: S105
AFTER = "The cursor behind which to go on."

TYPES = {"Mutation": "What can be done. Each answers its result, or why not; a refusal changes nothing."}

MEMBERS: Mapping[str, Mapping[str, str]] = {
    "BestSeatsInput": {
        "flightId": "The flight.",
        "cabin": "In which cabin.",
        "wishes": "What the party wishes of its seats.",
        "near": "A seat (12A) or a row (12) near which to sit.",
    },
    "BookingStatus": {
        "INITIATED": "It was asked for.",
        "SEATS_LOCKED": "Its seats are held; it waits to be paid.",
        "PAYMENT_PENDING": "A payment is under way; its seats are held meanwhile.",
        "CONFIRMED": "Paid and ticketed.",
        "CHECKED_IN": "Everybody has checked in.",
        "COMPLETED": "It was flown.",
        "EXPIRED": "Nobody paid in time; the seats are free again.",
        "FAILED": "The payment could not be completed; nothing was charged.",
        "CANCELLED": "It was cancelled; the seats are free again.",
        "NO_SHOW": "Nobody came.",
    },
    "Cabin": {
        "FIRST": "First class.",
        "BUSINESS": "Business class.",
        "PREMIUM_ECONOMY": "Premium economy.",
        "ECONOMY": "Economy.",
    },
    "DiscrepancyKind": {
        "UNKNOWN_PAYMENT": "The gateway has a payment of ours that we never wrote down.",
        "MISSING_PAYMENT": "We have a payment that the gateway never heard of.",
        "OTHER_AMOUNT": "The gateway took or gave back another amount than we have.",
        "UNKNOWN_REFUND": "The gateway gave back money that we did not ask it to, or that we have as not given back.",
        "DISPUTED": "The payer's bank asks the money back.",
    },
    "SettleDiscrepancyInput": {"discrepancyId": "Which.", "reason": "For the record."},
    "DocumentPolicy": {
        "ANYTHING": "Any document, in full or by its hash.",
        "PERSISTED": "Documents that were stored before, by their hash or id; none in full.",
        "TRUSTED": "Trusted documents alone, by their id.",
    },
    "FlightStatus": {
        "SCHEDULED": "As planned.",
        "DELAYED": "It leaves later than planned.",
        "BOARDING": "Passengers are going aboard.",
        "DEPARTED": "It has left its gate.",
        "IN_FLIGHT": "It is in the air.",
        "LANDED": "It has arrived.",
        "CANCELLED": "It does not fly.",
        "DIVERTED": "It goes to another airport.",
    },
    "TimelineSubject": {
        "BOOKING": "The booking.",
        "PAYMENT": "An attempt to pay it.",
        "REFUND": "Money on its way back.",
        "TICKET": "A ticket.",
    },
    "TimelineActor": {
        "OWNER": "Whoever booked.",
        "STAFF": "Somebody who works here.",
        "GATEWAY": "The payment gateway.",
        "JETWAY": "Jetway itself.",
    },
    "LedgerAccount": {
        "GATEWAY": "Money that the gateways have for us.",
        "UNEARNED": "Paid for and not supplied yet: owed to those who booked.",
        "REFUNDS": "On its way back, or to be sent back.",
        "FEES": "Kept when bookings were cancelled.",
        "REVENUE": "Ours, because it was flown, or nobody came.",
    },
    "PostingKind": {
        "CAPTURED": "A payment was captured.",
        "OWED": "A refund was requested.",
        "KEPT": "A fee was kept of a cancelled booking.",
        "REFUNDED": "A refund succeeded.",
        "RETURNED": "A refund came back from the payer's bank.",
        "UNDUE": "A payment that had been given up turned out to be captured.",
        "UNDUE_RETURNED": "That money was sent back.",
        "EARNED": "A booking was flown, or nobody came.",
    },
    "HoldStatus": {
        "ACTIVE": "It keeps its seats until its deadline.",
        "RELEASED": "It was given back.",
        "EXPIRED": "Its deadline has passed.",
        "BOOKED": "A paid booking has its seats.",
    },
    "OfferSort": {
        "PRICE": "The cheapest first.",
        "DURATION": "The shortest first.",
        "DEPARTURE": "The first to leave first.",
        "ARRIVAL": "The first to arrive first.",
    },
    "PaperKind": {
        "E_TICKET": "The itinerary with the numbers of the tickets.",
        "RECEIPT": "What was bought, paid and given back.",
    },
    "PassengerTitle": {"MR": "Mr", "MRS": "Mrs", "MS": "Ms", "MX": "Mx", "DR": "Dr"},
    "PassengerType": {
        "ADULT": "12 years or older.",
        "CHILD": "From 2 to 11 years.",
        "INFANT": "Under 2 years, on the lap of an adult.",
    },
    "PaymentStatus": {
        "INITIATED": "The gateway is being asked.",
        "REQUIRES_ACTION": "The payer's bank asks first: open redirectUrl.",
        "PROCESSING": "The gateway will say later.",
        "REVIEW": "The money is promised, and staff look at the payment. Whoever pays is told PROCESSING.",
        "AUTHORIZED": "The money is promised.",
        "CAPTURED": "The money is taken.",
        "DECLINED": "It was declined; the booking can be paid in another way.",
        "VOIDED": "It was called off; nothing was charged.",
        "PARTIALLY_REFUNDED": "Some of the money has gone back.",
        "REFUNDED": "All of the money has gone back.",
    },
    "PriceLineKind": {
        "FARE": "The fare itself.",
        "TAX": "What a state takes.",
        "FEE": "What an airport or authority charges.",
        "SEAT": "A seat that costs extra.",
        "EXTRA": "Something else that was bought.",
        "PROMOTION": "What is taken off.",
    },
    "SeatPosition": {"WINDOW": "By the window.", "MIDDLE": "Between two others.", "AISLE": "By an aisle."},
    "SeatWish": {
        "WINDOW": "One of the party sits by a window.",
        "AISLE": "One of the party sits by an aisle.",
        "TOGETHER": "All sit side by side; they do in any case where that is possible.",
        "FRONT": "All sit in the first third of the cabin, as far in front as can be.",
        "NEAR": "Near the seat or row that `near` names, which implies it.",
        "ACCESSIBLE": "One of the party needs an accessible seat, and never sits in an exit row.",
        "EXTRA_LEGROOM": "All have more room in front, which may cost extra. Not wished, it is avoided.",
    },
    "SeatStatus": {
        "AVAILABLE": "Free.",
        "LOCKED": "A shopper holds it for some minutes.",
        "BOOKED": "Sold.",
        "CHECKED_IN": "Sold, and its passenger has checked in.",
        "BLOCKED": "Not for sale.",
    },
    "TicketStatus": {
        "OPEN": "Good for its flight.",
        "USED": "It was flown.",
        "VOID": "Cancelled without a refund.",
        "REFUNDED": "Cancelled, and its money goes back.",
        "EXCHANGED": "Another was issued in its place when the booking was changed.",
    },
    "ProblemCode": {
        "INVALID_INPUT": "The field named cannot be meant.",
        "INVALID_ID": "This was never an id of such a thing.",
        "INVALID_CURSOR": "This was never a cursor of this list or stream.",
        "INVALID_OFFER": "This was never an offer.",
        "UNKNOWN_AIRPORT": "No airport that is served has this code.",
        "BEYOND_SCHEDULE": "Flights of this date are not on sale yet.",
        "UNKNOWN_SEAT": "The flight has no such seat.",
        "UNKNOWN_POOL": "The flight has no such cabin.",
        "UNKNOWN_CLASS": "The cabin has no such booking class.",
        "NOT_FOUND": "There is no such thing, or it is not yours.",
        "FORBIDDEN": "You may not do this.",
        "UNAUTHENTICATED": "The credentials are wrong, expired or revoked: sign in.",
        "WRONG_TOKEN": "The token belongs to something else.",
        "RATE_LIMITED": "Too many: wait as long as is said.",
        "UNAVAILABLE": "Something does not answer: send the same request again.",
        "CONFLICT": "The thing is in another state than the request assumes.",
        "WRONG_STATE": "What was asked for cannot follow the thing's present status.",
        "IDEMPOTENCY_KEY_REUSED": "The key stands for another request: use a new one.",
        "SEATS_TAKEN": "Some of the seats are somebody else's.",
        "SOLD_OUT": "Fewer seats are left than were asked for.",
        "CLASS_CLOSED": "Fewer seats are left at this fare than were asked for.",
        "NOT_AUTHORISED": "So many seats cannot be put on sale.",
        "NO_SAFE_SEAT": "Seats are left, but none in which everybody may sit.",
        "SEATS_CONTESTED": "Others were quicker each time; ask again.",
        "SALES_CLOSED": "The flight is not sold any more.",
        "SETTLED": "Somebody has settled this before.",
        "HOLD_EXPIRED": "The hold has ended: hold the seats anew.",
        "HOLD_BOOKED": "The hold belongs to a booking now.",
        "EXTENSION_LIMIT": "The hold cannot be extended any more.",
        "OFFER_EXPIRED": "The offer has expired; the new price is told.",
        "PRICE_CHANGED": "The offer cannot be booked as it is.",
        "PASSENGERS_DO_NOT_MATCH": "The passengers are not those of the offer, or not as many as the seats.",
        "SEAT_GIVEN_TWICE": "Two passengers have the same seat.",
        "SEAT_NOT_HELD": "The hold does not keep this seat.",
        "WRONG_CABIN": "The seat is not in the cabin of the offer.",
        "SEATS_NOT_BOOKED": "The seats are not this booking's.",
        "BOOKING_FAILED": "The payment could not be completed; nothing was charged.",
        "PAYMENT_DECLINED": "The payment was declined; try another way.",
        "PAYMENT_UNDER_WAY": "Another payment of this booking has not ended yet.",
        "ALREADY_PAID": "The booking is paid.",
        "QUOTE_EXPIRED": "The quote has expired, or the booking has changed since: ask for a new one.",
        "QUOTE_SPENT": "The quote was used.",
        "MORE_THAN_LEFT": "More is to go back than was paid and not given back.",
        "FLIGHT_DEPARTED": "The flight has left.",
        "EMAIL_TAKEN": "There is an account with this e-mail.",
    },
    "AuthoriseSeatsInput": {
        "flightId": "The flight.",
        "cabin": "In which cabin.",
        "authorised": "From what is held and sold to what the cabin has and may be overbooked by.",
        "reason": "For the record: a quiet week.",
    },
    "AlertPassengersInput": {
        "flightId": "The flight.",
        "message": "In 1 to 500 letters, one line.",
        "idempotencyKey": A_KEY,
    },
    "MarkNoticesReadInput": {"ids": "1 to 100 notices; all of yours where this is missing."},
    "NoticeKind": {
        "ALERT": "Something that staff say to everybody booked on a flight.",
        "FLIGHT_DELAYED": "The flight leaves later than planned, or later than was said before.",
        "FLIGHT_ON_TIME": "The flight leaves as planned after all.",
        "FLIGHT_DIVERTED": "The flight goes to another airport.",
        "FLIGHT_CANCELLED": "The flight does not fly.",
        "BOOKING_CONFIRMED": "The booking is paid and ticketed.",
        "BOOKING_EXPIRED": "Nobody paid in time.",
        "BOOKING_FAILED": "The booking could not be completed; nothing was charged.",
        "BOOKING_CANCELLED": "The booking is cancelled.",
        "PAYMENT_DECLINED": "A payment was declined.",
        "PAYMENT_REFUNDED": "Money is on its way back.",
        "SEATS_FOUND_AGAIN": "The money came late, and every seat was still to be had.",
        "SEATS_CHANGED": "The money came late: some passengers have a place without a seat, and no seat charge.",
        "MONEY_RETURNED": "Money that came too late, or twice, went back in full.",
    },
    "BlockSeatsInput": {
        "flightId": "The flight.",
        "seats": "By number: 12A.",
        "reason": "For the record: a broken seat, one for the crew.",
    },
    "CabinQuantityInput": {"cabin": "The cabin.", "quantity": "How many, at least one."},
    "CancelBookingInput": {
        "quoteId": "From quoteCancellation.",
        "bookingToken": A_BOOKING_TOKEN,
        "idempotencyKey": A_KEY,
    },
    "ContactInput": {
        "email": "Where confirmations go.",
        "phone": "In international form: +1 212 555 0100.",
    },
    "CreateBookingInput": {
        "offerId": "From flightSearch: which flights, at which price.",
        "holdId": "From holdSeats: the seats.",
        "holdToken": A_HOLD_TOKEN,
        "idempotencyKey": A_KEY,
        "contact": "How to reach whoever books.",
        "passengers": "Who travels: of each type as many as the offer was made for.",
        "source": "Where the customer came from, for your own statistics.",
        "referralCode": "Who sent the customer.",
    },
    "ExtendHoldInput": {"holdId": "The hold.", "token": A_HOLD_TOKEN, "idempotencyKey": A_KEY},
    "FlightFiltersInput": {"maxStops": "At most so many changes on the way; 0 for direct flights."},
    "FlightSearchInput": {
        "slices": "The journey: one slice, one way.",
        "passengers": "Who travels.",
        "cabin": "In which cabin.",
        "filters": "What to leave out.",
        "sort": "In which order.",
    },
    "FlightSeatsInput": {
        "flightId": "The flight.",
        "seats": "Seats by number: 12A.",
        "unassigned": "Seats to be chosen later, each cabin named once.",
    },
    "LimitBookingClassInput": {
        "flightId": "The flight.",
        "cabin": "In which cabin.",
        "bookingClass": "The class (RBD): M.",
        "limit": "From 0, which closes it and those below it, to what the cabin has and may be overbooked by.",
        "reason": "For the record: kept for late bookers.",
    },
    "RegisterClientInput": {
        "name": "A name that no client had before.",
        "documents": "Which documents it may send.",
        "manifest": "The name of trusted documents that are its own from now on; without one it has everybody's.",
    },
    "ChangeClientInput": {"name": "Which client.", "documents": "Which documents it may send."},
    "RetireClientInput": {"name": "Which client."},
    "LoadDocumentsInput": {"client": "Whose documents they are, by name.", "manifest": "The file's content."},
    "RetireDocumentsInput": {"client": "Whose.", "ids": "Which of the client's; all of them where this is missing."},
    "HoldBestSeatsInput": {
        "flights": "On which flights: one to six, each named once.",
        "party": "Who travels. An infant is on an adult's lap and takes no seat.",
        "minutes": "For how long, from 5 to 15.",
        "idempotencyKey": A_KEY,
    },
    "HoldSeatsInput": {
        "flights": "Which seats of which flights: one to six flights, each named once.",
        "minutes": "For how long, from 5 to 15.",
        "idempotencyKey": A_KEY,
    },
    "PassengerInput": {
        "type": "By age on the day of travel.",
        "title": "How to address them.",
        "firstName": "As in their passport.",
        "lastName": "As in their passport; it finds the booking again.",
        "dateOfBirth": "Fits their type on the day of travel.",
        "seats": "One on each flight, but where the hold keeps a place without a seat; none for an infant.",
    },
    "PassengersInput": {
        "adults": "12 years or older.",
        "children": "From 2 to 11 years. Adults and children are 1 to 9 together.",
        "infants": "Under 2 years; no more than adults.",
    },
    "PayBookingInput": {
        "bookingId": "The booking.",
        "bookingToken": A_BOOKING_TOKEN,
        "paymentMethod": "The gateway's name for a card or account; never a card number.",
        "idempotencyKey": A_KEY,
        "returnUrl": "Where the payer comes back to after 3-D Secure.",
    },
    "QuoteCancellationInput": {"bookingId": "The booking.", "bookingToken": A_BOOKING_TOKEN},
    "RefreshSessionInput": {"refreshToken": "The newest of the session; good once."},
    "RegisterInput": {
        "email": "With which to sign in.",
        "password": "A new one.",
        "name": "What they want to be called.",
    },
    "ReleaseHoldInput": {
        "holdId": "The hold.",
        "token": A_HOLD_TOKEN,
        "idempotencyKey": "Not needed: releasing twice is no mistake.",
    },
    "SeatChoiceInput": {
        "flightId": "The flight.",
        "number": "A seat that the hold keeps: 12A; null where it is to be chosen later.",
    },
    "SignInInput": {"email": "That of the account.", "password": "That of the account."},
    "SignOutInput": {
        "refreshToken": "Of the session to end.",
        "everywhere": "End all sessions of this person.",
    },
    "SetOverbookingInput": {
        "flightId": "The flight.",
        "cabin": "In which cabin.",
        "overbooking": "From 0, where the cabin is never overbooked, to what it has.",
        "reason": "For the record: one in twenty does not show up.",
    },
    "SliceInput": {
        "origin": "The airport's code: JFK.",
        "destination": "The airport's code: LAX.",
        "date": "The day of departure, at the origin.",
    },
    "UnblockSeatsInput": {
        "flightId": "The flight.",
        "seats": "By number: 12A.",
        "reason": "For the record.",
    },
}

ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "Flight.seatsLeft": {"cabin": "In which cabin."},
    "Query.node": {"id": "Of an airport, flight, hold, booking, payment, notice or user."},
    "Query.flightSearch": {"input": "What to search for.", "first": "How many, from 1 to 100.", "after": AFTER},
    "Query.flight": {"id": "The flight's."},
    "Query.flightInventory": {"flightId": "The flight."},
    "Query.airports": {"search": "The beginning of a code, city or name.", "first": "At most so many, from 1 to 100."},
    "Query.departures": {
        "airport": "The airport's code: JFK.",
        "from": "From when on; by default from an hour ago.",
        "first": "At most so many, from 1 to 100.",
    },
    "Query.suggestSeats": {
        "flightId": "The flight.",
        "party": "Who travels. An infant is on an adult's lap and takes no seat.",
        "cabin": "In which cabin.",
        "wishes": "What the party wishes of its seats.",
        "near": "A seat (12A) or a row (12) near which to sit.",
    },
    "Query.trustedDocuments": {
        "client": "Those of this client alone.",
        "after": "The id of the last one seen.",
        "afterClient": "Whose that was, where all clients' are asked for.",
        "first": "At most so many, from 1 to 500.",
    },
    "Query.ledgerStatement": {"bookingId": "The booking."},
    "Query.discrepancies": {
        "settled": "Those that were settled, instead of those that are open.",
        "first": "At most so many, from 1 to 100.",
        "after": "The id of the last one seen.",
    },
    "User.bookings": {
        "status": "Only those in one of these states.",
        "departsFrom": "Only those with a flight that leaves on this day or later, at its origin.",
        "departsUntil": "Only those with a flight that leaves on this day or earlier, at its origin.",
        "first": "How many, from 1 to 100.",
        "after": AFTER,
    },
    "Query.hold": {"id": "The hold's.", "token": A_HOLD_TOKEN},
    "Query.booking": {"id": "The booking's.", "token": A_BOOKING_TOKEN},
    "Query.bookingByPnr": {"pnr": "The record locator: six characters.", "lastName": "Of any of its passengers."},
    "Query.notices": {
        "first": "How many, from 1 to 100.",
        "after": AFTER,
        "unreadOnly": "Only those that you have not read.",
    },
    "Subscription.departureEvents": {
        "airport": "The airport's code: JFK.",
        "date": "The board of this day, by the airport's own time. Without it the board moves with the time.",
        "hours": "How far a board without a day looks ahead, from 1 to 24 hours.",
        "after": AFTER,
    },
    "Subscription.bookingEvents": {"bookingId": "The booking.", "token": A_BOOKING_TOKEN, "after": AFTER},
    "Subscription.paymentEvents": {"bookingId": "The booking.", "token": A_BOOKING_TOKEN, "after": AFTER},
    "Subscription.priceEvents": {"search": "As for flightSearch; its order is not used.", "after": AFTER},
    "Subscription.noticeEvents": {"after": AFTER},
    "Subscription.seatMapEvents": {"flightId": "The flight.", "after": AFTER},
    "Subscription.flightStatusEvents": {"flightIds": "1 to 100 flights.", "after": AFTER},
}


def describe(schema: GraphQLSchema) -> None:
    """Put the words where they belong; raises KeyError for words about what the schema has not."""
    for name, words in TYPES.items():
        schema.type_map[name].description = words
    for name, members in MEMBERS.items():
        owner = cast("GraphQLEnumType | GraphQLInputObjectType", schema.type_map[name])
        described = owner.values if isinstance(owner, GraphQLEnumType) else owner.fields
        for member, words in members.items():
            described[member].description = words
    for path, arguments in ARGUMENTS.items():
        name, _, field = path.partition(".")
        for argument, words in arguments.items():
            fields_of(schema, name)[field].args[argument].description = words
    for mutation in fields_of(schema, "Mutation").values():
        mutation.args["input"].description = "What is asked for."


def fields_of(schema: GraphQLSchema, name: str) -> dict[str, GraphQLField]:
    """The fields of an object type."""
    fields: dict[str, GraphQLField] = cast("GraphQLObjectType", schema.type_map[name]).fields
    return fields
