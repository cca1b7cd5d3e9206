"""Stripe's manner of speaking: form encoding with brackets, errors, ids.

Owns nothing. Errors are raised as `ApiError` and answered as `{"error": {...}}`.
"""

import itertools
import os
import string
from collections.abc import Iterable
from typing import Any, NoReturn

from sandbox.store import Doc

API_VERSION = "2026-10-28.endive"
_ALPHABET = (string.digits + string.ascii_letters).encode()
_LETTERS = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))
_MAX_DEPTH = 8


def new_id(prefix: str, length: int = 24) -> str:
    """A fresh id such as `pi_4fR…`; unguessable."""
    return f"{prefix}_{os.urandom(length).translate(_LETTERS).decode()}"


class ApiError(Exception):
    """A refusal in Stripe's shape.

    `status` is the HTTP status; `error` the fields of the error object. `keeps` says that what happened up to here
    stays (a declined charge is a fact). `executed` says that the endpoint had begun its work, so that an
    idempotency key replays this refusal; refusals of malformed requests are not saved.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        keeps: bool = False,
        executed: bool = False,
        **fields: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps = keeps
        self.executed = executed or keeps
        given = {"code": code, "param": param, **fields}
        self.error: Doc = {"message": message, "type": type} | {k: v for k, v in given.items() if v is not None}
        if code is not None:
            self.error["doc_url"] = doc_url(code)


def doc_url(code: str) -> str:
    """Where Stripe explains an error code."""
    return f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"


def missing(kind: str, id: str, param: str, *, status: int = 404) -> ApiError:
    """`resource_missing` for an unknown id."""
    return ApiError(f"No such {kind}: '{id}'", status=status, code="resource_missing", param=param)


def decode(pairs: Iterable[tuple[str, str]]) -> Doc:
    """`a[b]=1&c[]=2&c[]=3` as `{"a": {"b": "1"}, "c": ["2", "3"]}`.

    Keys that are all digits or empty make a list, except inside `metadata`, whose keys are the caller's own.
    Raises ApiError on malformed brackets.
    """
    root: Doc = {}
    for key, value in pairs:
        steps = _steps(key)
        node = root
        for step, following in itertools.pairwise(steps):
            if step == "":
                step = str(len(node)) if following == "" or not node else str(len(node) - 1)
            child = node.setdefault(step, {})
            if not isinstance(child, dict):
                _malformed(key)
            node = child
        node[steps[-1] or str(len(node))] = value
    return {name: _settle(value, name) for name, value in root.items()}


def _steps(key: str) -> list[str]:
    head, bracket, rest = key.partition("[")
    if not bracket:
        return [key]
    if not head or not rest.endswith("]"):
        _malformed(key)
    steps = [head, *rest[:-1].split("][")]
    if len(steps) > _MAX_DEPTH or any("[" in step or "]" in step for step in steps):
        _malformed(key)
    return steps


def _settle(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        return value
    settled = {key: _settle(item, key) for key, item in value.items()}
    if name != "metadata" and settled and all(key.isdigit() for key in settled):
        return [settled[key] for key in sorted(settled, key=int)]
    return settled


def _malformed(key: str) -> NoReturn:
    raise ApiError(f"Invalid request: the parameter name {key!r} is malformed.")
