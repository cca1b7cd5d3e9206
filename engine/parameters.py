"""The parameters of a request, read out of its JSON or its query string, and found to be of the right shapes.

JSON is read strictly: no NaN, no bad UTF-8, no lone surrogates, no nesting beyond 1,024. Three more things are refused
because somebody on the way, or behind us, would understand them otherwise: a parameter that is there twice, an integer
of more than 64 bits among the variables (it would silently lose digits), and U+0000, which no database text can hold.
Those need a slow look, which only a body that may have them gets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

from engine.operations import Asked
from engine.refusals import malformed

NAMES = ("query", "variables", "operationName", "extensions", "documentId")
QUOTED = tuple(f'"{name}"'.encode() for name in NAMES)
ONE_DIGIT = bytes.maketrans(b"123456789", b"000000000")
LONG_NUMBER = b"0" * 19
"""Any number of 19 digits, once all digits are made the same: quicker to look for than a pattern."""

Text = (str, type(None))
Map = (dict, type(None))
NUL = re.compile(r"\0|\\u(0000|\{0+\})")
"""U+0000 as a document says it: as itself, or escaped in a string (GraphQL, section 2.9.4)."""

JSON_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""U+0000 in a string or a name of JSON; after an even number of backslashes it is only spelled out."""

NO_NUL = "The character U+0000 is not accepted."


def from_json(content: bytes) -> object:
    """What a body says. Raises NotServed 400 for what is not strict JSON."""
    try:
        data: object = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise malformed(f"The body is not JSON in UTF-8: {error}") from error
    if is_doubtful(content):
        scrutinise(content)
    return data


def is_doubtful(content: bytes) -> bool:
    """Whether a body may say a parameter twice, or have U+0000 or a large integer."""
    count = content.count
    for name in QUOTED:
        if count(name) > 1:
            return True
    return b"\\u" in content or LONG_NUMBER in content.translate(ONE_DIGIT)


class Members(list[tuple[str, Any]]):
    """The members of an object in the order in which they stand there, with those that stand there twice."""


def scrutinise(content: bytes) -> None:
    """Raises NotServed 400 for what `is_doubtful` suspects, where it is so."""
    if JSON_NUL.search(content) is not None:
        raise malformed(NO_NUL)
    try:
        data = json.loads(content, object_pairs_hook=Members, parse_int=integer)
    except RecursionError as error:
        raise malformed("The request is nested too deeply.") from error
    for request in [data] if isinstance(data, Members) or not isinstance(data, list) else data:
        if isinstance(request, Members):
            refuse_repeated([name for name, _ in request])
            refuse_nul(dict(request).get("query"))


def refuse_nul(query: object) -> None:
    """Raises NotServed 400 where a document has U+0000, as itself or escaped."""
    if isinstance(query, str) and NUL.search(query) is not None:
        raise malformed(NO_NUL)


def integer(digits: str) -> int:
    """An integer of JSON. Raises NotServed 400 for one of more than 64 bits."""
    if len(digits) > 20 or not -(2**63) <= (number := int(digits)) < 2**64:
        raise malformed("An integer has more than 64 bits: send it as a string.")
    return number


def refuse_repeated(names: list[str]) -> None:
    """Raises NotServed 400 where one of our parameters is there twice."""
    for name in NAMES:
        if names.count(name) > 1:
            raise malformed(f"`{name}` is there twice.")


def from_url(query_string: bytes) -> dict[str, Any]:
    """What a GET says (WHATWG URLSearchParams). Raises NotServed 400."""
    pairs = [part.partition(b"=") for part in query_string.split(b"&") if part]
    named = [(text(name), value) for name, _, value in pairs]
    refuse_repeated([name for name, _ in named])
    data: dict[str, Any] = {name: text(value) for name, value in named if name in NAMES and value}
    if any("\0" in value for value in data.values()):
        raise malformed(NO_NUL)
    refuse_nul(data.get("query"))
    for name in ("variables", "extensions"):
        if name in data:
            data[name] = from_json(data[name].encode())
    return data


def text(encoded: bytes) -> str:
    """One part of a query string. Raises NotServed 400 where it is not UTF-8."""
    try:
        return unquote_to_bytes(encoded.replace(b"+", b" ")).decode()
    except UnicodeDecodeError as error:
        raise malformed("The URL is not in UTF-8.") from error


def asked(data: object) -> Asked:
    """The request that is meant. Raises NotServed 400 for anything that is none."""
    if not isinstance(data, dict):
        raise malformed("The body is not a JSON object.")
    query, document_id, name = data.get("query"), data.get("documentId"), data.get("operationName")
    variables, extensions = data.get("variables"), data.get("extensions")
    if not (isinstance(query, Text) and isinstance(document_id, Text) and isinstance(name, Text)):
        wrong = next(
            label for label in ("query", "documentId", "operationName") if not isinstance(data.get(label), Text)
        )
        raise malformed(f"`{wrong}` is not a string.")
    if not (isinstance(variables, Map) and isinstance(extensions, Map)):
        wrong = "variables" if not isinstance(variables, Map) else "extensions"
        raise malformed(f"`{wrong}` is not an object.")
    if not (query and query.strip()) and not document_id and not has_hash(extensions):
        raise malformed("`query` is not a string with a GraphQL document.")
    return Asked(
        query=query or None,
        document_id=document_id or None,
        variables=variables,
        operation_name=name or None,
        extensions=extensions,
    )


def has_hash(extensions: Mapping[str, Any] | None) -> bool:
    """Whether the document is meant by its hash (automatic persisted queries)."""
    return bool(extensions) and isinstance((extensions or {}).get("persistedQuery"), dict)
