"""Trusted documents: what partners and our own clients may ask, loaded in advance from their manifests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Moment


class TrustedDocument(Base):
    """A document of a manifest, `client` by name. An id stands for one text for ever; `retired_at` ends trust.

    `sha256` is that of `body` in UTF-8, in hex.
    """

    __tablename__ = "trusted_documents"
    __table_args__ = (Index(None, "id"), Index(None, "sha256"))

    client: Mapped[Code] = mapped_column(primary_key=True)
    id: Mapped[Code] = mapped_column(primary_key=True)
    sha256: Mapped[Code]
    body: Mapped[str]
    loaded_at: Mapped[Moment] = mapped_column(server_default=text("jetway_now()"))
    retired_at: Mapped[datetime | None]


class TrustHead(Base):
    """The one row that counts changes of trusted documents and of clients; its lock puts them in order."""

    __tablename__ = "trust_heads"
    __table_args__ = (CheckConstraint("id = 1", "one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(server_default=text("0"))
