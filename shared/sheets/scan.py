"""A look through the XML of a sheet for what its reader does not tell: formulas, errors, merged cells, far cells."""

import re
from collections.abc import Callable
from xml.parsers import expat

from shared.sheets.mistakes import letters, number_of
from shared.sheets.tables import MOST_COLUMNS, MOST_ROWS

_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
MOST_MERGED = 1000
"""How many merged ranges are remembered; more mistakes than that are not told one by one."""

Attributes = dict[str, str]
Cell = tuple[int, int]
"""Row and column, counted from 1."""


class Scan:
    """What was found; raises ExpatError, or ValueError, where the XML is not that of a sheet."""

    def __init__(self, content: bytes) -> None:
        self.formulas: set[Cell] = set()
        """Formulas whose result is no text; a reader shows nothing where none was computed."""
        self.errors: set[Cell] = set()
        self.merged: list[tuple[Cell, Cell]] = []
        self.far: Cell | None = None
        """The first cell beyond what is read."""
        self._at: Cell = (0, 0)
        self._text = False
        self._columns: dict[str, int] = {}
        _walk(content, self._start)

    def _start(self, element: str, attributes: Attributes) -> None:
        match element.rpartition(":")[2]:
            case "c":
                self._cell(attributes)
            case "v" | "is":
                if self.far is None and (self._at[0] > MOST_ROWS + 1 or self._at[1] > MOST_COLUMNS):
                    self.far = self._at
            case "f" if not self._text:
                self.formulas.add(self._at)
            case "row":
                self._at = (int(attributes.get("r", self._at[0] + 1)), 0)
            case "mergeCell" if len(self.merged) < MOST_MERGED:
                self.merged.append(_range(attributes.get("ref", "")))

    def _cell(self, attributes: Attributes) -> None:
        self._at = self._named(attributes["r"]) if "r" in attributes else (self._at[0], self._at[1] + 1)
        kind = attributes.get("t")
        self._text = kind == "str"
        if kind == "e":
            self.errors.add(self._at)

    def _named(self, name: str) -> Cell:
        column = name.rstrip("0123456789")
        if column not in self._columns:
            self._columns[column] = _cell_of(f"{column}1")[1]
        row = int(name[len(column) :] or 0)
        if not 1 <= row <= 9_999_999:
            raise ValueError(f"{name!r} is no cell")
        return row, self._columns[column]


def range_name(first: Cell, last: Cell) -> str:
    """A range as Excel writes it, like A3:B4."""
    return f"{letters(first[1])}{first[0]}:{letters(last[1])}{last[0]}"


def attributes_of(element: str, content: bytes) -> list[Attributes]:
    """The attributes of all elements of a local name."""
    found: list[Attributes] = []
    _walk(content, lambda name, attributes: found.append(attributes) if name.rpartition(":")[2] == element else None)
    return found


def _walk(content: bytes, start: Callable[[str, Attributes], None]) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.Parse(content, True)


def _no_doctype(*_: object) -> None:
    raise ValueError("a document type has no place in a workbook")


def _range(name: str) -> tuple[Cell, Cell]:
    first, _, last = name.partition(":")
    return _cell_of(first), _cell_of(last or first)


def _cell_of(name: str) -> Cell:
    found = _CELL.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is no cell")
    return int(found[2]), number_of(found[1])
