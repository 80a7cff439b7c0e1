"""What stands in a cell, as the words that it shows."""

from datetime import date, datetime, time, timedelta

Cell = str | float | bool | date | datetime | time | timedelta
"""As a sheet holds it; an empty cell is the empty string, and every number is a float."""

EXACT = 10**15
"""Sheets keep 15 digits of a number; what is longer has lost some."""


class Unreadable(ValueError):
    """What was expected in the cell."""


def is_blank(cell: Cell) -> bool:
    """Whether nothing stands there that anybody could see."""
    return isinstance(cell, str) and not cell.strip()


def text(cell: Cell) -> str:
    """A cell as text, a whole number as its digits; raises Unreadable."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool) or not isinstance(cell, float):
        raise Unreadable(f"expected text, found {_kind_of(cell)}: format the cell as text")
    if not cell.is_integer() or abs(cell) >= EXACT:
        raise Unreadable(f"expected text, found the number {cell!r}: format the cell as text")
    return str(int(cell))


def number(cell: Cell) -> str:
    """A cell as a number, exact as it stands; raises Unreadable."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool) or not isinstance(cell, float):
        raise Unreadable(f"expected a number, found {_kind_of(cell)}")
    return str(int(cell)) if cell.is_integer() and abs(cell) < EXACT else repr(cell)


def day(cell: Cell) -> str:
    """A cell as a date YYYY-MM-DD, if it holds one, else as its text; raises Unreadable."""
    expected = "expected a date YYYY-MM-DD, or a cell formatted as a date"
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, datetime):
        if cell.time() != time.min:
            raise Unreadable(f"{expected}, without a time of day")
        return cell.date().isoformat()
    if not isinstance(cell, date):
        raise Unreadable(f"{expected}, found {_kind_of(cell)}")
    return cell.isoformat()


def _kind_of(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "TRUE or FALSE"
    return f"the number {cell:.15g}" if isinstance(cell, float) else "a date" if isinstance(cell, date) else "a time"
