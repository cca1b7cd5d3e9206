"""Passengers, as clients see them, and what is told of them."""

from __future__ import annotations

from datetime import date

import strawberry

from models import AssistanceCode, DocumentType, Gender, MealCode
from resolvers import travellers as resolve
from services import travellers

strawberry.enum(Gender, description="As a travel document states it.")
strawberry.enum(DocumentType, description="What proves who somebody is at a border.")
strawberry.enum(MealCode, description="Special meals, by their IATA codes. A wish to the airline, which costs nothing.")
strawberry.enum(AssistanceCode, description="Help on the way, by its IATA code.")
strawberry.enum(travellers.Missing, name="MissingDetail", description="What is still to be told of a passenger.")

strawberry.input(travellers.Document, name="TravelDocumentInput", description="A travel document.")
strawberry.input(
    travellers.FrequentFlyer, name="FrequentFlyerInput", description="A membership in an airline's programme."
)
strawberry.input(
    travellers.TravelDetails, name="TravelDetailsInput", description="What is known of a passenger beside the name."
)
strawberry.input(
    resolve.UpdatePassengerInput,
    description="Details of a passenger to change. What is left out stays as it is; null takes it back.",
)


@strawberry.type(description="A travel document. Its number is kept sealed, and shown to nobody in full.")
class TravelDocument:
    """`services.travellers.Document`."""

    type: DocumentType = strawberry.field(description="Which sort of document.")
    number_ends_with: str = strawberry.field(description="The last four characters of its number.")
    issuing_country: str = strawberry.field(description="ISO 3166-1, two letters.")
    expires_on: date = strawberry.field(description="The last day on which it is good.")


@strawberry.type(description="A membership in an airline's programme.")
class FrequentFlyer:
    """`services.travellers.FrequentFlyer`."""

    airline_code: str = strawberry.field(description="The airline, two characters: UA.")
    number: str = strawberry.field(description="The membership's number.")


@strawberry.type(description="What is known of a passenger beside the name.")
class TravelDetails:
    """`services.travellers.TravelDetails`."""

    gender: Gender | None = strawberry.field(description="As the travel document states it.")
    meal: MealCode | None = strawberry.field(description="The special meal they ask the airline for.")
    assistance: list[AssistanceCode] = strawberry.field(description="The help that they ask the airline for.")
    frequent_flyer: FrequentFlyer | None = strawberry.field(description="Their membership.")
    document: TravelDocument | None = strawberry.field(description="Their travel document.")
