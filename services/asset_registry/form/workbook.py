"""An xlsx workbook as tables."""

from python_calamine import CalamineError, CalamineWorkbook

from services.asset_registry.form.archive import Archive
from services.asset_registry.form.cells import Cell
from services.asset_registry.form.columns import EXPLANATION, FORMS, MOST_ROWS
from services.asset_registry.form.mistakes import Mistakes, Place
from services.asset_registry.form.scan import Scan, range_name
from services.asset_registry.form.tables import MOST_COLUMNS, Table
from shared.errors import Invalid


def read_workbook(content: bytes, mistakes: Mistakes) -> list[Table]:
    """The sheets of the form that can be read, in its order; raises Invalid where the file is no workbook at all."""
    archive = Archive(content)
    sheets = archive.sheets()
    _must_be_the_forms([name for name, _ in sheets], mistakes)
    scans = dict(sheets)
    wanted = [
        (number, form.name)
        for number, form in enumerate(FORMS)
        if form.name in scans and _is_bounded(Place(number, sheet=form.name), scans[form.name], mistakes)
    ]
    try:
        with CalamineWorkbook.from_filelike(archive.repacked()) as book:
            rows: dict[str, list[list[Cell]]] = {
                name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for _, name in wanted
            }
    except (CalamineError, ValueError) as fault:
        raise Invalid({"file": [f"expected an xlsx workbook; this one cannot be read: {fault}"]}) from fault
    return [_table(name, rows[name], scans[name]) for _, name in wanted]


def _must_be_the_forms(names: list[str], mistakes: Mistakes) -> None:
    expected = [form.name for form in FORMS]
    for number, name in enumerate(expected):
        if names.count(name) != 1:
            mistakes.add(Place(number, sheet=name), "expected one sheet of this name")
    for name in dict.fromkeys(names):
        if name not in expected and name != EXPLANATION:
            mistakes.add(
                Place(len(FORMS), sheet=name), f"expected no sheet but {', '.join(expected)} and {EXPLANATION}"
            )


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
