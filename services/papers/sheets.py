"""How our pages look: A4, one typeface, one colour, a head and a foot on each, tables that go on overleaf.

Text is Latin, Greek or Cyrillic, as the typeface has it; any other letter is printed as a question mark. Measures are
millimetres, type is in points.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import fontpkg_fira_sans
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import Align, TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from core.money import Money

TYPEFACE = Path(fontpkg_fira_sans.__file__).with_name("files")
FAMILY = "Fira"
STYLES = {"": TYPEFACE / "FiraSans-Regular.ttf", "B": TYPEFACE / "FiraSans-SemiBold.ttf"}

INK, QUIET, COLOUR, RULE, PALE = (20, 33, 61), (91, 100, 114), (14, 84, 160), (216, 222, 230), (244, 247, 251)
"""Text, text beside it, what is ours, lines, and the ground of a table's head: red, green, blue."""

MARGIN = 18.0
HEAD = 26.0
BODY, SMALL, LARGE, HUGE = 10.0, 8.5, 13.0, 20.0


class Sheet(FPDF):
    """Pages under one title, for one record locator. The width between the margins is `epw`."""

    def __init__(self, title: str, pnr: str, drawn_at: datetime) -> None:
        super().__init__(format="A4", unit="mm")
        self.heading, self.pnr, self.drawn_at = title, pnr, drawn_at
        for style, file in STYLES.items():
            self.add_font(FAMILY, style, file)
        self.set_title(f"{title} {pnr}")
        self.set_author("Jetway")
        self.set_lang("en")
        self.set_creation_date(drawn_at)
        self.set_margins(MARGIN, HEAD + 8, MARGIN)
        self.set_auto_page_break(True, MARGIN + 4)
        self.type()
        self.add_page()

    def header(self) -> None:
        """Who we are, what this is, and whose."""
        self.set_fill_color(*COLOUR)
        self.rect(0, 0, self.w, HEAD, style="F")
        self.set_xy(MARGIN, 7)
        self.type(HUGE, "B", (255, 255, 255))
        self.cell(self.epw / 2, 12, "Jetway")
        self.type(LARGE, "B", (255, 255, 255))
        self.set_xy(MARGIN + self.epw / 2, 5.5)
        self.cell(self.epw / 2, 8, self.heading, align=Align.R)
        self.type(BODY, "", (255, 255, 255))
        self.set_xy(MARGIN + self.epw / 2, 13)
        self.cell(self.epw / 2, 6, f"Record locator {self.pnr}", align=Align.R)
        self.set_xy(self.l_margin, self.t_margin)
        self.type()

    def footer(self) -> None:
        """When it was so, and which page of how many."""
        self.set_y(-MARGIN)
        self.type(SMALL, "", QUIET)
        self.cell(self.epw / 2, 6, f"As of {self.drawn_at:%d %b %Y %H:%M} UTC")
        self.cell(self.epw / 2, 6, f"Page {self.page_no()} of {{nb}}", align=Align.R)

    def type(self, size: float = BODY, style: str = "", colour: tuple[int, int, int] = INK) -> None:
        """Write on in this size, style (`B` is bold) and colour."""
        self.set_font(FAMILY, style, size)
        self.set_text_color(*colour)

    def chapter(self, title: str, room: float = 30) -> None:
        """A heading, on the next page where less than `room` is left below it."""
        if self.will_page_break(room):
            self.add_page()
        self.ln(4)
        self.type(LARGE, "B", COLOUR)
        self.cell(0, 8, title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.type()

    def paragraph(self, text: str, size: float = BODY, colour: tuple[int, int, int] = INK) -> None:
        """Text over the whole width."""
        self.type(size, "", colour)
        self.multi_cell(0, size * 0.5, printable(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.type()

    def at(
        self, x: float, y: float, width: float, text: str, size: float = BODY, style: str = "", quiet: bool = False
    ) -> None:
        """A line of text at a place, made smaller where it would be wider than `width`."""
        self.type(size, style, QUIET if quiet else INK)
        text = printable(text)
        wide = self.get_string_width(text)
        if wide > width:
            self.set_font_size(size * width / wide * 0.99)
        self.set_xy(x, y)
        self.cell(width, size * 0.5, text)

    def listing(
        self, heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], sums: Sequence[str] = ()
    ) -> None:
        """A table whose heads are repeated overleaf. With `sums`, a last row, the last column is of amounts."""
        right = len(heads) - 1 if sums else None
        aligned = [Align.R if column == right else Align.L for column in range(len(heads))]
        self.set_draw_color(*RULE)
        self.type(BODY)
        with self.table(
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="B", color=QUIET, fill_color=PALE, size_pt=SMALL),
            line_height=5.5,
            padding=1.2,
            col_widths=tuple(widths),
            text_align=aligned,
        ) as table:
            for line in filter(None, (heads, *rows, sums)):
                row = table.row(style=FontFace(emphasis="B") if line is sums else None)
                for text in line:
                    row.cell(printable(text))
        self.type()

    def finished(self) -> bytes:
        """The PDF."""
        return bytes(self.output())


@cache
def letters() -> frozenset[int]:
    """What the typeface can print."""
    with TTFont(STYLES[""], lazy=True) as font:
        return frozenset(font.getBestCmap())


def printable(text: str) -> str:
    """The text with a question mark for every letter that the typeface does not have."""
    return "".join(one if ord(one) in letters() else "?" for one in text)


def written(money: Money) -> str:
    """An amount with its currency, as receipts write it: `USD 1,234.50`, `−USD 12.00`."""
    sign = "−" if money.minor_units < 0 else ""
    return f"{sign}{money.currency} {abs(money.amount):,}"
