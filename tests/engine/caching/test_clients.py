"""Whoever wrote reads what it wrote; whoever wants nothing kept gets nothing kept; credentials end in time."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from engine.http.caching import etag_of
from tests.engine.caching.shop import Shop
from tests.engine.http.toy import served

THINGS = {"query": "{ things }"}


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def url(shop: Shop) -> Iterator[str]:
    with served(shop.http) as url:
        yield url


def things(answer: httpx.Response) -> int:
    """How many things an answer shows."""
    return int(answer.json()["data"]["things"])


def test_whoever_wrote_sees_nothing_from_before(shop: Shop, url: str) -> None:
    writer = httpx.Client(headers={"authorization": "Bearer guest-1", "x-forwarded-for": "192.0.2.1"})
    other = httpx.Client(headers={"x-forwarded-for": "192.0.2.2"})
    with writer, other:
        assert (things(writer.post(url, json=THINGS)), things(other.post(url, json=THINGS))) == (10, 10)
        shop.now += 1
        writer.post(url, json={"query": "mutation { take }"})
        assert things(other.post(url, json=THINGS)) == 10, "nobody was told yet"
        shop.now += 1
        assert things(writer.post(url, json=THINGS)) == 9
        assert things(other.post(url, json=THINGS)) == 9, "what the writer had read again is for all"
        assert things(writer.post(url, json=THINGS)) == 9
    assert shop.executed == ["things 1"] * 2


@pytest.mark.parametrize(
    ("headers", "count"),
    [
        ({"authorization": "Bearer guest-1", "x-forwarded-for": "192.0.2.9"}, 9),
        ({"x-forwarded-for": "192.0.2.1"}, 9),
        ({"authorization": "Bearer guest-2", "x-forwarded-for": "192.0.2.1"}, 9),
        ({"authorization": "Bearer guest-2", "x-forwarded-for": "192.0.2.9"}, 10),
    ],
)
def test_a_writer_is_known_by_its_credentials_and_by_its_address(
    shop: Shop, url: str, headers: dict[str, str], count: int
) -> None:
    httpx.post(url, json=THINGS)
    shop.now += 1
    writer = {"authorization": "Bearer guest-1", "x-forwarded-for": "192.0.2.1"}
    httpx.post(url, json={"query": "mutation { take }"}, headers=writer)
    assert things(httpx.post(url, json=THINGS, headers=headers)) == count


def test_guests_are_known_by_where_they_come_from(shop: Shop, url: str) -> None:
    home, office = {"x-forwarded-for": "192.0.2.1"}, {"x-forwarded-for": "192.0.2.2"}
    for headers in (home, office):
        httpx.post(url, json=THINGS, headers=headers)
    shop.now += 1
    httpx.post(url, json={"query": "mutation { take }"}, headers=home)
    assert things(httpx.post(url, json=THINGS, headers=office)) == 10
    assert things(httpx.post(url, json=THINGS, headers=home)) == 9


@pytest.mark.parametrize("said", ["no-cache", "max-age=0, No-Cache", "no-store"])
def test_whoever_wants_nothing_that_was_kept_gets_it_anew(shop: Shop, url: str, said: str) -> None:
    httpx.post(url, json=THINGS)
    shop.shelves[1] = 7
    shop.now += 1
    assert things(httpx.post(url, json=THINGS, headers={"cache-control": said})) == 7
    assert things(httpx.post(url, json=THINGS)) == 7
    assert shop.executed == ["things 1"] * 2


def test_an_answer_says_how_old_it_is(shop: Shop, url: str) -> None:
    assert httpx.post(url, json=THINGS).headers["age"] == "0"
    shop.now += 7.5
    posted, got = httpx.post(url, json=THINGS), httpx.get(url, params=THINGS)
    assert (posted.headers["age"], posted.headers["cache-control"]) == ("7", "no-store")
    assert (got.headers["age"], got.headers["cache-control"]) == ("7", "private, no-cache")
    assert got.headers["etag"] == etag_of(got.content)
    same = httpx.get(url, params=THINGS, headers={"if-none-match": got.headers["etag"]})
    assert (same.status_code, same.content, same.headers["age"]) == (304, b"", "7")
    assert shop.executed == ["things 1"]


def test_what_is_not_shared_has_no_age(url: str) -> None:
    answer = httpx.post(url, json={"query": "{ mine }"})
    assert (answer.json(), "age" in answer.headers) == ({"data": {"mine": "guest-0's"}}, False)


async def test_bytes_are_known_as_long_as_their_credentials_are_good() -> None:
    shop = Shop(expires=1_010.0)
    for seconds, found in [(0, 0), (5, 1), (4, 2), (2, 2), (1, 2)]:
        shop.now += seconds
        if shop.now >= 1_010:
            shop.expires = shop.now  # a transport would refuse it now; the cache must not know it by its bytes
        await shop.told("{ motto }")
        assert shop.cache.figures.found == found
    assert shop.executed == ["motto"]


async def test_every_request_is_looked_at_again_when_a_sign_in_has_ended() -> None:
    shop = Shop()
    for _ in range(2):
        await shop.told("{ motto }")
    shop.cache.forget_requests()
    await shop.told("{ motto }")
    assert (shop.cache.figures.found, shop.cache.figures.recognised) == (1, 1)


async def test_headers_by_which_answers_differ_keep_requests_apart() -> None:
    shop = Shop()
    for language in (b"en", b"de", b"en"):
        await shop.told("{ motto }", varied=(language,))
    assert shop.cache.figures.found == 1
