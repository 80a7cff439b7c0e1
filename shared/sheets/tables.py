"""Cells as they stand in a file, before anybody asks what they mean."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from shared.sheets.cells import Cell, is_blank
from shared.sheets.mistakes import Place

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

MOST_ROWS = 50_000
"""How many rows a sheet may have below its headings."""
MOST_COLUMNS = 50
"""How many columns are looked at; what stands further right is named as foreign."""

PACE = 200

T = TypeVar("T")


@dataclass
class Table:
    """One sheet, or a CSV file (its `name` is empty); rows and columns are counted from 1 in `spoilt` and `closed`.

    `spoilt` says what is wrong with a cell itself; the rows of `closed` cannot be read.
    """

    name: str
    rows: list[list[Cell]]
    spoilt: dict[tuple[int, int], str] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)

    def place(self, number: int, row: int = 0, column: int = 0, heading: str = "") -> Place:
        """A place in it; `number` is the sheet's in the form."""
        return Place(number, row, column, self.name, heading if column and not self.name else "")

    def numbered(self) -> Iterator[tuple[int, list[Cell]]]:
        """The rows below the headings in which anything stands, with their numbers."""
        spoilt = {row for row, _ in self.spoilt}
        for number, row in enumerate(unhurried(self.rows[1:]), start=2):
            if number not in self.closed and (number in spoilt or not all(map(is_blank, row))):
                yield number, row


def unhurried(things: Iterable[T]) -> Iterator[T]:
    """Things one after another, and after every PACE of them a chance for others: a process may host all services."""
    for number, thing in enumerate(things, start=1):
        yield thing
        if number % PACE == 0:
            time.sleep(0)
