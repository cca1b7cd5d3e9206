"""Who asks: what a connection says of it, and the context that is made of that.

Two things may be said. A token says which user asks (`Authorization`, RFC 6750), an API key which program asks
(`X-API-Key`); over WebSocket both may stand in connection_init, since pages can set no headers there.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

from starlette.requests import HTTPConnection

from core import clock
from core.errors import Unauthenticated, Unavailable
from engine.errors import Refused
from engine.websockets import text_of
from resolvers.context import Application, Context, viewer_from_authorization
from schema.http import extensions
from services.clients import KnownClient
from subscriptions.clients import Clients
from subscriptions.sessions import EndedSessions

API_KEY = "x-api-key"
"""The header by which an API client says who it is, and the name of the same in connection_init."""


DEVICE = "x-jetway-device"
"""The header, and the name in connection_init, by which a client says on which device it runs: text of its own making,
the same for as long as it is installed. Nobody has to say it; payments are counted by it (docs/fraud.md)."""


class Credentials(NamedTuple):
    """What a client says of who it is: who uses it, which program it is, and on which device it runs."""

    authorization: str | None
    api_key: str | None
    device: str | None = None


def credentials_of(payload: Mapping[str, Any]) -> Credentials:
    """The credentials in connection_init. Raises Refused for what is no text."""
    return Credentials(text_of(payload, "authorization"), text_of(payload, API_KEY), text_of(payload, DEVICE))


def context_of(
    application: Application,
    ended: EndedSessions,
    clients: Clients,
    connection: HTTPConnection,
    said: Credentials,
) -> Context:
    """The context of one operation. Raises Refused for a token or a key that is no good, or no longer."""
    try:
        viewer = viewer_from_authorization(application.keyring, said.authorization)
        if viewer.session_id is not None and viewer.session_id in ended:
            raise Unauthenticated("You have signed out.")
    except Unauthenticated as refusal:
        raise Refused(401, refusal.message, extensions(refusal)) from refusal
    client = None if said.api_key is None else client_of(clients, said.api_key)
    ip = connection.client.host if connection.client is not None else ""
    return Context(
        app=application,
        viewer=viewer,
        request_id=connection.scope["request_id"],
        ip=ip,
        client=client,
        device=said.device,
    )


def client_of(clients: Clients, api_key: str) -> KnownClient:
    """The client with that key.

    Raises Refused: 403, so that nobody takes it for an access token that has expired and fetches another; 503 where no
    key can be looked up yet.
    """
    try:
        client = clients.find(api_key)
    except Unavailable as refusal:
        raise Refused(503, refusal.message, extensions(refusal)) from refusal
    if client is None:
        raise Refused(403, "This API key is not known.", {"code": "API_KEY_UNKNOWN"})
    if client.is_retired:
        raise Refused(403, "This API key was retired.", {"code": "API_KEY_RETIRED"})
    return client


def expires_in(context: Context) -> float | None:
    """In how many seconds the viewer's token ends."""
    ends = context.viewer.expires_at
    return None if ends is None else max(0.0, (ends - clock.now()).total_seconds())


def is_good(ended: EndedSessions, clients: Clients, context: Context) -> bool:
    """Whether what a context was made of is still good: it may have ended while the operation was under way."""
    client = context.client
    is_retired = client is not None and clients.has_retired(client.name)
    return context.viewer.session_id not in ended and not is_retired


def identities_of(context: Context) -> Iterable[Hashable]:
    """What a socket or a stream is found by when it is to be ended: its sign-in, and the program that opened it."""
    if context.viewer.session_id is not None:
        yield context.viewer.session_id
    if context.client is not None:
        yield client_identity(context.client.name)


def client_identity(name: str) -> Hashable:
    """What an API client is found by."""
    return ("client", name)
