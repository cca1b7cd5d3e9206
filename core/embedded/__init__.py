"""The laptop default: PostgreSQL and Valkey started from wheels, as children of this process.

Both keep all they have in one folder, listen on a Unix socket inside it and on nothing else, and deal with whatever a
killed run left there. Both are synchronous context managers:

    with EmbeddedPostgres(folder / "postgres") as postgres, EmbeddedValkey(folder / "valkey") as valkey:
        connect(postgres.url("jetway"), valkey.url)

One folder belongs to one process at a time; whoever starts them makes sure of that (`demo/laptop.py` by a lock).
"""

from core.embedded.launch import StartFailed
from core.embedded.postgres import EmbeddedPostgres
from core.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedValkey", "StartFailed"]
