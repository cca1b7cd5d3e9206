"""What every table shares: the metadata, names for constraints, and the types that columns are made of."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Enum, MetaData, SmallInteger, String, Text
from sqlalchemy.orm import DeclarativeBase, mapped_column

from core.ids import uuid7

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Code = Annotated[str, mapped_column(String(collation="C"))]
"""Short text that is compared byte by byte: codes, units, designators."""

Key = Annotated[UUID, mapped_column(primary_key=True, default=uuid7)]
"""The UUIDv7 of a row that a client caused."""

Minor = Annotated[int, mapped_column(BigInteger)]
"""Money in minor units; the currency stands beside it."""

Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
"""A point in time, aware, in UTC."""


class Base(DeclarativeBase):
    """The parent of every table."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar = {
        str: Text,
        datetime: DateTime(timezone=True),
        int: BigInteger,
    }


def status(states: type[StrEnum], name: str = "status") -> Enum:
    """A column type that holds the names of `states` as text, with a CHECK that lists exactly them."""
    return Enum(
        states,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=24,
        values_callable=lambda kind: [member.value for member in kind],
    )


Small = Annotated[int, mapped_column(SmallInteger)]
"""A small count."""
