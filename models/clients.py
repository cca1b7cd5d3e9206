"""API clients: partners' programs and our own, each known by a key of its own."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Code, Moment, status


class DocumentPolicy(StrEnum):
    """Which documents a client may send; each member is stricter than the one before it."""

    ANYTHING = "ANYTHING"
    PERSISTED = "PERSISTED"
    TRUSTED = "TRUSTED"


class ApiClient(Base):
    """A program that identifies itself. `digest` is the SHA-256 of its key, which is told once and never stored.

    `manifest` names the trusted documents that are its own; clients may have one in common. A name is never used again,
    and a client that was retired stays, so that its manifest never becomes anybody else's.
    """

    __tablename__ = "clients"
    __table_args__ = (Index(None, "manifest"),)

    name: Mapped[Code] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(unique=True)
    documents: Mapped[DocumentPolicy] = mapped_column(status(DocumentPolicy, "documents"))
    manifest: Mapped[Code | None]
    created_at: Mapped[Moment] = mapped_column(server_default=text("jetway_now()"))
    created_by: Mapped[str]
    retired_at: Mapped[datetime | None]
