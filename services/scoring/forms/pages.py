"""Forms as PDF pages, A4 across: ruled tables whose headings are repeated, marks and page numbers on every page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from fpdf import FPDF

from services.scoring.forms.line_breaks import broken
from services.scoring.forms.tables import Look, Placed, Table
from services.scoring.forms.typefaces import SANS, SERIF, printable

MARGIN, TOP, BOTTOM = 10.0, 14.0, 14.0
WIDTH, HEIGHT = 297.0, 210.0
"""A4 across, in mm."""
LINE = 0.48
"""How high a line is, in mm for each point of its type."""
PADDING = 0.8
SIZES = (9.0, 8.5, 8.0, 7.5)
"""A form is set in the largest of these in which it fits on one page, and in the first where it needs several."""
SMALL = 8.0
RED = (192, 0, 0)
_FACES: dict[str, Path] = {"serif": SERIF, "sans": SANS}
_LOOKS: dict[Look, tuple[str, str]] = {"label": ("sans", "C"), "text": ("serif", "L"), "figure": ("serif", "C")}
"""The face and the place of each look; what is bold on a sheet is sans here."""


class Pages(FPDF):
    """Pages of one document, all with the same banner and a number."""

    def __init__(self, title: str, banner: str, made: datetime) -> None:
        super().__init__(orientation="landscape", format="A4")
        self.banner = banner
        for name, path in _FACES.items():
            self.add_font(name, fname=path)
        self.set_title(title)
        self.set_lang("zh-CN")
        self.set_creation_date(made)
        self.set_margins(MARGIN, TOP, MARGIN)
        self.set_auto_page_break(False)
        self.width_of = cache(self._width_of)

    def header(self) -> None:
        """The banner, in a corner of every page."""
        if self.banner:
            self._write_at(MARGIN, 6, WIDTH - 2 * MARGIN, self.banner, face="sans", size=10, place="R", color=RED)

    def footer(self) -> None:
        """第 1 页 共 6 页; how many there are is filled in by fpdf at the end."""
        number = f"第 {self.page_no()} 页 共 {{nb}} 页"
        self._write_at(MARGIN, HEIGHT - 9, WIDTH - 2 * MARGIN, number, face="serif", size=9, place="C")

    def heading(self, title: str, lines: Sequence[str], banner: str = "") -> None:
        """A title in the middle of the page, lines under it, and a banner in red."""
        self._write_at(MARGIN, self.get_y(), WIDTH - 2 * MARGIN, title, face="sans", size=16, place="C")
        self.set_y(self.get_y() + 9)
        for text in filter(None, [*lines, banner]):
            color = RED if text == banner else (0, 0, 0)
            self._write_at(
                MARGIN, self.get_y(), WIDTH - 2 * MARGIN, text, face="serif", size=10, place="C", color=color
            )
            self.set_y(self.get_y() + 5.5)
        self.set_y(self.get_y() + 1)

    def form(self, table: Table) -> None:
        """A form on one page, if it can be read there, or on as many as it takes."""
        self.add_page()
        self.heading(table.title, table.lines, table.banner)
        room = HEIGHT - BOTTOM - self.get_y() - self._height_of(table.notes)
        sizes = (ruled for size in SIZES if sum((ruled := _Ruled.of(self, table, size)).heights) <= room)
        ruled = next(sizes, None) or _Ruled.of(self, table, SIZES[0])
        for number, rows in enumerate(ruled.pages(self.get_y())):
            if number:
                self.add_page()
            self._rows(ruled, rows)
        self.notes(table.notes)

    def notes(self, notes: Sequence[str]) -> None:
        """Lines below, on a page of their own where this one is full."""
        if self.get_y() + self._height_of(notes) > HEIGHT - BOTTOM:
            self.add_page()
        self.set_y(self.get_y() + 2)
        for line in self._small(notes):
            self._write_at(MARGIN, self.get_y(), WIDTH - 2 * MARGIN, line, face="serif", size=SMALL, place="L")
            self.set_y(self.get_y() + LINE * SMALL)

    def _small(self, notes: Sequence[str]) -> list[str]:
        return [line for note in notes for line in self.lines(note, WIDTH - 2 * MARGIN, "serif", SMALL)]

    def _height_of(self, notes: Sequence[str]) -> float:
        return 2 + LINE * SMALL * len(self._small(notes))

    def picture(self, png: bytes, title: str) -> None:
        """A picture over the width of the page under a title, as high as the page allows."""
        if self.get_y() > TOP + 1:
            self.add_page()
        self.heading(title, [])
        self.image(
            BytesIO(png),
            x=MARGIN,
            y=self.get_y(),
            w=WIDTH - 2 * MARGIN,
            h=HEIGHT - BOTTOM - self.get_y(),
            keep_aspect_ratio=True,
            alt_text=title,
        )
        self.set_y(HEIGHT - BOTTOM)

    def lines(self, text: str, width: float, face: str, size: float) -> list[str]:
        """A text in lines of at most a width in mm."""
        return broken(printable(text, _FACES[face]), width, lambda some: self._measured(some, face, size))

    def _measured(self, text: str, face: str, size: float) -> float:
        return sum(self.width_of(character, face) for character in text) * size

    def _width_of(self, character: str, face: str) -> float:
        self.set_font(face, size=1)
        return float(self.get_string_width(character))

    def _rows(self, ruled: "_Ruled", rows: Sequence[int]) -> None:
        tops = [self.get_y()]
        for row in rows:
            tops.append(tops[-1] + ruled.heights[row])
        for one in ruled.placed:
            covered = [number for number, row in enumerate(rows) if row in one.rows]
            if covered:
                self._field(ruled, one, tops[covered[0]], tops[covered[-1] + 1])
        self.set_y(tops[-1])

    def _field(self, ruled: "_Ruled", one: Placed, top: float, bottom: float) -> None:
        left, width = ruled.span(one)
        self.rect(left, top, width, bottom - top)
        face, place = _LOOKS[one.cell.look]
        lines = ruled.lines[one.row, one.column]
        y = top + (bottom - top - LINE * ruled.size * len(lines)) / 2
        for line in lines:
            self._write_at(left + PADDING, y, width - 2 * PADDING, line, face=face, size=ruled.size, place=place)
            y += LINE * ruled.size

    def _write_at(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        *,
        face: str,
        size: float,
        place: str,
        color: tuple[int, int, int] = (0, 0, 0),
    ) -> None:
        before = self.get_y()
        self.set_font(face, size=size)
        self.set_text_color(*color)
        self.set_xy(x, y)
        self.c_margin = 0
        self.cell(width, LINE * size, printable(text, _FACES[face]), align=place)
        self.set_y(before)


@dataclass(frozen=True, kw_only=True)
class _Ruled:
    """A table measured for a page: where its columns are, the lines of its cells, and how high its rows must be."""

    table: Table
    size: float
    edges: Sequence[float]
    placed: Sequence[Placed]
    lines: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    heights: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, page: Pages, table: Table, size: float) -> "_Ruled":
        scale = (WIDTH - 2 * MARGIN) / sum(table.widths)
        edges = [MARGIN + scale * sum(table.widths[:number]) for number in range(len(table.widths) + 1)]
        ruled = cls(table=table, size=size, edges=edges, placed=list(table.placed()))
        ruled.heights.extend([LINE * size + 2 * PADDING] * len(table.rows))
        for one in sorted(ruled.placed, key=lambda one: one.cell.rows):
            _, width = ruled.span(one)
            lines = page.lines(one.cell.text, width - 2 * PADDING, _LOOKS[one.cell.look][0], size)
            ruled.lines[one.row, one.column] = lines
            lacking = len(lines) * LINE * size + 2 * PADDING - sum(ruled.heights[row] for row in one.rows)
            ruled.heights[one.rows[-1]] += max(lacking, 0.0)
        return ruled

    def span(self, one: Placed) -> tuple[float, float]:
        """Where a cell begins, and how wide it is."""
        left = self.edges[one.column]
        return left, self.edges[one.columns[-1] + 1] - left

    def pages(self, top: float) -> Iterator[list[int]]:
        """The rows of each page, the headings again at the head of every one but the first."""
        rows: list[int] = []
        y = top
        for row, height in enumerate(self.heights):
            if y + height > HEIGHT - BOTTOM and rows:
                yield rows
                rows, y = [*self.table.headings], TOP + sum(self.heights[number] for number in self.table.headings)
            rows.append(row)
            y += height
        yield rows
