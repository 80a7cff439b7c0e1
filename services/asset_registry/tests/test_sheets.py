"""What is wrong with a sheet is named by sheet, row and column; no file does harm to its reader."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.cell import Cell

from services.asset_registry.exchange import read_form
from services.asset_registry.form import exporting
from services.asset_registry.form.columns import FORMS, POINTS
from services.asset_registry.form.importing import Additions, Registry
from services.asset_registry.tests.books import CYLINDER, GAS, book, csv_file, read_back, with_parts
from shared.errors import Invalid
from shared.sheets import archive
from shared.sheets.mistakes import letters, number_of
from shared.sheets.tables import CSV, MOST_ROWS, XLSX

NOON = datetime(2021, 3, 9, 4, tzinfo=UTC)
NOTHING = Registry(systems={}, decommissioned={}, points={}, groups={})
KNOWN = Registry(systems={"gas": GAS}, decommissioned={}, points={}, groups={})


def read(content: bytes, media_type: str = XLSX) -> Additions:
    """What a file adds to an empty registry, a CSV file to one that knows its system."""
    return read_form(content, media_type, KNOWN if media_type == CSV else NOTHING, NOON)


def mistakes(content: bytes, media_type: str = XLSX) -> dict[str, str]:
    """What is wrong with a file."""
    with pytest.raises(Invalid) as refused:
        read(content, media_type)
    return {place: "; ".join(whys) for place, whys in refused.value.errors.items()}


def point(**changed: Any) -> dict[str, Any]:
    """A row of a point with some cells changed."""
    return {**CYLINDER, **changed}


CELLS: list[tuple[str, Any, str, str]] = [
    ("point_id", None, "A", "expected text, found nothing"),
    ("point_id", "  ", "A", "expected text, found nothing"),
    ("point_id", "瓶1", "A", "expected an id: 1–80 of A–Z a–z 0–9 . _ : -"),
    ("point_id", "CYL-1 ", "A", "expected an id: 1–80 of A–Z a–z 0–9 . _ : -"),
    ("point_id", 1.5, "A", "expected text, found the number 1.5: format the cell as text"),
    ("point_id", 10**15, "A", "expected text, found the number 1000000000000000.0: format the cell as text"),
    ("equipment", True, "C", "expected text, found TRUE or FALSE: format the cell as text"),
    ("label", date(2021, 1, 1), "D", "expected text, found a date: format the cell as text"),
    ("location", time(8, 30), "E", "expected text, found a time: format the cell as text"),
    ("unit", None, "F", "expected the unit of the limits that stand beside it"),
    ("low", "3,78", "G", 'expected a number, or one as a string, like "0.35"'),
    ("low", date(2021, 1, 1), "G", "expected a number, found a date"),
    ("low", 4, "G", "expected 3.78, which is 90 % of design, or nothing"),
    ("high", 3, "H", "expected at least low, 3.78"),
    ("high", True, "H", "expected a number, found TRUE or FALSE"),
    ("design", None, "I", "missing: low_percent is a share of it"),
    ("low_percent", 101, "J", "expected more than 0 and at most 100"),
    ("installed_on", "2019/5/20", "O", "expected a date YYYY-MM-DD"),
    ("installed_on", "2019-02-29", "O", "expected a date YYYY-MM-DD: day is out of range for month"),
    (
        "installed_on",
        43605,
        "O",
        "expected a date YYYY-MM-DD, or a cell formatted as a date, found the number 43605",
    ),
    (
        "installed_on",
        datetime(2019, 5, 20, 8),  # noqa: DTZ001  a sheet knows no zone
        "O",
        "expected a date YYYY-MM-DD, or a cell formatted as a date, without a time of day",
    ),
    ("installed_on", date(2031, 1, 1), "O", "expected a day that has come, not 2031-01-01"),
    ("warranty_until", "2019-05-19", "P", "expected a day on or after installed_on 2019-05-20"),
]


@pytest.mark.parametrize(("field", "cell", "column", "why"), CELLS)
def test_a_cell_that_is_not_what_its_column_asks_for_is_named(field: str, cell: Any, column: str, why: str) -> None:
    found = mistakes(book(points=[CYLINDER, point(point_id="CYL-2"), point(**{"point_id": "CYL-3", field: cell})]))

    found.pop("点位!P4", None) if field == "installed_on" and "come" in why else None
    assert found == {f"点位!{column}4": why}


def test_every_mistake_of_a_file_is_named_in_the_order_of_the_sheet() -> None:
    wrong = point(point_id=None, system_id="pumps", low=9, low_percent=None, installed_on="x")
    system = {**GAS, "commissioned_on": None}

    found = mistakes(book([system, GAS], [CYLINDER, wrong, CYLINDER]))

    assert found == {
        "系统!D2": "expected a date, found nothing",
        "系统!A3": "expected each id once: gas stands at 系统!A2 already",
        "点位!A3": "expected text, found nothing",
        "点位!B3": "expected a system of the facility, found pumps: none is registered",
        "点位!H3": "expected at least low, 9",
        "点位!O3": "expected a date YYYY-MM-DD",
        "点位!A4": "expected each id once: CYL-1 stands at 点位!A2 already",
    }
    assert list(found) == ["系统!D2", "系统!A3", "点位!A3", "点位!B3", "点位!H3", "点位!O3", "点位!A4"]


def test_cells_are_read_as_what_they_show() -> None:
    row = point(point_id=101, serial=20190311, low=None, high=" 5.3 ", installed_on=date(2019, 5, 20))

    added = read(book([{**GAS, "commissioned_on": date(2021, 1, 1)}], [row]))

    ((only,),) = added.points.values()
    assert only.expected is not None
    assert (only.point_id, str(only.expected.low), str(only.expected.high)) == ("101", "3.78", "5.3")
    (nameplate,) = added.descriptions.values()
    assert (nameplate.serial, nameplate.installed_on) == ("20190311", date(2019, 5, 20))


def test_blank_rows_and_columns_and_the_order_of_columns_mean_nothing() -> None:
    def mend(made: Workbook) -> None:
        sheet = made["点位"]
        sheet.insert_cols(3)
        sheet.insert_rows(2)
        sheet["T40"] = "  "
        sheet["C1"], sheet["A1"], sheet["B1"] = None, "point_id", " 系统编号（system_id） "
        made.create_sheet("说明")["A1"] = "随便"

    assert len(read(book(mend=mend)).points) == 1


@pytest.mark.parametrize(
    ("mend", "expected"),
    [
        (
            lambda made: made.remove(made["系统"]),
            {
                "系统": "expected one sheet of this name",
                "点位!B2": "expected a system of the facility, found gas: none is registered",
            },
        ),
        (
            lambda made: made.create_sheet("Sheet1"),
            {"Sheet1": "expected no sheet but 系统, 点位 and 说明"},
        ),
        (lambda made: made["点位"].delete_cols(5), {"点位!1": "expected a column 位置 (location)"}),
        (
            lambda made: made["点位"].__setitem__("Q1", "颜色"),
            {"点位!Q1": "expected a column of the form, found '颜色'"},
        ),
        (
            lambda made: made["点位"].__setitem__("Q1", "point_id"),
            {"点位!Q1": "expected each column once: 点位编号 (point_id) is column A already"},
        ),
        (
            lambda made: made["点位"].__setitem__("Q2", "红"),
            {"点位!Q2": "expected nothing: the column has no heading"},
        ),
        (
            lambda made: made["点位"].merge_cells("D2:E3"),
            {"点位!D2": "expected single cells, found D2:E3 merged"},
        ),
        (
            lambda made: made["点位"].merge_cells("A1:B1"),
            {"点位!A1": "expected single cells, found A1:B1 merged"},
        ),
        (
            lambda made: made["点位"].__setitem__("D2", "=1+1"),
            {"点位!D2": "expected a value, found a formula without one: save the file with its results"},
        ),
        (lambda made: made["点位"].__setitem__("D2", "#N/A"), {"点位!D2": "expected a value, found an error"}),
        (
            lambda made: made["点位"].__setitem__(f"A{MOST_ROWS + 2}", "x"),
            {f"点位!A{MOST_ROWS + 2}": f"expected at most {MOST_ROWS} rows below the headings"},
        ),
        (lambda made: made["点位"].__setitem__("XFD1", "x"), {"点位!XFD1": "expected at most 50 columns"}),
    ],
)
def test_a_sheet_of_another_form_is_named(mend: Callable[[Workbook], object], expected: dict[str, str]) -> None:
    assert mistakes(book(mend=mend)) == expected


def test_a_formula_counts_as_the_value_that_it_was_saved_with() -> None:
    formula = re.compile(rb'<c r="D2"[^>]*>.*?</c>')
    value = '<c r="D2" t="str"><f>"1 "&amp;"号"</f><v>1 号</v></c>'.encode()
    content = with_parts(book(), kept=lambda name, part: formula.sub(value, part) if "sheet2" in name else part)

    assert read(content).points["gas", "瓶组"][0].label == "1 号"


def test_a_csv_file_is_one_table() -> None:
    first, *rest = csv_file([CYLINDER]).splitlines(keepends=True)

    ragged = first + rest[0].rstrip() + b",,x\r\n\r\n" + b"CYL-2,gas\r\n"

    assert mistakes(ragged, CSV) == {
        "row 2, column 18": "expected nothing: the column has no heading",
        "row 4, column equipment": "expected text, found nothing",
        "row 4, column label": "expected text, found nothing",
    }
    assert mistakes(first + b'"a', CSV) == {"line 2": "expected values separated by commas: unexpected end of data"}
    assert mistakes(b"\xff\xff", CSV) == {"file": "expected text in UTF-8 or GB18030"}
    assert mistakes(book(), CSV) == {"file": "expected CSV, found a workbook or another archive"}
    assert mistakes(first.replace(b",", b";"), CSV).popitem()[1].startswith("expected a column")
    assert len(mistakes(b"", CSV)["row 1"].split(";")) == len(POINTS.columns)
    assert mistakes(first + rest[0].replace(b"CYL-1", b"CYL\0"), CSV)["row 2, column point_id"].startswith("expected")


def test_a_csv_file_of_too_many_rows_is_named() -> None:
    content = csv_file([]) + b",\r\n" * MOST_ROWS

    assert read(content, CSV).points == {}
    assert mistakes(content + b",\r\n1,2\r\n", CSV)[f"row {MOST_ROWS + 3}"].startswith("expected at most 50000 rows")


def zipped(parts: dict[str, bytes]) -> bytes:
    """An archive of some parts."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return target.getvalue()


def replaced(old: bytes, new: bytes) -> bytes:
    """A workbook with some bytes of its parts changed."""
    changed = with_parts(book(), kept=lambda _, part: part.replace(old, new))
    assert changed != book()
    return changed


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + 512 * b"\0"
NO_BOOKS = [
    (b"", "cannot be unpacked"),
    (b"point_id,system_id", "cannot be unpacked"),
    (book()[:-100], "cannot be unpacked"),
    (OLE, "of an older kind"),
    (OLE + "EncryptedPackage".encode("utf-16-le"), "is encrypted"),
    (zipped({"a.xml": b"<a/>"}), "is no workbook"),
    (replaced(b"sheet.main+xml", b"template.main+xml"), "is no workbook"),
    (replaced(b"</sheetData>", b""), "cannot be read"),
    (replaced(b"<sheetData>", b"<sheetData><row r='0x'/>"), "cannot be read"),
    (replaced(b'r="A1"', b'r="A0"'), "cannot be read"),
    (replaced(b"<worksheet", b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet'), "a document type has no place"),
    (with_parts(book(), kept=lambda name, part: None if "sheet2" in name else part), "cannot be read"),
]


@pytest.mark.parametrize(("content", "why"), NO_BOOKS)
def test_a_file_that_is_no_workbook_is_refused(content: bytes, why: str) -> None:
    ((place, found),) = mistakes(content).items()

    assert place == "file"
    assert found.startswith("expected an xlsx workbook; ")
    assert why in found


def test_an_archive_that_grows_beyond_bounds_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 1024 * 1024)
    bomb = with_parts(book(), kept=lambda name, part: part + b" " * 2**20 if "sheet2" in name else part)

    assert "unpacked, this one would be larger than 1 MiB" in mistakes(bomb)["file"]


def test_an_archive_with_a_part_twice_is_refused() -> None:
    target = io.BytesIO(book())
    with zipfile.ZipFile(target, "a") as made, pytest.warns(UserWarning, match="Duplicate"):
        made.writestr("xl/workbook.xml", b"<workbook/>")

    assert "one of them twice" in mistakes(target.getvalue())["file"]


def test_an_empty_form_can_be_imported_and_explains_each_column() -> None:
    content = exporting.empty_form()

    assert read(content) == Additions()
    sheets = read_back(content)
    for form in FORMS:
        assert sheets[form.name] == [tuple(column.heading for column in form.columns)]
    explained = {row[1] for row in sheets["说明"]}
    assert explained >= {column.heading for form in FORMS for column in form.columns}


def test_the_form_is_described_as_it_is() -> None:
    page = (Path(__file__).parents[3] / "docs" / "assets-form.md").read_text()

    for form in FORMS:
        for column in form.columns:
            required = "yes" if column.required else ""
            assert f"| {column.title} | `{column.field}` | {required} |" in page, column.field
    assert f"{MOST_ROWS:,} rows" in page


def test_what_is_exported_has_no_formulas_and_its_headings_stay_in_sight() -> None:
    row = {**dict.fromkeys(column.field for column in POINTS.columns), **CYLINDER, "label": "=1+1", "maker": "#N/A"}
    row |= {"low": None, "high": None, "design": None, "low_percent": None, "installed_on": None}
    row |= {"warranty_until": date(2024, 5, 19)}

    content = exporting.to_xlsx([], [row])

    from openpyxl import load_workbook

    sheet = load_workbook(io.BytesIO(content))["点位"]
    cells: dict[str, Cell] = {name: sheet[name] for name in ("A2", "D2", "K2", "P2")}
    assert {name: (cell.data_type, cell.number_format) for name, cell in cells.items()} == {
        "A2": ("s", "@"),
        "D2": ("s", "@"),
        "K2": ("s", "@"),
        "P2": ("d", "yyyy-mm-dd"),
    }
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["A"].number_format == "@"


def test_columns_are_named_as_in_a_sheet() -> None:
    assert [letters(number) for number in (1, 26, 27, 702, 703, 16384)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
    assert all(number_of(letters(number)) == number for number in range(1, 20_000, 7))
