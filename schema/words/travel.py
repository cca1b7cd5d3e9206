"""Words for extras, and for what is known of passengers."""

from __future__ import annotations

from collections.abc import Mapping

AIRLINE = "The airline, two characters: UA."
EXTRA = "The extra, by the airline's name for it: MEAL-VGML."
REASON = "For the record."

MEMBERS: Mapping[str, Mapping[str, str]] = {
    "AddExtraInput": {
        "passengerId": "Who is to have it.",
        "code": EXTRA,
        "flightId": "The flight that it is for; null for what is sold for the whole journey.",
        "quantity": "How many, beside those that they have.",
    },
    "AssistanceCode": {
        "BLND": "A blind passenger, or one who sees little.",
        "DEAF": "A deaf passenger, or one who hears little.",
        "DPNA": "A passenger with an intellectual or developmental disability who needs help.",
        "MAAS": "Meet and assist.",
        "WCHC": "A wheelchair, to the seat.",
        "WCHR": "A wheelchair, to the aircraft: steps can be managed.",
        "WCHS": "A wheelchair, and help on steps.",
    },
    "DefineExtraInput": {
        "airlineCode": AIRLINE,
        "code": "1 to 20 capital letters, digits and hyphens.",
        "kind": "What sort of thing it is.",
        "name": "In words, for travellers.",
        "scope": "Whether it is for a flight or for the whole journey.",
        "maxPerPassenger": "How many a passenger can have, from 1 to 9.",
        "closesHours": "It is sold until so many hours before departure.",
        "refundable": "Whether its price comes back when it is given up in time.",
        "infants": "Whether infants can have it.",
        "stocked": "Whether it is counted: sold only where a flight has stock of it.",
        "reason": REASON,
    },
    "DocumentType": {"PASSPORT": "A passport.", "IDENTITY_CARD": "A national identity card."},
    "ExtraChoiceInput": {
        "code": EXTRA,
        "flightId": "The flight that it is for; null for what is sold for the whole journey.",
        "quantity": "How many.",
    },
    "ExtraKind": {
        "BAG": "A bag beyond what the fare includes.",
        "MEAL": "A meal on board.",
        "INSURANCE": "Insurance.",
        "PRIORITY": "Going first: at the counter, aboard, or both.",
    },
    "ExtraScope": {"FLIGHT": "For one flight.", "JOURNEY": "For all flights of the journey together."},
    "ExtraStatus": {
        "ORDERED": "It was ordered; until it is paid for it shares the fate of what it was ordered with.",
        "ISSUED": "It is paid for.",
        "VOID": "It was withdrawn, and nothing came back for it.",
        "REFUNDED": "It was given up, and its price came back.",
    },
    "FrequentFlyerInput": {"airlineCode": AIRLINE, "number": "3 to 16 letters and digits."},
    "Gender": {"FEMALE": "F in the document.", "MALE": "M in the document.", "UNSPECIFIED": "X in the document."},
    "MealCode": {
        "AVML": "Vegetarian, Hindu.",
        "BBML": "For a baby.",
        "BLML": "Bland.",
        "CHML": "For a child.",
        "DBML": "For diabetics.",
        "FPML": "Fruit.",
        "GFML": "Without gluten.",
        "HNML": "Hindu.",
        "KSML": "Kosher.",
        "LCML": "Few calories.",
        "LFML": "Little fat.",
        "LSML": "Little salt.",
        "MOML": "Muslim.",
        "NLML": "Without lactose.",
        "RVML": "Vegetarian, raw.",
        "SFML": "Seafood.",
        "VGML": "Vegan.",
        "VJML": "Vegetarian, Jain.",
        "VLML": "Vegetarian, with milk and eggs.",
        "VOML": "Vegetarian, oriental.",
    },
    "MissingDetail": {
        "DOCUMENT": "A travel document that is good on the day on which the journey ends: a border is crossed.",
        "GENDER": "The gender, as the document states it: a border is crossed.",
    },
    "PriceExtraInput": {
        "airlineCode": AIRLINE,
        "code": EXTRA,
        "currency": "ISO 4217: USD.",
        "minorUnits": "For one, in the currency's smallest unit; null: it is not sold in that currency any more.",
        "reason": REASON,
    },
    "RetireExtraInput": {"airlineCode": AIRLINE, "code": EXTRA, "reason": REASON},
    "SetExtraStockInput": {
        "flightId": "The flight.",
        "code": EXTRA,
        "stock": "How many there are in all, those that are held and sold among them.",
        "reason": REASON,
    },
    "TravelDetailsInput": {
        "gender": "As the travel document states it.",
        "meal": "The special meal to ask the airline for. It costs nothing, and is no extra.",
        "assistance": "The help to ask the airline for.",
        "frequentFlyer": "A membership in an airline's programme.",
        "document": "The travel document, which flights across a border need.",
    },
    "TravelDocumentInput": {
        "type": "Which sort of document.",
        "number": "3 to 20 letters and digits. It is kept sealed.",
        "issuingCountry": "ISO 3166-1, two letters.",
        "expiresOn": "The last day on which it is good: not before the journey ends.",
    },
    "UpdatePassengerInput": {
        "bookingId": "The booking.",
        "bookingToken": "A guest's proof of ownership, from createBooking. Whoever signed in needs none.",
        "passengerId": "The passenger.",
        "gender": "As the travel document states it.",
        "meal": "The special meal to ask the airline for.",
        "assistance": "The help to ask the airline for: all of it, in place of what was told before.",
        "frequentFlyer": "A membership in an airline's programme.",
        "document": "The travel document, in place of the one that was told before.",
    },
}

ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "Query.extrasFor": {"offerId": "The offer's."},
    "Query.extraCatalogue": {"airlineCode": AIRLINE},
    "Query.extraStock": {"flightId": "The flight."},
}
