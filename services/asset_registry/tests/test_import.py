"""Sheets into the registry: all of one or nothing, on both databases."""

from io import BytesIO
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Connection

from services.asset_registry import views
from services.asset_registry.tests.books import CYLINDER, GAS, book, csv_file, exported, mistakes_in, read_back, send
from services.asset_registry.tests.hall import HVAC, add, describe, listed, on
from shared.contracts.asset_registry import EquipmentDescribed, PointsAdded, SystemRegistered
from shared.errors import Invalid
from shared.event import Recorded
from shared.sheets.tables import CSV
from shared.tests.alone import Alone
from shared.tests.given import assert_chain

PLATE = {"maker": "某厂", "model": "QMP70"}


def cylinders(*numbers: int, **members: Any) -> list[dict[str, Any]]:
    """Rows of points that differ by their ids alone."""
    return [{**CYLINDER, "point_id": f"CYL-{number}", **members} for number in numbers]


def plates(registry: Alone) -> dict[str, tuple[Any, Any]]:
    """Maker and serial of each point."""
    return {point["point_id"]: (point["maker"], point["serial"]) for point in listed(registry, "points")}


def test_a_sheet_is_all_there_after_its_import(registry: Alone) -> None:
    answer = send(registry, book(points=cylinders(1, 2)))

    assert answer == {"dry_run": False, "systems": 1, "equipment": 1, "points": 2, "unchanged": 0}
    first, second = listed(registry, "points", system_id="gas")
    limits = {"unit": "MPa", "low": "3.78", "high": "5.30", "design": "4.2", "low_percent": "90"}
    assert (first["label"], first["location"], first["expected"]) == ("1 号瓶", "档案室", limits)
    assert (first["maker"], first["model"], first["warranty_until"]) == ("某厂", None, "2024-05-19")
    assert second["point_id"] == "CYL-2"
    assert_chain(registry.ledger, registry.hall)


def test_a_group_that_reads_the_same_everywhere_is_described_once_and_others_point_by_point(registry: Alone) -> None:
    alike, unlike = cylinders(1, 2), cylinders(3, 4, equipment="备用瓶组")
    unlike[1] |= {"serial": "SN-4"}

    send(registry, book(points=[*alike, *unlike]))

    (described,) = registry.events(EquipmentDescribed)
    assert (described.equipment, described.point_ids, described.nameplate.serial) == ("瓶组", None, "SN-1")
    assert [point.nameplate for added in registry.events(PointsAdded) for point in added.points][:2] == [None, None]
    assert plates(registry)["CYL-4"] == ("某厂", "SN-4")


def test_points_added_to_a_described_group_inherit_only_what_they_share(registry: Alone) -> None:
    add(registry, "P-1")
    describe(registry, **PLATE)
    new = {"system_id": "hvac", "equipment": "室内机", "label": "新"}

    answer = send(registry, csv_file([{**new, "point_id": "P-2", **PLATE}, {**new, "point_id": "P-3"}]), CSV)

    assert answer["equipment"] == 0
    assert plates(registry) == {"P-1": ("某厂", None), "P-2": ("某厂", None), "P-3": (None, None)}
    assert len(registry.events(EquipmentDescribed)) == 1


def test_a_dry_run_counts_the_same_and_leaves_nothing(registry: Alone) -> None:
    before = registry.ledger.tips()

    tried = send(registry, book(), dry_run=True)

    assert registry.ledger.tips() == before
    assert send(registry, book()) == {**tried, "dry_run": False}


def test_what_is_there_and_reads_the_same_is_unchanged(registry: Alone) -> None:
    send(registry, book())

    answer = send(registry, book(points=cylinders(1, 2)))

    assert answer == {"dry_run": False, "systems": 0, "equipment": 0, "points": 1, "unchanged": 2}


def test_what_is_there_and_reads_otherwise_is_named(registry: Alone) -> None:
    send(registry, book(points=cylinders(1, 2)))
    registry.ask("retire_points", system_id="gas", point_ids=["CYL-2"], reason="拆除")
    add(registry, "P-1")
    other = {**CYLINDER, "label": "另", "location": None, "low": 3.7, "low_percent": None, "maker": "他厂"}
    rows = [other, *cylinders(2), {**CYLINDER, "point_id": "P-1"}]

    found = mistakes_in(registry, book([{**GAS, "name": "另"}], rows))

    changed = "as registered; changed by a command, not by an import"
    assert found == {
        "系统!B2": f"expected 气体灭火, {changed}",
        "点位!D2": f"expected 1 号瓶, {changed}",
        "点位!E2": f"expected 档案室, {changed}",
        "点位!G2": f"expected 3.78, {changed}",
        "点位!J2": f"expected 90, {changed}",
        "点位!K2": f"expected 某厂, {changed}",
        "点位!A3": "expected a new id: CYL-2 was retired",
        "点位!A4": "expected an id that is free: P-1 is a point of hvac",
    }


def test_a_system_out_of_commission_is_not_imported_into(registry: Alone) -> None:
    registry.ask("decommission_system", system_id="hvac", decommissioned_on="2021-03-01", reason="拆除")
    point = {"point_id": "P-1", "equipment": "室内机", "label": "1"}
    rows = [{**point, "system_id": "hvac"}, {**point, "point_id": "P-2", "system_id": "pumps"}]

    alone = mistakes_in(registry, csv_file(rows), CSV)

    since = "this one is out of commission since 2021-03-01"
    assert alone == {
        "row 2, column system_id": f"expected a system of the facility, found hvac: {since}",
        "row 3, column system_id": "expected a system of the facility, found pumps: none is registered",
    }
    assert list(mistakes_in(registry, book([HVAC], ()))) == ["系统!A2"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_points_come_from_a_csv_file_in_the_codes_that_offices_use(registry: Alone, encoding: str) -> None:
    content = csv_file(cylinders(1, system_id="hvac", location="档案室“东”"), encoding)

    assert send(registry, content, CSV)["points"] == 1
    assert listed(registry, "points")[0]["location"] == "档案室“东”"


ODD = [
    "=1+1",
    "+1",
    "-1",
    "@a",
    "'=x",
    "''-x",
    "#N/A",
    "_x000D_",
    "a\r\nb",
    "\x01\x0b",
    " 首尾 ",
    "TRUE",
    "1.0",
    '"',
    "a,b",
]


@pytest.mark.parametrize("format_", ["xlsx", "csv"])
def test_what_is_exported_is_unchanged_here_and_the_same_in_an_empty_hall(registry: Alone, format_: str) -> None:
    add(registry, *(f"-P:{number}" for number in range(len(ODD))))
    for number, words in enumerate(ODD):
        registry.ask("relocate_point", point_id=f"-P:{number}", location=words)
    describe(registry, **PLATE, serial="=1+1")
    describe(registry, "-P:3", maker="他厂")
    limits = {"unit": "℃", "low": "-1.50", "high": "1E+3"}
    points = [{"point_id": "101", "label": "101", "expected": limits}, {"point_id": "102", "label": "102"}]
    registry.ask("add_points", system_id="water", equipment="泵", points=points)
    registry.ask("retire_points", system_id="water", point_ids=["102"], reason="拆除")
    content, media = exported(registry, format_), CSV if format_ == "csv" else None
    here = [listed(registry, what, **chosen) for what, chosen in (("systems", {}), ("points", {"retired": False}))]

    again = send(registry, content, *filter(None, [media]))
    registry.ask("register_facility", **FACILITY, facility_id=registry.new_hall())
    if media:
        for system in here[0]:
            registry.ask("register_system", **{name: system[name] for name in HVAC})
    send(registry, content, *filter(None, [media]))

    assert (again["points"], again["unchanged"]) == (0, len(ODD) + 1 + (0 if media else 2))
    there = [listed(registry, what) for what in ("systems", "points")]
    assert [[{**row, "facility": ""} for row in rows] for rows in there] == [
        [{**row, "facility": ""} for row in rows] for rows in here
    ]


FACILITY = {"name": "二", "uscc": "11530121MB198972XH", "region_code": "530114", "timezone": "Asia/Shanghai"}


def test_an_export_of_a_day_shows_that_day(registry: Alone) -> None:
    add(registry, "P-1", "P-2")
    on(registry, "2021-03-05")
    registry.ask("retire_points", system_id="hvac", point_ids=["P-1"], reason="拆除")

    ids = [
        [row[0] for row in read_back(exported(registry, as_of=day))["点位"][1:]]
        for day in ("2021-02-28", "2021-03-04", "2021-03-05")
    ]

    assert ids == [[], ["P-1", "P-2"], ["P-2"]]


def many(count: int) -> list[dict[str, Any]]:
    """As many points, of ten groups, each with a serial of its own."""
    return [
        {**CYLINDER, "point_id": f"P-{number}", "equipment": f"组{number % 10}", "serial": f"SN-{number}"}
        for number in range(count)
    ]


@pytest.fixture(scope="session")
def nearly_right() -> bytes:
    """A workbook of 20,000 points, the last of them wrong."""
    *right, wrong = many(20_000)
    return book(points=[*right, {**wrong, "point_id": "P 19999"}])


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)  # nothing is written: one kind of database tells as much
def test_twenty_thousand_rows_with_a_mistake_in_the_last_change_nothing(registry: Alone, nearly_right: bytes) -> None:
    shown = listed(registry, "systems")

    found = mistakes_in(registry, nearly_right)

    assert found == {"点位!A20001": "expected an id: 1–80 of A–Z a–z 0–9 . _ : -"}
    assert (listed(registry, "systems"), listed(registry, "points")) == (shown, [])


def test_twenty_thousand_rows_are_imported_as_one(registry: Alone) -> None:
    answer = send(registry, csv_file([{**row, "system_id": "hvac"} for row in many(20_000)]), CSV, key=registry.hall)

    added = registry.recorded(PointsAdded)
    assert answer == {"dry_run": False, "systems": 0, "equipment": 10, "points": 20_000, "unchanged": 0}
    assert [group["points"] for group in listed(registry, "equipment")] == [2000] * 10
    assert len(listed(registry, "points")) == 20_000
    assert {recorded.causationid for recorded in added} == {registry.hall}
    assert len({recorded.recordedat for recorded in added}) == 1


def test_a_crash_at_the_end_of_an_import_leaves_nothing(registry: Alone, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(connection: Connection, recorded: Recorded) -> None:
        views.fold(connection, recorded)
        if isinstance(recorded.event, EquipmentDescribed):
            raise KeyboardInterrupt

    before = registry.ledger.tips()
    monkeypatch.setattr(registry.ledger, "fold", crash)
    with pytest.raises(KeyboardInterrupt):
        send(registry, book())
    monkeypatch.undo()

    assert registry.ledger.tips() == before
    assert registry.events(SystemRegistered)[2:] == []
    assert listed(registry, "points") == []
    assert send(registry, book())["points"] == 1


def test_no_more_than_a_thousand_mistakes_are_told_one_by_one(registry: Alone) -> None:
    found = mistakes_in(registry, csv_file([{"point_id": "P-1"}] * 1000), CSV)

    assert len(found) == 1001
    assert found[""] == "2999 more mistakes"


def test_a_file_that_is_no_base64_or_of_no_known_kind_is_refused(registry: Alone) -> None:
    assert list(mistakes_in(registry, book(), "text/html")) == ["media_type"]
    with pytest.raises(Invalid, match="base64"):
        registry.ask("import_assets", file="=", media_type=CSV)
    with pytest.raises(Invalid, match="expected xlsx or csv"):
        registry.service.export_assets(registry.hall, "pdf")


def test_an_export_of_a_simulated_installation_says_so_on_every_printed_page(registry: Alone) -> None:
    answer = registry.service.export_assets(registry.hall)

    sheets = openpyxl.load_workbook(BytesIO(exported(registry, "xlsx"))).worksheets
    assert [sheet.oddHeader and sheet.oddHeader.center.text for sheet in sheets] == ["模拟数据", "模拟数据"]
    assert answer["filename"] == f"assets-{registry.hall}-模拟数据.xlsx"
