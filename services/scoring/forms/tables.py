"""A form as a table with cells over several columns and rows, whatever it is printed on. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Look = Literal["label", "text", "figure"]
"""A heading in the middle; words from the left; a figure or a few words in the middle."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """What stands in one field of a form; a number keeps being one, so that an office can sum it."""

    value: str | int | Decimal | None = None
    unit: str = ""
    look: Look = "text"
    columns: int = 1
    rows: int = 1

    @property
    def text(self) -> str:
        """As it is read: 12次, 99.34%."""
        if self.value is None:
            return ""
        return f"{self.value}{self.unit}" if isinstance(self.value, str | int) else f"{self.value:f}{self.unit}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """A cell and where it begins, counted from 0."""

    row: int
    column: int
    cell: Cell

    @property
    def rows(self) -> range:
        """The rows that it covers."""
        return range(self.row, self.row + self.cell.rows)

    @property
    def columns(self) -> range:
        """The columns that it covers."""
        return range(self.column, self.column + self.cell.columns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A form: its title, its banner and lines under that, cells row by row from left to right, and notes below these.

    The banner (模拟数据, 暂评) is repeated at the head of every page; it may be empty.
    `widths` are of the columns, in digits of a sheet's usual font. `headings` are the rows that every page repeats.
    """

    title: str
    banner: str
    lines: Sequence[str]
    widths: Sequence[int]
    rows: Sequence[Sequence[Cell]]
    headings: range
    notes: Sequence[str] = ()

    def placed(self) -> Iterator[Placed]:
        """Every cell with its place; a row leaves out what cells of rows above reach into, as HTML's tables do."""
        taken: set[tuple[int, int]] = set()
        for row, cells in enumerate(self.rows):
            column = 0
            for cell in cells:
                while (row, column) in taken:
                    column += 1
                found = Placed(row=row, column=column, cell=cell)
                taken |= {(below, beside) for below in found.rows for beside in found.columns}
                yield found


def label(text: str, *, columns: int = 1, rows: int = 1) -> Cell:
    """A heading."""
    return Cell(value=text, look="label", columns=columns, rows=rows)


def words(text: str | None, *, columns: int = 1) -> Cell:
    """Words from the left; nothing where there are none."""
    return Cell(value=text or None, look="text", columns=columns)


def figure(value: str | int | Decimal | None, unit: str = "") -> Cell:
    """A figure, or nothing where it is not known; words in its place have no unit."""
    return Cell(value=value, unit=unit if isinstance(value, int | Decimal) else "", look="figure")
