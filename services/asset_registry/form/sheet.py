"""The rows of a sheet as the form means them: headings found, cells read, every mistake named."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.asset_registry.form.cells import read_cell
from services.asset_registry.form.columns import Column, Form
from shared.sheets.cells import Cell, Unreadable, is_blank
from shared.sheets.mistakes import Mistakes, Place, letters
from shared.sheets.tables import Table


@dataclass(frozen=True)
class Row:
    """One row: `values` by the ids of the columns, None where a cell is blank; a cell that was wrong has no value.

    A row is whole where every column has its value.
    """

    sheet: "Sheet"
    number: int
    values: Mapping[str, Any]
    whole: bool

    def at(self, name: str) -> Place:
        """The place of its cell in a column."""
        return self.sheet.place(self.number, name)


@dataclass
class Sheet:
    """One sheet of the form, read; `number` is its place among the forms, `columns` says where each column stands."""

    form: Form
    number: int
    table: Table
    columns: dict[str, int] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    def place(self, row: int, name: str) -> Place:
        """The place of a cell by the id of its column."""
        return self.table.place(self.number, row, self.columns.get(name, 0), name)


def read_sheet(form: Form, number: int, table: Table, mistakes: Mistakes) -> Sheet:
    """Read a table under the headings of a form."""
    sheet = Sheet(form, number, table)
    for (row, column), why in table.spoilt.items():
        mistakes.add(table.place(number, row, column, _heading(table, column)), why)
    if 1 not in table.closed:
        sheet.columns = _columns(sheet, mistakes)
        sheet.rows = [_row(sheet, row, cells, mistakes) for row, cells in table.numbered()]
    return sheet


def _heading(table: Table, column: int) -> str:
    cells = table.rows[0] if table.rows else []
    return str(cells[column - 1]) if 1 <= column <= len(cells) else ""


def _columns(sheet: Sheet, mistakes: Mistakes) -> dict[str, int]:
    """Where each column stands, counted from 1; names those that are missing, foreign or there twice."""
    found: dict[str, int] = {}
    for position, cell in enumerate(sheet.table.rows[0] if sheet.table.rows else [], start=1):
        column = sheet.form.column(str(cell))
        place = sheet.table.place(sheet.number, 1, position, str(cell))
        if column is not None and column.field not in found:
            found[column.field] = position
        elif column is not None:
            first = letters(found[column.field]) if place.sheet else found[column.field]
            mistakes.add(place, f"expected each column once: {column.heading} is column {first} already")
        elif not is_blank(cell):
            mistakes.add(place, f"expected a column of the form, found {str(cell)[:80]!r}")
    for column in sheet.form.columns:
        if column.field not in found:
            mistakes.add(sheet.table.place(sheet.number, 1), f"expected a column {column.heading}")
    return found


def _row(sheet: Sheet, number: int, cells: list[Cell], mistakes: Mistakes) -> Row:
    values = dict(_values(sheet, number, cells, mistakes))
    used = set(sheet.columns.values())
    for position, cell in enumerate(cells, start=1):
        if position not in used and not is_blank(cell) and is_blank(_cell(sheet.table.rows[0], position)):
            mistakes.add(
                sheet.table.place(sheet.number, number, position), "expected nothing: the column has no heading"
            )
    return Row(sheet, number, values, whole=len(values) == len(sheet.form.columns))


def _values(sheet: Sheet, number: int, cells: list[Cell], mistakes: Mistakes) -> Iterator[tuple[str, Any]]:
    for column in sheet.form.columns:
        position = sheet.columns.get(column.field)
        if position is None or (number, position) in sheet.table.spoilt:
            continue
        cell = _cell(cells, position)
        if not is_blank(cell):
            try:
                yield column.field, read_cell(column.kind, cell)
            except Unreadable as fault:
                mistakes.add(sheet.place(number, column.field), str(fault))
        elif column.required:
            mistakes.add(sheet.place(number, column.field), _expected(column))
        else:
            yield column.field, None


def _cell(cells: list[Cell], position: int) -> Cell:
    return cells[position - 1] if position <= len(cells) else ""


def _expected(column: Column) -> str:
    return "expected a date, found nothing" if column.kind == "date" else "expected text, found nothing"
