"""The schemas of facts: `docs/facts/<kind>.json` is what `services/facts` declares, and only ever grows.

python -m scripts.facts            compares; says what differs
python -m scripts.facts --write    writes docs/facts from the code, where nothing that consumers may rely on goes

Each is a JSON Schema (2020-12) of a whole message. Its `version` counts how often it grew.
"""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from services.facts import KINDS, Kind
from services.facts.payloads import Instant, Uuid

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "facts"

Schema = dict[str, Any]

PLAIN: dict[object, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    types.NoneType: {"type": "null"},
    Uuid: {"type": "string", "format": "uuid"},
    Instant: {"type": "string", "format": "date-time"},
}


def schema_of(kind: str, about: Kind) -> Schema:
    """The schema of a message of that kind, without its version."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:jetway:fact:{kind}",
        "title": kind,
        "description": about.says,
        "type": "object",
        "properties": {
            "position": {"type": "integer", "minimum": 1, "description": "gapless over all facts of a Jetway"},
            "id": {"type": "integer", "minimum": 1, "description": "by it a repeated fact is recognised"},
            "kind": {"const": kind},
            "stream": {"type": "string", "pattern": f"^{about.stream}:", "description": "in order within each"},
            "payload": of_type(about.payload),
        },
        "required": ["position", "id", "kind", "stream", "payload"],
    }


def of_type(hint: Any) -> Schema:
    """The schema of a type that `services/facts` may use. Raises TypeError for any other."""
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {"type": "string", "enum": [member.value for member in hint]}
    if is_typeddict(hint):
        return of_object(hint)
    if hint in PLAIN:
        return dict(PLAIN[hint])
    arguments = get_args(hint)
    match get_origin(hint):
        case origin if origin is Annotated:
            return {**of_type(arguments[0]), "description": arguments[1]}
        case origin if origin is list:
            return {"type": "array", "items": of_type(arguments[0])}
        case origin if origin in (types.UnionType, Union):
            return {"anyOf": [of_type(one) for one in arguments]}
    raise TypeError(f"{hint} has no JSON Schema here")


def of_object(hint: type) -> Schema:
    """The schema of a TypedDict."""
    hints = get_type_hints(hint, include_extras=True)
    optional = [name for name, inner in hints.items() if get_origin(inner) is NotRequired]
    return {
        "description": (hint.__doc__ or "").strip(),
        "type": "object",
        "properties": {
            name: of_type(get_args(inner)[0] if name in optional else inner) for name, inner in hints.items()
        },
        "required": [name for name in hints if name not in optional],
    }


def losses(before: Schema, after: Schema, place: str = "") -> Iterator[str]:
    """What a consumer of `before` could rely on and cannot any more. New words in an enum are nothing of the kind."""
    for word in ("type", "format", "const", "pattern", "$id"):
        if before.get(word) != after.get(word):
            yield f"{place or 'the message'}: {word} was {before.get(word)}, is {after.get(word)}"
    for name in sorted(set(before.get("required", ())) - set(after.get("required", ()))):
        yield f"{place}.{name} was always there"
    for name, inner in before.get("properties", {}).items():
        if name in after.get("properties", {}):
            yield from losses(inner, after["properties"][name], f"{place}.{name}")
    if "items" in before and "items" in after:
        yield from losses(before["items"], after["items"], f"{place}[]")
    choices, now = before.get("anyOf", ()), after.get("anyOf", ())
    if len(choices) != len(now):
        yield f"{place}: was one of {len(choices)} types, is one of {len(now)}"
    for was, one in zip(choices, now, strict=False):
        yield from losses(was, one, place)


def committed() -> dict[str, Schema]:
    """The schemas in docs/facts, by kind."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}


def grown(before: dict[str, Schema], after: dict[str, Schema]) -> tuple[dict[str, Schema], list[str]]:
    """What docs/facts is to hold, each with its version, and everything that consumers would lose."""
    lost = [f"{kind}: nobody tells it any more" for kind in before if kind not in after]
    written = {}
    for kind, schema in after.items():
        old = before.get(kind)
        version = 1 if old is None else old["version"] + (without_version(old) != schema)
        written[kind] = {**schema, "version": version}
        if old is not None:
            lost += [f"{kind}: {loss}" for loss in losses(old, schema)]
    return written, lost


def without_version(schema: Schema) -> Schema:
    """The schema as the code declares it."""
    return {word: value for word, value in schema.items() if word != "version"}


def main(arguments: list[str]) -> int:
    """Compare, or write; the exit code."""
    before, after = committed(), {kind: schema_of(kind, about) for kind, about in KINDS.items()}
    written, lost = grown(before, after)
    if lost:
        print("\n".join(lost))
        print("Consumers rely on that. Add a kind beside the old one instead (docs/facts/README.md).")
        return 1
    if "--write" in arguments:
        for kind, schema in written.items():
            (FOLDER / f"{kind}.json").write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
        return 0
    stale = [kind for kind in after if without_version(before.get(kind, {})) != after[kind]]
    if stale:
        print(f"docs/facts is not what services/facts says of {', '.join(stale)}: make schema")
        return 1
    print("Facts: docs/facts is what services/facts says.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
