"""The rows of a file as events: what stands under each heading, named and dated as the mapping of the source says."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, time

import orjson

from services.integration.inbound.conversions import Unusable
from services.integration.inbound.envelopes import Item, item
from services.integration.inbound.mapping import FileRows, SourceMapping
from shared.errors import Invalid
from shared.sheets.cells import Cell, Unreadable, day, is_blank, number, text
from shared.sheets.delimited import read_csv
from shared.sheets.mistakes import Mistakes
from shared.sheets.tables import CSV, XLSX, Table
from shared.sheets.workbook import Book

MOST_ROWS = 10_000
"""How many rows a file may have below its headings."""

Row = tuple[int, Item]
"""A row by its number in the sheet, the headings being 1, as an event or with what is wrong with it."""


def events_of(content: bytes, media_type: str, mapping: SourceMapping, facility: str) -> list[Row]:
    """Each row of a CSV file, or of a workbook's first sheet, as an event of the source.

    Its data are the texts under the headings. Raises Invalid where the file cannot be read, or has no such columns.
    """
    if mapping.file is None:
        raise Invalid({"source_id": ["expected a source whose mapping says under file what rows mean"]})
    mistakes = Mistakes()
    table = _table(content, media_type, mistakes)
    mistakes.raise_any()
    headings = _headings(table, mapping.file)
    rows = list(table.numbered())
    if len(rows) > MOST_ROWS:
        raise Invalid({"file": [f"expected at most {MOST_ROWS} rows below the headings, found {len(rows)}"]})
    return [(line, _event(table, line, cells, headings, mapping, facility)) for line, cells in rows]


def _table(content: bytes, media_type: str, mistakes: Mistakes) -> Table:
    if media_type == CSV:
        return read_csv(content, 0, mistakes)
    if media_type != XLSX:
        raise Invalid({"media_type": [f"expected {CSV} or {XLSX}"]})
    book = Book(content)
    return next(iter(book.tables(book.names[:1], mistakes)), Table("", []))


def _headings(table: Table, file: FileRows) -> Sequence[str]:
    """What stands in the first row; each once, and the column of the ids among them."""
    found = [str(cell).strip() for cell in (table.rows[0] if table.rows else [])]
    named = [heading for heading in found if heading]
    faults = [f"expected each heading once, found {one} twice" for one in sorted({*named}) if named.count(one) > 1]
    if not named:
        faults.append("expected headings in the first row")
    if file.id is not None and file.id not in named:
        faults.append(f"expected a column {file.id}, which has the ids")
    if faults:
        raise Invalid({"line 1": faults})
    return found


def _event(  # noqa: PLR0917  the parts of a row
    table: Table, line: int, cells: Sequence[Cell], headings: Sequence[str], mapping: SourceMapping, facility: str
) -> Item:
    """A row as an event; without a column of ids it is named by all that stands in it."""
    data: dict[str, str] = {}
    faults: dict[str, list[str]] = {}
    for column, heading in enumerate(headings, start=1):
        cell = cells[column - 1] if column <= len(cells) else ""
        if heading and not (is_blank(cell) and (line, column) not in table.spoilt):
            try:
                data[heading] = _words(cell, table.spoilt.get((line, column)))
            except Unreadable as fault:
                faults[heading] = [str(fault)]
    file = mapping.file
    assert file is not None
    sent = {"specversion": "1.0", "source": mapping.source, "type": file.type, "facility": facility, "data": data}
    if file.id is None:
        sent["id"] = f"row-{hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]}"
    elif file.id in data:
        sent["id"] = data[file.id]
    elif file.id not in faults:
        faults[file.id] = ["expected an id, found nothing"]
    try:
        moment = None if file.time is None else file.time.read(sent)
    except Unusable as fault:
        faults["time"] = [str(fault)]
    else:
        sent |= {} if moment is None else {"time": moment}
    return Item(sent=sent, envelope={}, faults=faults) if faults else item(sent)


def _words(cell: Cell, spoilt: str | None) -> str:
    """What a cell shows, as text: numbers exactly, days as YYYY-MM-DD; raises Unreadable."""
    if spoilt is not None:
        raise Unreadable(spoilt)
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return text(cell) if cell.is_integer() else number(cell)
    if isinstance(cell, datetime) and cell.time() != time.min:
        return cell.isoformat(sep=" ", timespec="seconds")
    return cell.strip() if isinstance(cell, str) else day(cell)
