"""Bodies: packed, too large, too slow, cut short."""

from __future__ import annotations

import gzip
import socket
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest

from engine.http import Options
from tests.engine.http.asking import JSON, greeted, refused
from tests.engine.http.toy import served, toy

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BODY = b'{"query":"{ hello }"}'
MEBIBYTE = 1024 * 1024
Pack = Callable[[bytes], bytes]
PACKED: dict[str, Pack] = {"gzip": gzip.compress, "zstd": zstd.compress}
coded = pytest.mark.parametrize(("coding", "pack"), PACKED.items())


def send(client: httpx.Client, content: bytes, coding: str) -> httpx.Response:
    return client.post("", content=content, headers={"content-type": JSON, "content-encoding": coding})


@coded
def test_a_packed_body_is_unpacked(client: httpx.Client, coding: str, pack: Pack) -> None:
    greeted(send(client, pack(BODY), coding))
    greeted(send(client, pack(BODY + b" " * 900_000), coding.upper()))


@coded
def test_a_bomb_is_413_and_a_mere_hundred_bytes_more_are_too(client: httpx.Client, coding: str, pack: Pack) -> None:
    refused(send(client, pack(b" " * (64 * MEBIBYTE)), coding), 413)
    refused(send(client, pack(BODY.ljust(MEBIBYTE + 100)), coding), 413)
    greeted(send(client, pack(BODY.ljust(MEBIBYTE)), coding))


@coded
def test_what_is_not_packed_whole_is_400(client: httpx.Client, coding: str, pack: Pack) -> None:
    whole = pack(BODY)
    for content in (b"", BODY, whole[:-1], whole[:9], whole + b"x", whole + whole):
        refused(send(client, content, coding), 400)


def test_a_window_beyond_what_http_allows_is_400(client: httpx.Client) -> None:
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=options)
    content = packer.compress(BODY, packer.FLUSH_BLOCK) + packer.flush()
    refused(send(client, content, "zstd"), 400)


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "gzip, zstd", "x"])
def test_another_coding_is_415(client: httpx.Client, coding: str) -> None:
    answer = send(client, BODY, coding)
    refused(answer, 415)
    assert answer.headers["accept-encoding"] == "gzip, zstd"


def test_a_large_body_is_413_announced_or_not(client: httpx.Client) -> None:
    large = BODY.ljust(256 * 1024 + 1)
    headers = {"content-type": JSON}
    for content in (large, iter([large[:200_000], large[200_000:]])):
        answer = client.post("", content=content, headers=headers)
        refused(answer, 413)
        assert answer.headers["connection"] == "close"
    greeted(client.post("", content=large[:-1], headers=headers))
    greeted(client.post("", content=iter([large[:100], large[100:-1]]), headers=headers))


def test_a_body_that_does_not_come_is_408() -> None:
    impatient = toy(options=Options(body_seconds=0.1))
    with served(impatient.app) as url:
        host, port = urlsplit(url).netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=20) as slow:
            slow.sendall(b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
            slow.sendall(b"Content-Length: 30\r\n\r\n{")
            assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")
        greeted(httpx.post(url, json={"query": "{ hello }"}))


def test_who_leaves_before_the_body_ends_hurts_nobody(url: str) -> None:
    host, port = urlsplit(url).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as leaving:
        leaving.sendall(b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
        leaving.sendall(b"Content-Length: 30\r\n\r\n{")
    greeted(httpx.post(url, json={"query": "{ hello }"}))
