"""Documents by their text, by Apollo's hash and by a trusted id, as a client's policy allows."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

import pytest

from engine.documents import Documents, MemoryStore, Policy, Reading, Trusted
from engine.errors import Refusal
from engine.limits import Limits
from engine.operations import Asked
from tests.engine.schemas import SCHEMA

SENT = "{ hello }"
STORED = "{ person { name } }"
TRUSTED = "{ person { age } }"


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def apollo(text: str) -> dict[str, object]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hashed(text)}}


class Row(NamedTuple):
    client: str | None
    id: str
    sha256: str


class Shelf:
    """A source in memory that counts how often it is asked."""

    def __init__(self, *documents: tuple[str | None, str, str]) -> None:
        self.documents = list(documents)
        self.asked = 0
        self.is_away = False

    async def version(self) -> object:
        self.asked += 1
        if self.is_away:
            raise ConnectionError("away")
        return tuple(self.documents)

    async def listed(self) -> list[Row]:
        return [Row(client, key, hashed(text)) for client, key, text in self.documents]

    async def text(self, sha256: str) -> str | None:
        return next((text for _, _, text in self.documents if hashed(text) == sha256), None)


class Hours:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def documents() -> Documents:
    store = MemoryStore()
    await store.put(hashed(STORED), STORED)
    shelf = Shelf((None, "age-1", TRUSTED))
    return Documents(Reading(SCHEMA, Limits()), store=store, trusted=Trusted(shelf))


async def found(documents: Documents, asked: Asked, policy: Policy, client: str | None = None) -> str:
    """The text that is found, or the code of the refusal."""
    try:
        return (await documents.find(asked, client, policy)).known.text
    except Refusal as refused:
        return str((refused.errors[0].extensions or {})["code"])


ANY, PERSISTED, ONLY_TRUSTED = Policy.ANYTHING, Policy.PERSISTED, Policy.TRUSTED
WAYS = {
    "text": Asked(query=SENT),
    "text with its hash": Asked(query=SENT, extensions=apollo(SENT)),
    "hash of what is stored": Asked(extensions=apollo(STORED)),
    "hash as an id": Asked(document_id=f"sha256:{hashed(STORED)}"),
    "hash of what nobody knows": Asked(extensions=apollo("{ x }")),
    "trusted id": Asked(document_id="age-1"),
    "trusted hash as an id": Asked(document_id=f"sha256:{hashed(TRUSTED)}"),
    "trusted hash": Asked(extensions=apollo(TRUSTED)),
    "id that nobody knows": Asked(document_id="age-2"),
}
TABLE = {
    "text": (SENT, "DOCUMENT_NOT_PERSISTED", "DOCUMENT_NOT_TRUSTED"),
    "text with its hash": (SENT, "DOCUMENT_NOT_PERSISTED", "DOCUMENT_NOT_TRUSTED"),
    "hash of what is stored": (STORED, STORED, "DOCUMENT_NOT_TRUSTED"),
    "hash as an id": (STORED, STORED, "DOCUMENT_NOT_FOUND"),
    "hash of what nobody knows": ("PERSISTED_QUERY_NOT_FOUND", "PERSISTED_QUERY_NOT_FOUND", "DOCUMENT_NOT_TRUSTED"),
    "trusted id": (TRUSTED, TRUSTED, TRUSTED),
    "trusted hash as an id": (TRUSTED, TRUSTED, TRUSTED),
    "trusted hash": (TRUSTED, TRUSTED, TRUSTED),
    "id that nobody knows": ("DOCUMENT_NOT_FOUND", "DOCUMENT_NOT_FOUND", "DOCUMENT_NOT_FOUND"),
}


@pytest.mark.parametrize("way", WAYS)
async def test_each_policy_allows_what_it_says(documents: Documents, way: str) -> None:
    answers = tuple([await found(documents, WAYS[way], policy) for policy in (ANY, PERSISTED, ONLY_TRUSTED)])
    assert answers == TABLE[way]


async def test_a_document_that_is_a_clients_own_is_found_by_nobody_else() -> None:
    shelf = Shelf(("partner", "age-1", TRUSTED), ("another", "age-1", STORED), (None, "age-2", SENT))
    documents = Documents(Reading(SCHEMA, Limits()), trusted=Trusted(shelf))
    ways = [Asked(document_id="age-1"), Asked(document_id=f"sha256:{hashed(TRUSTED)}"), Asked(document_id="age-2")]
    answers = {
        client: [await found(documents, way, ONLY_TRUSTED, client) for way in ways]
        for client in ("partner", "another", "third", None)
    }
    assert answers == {
        "partner": [TRUSTED, TRUSTED, SENT],
        "another": [STORED, "DOCUMENT_NOT_FOUND", SENT],
        "third": ["DOCUMENT_NOT_FOUND", "DOCUMENT_NOT_FOUND", SENT],
        None: ["DOCUMENT_NOT_FOUND", "DOCUMENT_NOT_FOUND", SENT],
    }


async def test_an_id_of_ones_own_comes_before_everybodys() -> None:
    trusted = Trusted(Shelf((None, "age-1", STORED), ("partner", "age-1", TRUSTED)))
    assert [await trusted.find("age-1", client) for client in ("partner", None)] == [TRUSTED, STORED]


async def test_what_comes_with_its_hash_is_known_by_it_afterwards() -> None:
    store = MemoryStore()
    documents = Documents(Reading(SCHEMA, Limits()), store=store)
    by_hash = Asked(extensions=apollo(SENT))
    with pytest.raises(Refusal) as refused:
        await documents.find(by_hash, None, ANY)
    assert refused.value.errors[0].message == "PersistedQueryNotFound"
    assert refused.value.headers == {"Cache-Control": "no-store"}
    assert (await documents.find(WAYS["text with its hash"], None, ANY)).is_persisted
    assert await store.get(hashed(SENT)) == SENT
    other_process = Documents(Reading(SCHEMA, Limits()), store=store)
    assert await found(other_process, by_hash, PERSISTED) == SENT


@pytest.mark.parametrize("text", ["{ nothing }", "{", "{ a: hello " * 2_000])
async def test_what_is_not_valid_is_never_stored(text: str) -> None:
    store = MemoryStore()
    documents = Documents(Reading(SCHEMA, Limits()), store=store)
    with pytest.raises(Refusal):
        await documents.find(Asked(query=text, extensions=apollo(text)), None, ANY)
    assert len(store.texts) == 0
    assert await found(documents, Asked(extensions=apollo(text)), ANY) == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_hash_of_another_document_is_refused_and_stores_nothing() -> None:
    store = MemoryStore()
    documents = Documents(Reading(SCHEMA, Limits()), store=store)
    asked = Asked(query=SENT, extensions=apollo(STORED))
    assert await found(documents, asked, ANY) == "PERSISTED_QUERY_HASH_MISMATCH"
    assert len(store.texts) == 0


async def test_a_text_that_somebody_put_under_another_hash_is_not_taken() -> None:
    store = MemoryStore()
    await store.put(hashed(SENT), STORED)
    documents = Documents(Reading(SCHEMA, Limits()), store=store)
    assert await found(documents, Asked(extensions=apollo(SENT)), ANY) == "PERSISTED_QUERY_NOT_FOUND"


async def test_without_a_store_hashes_are_not_supported() -> None:
    documents = Documents(Reading(SCHEMA, Limits()))
    assert await found(documents, Asked(extensions=apollo(SENT)), ANY) == "PERSISTED_QUERY_NOT_SUPPORTED"
    assert await found(documents, WAYS["text with its hash"], ANY) == SENT
    assert await found(documents, WAYS["trusted id"], ANY) == "DOCUMENT_NOT_FOUND"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Asked(), "BAD_REQUEST"),
        (Asked(query="  "), "BAD_REQUEST"),
        (Asked(query=SENT, document_id="age-1"), "BAD_REQUEST"),
        (Asked(document_id="a b"), "BAD_REQUEST"),
        (Asked(document_id=""), "BAD_REQUEST"),
        (Asked(document_id="sha256:xyz"), "BAD_REQUEST"),
        (Asked(extensions={"persistedQuery": 7}), "PERSISTED_QUERY_NOT_SUPPORTED"),
        (Asked(extensions={"persistedQuery": {"version": 2, "sha256Hash": hashed(SENT)}}),
         "PERSISTED_QUERY_NOT_SUPPORTED"),
        (Asked(extensions={"persistedQuery": {"version": 1, "sha256Hash": 7}}), "BAD_REQUEST"),
        (Asked(extensions={"persistedQuery": {"version": 1}}), "BAD_REQUEST"),
    ],
)  # fmt: skip
async def test_a_request_that_names_no_document_rightly_is_refused(
    documents: Documents, asked: Asked, code: str
) -> None:
    assert await found(documents, asked, ANY) == code


async def test_a_document_that_was_retired_is_trusted_a_few_seconds_more() -> None:
    shelf, hours = Shelf((None, "age-1", TRUSTED)), Hours()
    trusted = Trusted(shelf, seconds=2, clock=hours)
    assert await trusted.find("age-1") == TRUSTED
    shelf.documents.clear()
    hours.now = 1.9
    assert await trusted.find("age-1") == TRUSTED
    hours.now = 2.0
    assert await trusted.find("age-1") is None


async def test_ids_that_nobody_knows_cost_the_source_nothing() -> None:
    shelf, hours = Shelf((None, "age-1", TRUSTED)), Hours()
    trusted = Trusted(shelf, seconds=2, clock=hours)
    for number in range(100):
        assert await trusted.find(f"guess-{number}") is None
    assert shelf.asked == 1


async def test_while_the_source_is_away_what_is_known_goes_on_for_a_while() -> None:
    shelf, hours = Shelf((None, "age-1", TRUSTED)), Hours()
    failures: list[Exception] = []
    trusted = Trusted(shelf, seconds=2, grace=60, failed=failures.append, clock=hours)
    assert await trusted.find("age-1") == TRUSTED
    shelf.is_away = True
    hours.now = 30
    assert await trusted.find("age-1") == TRUSTED
    assert len(failures) == 1
    hours.now = 61
    asked = shelf.asked
    for _ in range(3):
        with pytest.raises(ConnectionError):
            await trusted.find("age-1")
    assert shelf.asked == asked + 1
    shelf.is_away = False
    hours.now = 63
    assert await trusted.find("age-1") == TRUSTED
