"""Fields that overlap: the same verdict as graphql-core's rule, and an end of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from random import Random

import pytest
from graphql import GraphQLSchema, OverlappingFieldsCanBeMergedRule, build_schema, parse, validate

from engine.limits import Limits
from engine.limits.merging import check_merging

SCHEMA = build_schema("""
    interface Pet { name(of: Int, at: At): String friend: Pet owner: Person pets: [Pet] }
    input At { x: Int y: Int }
    type Dog implements Pet {
      name(of: Int, at: At): String friend: Pet owner: Person pets: [Pet]
      barks: Int loud: Boolean! tag: String same: Person list: [Int]
    }
    type Cat implements Pet {
      name(of: Int, at: At): String friend: Pet owner: Person pets: [Pet]
      barks: String loud: Boolean tag: String same: Dog list: Int
    }
    type Person { name: String pet: Pet either: Either dog: Dog cat: Cat }
    union Either = Dog | Cat
    type Query { pet: Pet dog: Dog cat: Cat person: Person either: Either }
""")
ROOMY = replace(Limits(), merging=10**6)

FIELDS = {
    "Query": {"pet": "Pet", "dog": "Dog", "cat": "Cat", "person": "Person", "either": "Either"},
    "Pet": {"name": "", "friend": "Pet", "owner": "Person", "pets": "Pet"},
    "Dog": {"name": "", "friend": "Pet", "owner": "Person", "barks": "", "loud": "", "tag": "", "same": "Person",
            "list": ""},
    "Cat": {"name": "", "friend": "Pet", "owner": "Person", "barks": "", "loud": "", "tag": "", "same": "Dog",
            "list": ""},
    "Person": {"name": "", "pet": "Pet", "either": "Either", "dog": "Dog", "cat": "Cat"},
    "Either": {"__typename": ""},
}  # fmt: skip
WITHIN = {"Pet": ("Dog", "Cat", "Pet"), "Either": ("Dog", "Cat", "Pet"), "Dog": ("Pet", "Dog"), "Cat": ("Pet", "Cat")}
ARGUMENTS = ("", "(of: 1)", "(of: 2)", "(at: {x: 1, y: 2})", "(at: {y: 2, x: 1})", "(of: $v)")
FRAGMENTS = (("A", "Pet"), ("B", "Dog"), ("C", "Pet"), ("D", "Person"), ("E", "Cat"))


@dataclass
class Writer:
    """Writes documents that are valid but for their fields, which may overlap, and for fragments nobody spreads."""

    chance: Random

    def document(self) -> str:
        """A document. A fragment spreads only those that come later, so that there is no cycle."""
        parts = ["query ($v: Int) " + self.selections("Query", 4, FRAGMENTS)]
        for index, (name, on) in enumerate(FRAGMENTS):
            parts.append(f"fragment {name} on {on} " + self.selections(on, 2, FRAGMENTS[index + 1 :]))
        return only_used(" ".join(parts))

    def selections(self, kind: str, depth: int, later: tuple[tuple[str, str], ...]) -> str:
        """A selection set of a type; at the bottom it has leaves alone."""
        parts = [self.selection(kind, depth, later) for _ in range(self.chance.randint(1, 3))]
        return "{ " + " ".join(parts) + " }"

    def selection(self, kind: str, depth: int, later: tuple[tuple[str, str], ...]) -> str:
        """One selection: a field, an inline fragment, or a spread."""
        spreads = [name for name, on in later if on in WITHIN.get(kind, ()) or on == kind]
        choice = self.chance.randint(0, 5)
        if choice == 0 and spreads:
            return "..." + self.chance.choice(spreads)
        if choice == 1 and depth and kind in WITHIN:
            on = self.chance.choice(WITHIN[kind])
            return f"... on {on} " + self.selections(on, depth - 1, later)
        fields = {name: of for name, of in FIELDS[kind].items() if depth or not of}
        name = self.chance.choice(sorted(fields)) if fields else "__typename"
        alias = self.chance.choice(["", "", "", "", "", "x: ", "name: ", "friend: "])
        arguments = self.chance.choice(ARGUMENTS) if name == "name" and kind != "Person" else ""
        below = " " + self.selections(fields[name], depth - 1, later) if fields.get(name) else ""
        return f"{alias}{name}{arguments}{below}"


def only_used(text: str) -> str:
    """The document without the fragments that nobody spreads: validation refuses those before fields are compared."""
    head, *fragments = text.split(" fragment ")
    kept = [head]
    for fragment in fragments:
        name = fragment.split(" ", 1)[0]
        if any(f"...{name} " in one + " " for one in kept):
            kept.append(fragment)
    return " fragment ".join(kept)


def verdicts(text: str, schema: GraphQLSchema = SCHEMA) -> tuple[bool, bool]:
    """Whether the fields can be merged: by graphql-core, and by us."""
    document = parse(text)
    theirs = validate(schema, document, [OverlappingFieldsCanBeMergedRule])
    return not theirs, check_merging(schema, document, ROOMY) is None


def test_the_verdict_is_that_of_the_usual_rule() -> None:
    writer = Writer(Random(7))
    both = Counter[bool]()
    for _ in range(500):
        text = writer.document()
        theirs, ours = verdicts(text)
        assert ours == theirs, text
        both[ours] += 1
    # The documents are such that both verdicts are tried.
    assert min(both.values()) > 60


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{ dog { x: name x: tag } }", "'name' and 'tag' are different fields"),
        ("{ dog { name(of: 1) name(of: 2) } }", "they have differing arguments"),
        ("{ dog { name name(of: 2) } }", "they have differing arguments"),
        ("{ pet { ... on Dog { barks } ... on Cat { barks } } }", "they return conflicting types 'Int' and 'String'"),
        ("{ pet { ... on Dog { loud } ... on Cat { loud } } }", "they return conflicting types"),
        ("{ pet { ... on Dog { list } ... on Cat { list } } }", "they return conflicting types"),
        ("{ dog { friend { x: name } } dog { ...F } } fragment F on Dog { friend { x: owner { name } } }",
         "they return conflicting types 'String' and 'Person'"),
        ("{ either { ... on Dog { same { name } } ... on Cat { same { name: barks } } } }",
         "they return conflicting types"),
    ],
)  # fmt: skip
def test_a_conflict_is_told_with_its_reason_and_both_places(text: str, reason: str) -> None:
    error = check_merging(SCHEMA, parse(text), Limits())
    assert error is not None
    assert reason in " or ".join([error.message, error.message.replace("'Person' and 'String'", "'String' and 'Person'")
                                  .replace("'tag' and 'name'", "'name' and 'tag'")
                                  .replace("'String' and 'Int'", "'Int' and 'String'")])  # fmt: skip
    assert len(error.locations or ()) == 2


@pytest.mark.parametrize(
    "text",
    [
        "{ dog { name(at: {x: 1, y: 2}) name(at: {y: 2, x: 1}) } }",
        "{ pet { ... on Dog { x: name } ... on Cat { x: tag } } }",
        "{ pet { ... on Dog { friend { x: name } } ... on Cat { friend { x: name(of: 2) } } } }",
        "{ dog { ...F ...F } } fragment F on Dog { name friend { name } }",
    ],
)
def test_what_can_be_merged_is(text: str) -> None:
    assert verdicts(text) == (True, True)


def test_as_many_equal_fields_as_there_are_tokens_are_compared_in_few_steps() -> None:
    fields = parse("{ person { " + "name " * 1_900 + "} }")
    steps = 8 * 1_900
    assert check_merging(SCHEMA, fields, replace(Limits(), merging=steps)) is None


def test_too_many_steps_are_refused() -> None:
    error = check_merging(SCHEMA, parse("{ person { " + "name " * 100 + "} }"), replace(Limits(), merging=50))
    assert error is not None
    assert error.extensions == {"code": "TOO_COMPLEX", "limit": 50, "found": 51}
