"""What a journey asks to know of those who travel, beside their names: documents, meals, help on the way."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Moment


class Gender(StrEnum):
    """As a travel document states it (ICAO Doc 9303: F, M, and X for neither)."""

    FEMALE = "FEMALE"
    MALE = "MALE"
    UNSPECIFIED = "UNSPECIFIED"


class DocumentType(StrEnum):
    """What proves who somebody is at a border."""

    PASSPORT = "PASSPORT"
    IDENTITY_CARD = "IDENTITY_CARD"


class MealCode(StrEnum):
    """Special meals, by the four letters with which airlines ask for them (IATA special service requests)."""

    AVML = "AVML"
    BBML = "BBML"
    BLML = "BLML"
    CHML = "CHML"
    DBML = "DBML"
    FPML = "FPML"
    GFML = "GFML"
    HNML = "HNML"
    KSML = "KSML"
    LCML = "LCML"
    LFML = "LFML"
    LSML = "LSML"
    MOML = "MOML"
    NLML = "NLML"
    RVML = "RVML"
    SFML = "SFML"
    VGML = "VGML"
    VJML = "VJML"
    VLML = "VLML"
    VOML = "VOML"


class AssistanceCode(StrEnum):
    """Help on the way, by the four letters with which airlines ask for it (IATA special service requests)."""

    BLND = "BLND"
    DEAF = "DEAF"
    DPNA = "DPNA"
    MAAS = "MAAS"
    WCHC = "WCHC"
    WCHR = "WCHR"
    WCHS = "WCHS"


class TravelDocument(Base):
    """A passenger's travel document, sealed: nothing of it is readable without a secret of Jetway's.

    `key_id` names the secret that sealed it, so that a rotation finds what is still to be sealed anew.
    """

    __tablename__ = "travel_documents"

    passenger_id: Mapped[UUID] = mapped_column(ForeignKey("passengers.id"), primary_key=True)
    key_id: Mapped[Code] = mapped_column(index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    written_at: Mapped[Moment]
