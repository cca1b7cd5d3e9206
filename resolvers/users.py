"""Accounts: registering, signing in, staying signed in, signing out."""

from __future__ import annotations

from dataclasses import dataclass

from models import User
from resolvers import access
from resolvers.context import Info
from services import limits, users
from services.users import RefreshSession, Register, SignedIn, SignIn, SignOut


@dataclass(frozen=True)
class SignedOut:
    """The session is over; with `everywhere`, every session of that person."""

    everywhere: bool


async def me(info: Info) -> User | None:
    """The viewer's account; null for a guest."""
    if info.context.viewer.is_guest:
        return None
    async with info.context.reading() as session:
        return await access.user(session, info.context)


async def register(info: Info, input: Register) -> SignedIn:
    """Make an account and sign it in."""
    ctx = info.context
    await ctx.app.limiter.hit(limits.REGISTER_IP, ctx.ip)
    entry = await users.prepare(ctx.app.passwords, input)
    async with ctx.transaction() as session:
        return await users.register(session, ctx.app.keyring, entry)


async def sign_in(info: Info, input: SignIn) -> SignedIn:
    """Sign in with e-mail and password."""
    ctx = info.context
    await ctx.app.limiter.hit(limits.SIGN_IN_IP, ctx.ip)
    await ctx.app.limiter.hit(limits.SIGN_IN_EMAIL, input.email.strip().lower())
    # On the primary: a replica may not know yet who registered a moment ago.
    async with ctx.transaction() as session:
        found = await users.find_credentials(session, input.email)
    await users.verify(ctx.app.passwords, found, input.password)
    async with ctx.transaction() as session:
        return await users.sign_in(session, ctx.app.keyring, found)


async def refresh_session(info: Info, input: RefreshSession) -> SignedIn:
    """Exchange a refresh token. A used one ends its session, which is committed before the refusal is raised."""
    async with info.context.transaction() as session:
        outcome = await users.refresh(session, info.context.app.keyring, input)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


async def sign_out(info: Info, input: SignOut) -> SignedOut:
    """End the session of a refresh token, or every session of its owner's."""
    async with info.context.transaction() as session:
        refusal = await users.sign_out(session, input)
    if refusal is not None:
        raise refusal
    return SignedOut(input.everywhere)
