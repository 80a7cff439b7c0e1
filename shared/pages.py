"""Lists in pages: each page carries the cursor of the next, which names the last row shown and not a number of rows.

So rows that come or go meanwhile neither repeat nor hide others.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import orjson
from sqlalchemy import ColumnElement, Select, and_, or_

from shared.database import Database
from shared.errors import Invalid

MOST_ROWS = 1000
"""How many rows a page has at most, and where nobody says how many."""


class Page(TypedDict):
    """Some rows, and the cursor behind which the next ones are; None at the end."""

    items: list[dict[str, Any]]
    next: str | None


def page(  # noqa: PLR0917  the words of a call
    database: Database,
    wanted: Select[Any],
    order: Mapping[str, Sequence[ColumnElement[Any]]],
    sort: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Page:
    """One page of `wanted`, ordered by one of the sequences of columns in `order` (the first where `sort` is None).

    A `sort` with `-` before it goes backwards. The columns of an order are never null, are selected, and name one row
    together. Raises Invalid for an unknown sort, a cursor of another one, or a limit that is not 1 to MOST_ROWS.
    """
    sort = sort or next(iter(order))
    backwards, columns = sort.startswith("-"), order.get(sort.removeprefix("-"))
    if columns is None:
        raise Invalid({"sort": [f"expected one of {', '.join(order)}, with - before it for backwards"]})
    limit = MOST_ROWS if limit is None else limit
    if not 1 <= limit <= MOST_ROWS:
        raise Invalid({"limit": [f"expected 1 to {MOST_ROWS}"]})
    if cursor is not None:
        wanted = wanted.where(_behind(columns, _values(cursor, sort, len(columns)), backwards=backwards))
    ordered = wanted.order_by(*(column.desc() if backwards else column.asc() for column in columns)).limit(limit + 1)
    rows = database.mappings(ordered)
    names = [str(column.key) for column in columns]
    more = _cursor(sort, [rows[limit - 1][name] for name in names]) if len(rows) > limit else None
    return Page(items=rows[:limit], next=more)


def _behind(columns: Sequence[ColumnElement[Any]], values: Sequence[Any], *, backwards: bool) -> ColumnElement[bool]:
    """That a row stands behind one with these values in the order of the columns."""
    return or_(
        *(
            and_(
                *(columns[before] == values[before] for before in range(number)),
                columns[number] < values[number] if backwards else columns[number] > values[number],
            )
            for number in range(len(columns))
        )
    )


def _cursor(sort: str, values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([sort, *values])).decode().rstrip("=")


def _values(cursor: str, sort: str, columns: int) -> list[Any]:
    try:
        of, *values = list(orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))))
    except (binascii.Error, ValueError, TypeError) as fault:
        raise Invalid({"cursor": ["expected a cursor as an answer gave it"]}) from fault
    if of != sort or len(values) != columns or not all(isinstance(value, str | int) for value in values):
        raise Invalid({"cursor": [f"expected a cursor of the same list in the same order {sort}"]})
    return values
