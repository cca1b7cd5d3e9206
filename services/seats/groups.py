"""How a party may split into groups, and who of it sits in which: sizes and people only, no seats yet.

A group sits side by side: in one row, with no aisle between. Children, adults with an infant in arms and whoever needs
an accessible seat never sit in an exit row, so a split says which of its groups may.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

LAP = 2
"""How many children one adult can sit beside."""


@dataclass(frozen=True, kw_only=True)
class Travellers:
    """Who needs a seat. `carriers` of the adults have an infant in arms; `reserved` more people need a safe row."""

    adults: int
    children: int
    carriers: int = 0
    reserved: int = 0

    @property
    def seated(self) -> int:
        """How many seats they take."""
        return self.adults + self.children

    @property
    def at_exits(self) -> int:
        """How many of them may sit in an exit row."""
        return max(0, self.adults - self.carriers - self.reserved)

    @property
    def restricted(self) -> bool:
        """Whether somebody may not sit in an exit row."""
        return self.at_exits < self.seated


class Split(NamedTuple):
    """Sizes of groups, the largest first: in `plain` rows, and in rows beside an `exit`."""

    plain: tuple[int, ...]
    exit: tuple[int, ...]

    @property
    def groups(self) -> int:
        """How many groups they are."""
        return len(self.plain) + len(self.exit)


class People(NamedTuple):
    """Who sits in a group."""

    adults: int
    children: int


class Care(NamedTuple):
    """How well those are looked after who must be; smaller is better.

    `alone`: children without an adult beside them. `apart`: children without an adult in their group, and adults with
    an infant in arms without another adult in theirs.
    """

    alone: int
    apart: int


def partitions(total: int, most: int) -> Iterator[tuple[int, ...]]:
    """Every way to write `total` as a sum of parts of at most `most`, the largest part first."""
    if total == 0:
        yield ()
    for first in range(min(total, most), 0, -1):
        for rest in partitions(total - first, first):
            yield (first, *rest)


@lru_cache(maxsize=512)
def splits(travellers: Travellers, widest: int) -> tuple[tuple[Split, ...], ...]:
    """Every split into groups of at most `widest`, by the number of groups, the fewest first.

    Where everybody may sit everywhere, exit rows are rows like others, and all groups are `plain`.
    """
    most = travellers.at_exits if travellers.restricted else 0
    found: dict[int, list[Split]] = {}
    for beside in range(most + 1):
        for plain in partitions(travellers.seated - beside, widest):
            for exit_ in partitions(beside, widest):
                split = Split(plain, exit_)
                found.setdefault(split.groups, []).append(split)
    return tuple(tuple(found[count]) for count in sorted(found))


def distributions(sizes: Sequence[int], adults: int, *, in_order: bool) -> Iterator[tuple[People, ...]]:
    """Every way to put so many adults, and children in all other seats, into groups of these sizes.

    With `in_order`, groups of one size differ by their places; else only one of such ways is told.
    """
    if not sizes:
        if adults == 0:
            yield ()
        return
    size, rest = sizes[0], sizes[1:]
    for here in range(min(size, adults), max(0, adults - sum(rest)) - 1, -1):
        for others in distributions(rest, adults - here, in_order=in_order):
            if not in_order and rest and rest[0] == size and others[0].adults > here:
                continue
            yield (People(here, size - here), *others)


def care(groups: Sequence[People], carriers: int) -> Care:
    """How people in these groups are looked after, in the best order of sitting and with the infants in the best arms.

    An adult sits beside two children; an infant is carried where there is another adult, as long as there is one.
    """
    accompanied = sum(group.adults for group in groups if group.adults > 1)
    return Care(
        alone=sum(max(0, group.children - LAP * group.adults) for group in groups),
        apart=sum(group.children for group in groups if not group.adults) + max(0, carriers - accompanied),
    )


@lru_cache(maxsize=4096)
def best_care(travellers: Travellers, split: Split) -> Care:
    """The best that can be done for a party that splits so."""
    adults = travellers.adults - sum(split.exit)
    ways = distributions(split.plain, adults, in_order=False)
    carriers = travellers.carriers if travellers.adults > 1 else 0
    return min(care(way, carriers) for way in ways)


def side_by_side(group: People) -> str:
    """The order in which a group sits, `A` for an adult and `C` for a child: each child beside an adult if possible."""
    seats = ""
    for adult in range(group.adults):
        before = "C" if adult < group.children else ""
        after = "C" if group.adults + adult < group.children else ""
        seats += f"{before}A{after}"
    return seats.ljust(group.adults + group.children, "C")
