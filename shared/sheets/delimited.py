"""A CSV file as a table."""

import csv
import re
from io import StringIO

from shared.errors import Invalid
from shared.sheets.cells import Cell
from shared.sheets.mistakes import Mistakes
from shared.sheets.tables import MOST_ROWS, Table

_HARMFUL = re.compile(r"'*[=+\-@\t\r]")
_DISARMED = re.compile(r"'+[=+\-@\t\r]")


def disarmed(words: str) -> str:
    """Text that a spreadsheet would run as a formula, behind an apostrophe; `armed` takes it off again."""
    return f"'{words}" if _HARMFUL.match(words) else words


def armed(words: str) -> str:
    """Undo `disarmed`."""
    return words[1:] if _DISARMED.match(words) else words


def read_csv(content: bytes, number: int, mistakes: Mistakes) -> Table:
    """The one table of a file in UTF-8 or GB18030, separated by commas (RFC 4180); raises Invalid where it is no text.

    `number` is that of its sheet among those that are expected.
    """
    table = Table("", [])
    reader = csv.reader(StringIO(_decoded(content), newline=""), strict=True)
    try:
        for row in reader:
            if len(table.rows) > MOST_ROWS and any(row):
                mistakes.add(
                    table.place(number, len(table.rows) + 1), f"expected at most {MOST_ROWS} rows below the headings"
                )
                break
            cells: list[Cell] = [armed(cell) for cell in row]
            table.rows.append(cells)
    except csv.Error as fault:
        raise Invalid({f"line {reader.line_num}": [f"expected values separated by commas: {fault}"]}) from fault
    return table


def _decoded(content: bytes) -> str:
    if content.startswith(b"PK\x03\x04"):
        raise Invalid({"file": ["expected CSV, found a workbook or another archive"]})
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid({"file": ["expected text in UTF-8 or GB18030"]})
