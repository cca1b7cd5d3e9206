"""Operators look after API clients by a command."""

from __future__ import annotations

import getpass

import pytest

from core.db import Database
from scripts import clients as command
from services import clients


async def test_the_command_registers_lists_changes_and_retires(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    assert await command.main(["register", "acme", "trusted", "--manifest", "acme"]) == 0
    key = capsys.readouterr().out.splitlines()[-1]
    async with database.reading() as session:
        (known,) = (await clients.known(session)).items()
    assert known == (clients.digest_of(key), ("acme", "TRUSTED", "acme", False))
    assert await command.main(["change", "acme", "persisted"]) == 0
    assert await command.main(["list"]) == 0
    printed = capsys.readouterr().out
    assert "PERSISTED" in printed
    assert f"operator:{getpass.getuser()}  active" in printed
    assert await command.main(["retire", "acme"]) == 0
    assert "retired" in capsys.readouterr().out
    assert await command.main(["change", "acme", "anything"]) == 1
    assert "was retired" in capsys.readouterr().err


async def test_a_policy_that_is_none_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with pytest.raises(SystemExit):
        await command.main(["register", "acme", "everything"])
