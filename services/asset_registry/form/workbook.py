"""The form's sheets in an xlsx workbook, as tables."""

from services.asset_registry.form.columns import EXPLANATION, FORMS
from shared.sheets.mistakes import Mistakes, Place
from shared.sheets.tables import Table
from shared.sheets.workbook import Book


def read_workbook(content: bytes, mistakes: Mistakes) -> list[Table]:
    """The sheets of the form that can be read, in its order; raises Invalid where the file is no workbook at all."""
    book = Book(content)
    _must_be_the_forms(book.names, mistakes)
    return book.tables([form.name for form in FORMS], mistakes)


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
