"""People who sign in, their sessions, and the refresh tokens of each session."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, Moment, status


class Role(StrEnum):
    """What somebody is to Jetway: who buys, who looks after flights, and who looks after Jetway itself."""

    CUSTOMER = "CUSTOMER"
    STAFF = "STAFF"
    ADMIN = "ADMIN"


class User(Base):
    """Somebody with an account. `email` is kept in lower case and is unique."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("email = lower(email)", "lower_email"),)

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[Role] = mapped_column(status(Role, "role"))
    created_at: Mapped[Moment]


class UserSession(Base):
    """One sign-in on one device. Revoked by signing out, or when one of its refresh tokens is used twice."""

    __tablename__ = "user_sessions"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[Key]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    revoked_at: Mapped[datetime | None]


class RefreshToken(Base):
    """A refresh token, by its SHA-256: the token itself is told once and never stored."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index(None, "session_id"),)

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("user_sessions.id"))
    issued_at: Mapped[Moment]
    used_at: Mapped[datetime | None]
