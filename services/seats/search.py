"""The best seats of a cabin for a party, by the rules in the order of their weight (docs/seats.md).

The heavy rules are decided by counting: which splits into groups the free runs allow, and in how small a part of the
cabin. The light ones are decided by looking at every arrangement left, a branch only as long as it may still win.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from services.seats.cabins import ROW_APART, Grid, Place, Run, Taking
from services.seats.groups import LAP, Care, Split, Travellers, best_care, splits
from services.seats.wishes import SeatWish

MOST_BRANCHES = 5_000
"""How many branches are looked at, at most; what was best until then wins. Counted, not timed: one input, one answer.

The heavy rules are decided before. Only cabins made to be difficult come near."""

BITS_PER_COUNT = 16

FRONT_SHARE = 3
"""The front is the first third of a cabin's rows."""

FAR = 1 << 30
"""A distance that none is longer than."""


class Side(NamedTuple):
    """A group in its place: neighbours from column `first` to `last` of a row, by index."""

    row: int
    first: int
    last: int


class Light(NamedTuple):
    """The rules of less weight, in their order; smaller is better, and of two the same the seats in front win.

    `gap`: seats between groups; `unmet`: wishes; `amiss`: seats with more legroom than wished, or less; `distance`:
    from where the party wishes to be; `lonely`: more lonely seats than before; `broken`: rows that were empty before.
    """

    gap: int
    unmet: int
    amiss: int
    distance: int
    lonely: int
    broken: int
    places: tuple[Place, ...]


class Found(NamedTuple):
    """The best arrangement. `steps` are the rows and aisles between one end of the party and the other."""

    care: Care
    steps: int
    light: Light
    sides: tuple[Side, ...]


class Window(NamedTuple):
    """A part of the cabin: rows and blocks between aisles, both ends included."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def steps(self) -> int:
        """Rows and aisles from one end to the other."""
        return self.bottom - self.top + self.right - self.left


class Branch(NamedTuple):
    """An arrangement in the making: what is still to be placed, and what the groups placed so far come to."""

    left: Split
    sides: tuple[Side, ...] = ()
    places: tuple[Place, ...] = ()
    gap: int = 0
    met: int = 0
    amiss: int = 0
    distance: int = FAR
    lonely: int = 0
    broken: int = 0


class Counts:
    """Counts of runs by length, added and compared as one number each: a field per length, with a bit to spare.

    The field of a length counts the runs of at least that length; those of exit rows have fields of their own.
    """

    def __init__(self, widest: int) -> None:
        self._ones = [
            [sum(1 << (BITS_PER_COUNT * (start + field)) for field in range(length)) for length in range(widest + 1)]
            for start in (0, widest)
        ]
        self._guard = sum(1 << (BITS_PER_COUNT * field + BITS_PER_COUNT - 1) for field in range(2 * widest))
        self._needs: dict[Split, int] = {}

    def of(self, length: int, at_exit: bool) -> int:
        """One run of that length."""
        return self._ones[at_exit][length]

    def of_runs(self, runs: Iterable[Run]) -> int:
        """All those runs."""
        return sum(self.of(len(run.seats), run.exit) for run in runs)

    def fits(self, split: Split, have: int) -> bool:
        """Whether each group of the split finds a run of its own: as many runs of each length and more as groups."""
        need = self._needs.get(split)
        if need is None:
            need = sum(self.of(size, False) for size in split.plain) + sum(self.of(size, True) for size in split.exit)
            self._needs[split] = need
        return ((have | self._guard) - need) & self._guard == self._guard


def search(grid: Grid, travellers: Travellers) -> Found | None:
    """The best seats for the party; None where too few are free, or too few outside exit rows."""
    runs = [run for row in grid.runs for run in row]
    widest = max((len(run.seats) for run in runs), default=0)
    counts = Counts(widest)
    care, chosen = best_splits(counts, counts.of_runs(runs), travellers, widest)
    if not chosen:
        return None
    windows = smallest(grid, counts, chosen)
    light, sides = Comparison(grid, counts).best(windows, chosen)
    return Found(care, windows[0].steps, light, sides)


def best_splits(counts: Counts, have: int, travellers: Travellers, widest: int) -> tuple[Care, list[Split]]:
    """The splits that the free runs allow and that leave the fewest children alone, in the fewest groups.

    More groups than needed are only looked at as long as they may leave fewer children alone.
    """
    least = max(0, travellers.children - LAP * travellers.adults)
    best: tuple[int, int, int] | None = None
    chosen: list[Split] = []
    for level in splits(travellers, widest):
        for split in level:
            if not counts.fits(split, have):
                continue
            care = best_care(travellers, split)
            rank = (care.alone, split.groups, care.apart)
            if best is None or rank < best:
                best, chosen = rank, []
            if rank == best:
                chosen.append(split)
        if best is not None and best[0] == least:
            break
    return (Care(best[0], best[2]) if best is not None else Care(0, 0)), chosen


def smallest(grid: Grid, counts: Counts, chosen: Sequence[Split]) -> list[Window]:
    """The smallest parts of the cabin in which one of the splits finds room, from front to back."""
    found = [window for blocks in spans(len(grid.blocks)) for window in narrowest(grid, counts, chosen, *blocks)]
    least = min(window.steps for window in found)
    return sorted(window for window in found if window.steps == least)


def spans(count: int) -> Iterator[tuple[int, int]]:
    """Every range of so many blocks, both ends included."""
    return ((left, right) for left in range(count) for right in range(left, count))


def narrowest(grid: Grid, counts: Counts, chosen: Sequence[Split], left: int, right: int) -> Iterator[Window]:
    """For each row, how many rows from it on are needed to find room between those blocks."""
    rows = [counts.of_runs(run for run in row if left <= run.block <= right) for row in grid.runs]
    have, bottom = 0, -1
    for top, row in enumerate(rows):
        while not any(counts.fits(split, have) for split in chosen):
            bottom += 1
            if bottom == len(rows):
                return
            have += rows[bottom]
        yield Window(top, bottom, left, right)
        have -= row


class Comparison:
    """Looks for the arrangement that is best by the light rules; keeps the best so far."""

    def __init__(self, grid: Grid, counts: Counts) -> None:
        self._grid = grid
        self._counts = counts
        self._branches = MOST_BRANCHES
        self._lonely = [sum(run.lonely for run in row) for row in grid.runs]
        self._best: tuple[Light, tuple[Side, ...]] | None = None

    def best(self, windows: Sequence[Window], chosen: Sequence[Split]) -> tuple[Light, tuple[Side, ...]]:
        """The best arrangement in any of the windows, one of which has room for one of the splits."""
        for window in windows:
            if not self._may_win(self._glance(window)):
                continue
            part = Part(self._grid, self._counts, window)
            for split in chosen:
                if self._counts.fits(split, part.have[0]) and self._may_win(part.promise(split)):
                    self._grow(part, 0, Branch(split))
        if self._best is None:
            raise AssertionError("a window had room for none of the splits")
        return self._best

    def _may_win(self, bound: Light) -> bool:
        return self._best is None or bound < self._best[0]

    def _glance(self, window: Window) -> Light:
        """What a window comes to at best, as far as can be told without looking into it.

        Its first and last rows are used: there is no smaller one.
        """
        grid = self._grid
        return Light(
            gap=0,
            unmet=behind(grid, window),
            amiss=0,
            distance=ahead(grid, window),
            lonely=-sum(self._lonely[window.top : window.bottom + 1]),
            broken=sum(grid.untouched[row] for row in {window.top, window.bottom}),
            places=(Place(window.top, grid.blocks[window.left][0]),),
        )

    def _grow(self, part: Part, start: int, branch: Branch) -> None:
        """Place the next group in every run from `start` on that leaves room for the others behind it."""
        for index in range(start, len(part.runs)):
            if not self._counts.fits(branch.left, part.have[index]):
                return
            run = part.runs[index]
            for size, left in ways(branch.left, run):
                if self._counts.fits(left, part.have[index + 1]):
                    for taking in self._grid.takings(run, size):
                        self._follow(part, index + 1, self._placed(branch, left, run, taking))

    def _follow(self, part: Part, start: int, branch: Branch) -> None:
        """Go on with a branch that may still win."""
        self._branches -= 1
        if self._best is not None and self._branches < 0:
            return
        bound = part.bound(start, branch)
        if not self._may_win(bound):
            return
        if branch.left.groups:
            self._grow(part, start, branch)
        else:
            self._best = bound, branch.sides

    def _placed(self, branch: Branch, left: Split, run: Run, taking: Taking) -> Branch:
        """The branch with one more group."""
        row, first, last = run.row, taking.first, taking.last
        sides = branch.sides
        gaps = [max(first - side.last - 1, side.first - last - 1, 0) for side in sides]
        begins = not sides or sides[-1].row != row
        return Branch(
            left=left,
            sides=(*sides, Side(row, first, last)),
            places=branch.places + tuple(Place(row, column) for column in range(first, last + 1)),
            gap=branch.gap + (min(gaps) if gaps else 0),
            met=branch.met | taking.met,
            amiss=branch.amiss + taking.amiss,
            distance=min(branch.distance, taking.distance),
            lonely=branch.lonely + taking.lonely,
            broken=branch.broken + (begins and self._grid.untouched[row]),
        )


class Part:
    """A window with its runs in the order of reading, and what those from each one on can still give."""

    def __init__(self, grid: Grid, counts: Counts, window: Window) -> None:
        self._grid = grid
        rows = grid.runs[window.top : window.bottom + 1]
        self.runs = [run for row in rows for run in row if window.left <= run.block <= window.right]
        self.have = [0]
        self._met = [0]
        self._lonely = [0]
        self._distance = [FAR]
        for run in reversed(self.runs):
            whole = grid.takings(run, len(run.seats))[0]
            self.have.append(self.have[-1] + counts.of(len(run.seats), run.exit))
            self._met.append(self._met[-1] | whole.met)
            self._lonely.append(self._lonely[-1] - run.lonely)
            self._distance.append(min(self._distance[-1], whole.distance))
        for suffixes in (self.have, self._met, self._lonely, self._distance):
            suffixes.reverse()
        self._front = ahead(grid, window)
        self._back = behind(grid, window)
        self._edges = sum(grid.untouched[row] for row in {window.top, window.bottom})
        self._first = Place(self.runs[0].row, self.runs[0].first)

    def bound(self, start: int, branch: Branch) -> Light:
        """What the branch comes to at best with runs from `start` on; exactly what it comes to if it is complete."""
        grid, complete = self._grid, not branch.left.groups
        met = branch.met if complete else branch.met | self._met[start]
        unmet = ((grid.wished | grid.near) & ~met).bit_count() + self._back
        unmet += SeatWish.EXTRA_LEGROOM in grid.wishes and branch.amiss > 0
        distance = branch.distance if complete else min(branch.distance, self._distance[start])
        lonely = branch.lonely if complete else branch.lonely + self._lonely[start]
        return Light(branch.gap, unmet, branch.amiss, self._front + distance, lonely, branch.broken, branch.places)

    def promise(self, split: Split) -> Light:
        """What the whole window comes to at best. Its first and last rows are used: there is no smaller one."""
        return self.bound(0, Branch(split))._replace(broken=self._edges, places=(self._first,))


FRONT_SHARE = 3
"""The front is the first third of a cabin's rows."""


def in_front(grid: Grid, row: int) -> bool:
    """Whether a row is in the front of the cabin."""
    return row * FRONT_SHARE < len(grid.seats)


def ahead(grid: Grid, window: Window) -> int:
    """How far behind the first row of the cabin those begin who wish to sit in front."""
    return window.top * ROW_APART if SeatWish.FRONT in grid.wishes else 0


def behind(grid: Grid, window: Window) -> bool:
    """Whether that wish is not met."""
    return SeatWish.FRONT in grid.wishes and not in_front(grid, window.bottom)


def ways(left: Split, run: Run) -> Iterator[tuple[int, Split]]:
    """Each size of group that may sit in the run, the largest first, with what is then still to be placed."""
    sizes = left.exit if run.exit else left.plain
    for size in sorted(set(sizes), reverse=True):
        if size <= len(run.seats):
            at = sizes.index(size)
            rest = sizes[:at] + sizes[at + 1 :]
            yield size, Split(left.plain, rest) if run.exit else Split(rest, left.exit)
