"""API clients, as administrators see and change them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from engine.limits import list_size
from models import ApiClient as ClientRow
from models import DocumentPolicy
from resolvers import clients as resolve
from schema.nodes import rows_of
from schema.problems import mutation, outcome
from services import clients

strawberry.enum(DocumentPolicy, description="Which documents a client may send; each is stricter than the one before.")
strawberry.input(
    clients.RegisterClient, name="RegisterClientInput", description="A program that is to be known by a key of its own."
)
strawberry.input(
    clients.ChangeClient, name="ChangeClientInput", description="Which documents a client may send from now on."
)
strawberry.input(
    clients.RetireClient, name="RetireClientInput", description="A client whose key is to be accepted no longer."
)

SOME_CLIENTS = 100
"""How many clients are assumed for the cost of a list of all."""


@strawberry.type(description="A program that identifies itself by a key.")
class ApiClient:
    """`models.ApiClient`."""

    is_type_of = rows_of(ClientRow)

    name: str = strawberry.field(description="Its name, which no other client ever has.")
    documents: DocumentPolicy = strawberry.field(description="Which documents it may send.")
    manifest: str | None = strawberry.field(
        description="The name of the trusted documents that are its own; null where it has everybody's alone."
    )
    created_at: datetime = strawberry.field(description="When it was registered.")
    created_by: str = strawberry.field(description="By whom.")
    retired_at: datetime | None = strawberry.field(description="Since when its key is accepted no longer.")


@strawberry.type(description="A new client with its key. The key cannot be told again.")
class RegisteredClient:
    """`services.clients.RegisteredClient`."""

    is_type_of = rows_of(clients.RegisteredClient)

    client: ApiClient = strawberry.field(description="The client.")
    key: str = strawberry.field(description="What it sends as X-API-Key.")


@strawberry.type
class ClientMutations:
    """What administrators do with API clients."""

    register_client = mutation(
        resolve.register_client,
        outcome("RegisterClientResult", RegisteredClient),
        "For administrators: have a program known by a key of its own, which is told once.",
    )
    change_client = mutation(
        resolve.change_client,
        outcome("ChangeClientResult", ApiClient),
        "For administrators: give a client another policy. Every process knows within a second.",
    )
    retire_client = mutation(
        resolve.retire_client,
        outcome("RetireClientResult", ApiClient),
        "For administrators: accept a client's key no longer, and end its sockets and streams, within a second.",
    )


@strawberry.type
class ClientQueries:
    """What administrators see of API clients."""

    api_clients = strawberry.field(
        resolver=resolve.api_clients,
        graphql_type=list[ApiClient] | None,
        description="For administrators: every client that is or was registered, by name.",
        directives=[list_size(SOME_CLIENTS)],
    )
