"""API clients of the running server's database: register one and be told its key, list them, change one, retire one.

    python -m scripts.clients register NAME anything|persisted|trusted [--manifest MANIFEST]
    python -m scripts.clients list
    python -m scripts.clients change NAME anything|persisted|trusted
    python -m scripts.clients retire NAME

The key is printed once, alone on the last line, and kept nowhere. The database is that of DATABASE_URL, or the embedded
one in JETWAY_HOME. Who did it is written down as the user of this machine who ran the command. Exits with 1 where
something is refused.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys

from core.db import Database
from core.errors import DomainError
from core.settings import asyncpg_url, home
from models import ApiClient, DocumentPolicy
from services import clients
from services.clients import ChangeClient, RegisterClient, RetireClient


async def register(database: Database, command: RegisterClient, by: str) -> None:
    """Register a client, and print its key. Raises Invalid and Conflict."""
    async with database.transaction() as session:
        registered = await clients.register(session, command, by)
    print(f"{command.name} is registered. This is its key, which cannot be told again:")
    print(registered.key)


async def show(database: Database) -> None:
    """Print every client."""
    async with database.reading(primary=True) as session:
        for one in await clients.listing(session):
            print(line(one))


async def change(database: Database, command: ChangeClient, by: str) -> None:
    """Give a client another policy. Raises NotFound and Conflict."""
    async with database.transaction() as session:
        print(line(await clients.change(session, command, by)))


async def retire(database: Database, command: RetireClient, by: str) -> None:
    """Retire a client. Raises NotFound."""
    async with database.transaction() as session:
        print(line(await clients.retire(session, command, by)))


def line(client: ApiClient) -> str:
    """A client in one line."""
    ended = f"retired {client.retired_at:%Y-%m-%d %H:%M}" if client.retired_at else "active"
    manifest = client.manifest or "everybody's documents"
    made = f"{client.created_at:%Y-%m-%d %H:%M} by {client.created_by}"
    return f"{client.name:20} {client.documents:10} {manifest:24} {made}  {ended}"


def asked(arguments: list[str]) -> argparse.Namespace:
    """What the command line asks."""
    parser = argparse.ArgumentParser(prog="scripts.clients", description="API clients.")
    commands = parser.add_subparsers(dest="command", required=True)
    registering = commands.add_parser("register", help="have a program known by a key of its own")
    registering.add_argument("name")
    add_policy(registering)
    registering.add_argument("--manifest", help="the trusted documents that are its own")
    commands.add_parser("list", help="show clients")
    changing = commands.add_parser("change", help="give a client another policy")
    changing.add_argument("name")
    add_policy(changing)
    retiring = commands.add_parser("retire", help="accept a client's key no longer")
    retiring.add_argument("name")
    return parser.parse_args(arguments)


def add_policy(parser: argparse.ArgumentParser) -> None:
    """The argument that says which documents a client may send."""
    names = "|".join(policy.lower() for policy in DocumentPolicy)
    parser.add_argument("documents", type=policy_of, choices=list(DocumentPolicy), metavar=names)


def policy_of(word: str) -> DocumentPolicy:
    """The policy of that name. Raises ValueError."""
    return DocumentPolicy(word.upper())


async def main(arguments: list[str]) -> int:
    """Do it; the exit code."""
    said = asked(arguments)
    by = f"operator:{getpass.getuser()}"
    embedded = f"postgresql://jetway@/jetway?host={home() / 'postgres'}"
    database = Database(asyncpg_url(os.environ.get("DATABASE_URL", "").strip() or embedded), pool_size=1)
    try:
        if said.command == "register":
            command = RegisterClient(name=said.name, documents=said.documents, manifest=said.manifest)
            await register(database, command, by)
        elif said.command == "list":
            await show(database)
        elif said.command == "change":
            await change(database, ChangeClient(name=said.name, documents=said.documents), by)
        else:
            await retire(database, RetireClient(name=said.name), by)
    except DomainError as refused:
        print(refused, file=sys.stderr)
        return 1
    finally:
        await database.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
