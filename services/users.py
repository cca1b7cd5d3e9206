"""People with an account: they register, sign in, stay signed in, and sign out.

A refresh token is 32 random bytes, told once; its SHA-256 is kept. Each is good for one use and thirty days. One
that is presented again is in two hands, so its whole session ends (RFC 9700 section 4.14.2).

Passwords are hashed before a transaction is opened, never inside one. In a resolver:

    entry = await users.prepare(passwords, command)
    async with ctx.transaction() as session:
        signed_in = await users.register(session, keyring, entry)

    async with ctx.transaction() as session:
        found = await users.find_credentials(session, command.email)
    await users.verify(passwords, found, command.password)
    async with ctx.transaction() as session:
        signed_in = await users.sign_in(session, keyring, found)

A refusal that has changed something is *returned*, so that the transaction around it commits; whoever called raises it
afterwards, outside:

    async with ctx.transaction() as session:
        outcome = await users.refresh(session, keyring, command)
    if isinstance(outcome, Unauthenticated):
        raise outcome
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert

from core import keys, tokens
from core.db import ReadSession, Session
from core.errors import Conflict, Invalid, NotFound, Unauthenticated
from core.ids import uuid7
from core.keys import Keyring
from core.passwords import Passwords
from models import RefreshToken, Role, User, UserSession
from services import outbox
from services.transitions import Cause

REFRESH_LIFETIME = timedelta(days=30)
REFRESH_BYTES = 32
LONGEST_NAME = 200
REUSED = "a refresh token was used twice"
LONGEST_EMAIL, LONGEST_LOCAL_PART = 254, 64
LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""RFC 5322's dot-atom. Whether anybody reads mail there is found out by writing to it."""

DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")

jetway_now = func.jetway_now


@dataclass(frozen=True, kw_only=True)
class Register:
    """Make an account. `name` is what the person wants to be called."""

    email: str
    password: str = field(repr=False)
    name: str


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """Sign in to an account."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class RefreshSession:
    """Exchange a refresh token for an access token and the next refresh token."""

    refresh_token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SignOut:
    """End the session that the refresh token belongs to, or, `everywhere`, all of that person's."""

    refresh_token: str = field(repr=False)
    everywhere: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A checked registration: what the row will hold."""

    email: str
    name: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What is known of an e-mail before its password is verified; both None where nobody has it."""

    user_id: UUID | None
    password_hash: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A user with new tokens. Neither token can be told again."""

    user: User
    access_token: str = field(repr=False)
    access_token_expires_at: datetime
    refresh_token: str = field(repr=False)


def user_stream(user_id: UUID) -> str:
    """The stream of what happens to an account."""
    return f"user:{user_id}"


def session_stream(session_id: UUID) -> str:
    """The stream of what happens to one sign-in."""
    return f"session:{session_id}"


SESSION_ENDINGS = "sessions:ended"
"""The one stream of every sign-in's end: each process hears all of them, whoever's sockets it has."""


def normal_email(text: str) -> str:
    """The e-mail as it is kept: lower case, no spaces around, the domain in ASCII (IDNA, RFC 3490).

    Raises Invalid for what cannot be one.
    """
    local, _, domain = text.strip().lower().rpartition("@")
    email = f"{local}@{ascii_domain(domain)}"
    if len(local) > LONGEST_LOCAL_PART or len(email) > LONGEST_EMAIL or not LOCAL_PART.fullmatch(local):
        raise Invalid("This is not an e-mail address.", field="email")
    return email


def ascii_domain(domain: str) -> str:
    """The name that DNS knows a domain by. Raises Invalid where it cannot know it."""
    try:
        name = domain.encode("idna").decode().lower() if len(domain) <= LONGEST_EMAIL else ""
    except UnicodeError:
        name = ""
    if not DOMAIN.fullmatch(name):
        raise Invalid("This is not an e-mail address.", field="email")
    return name


def normal_name(text: str) -> str:
    """The name as it is kept: NFC, single spaces. Raises Invalid where it is empty, too long or not printable."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid(f"A name has 1 to {LONGEST_NAME} printable characters.", field="name")
    return name


async def prepare(passwords: Passwords, command: Register) -> Entry:
    """Check a registration and hash its password; outside of any transaction. Raises Invalid."""
    email, name = normal_email(command.email), normal_name(command.name)
    return Entry(email=email, name=name, password_hash=await passwords.hash(command.password))


async def register(session: Session, keyring: Keyring, entry: Entry) -> SignedIn:
    """Make the account and sign it in. Raises Conflict EMAIL_TAKEN where the e-mail has one."""
    made = await session.scalar(
        insert(User)
        .values(
            id=uuid7(),
            email=entry.email,
            name=entry.name,
            password_hash=entry.password_hash,
            role=Role.CUSTOMER,
            created_at=jetway_now(),
        )
        .on_conflict_do_nothing(index_elements=[User.email])
        .returning(User)
    )
    if made is None:
        raise Conflict("There is an account with this e-mail. Sign in instead.", code="EMAIL_TAKEN")
    await outbox.record(session, "user.registered", user_stream(made.id), {"user_id": str(made.id)})
    return await start_session(session, keyring, made)


async def find_credentials(session: ReadSession, email: str) -> Credentials:
    """What has to be verified before `email` is signed in. Never says whether there is such an account."""
    try:
        normal = normal_email(email)
    except Invalid:
        return Credentials(user_id=None, password_hash=None)
    row = (await session.execute(select(User.id, User.password_hash).where(User.email == normal))).one_or_none()
    if row is None:
        return Credentials(user_id=None, password_hash=None)
    return Credentials(user_id=row.id, password_hash=row.password_hash)


async def verify(passwords: Passwords, found: Credentials, password: str) -> None:
    """Raises Unauthenticated unless the password is right: in the same words and the same time for nobody's e-mail."""
    if not await passwords.verify(found.password_hash, password):
        raise wrong_credentials()


async def sign_in(session: Session, keyring: Keyring, verified: Credentials) -> SignedIn:
    """Start a session for credentials that were verified, unless the password was changed since."""
    statement = select(User).where(User.id == verified.user_id, User.password_hash == verified.password_hash)
    user = await session.scalar(statement.with_for_update(read=True))
    if user is None:
        raise wrong_credentials()
    return await start_session(session, keyring, user)


async def refresh(session: Session, keyring: Keyring, command: RefreshSession) -> SignedIn | Unauthenticated:
    """Use up the refresh token and give the next one, good for thirty days from now.

    A token that was used before ends its session, and this refusal is returned, not raised: let the transaction commit.
    Raises Unauthenticated, with nothing changed, for a token that is unknown, expired or revoked.
    """
    digest = digest_of(command.refresh_token)
    session_id = await lock_session(session, digest)
    if not await use_up(session, digest):
        await end_sessions(session, [session_id], REUSED)
        return refused_token()
    user_id = await session.scalar(
        update(UserSession)
        .where(UserSession.id == session_id, is_live())
        .values(expires_at=jetway_now() + REFRESH_LIFETIME)
        .returning(UserSession.user_id)
    )
    if user_id is None:
        raise refused_token()
    return await tokens_for(session, keyring, await session.get_one(User, user_id), session_id)


async def sign_out(session: Session, command: SignOut) -> Unauthenticated | None:
    """End the token's session, or, `everywhere`, all of its user's. None where that is so now, asked once or often.

    Raises Unauthenticated, with nothing changed, for an unknown token, and for an expired or revoked one that wants to
    end other sessions too. One that was used before ends its own session alone, and the refusal is returned, as in
    `refresh`. Access tokens given out before last for what is left of their fifteen minutes.
    """
    digest = digest_of(command.refresh_token)
    if not command.everywhere:
        await end_sessions(session, [await lock_session(session, digest)], "signed out")
        return None
    own = await find_session(session, digest)
    live = await lock_live_sessions(session, own.user_id)
    if own.id not in live:
        raise refused_token()
    if not await use_up(session, digest):
        await end_sessions(session, [own.id], REUSED)
        return refused_token()
    await end_sessions(session, live, "signed out everywhere")
    return None


async def give_role(session: Session, email: str, role: Role, cause: Cause) -> bool:
    """Make somebody with an account CUSTOMER, STAFF or ADMIN; whether they were not so before.

    Access tokens given out before last with the old role for what is left of their fifteen minutes; the next refresh
    gives the new one. Raises Invalid for what is no e-mail, and NotFound where nobody has it.
    """
    user = await session.scalar(select(User).where(User.email == normal_email(email)).with_for_update())
    if user is None:
        raise NotFound("There is no account with this e-mail.")
    if user.role is role:
        return False
    told = {"user_id": str(user.id), "role": role, "from": user.role, "actor": cause.actor, "reason": cause.reason}
    user.role = role
    await session.flush()
    await outbox.record(session, "user.role_changed", user_stream(user.id), told)
    return True


async def with_roles(session: ReadSession) -> list[User]:
    """Everybody who is STAFF or ADMIN, by e-mail."""
    return list(await session.scalars(select(User).where(User.role != Role.CUSTOMER).order_by(User.email)))


async def start_session(session: Session, keyring: Keyring, user: User) -> SignedIn:
    """A new session of `user`, with its first tokens."""
    session_id = uuid7()
    now = jetway_now()
    await session.execute(
        insert(UserSession).values(id=session_id, user_id=user.id, created_at=now, expires_at=now + REFRESH_LIFETIME)
    )
    await outbox.record(session, "session.started", session_stream(session_id), {"user_id": str(user.id)})
    return await tokens_for(session, keyring, user, session_id)


async def tokens_for(session: Session, keyring: Keyring, user: User, session_id: UUID) -> SignedIn:
    """An access token and the next refresh token of a session whose row is locked."""
    refresh_token = keys.encode(secrets.token_bytes(REFRESH_BYTES))
    await session.execute(
        insert(RefreshToken).values(digest=digest_of(refresh_token), session_id=session_id, issued_at=jetway_now())
    )
    access_token, expires_at = tokens.issue(keyring, user_id=user.id, session_id=session_id, role=user.role)
    return SignedIn(
        user=user,
        access_token=access_token,
        access_token_expires_at=expires_at,
        refresh_token=refresh_token,
    )


async def find_session(session: Session, digest: bytes) -> UserSession:
    """The session that a refresh token belongs to, not locked. Raises Unauthenticated for an unknown token."""
    return known(await session.scalar(session_of(digest)))


async def lock_session(session: Session, digest: bytes) -> UUID:
    """Lock the session that a refresh token belongs to: whoever else uses or ends it waits. Raises Unauthenticated."""
    return known(await session.scalar(session_of(digest).with_for_update(of=UserSession))).id


def session_of(digest: bytes) -> Select[UserSession]:
    """The query for the session of a refresh token."""
    joined = select(UserSession).join(RefreshToken, RefreshToken.session_id == UserSession.id)
    return joined.where(RefreshToken.digest == digest)


def known(found: UserSession | None) -> UserSession:
    """The session, where there is one; raises Unauthenticated where there is none."""
    if found is None:
        raise refused_token()
    return found


async def lock_live_sessions(session: Session, user_id: UUID) -> list[UUID]:
    """Lock all live sessions of a user, in the order of their ids, so that two who do so never wait for each other."""
    rows = select(UserSession.id).where(UserSession.user_id == user_id, is_live()).order_by(UserSession.id)
    return list(await session.scalars(rows.with_for_update()))


async def use_up(session: Session, digest: bytes) -> bool:
    """Mark a refresh token as used; False where it was before."""
    statement = update(RefreshToken).where(RefreshToken.digest == digest, RefreshToken.used_at.is_(None))
    used = await session.scalar(statement.values(used_at=jetway_now()).returning(RefreshToken.digest))
    return used is not None


async def end_sessions(session: Session, session_ids: Sequence[UUID], reason: str) -> None:
    """Revoke those of the sessions that are not revoked yet. Their rows are locked."""
    ended = await session.execute(
        update(UserSession)
        .where(UserSession.id.in_(session_ids), UserSession.revoked_at.is_(None))
        .values(revoked_at=jetway_now())
        .returning(UserSession.id, UserSession.user_id)
    )
    for session_id, user_id in ended:
        facts = {"session_id": str(session_id), "user_id": str(user_id), "reason": reason}
        await outbox.record(session, "session.ended", SESSION_ENDINGS, facts)


async def sessions_ended_since(session: ReadSession, moment: datetime) -> Sequence[UUID]:
    """The sign-ins that were revoked at `moment` or later, the oldest first."""
    ended = select(UserSession.id).where(UserSession.revoked_at >= moment).order_by(UserSession.revoked_at)
    return (await session.scalars(ended)).all()


def is_live() -> ColumnElement[bool]:
    """Neither revoked nor past its thirty days."""
    return and_(UserSession.revoked_at.is_(None), UserSession.expires_at > jetway_now())


def digest_of(refresh_token: str) -> bytes:
    """What is kept of a refresh token."""
    return hashlib.sha256(refresh_token.encode(errors="replace")).digest()


def wrong_credentials() -> Unauthenticated:
    """One refusal for an unknown e-mail and for a wrong password."""
    return Unauthenticated("The e-mail or the password is wrong.")


def refused_token() -> Unauthenticated:
    """One refusal for every refresh token that is no good."""
    return Unauthenticated("This sign-in has ended. Sign in again.")
