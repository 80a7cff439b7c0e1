"""What stands in a cell, as the value that its column asks for."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError
from marshmallow.fields import Field

from services.asset_registry.form.columns import Kind
from shared.contracts.asset_registry import Expected, Nameplate, Point
from shared.schema import schema_of

Cell = str | float | bool | date | datetime | time | timedelta
"""As a sheet holds it; an empty cell is the empty string, and every number is a float."""
Value = str | Decimal | date
"""As a column asks for it."""

EXACT = 10**15
"""Sheets keep 15 digits of a number; what is longer has lost some."""

_FIELDS: dict[Kind, Field[Any]] = {
    "id": schema_of(Point).fields["point_id"],
    "text": schema_of(Point).fields["label"],
    "reading": schema_of(Expected).fields["low"],
    "date": schema_of(Nameplate).fields["installed_on"],
}
"""The same kinds of value that commands are held to."""


class Unreadable(ValueError):
    """What was expected in the cell."""


def is_blank(cell: Cell) -> bool:
    """Whether nothing stands there that anybody could see."""
    return isinstance(cell, str) and not cell.strip()


def read_cell(kind: Kind, cell: Cell) -> Value:
    """The value of a cell that is not blank; raises Unreadable."""
    words = _WORDS[kind](cell)
    try:
        value: Value = _FIELDS[kind].deserialize(words)
    except ValidationError as fault:
        raise Unreadable(str(fault.messages[0])) from fault
    return value


def _text(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool) or not isinstance(cell, float):
        raise Unreadable(f"expected text, found {_kind_of(cell)}: format the cell as text")
    if not cell.is_integer() or abs(cell) >= EXACT:
        raise Unreadable(f"expected text, found the number {cell!r}: format the cell as text")
    return str(int(cell))


def _number(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool) or not isinstance(cell, float):
        raise Unreadable(f"expected a number, found {_kind_of(cell)}")
    return str(int(cell)) if cell.is_integer() and abs(cell) < EXACT else repr(cell)


def _day(cell: Cell) -> str:
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


_WORDS = {"id": _text, "text": _text, "reading": _number, "date": _day}
