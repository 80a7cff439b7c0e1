"""What stands in a cell, as the value that its column asks for."""

from datetime import date
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError
from marshmallow.fields import Field

from services.asset_registry.form.columns import Kind
from shared.contracts.asset_registry import Expected, Nameplate, Point
from shared.schema import schema_of
from shared.sheets.cells import Cell, Unreadable, day, number, text

Value = str | Decimal | date
"""As a column asks for it."""

_FIELDS: dict[Kind, Field[Any]] = {
    "id": schema_of(Point).fields["point_id"],
    "text": schema_of(Point).fields["label"],
    "reading": schema_of(Expected).fields["low"],
    "date": schema_of(Nameplate).fields["installed_on"],
}
"""The same kinds of value that commands are held to."""
_WORDS = {"id": text, "text": text, "reading": number, "date": day}


def read_cell(kind: Kind, cell: Cell) -> Value:
    """The value of a cell that is not blank; raises Unreadable."""
    words = _WORDS[kind](cell)
    try:
        value: Value = _FIELDS[kind].deserialize(words)
    except ValidationError as fault:
        raise Unreadable(str(fault.messages[0])) from fault
    return value
