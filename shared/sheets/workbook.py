"""An xlsx workbook as tables."""

from collections.abc import Sequence

from python_calamine import CalamineError, CalamineWorkbook

from shared.errors import Invalid
from shared.sheets.archive import Archive
from shared.sheets.cells import Cell
from shared.sheets.mistakes import Mistakes, Place
from shared.sheets.scan import Scan, range_name
from shared.sheets.tables import MOST_COLUMNS, MOST_ROWS, Table


class Book:
    """A workbook whose sheets were looked through before any is read; raises Invalid where the file is none at all."""

    def __init__(self, content: bytes) -> None:
        self._archive = Archive(content)
        sheets = self._archive.sheets()
        self.names = [name for name, _ in sheets]
        self._scans = dict(sheets)

    def tables(self, names: Sequence[str], mistakes: Mistakes) -> list[Table]:
        """Those of some sheets that can be read, in the order of their names, which is also that of their mistakes."""
        wanted = [
            name
            for number, name in enumerate(names)
            if name in self._scans and _is_bounded(Place(number, sheet=name), self._scans[name], mistakes)
        ]
        try:
            with CalamineWorkbook.from_filelike(self._archive.repacked()) as book:
                rows: dict[str, list[list[Cell]]] = {
                    name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in wanted
                }
        except (CalamineError, ValueError) as fault:
            raise Invalid({"file": [f"expected an xlsx workbook; this one cannot be read: {fault}"]}) from fault
        return [_table(name, rows[name], self._scans[name]) for name in wanted]


def _is_bounded(sheet: Place, scan: Scan, mistakes: Mistakes) -> bool:
    """Whether a sheet is small enough to be read; its reader makes room for all cells up to the last one."""
    if scan.far is None:
        return True
    row, column = scan.far
    most = f"{MOST_ROWS} rows below the headings" if row > MOST_ROWS + 1 else f"{MOST_COLUMNS} columns"
    mistakes.add(sheet._replace(row=row, column=column), f"expected at most {most}")
    return False


def _table(name: str, rows: list[list[Cell]], scan: Scan) -> Table:
    table = Table(name, rows)
    for row, column in scan.errors:
        table.spoilt[row, column] = "expected a value, found an error"
    for row, column in scan.formulas - scan.errors:
        if not (row <= len(rows) and column <= len(rows[row - 1]) and rows[row - 1][column - 1] != ""):
            table.spoilt[row, column] = "expected a value, found a formula without one: save the file with its results"
    for first, last in scan.merged:
        table.spoilt[first] = f"expected single cells, found {range_name(first, last)} merged"
        table.closed.update(range(first[0], min(last[0], MOST_ROWS + 1) + 1))
    return table
