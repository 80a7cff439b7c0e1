"""The mistakes of a sheet, each by its place, gathered until all of them are known."""

from typing import NamedTuple

from shared.errors import Invalid

MOST_TOLD = 1000
"""How many are told one by one."""


class Place(NamedTuple):
    """Where something stands, counted from 1; row 0 is the sheet as a whole, column 0 the row as a whole.

    `sheet` is empty in a CSV file, whose columns go by their name (`heading`).
    """

    number: int
    row: int = 0
    column: int = 0
    sheet: str = ""
    heading: str = ""

    def __str__(self) -> str:
        """As it is told: 点位!C7, or row 7, column point_id."""
        if self.sheet:
            cell = f"{letters(self.column) if self.column else ''}{self.row or ''}"
            return f"{self.sheet}!{cell}" if cell else self.sheet
        column = f"column {self.heading or self.column}" if self.heading or self.column else ""
        return ", ".join(part for part in (f"row {self.row}" if self.row else "", column) if part)


class Mistakes:
    """What is wrong, and where."""

    def __init__(self) -> None:
        self._found: dict[Place, list[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, place: Place, why: str) -> None:
        """Remember a mistake; `why` begins with what was expected."""
        self._found.setdefault(place, []).append(why)

    def raise_any(self) -> None:
        """Raise Invalid with the first MOST_TOLD of them in the order of the sheet, and how many more there are."""
        if not self._found:
            return
        places = sorted(self._found)
        told = {str(place): self._found[place] for place in places[:MOST_TOLD]}
        if more := sum(len(self._found[place]) for place in places[MOST_TOLD:]):
            told[""] = [*told.get("", []), f"{more} more mistakes"]
        raise Invalid(told)


def letters(column: int) -> str:
    """A column's name: 1 is A, 27 is AA."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def number_of(name: str) -> int:
    """The number of a column by its name of letters A to Z."""
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
