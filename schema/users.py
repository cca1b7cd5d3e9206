"""Accounts, as clients see them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from engine.limits import cost, list_size
from models import User as UserRow
from resolvers import users as resolve
from resolvers.bookings import my_bookings
from schema.bookings import BookingConnection
from schema.costs import READING
from schema.nodes import Node, id_of, rows_of
from schema.problems import mutation, outcome
from services import users

strawberry.input(users.Register, name="RegisterInput", description="A new account.")
strawberry.input(users.SignIn, name="SignInInput", description="Who signs in.")
strawberry.input(users.RefreshSession, name="RefreshSessionInput", description="The refresh token to exchange.")
strawberry.input(users.SignOut, name="SignOutInput", description="Which session to end, or, everywhere, all of them.")


@strawberry.type(description="Somebody with an account.")
class User(Node):
    """`models.User`."""

    is_type_of = rows_of(UserRow)

    id = id_of("User")
    email: str = strawberry.field(description="The e-mail that signs in.")
    name: str = strawberry.field(description="What they want to be called.")
    bookings = strawberry.field(
        resolver=my_bookings,
        graphql_type=BookingConnection,
        description="What they have booked, the newest first.",
        directives=[cost(READING), list_size(slicing_arguments=["first"], sized_fields=["edges"])],
    )


@strawberry.type(description="A session. Its tokens cannot be told again.")
class SignedIn:
    """`services.users.SignedIn`."""

    is_type_of = rows_of(users.SignedIn)

    user: User = strawberry.field(description="Who signed in.")
    access_token: str = strawberry.field(description="Send it as `Authorization: Bearer`; good for 15 minutes.")
    access_token_expires_at: datetime = strawberry.field(description="Refresh before then.")
    refresh_token: str = strawberry.field(description="Good once. Using it again ends the session.")


@strawberry.type(description="The session is over.")
class SignedOut:
    """`resolvers.users.SignedOut`."""

    is_type_of = rows_of(resolve.SignedOut)

    everywhere: bool = strawberry.field(description="Whether all sessions are.")


@strawberry.type
class UserMutations:
    """What is done with accounts."""

    register = mutation(resolve.register, outcome("RegisterResult", SignedIn), "Make an account and sign it in.")
    sign_in = mutation(resolve.sign_in, outcome("SignInResult", SignedIn), "Sign in with e-mail and password.")
    refresh_session = mutation(
        resolve.refresh_session,
        outcome("RefreshSessionResult", SignedIn),
        "Exchange a refresh token for new tokens. A token that was used before ends its session.",
    )
    sign_out = mutation(resolve.sign_out, outcome("SignOutResult", SignedOut), "End a session, or all of them.")
