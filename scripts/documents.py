"""Trusted documents of the running server's database: load a manifest, list what there is, retire.

    python -m scripts.documents load CLIENT manifest.json
    python -m scripts.documents list [CLIENT]
    python -m scripts.documents retire CLIENT [ID ...]

Manifests are those of Apollo, Relay and graphql-codegen; one with a document that is not valid is refused whole. The
database is that of DATABASE_URL, or the embedded one in JETWAY_HOME. Exits with 1 where something is refused.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

import orjson

from core.db import Database
from core.errors import DomainError
from core.settings import asyncpg_url, home
from engine.documents import ManifestRefused, Reading, read_manifest
from engine.limits import Limits
from services import documents

PAGE = 500


def read(file: Path) -> dict[str, str]:
    """The documents of a manifest, valid for the schema: texts by their ids. Raises ManifestRefused."""
    from schema.build import schema  # the whole schema: only what loads needs it

    data = orjson.loads(file.read_bytes())
    return {one.id: one.text for one in read_manifest(data, Reading(schema, Limits()))}


async def load(database: Database, client: str, trusted: dict[str, str]) -> None:
    """Trust the documents of a manifest. Raises DomainError."""
    async with database.transaction() as session:
        added = await documents.load(session, client, trusted)
    print(f"{len(trusted)} documents of {client}, {added} of them new.")


async def show(database: Database, client: str | None) -> None:
    """Print every document, with the times at which it was loaded and retired."""
    after = ("", "")
    while True:
        async with database.reading(primary=True) as session:
            page = await documents.listing(session, client, after=after, first=PAGE)
        for one in page:
            ended = f"retired {one.retired_at:%Y-%m-%d %H:%M}" if one.retired_at else "trusted"
            print(f"{one.client:20} {one.id:72} {one.loaded_at:%Y-%m-%d %H:%M}  {ended}")
        if len(page) < PAGE:
            return
        after = (page[-1].client, page[-1].id)


async def retire(database: Database, client: str, ids: list[str]) -> None:
    """Retire documents, or all of a client's. Raises NotFound."""
    async with database.transaction() as session:
        retired = await documents.retire(session, client, ids or None)
    print(f"{retired} documents of {client} retired.")


def asked(arguments: list[str]) -> argparse.Namespace:
    """What the command line asks."""
    parser = argparse.ArgumentParser(prog="scripts.documents", description="Trusted documents.")
    commands = parser.add_subparsers(dest="command", required=True)
    loading = commands.add_parser("load", help="trust the documents of a manifest")
    loading.add_argument("client")
    loading.add_argument("file", type=Path)
    listing = commands.add_parser("list", help="show documents")
    listing.add_argument("client", nargs="?")
    retiring = commands.add_parser("retire", help="trust documents no longer: these, or all of a client's")
    retiring.add_argument("client")
    retiring.add_argument("ids", nargs="*")
    return parser.parse_args(arguments)


async def main(arguments: list[str]) -> int:
    """Do it; the exit code."""
    said = asked(arguments)
    embedded = f"postgresql://jetway@/jetway?host={home() / 'postgres'}"
    database = Database(asyncpg_url(os.environ.get("DATABASE_URL", "").strip() or embedded), pool_size=1)
    try:
        if said.command == "load":
            await load(database, said.client, read(said.file))
        elif said.command == "list":
            await show(database, said.client)
        else:
            await retire(database, said.client, said.ids)
    except (ManifestRefused, DomainError, orjson.JSONDecodeError, OSError) as refused:
        print("\n".join(getattr(refused, "reasons", [str(refused)])), file=sys.stderr)
        return 1
    finally:
        await database.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
