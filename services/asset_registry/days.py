"""Rows that hold from a day (`valid_from`) until another (`valid_until`, null: still), and the newest word about a day.

Days are texts YYYY-MM-DD; the same question answers "on that day" and "now", which is the end of all days.
"""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, insert, literal, or_, select, update

from shared.errors import Invalid

NOW = "9999-12-31"
"""The day that is asked about where none is named: whatever is known then holds."""


def asked_day(as_of: str | None, field: str = "as_of") -> str:
    """The day asked about; raises Invalid for what is no date."""
    if as_of is None:
        return NOW
    try:
        day = date.fromisoformat(as_of)
    except ValueError:
        day = None
    if day is None or day.isoformat() != as_of:
        raise Invalid({field: ["expected a date YYYY-MM-DD"]})
    return as_of


def holds(table: Any, day: str) -> ColumnElement[bool]:
    """That a row (of a table or an alias of one) holds on a day."""
    return and_(table.c.valid_from <= day, or_(table.c.valid_until.is_(None), table.c.valid_until > day))


def hold(connection: Connection, table: Table, thing: ColumnElement[bool], row: dict[str, Any], *, day: str) -> None:
    """Let a row hold for a thing from a day on, whatever was said of these days before."""
    connection.execute(table.delete().where(thing, table.c.valid_from >= day))
    connection.execute(update(table).where(thing, holds(table, day)).values(valid_until=day))
    connection.execute(insert(table).values({**row, "valid_from": day, "valid_until": None}))


def change(
    connection: Connection,
    table: Table,
    things: ColumnElement[bool],
    values: dict[str, Any],
    *,
    day: str,
    until: str | None = None,
) -> None:
    """Let some columns of things have other values from a day on, or only until another; the other columns stay."""
    these = and_(things, table.c.valid_from >= day)
    _split(connection, table, things, day)
    if until is not None:
        _split(connection, table, things, until)
        these = and_(these, table.c.valid_from < until)
    connection.execute(update(table).where(these).values(values))


def _split(connection: Connection, table: Table, things: ColumnElement[bool], day: str) -> None:
    """Let what holds on a day and the day before be two rows each."""
    reaching = and_(things, table.c.valid_from < day, holds(table, day))
    same = [column for column in table.c if column.key != "valid_from"]
    copied = select(literal(day), *same).where(reaching)
    connection.execute(insert(table).from_select(["valid_from", *(column.key for column in same)], copied))
    connection.execute(update(table).where(reaching).values(valid_until=day))
