"""Who may what, in the running server's database: make somebody with an account STAFF, ADMIN or CUSTOMER again.

    python -m scripts.roles give EMAIL ROLE --reason "looks after the summer schedule"
    python -m scripts.roles list

The database is that of DATABASE_URL, or the embedded one in JETWAY_HOME. Who gave a role is written down as the user of
this machine who ran the command. Exits with 1 where something is refused.
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
from models import Role
from services import users
from services.transitions import Cause


async def give(database: Database, email: str, role: Role, reason: str) -> None:
    """Give somebody a role. Raises Invalid and NotFound."""
    cause = Cause(actor=f"operator:{getpass.getuser()}", reason=reason)
    async with database.transaction() as session:
        changed = await users.give_role(session, email, role, cause)
    print(f"{email} is {role}{'' if changed else ', as before'}.")


async def show(database: Database) -> None:
    """Print everybody who is more than a customer."""
    async with database.reading(primary=True) as session:
        for user in await users.with_roles(session):
            print(f"{user.role:8} {user.email}  {user.name}")


def asked(arguments: list[str]) -> argparse.Namespace:
    """What the command line asks."""
    parser = argparse.ArgumentParser(prog="scripts.roles", description="Who is staff, and who looks after Jetway.")
    commands = parser.add_subparsers(dest="command", required=True)
    giving = commands.add_parser("give", help="give somebody with an account a role")
    giving.add_argument("email")
    giving.add_argument("role", type=Role, choices=list(Role), metavar="|".join(Role))
    giving.add_argument("--reason", required=True, help="why, for the record")
    commands.add_parser("list", help="show who is staff or admin")
    return parser.parse_args(arguments)


async def main(arguments: list[str]) -> int:
    """Do it; the exit code."""
    said = asked(arguments)
    embedded = f"postgresql://jetway@/jetway?host={home() / 'postgres'}"
    database = Database(asyncpg_url(os.environ.get("DATABASE_URL", "").strip() or embedded), pool_size=1)
    try:
        if said.command == "give":
            await give(database, said.email, said.role, said.reason)
        else:
            await show(database)
    except DomainError as refused:
        print(refused, file=sys.stderr)
        return 1
    finally:
        await database.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
