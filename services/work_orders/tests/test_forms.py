"""The GB 25201 records: what they say of a round and of faults, and their sheets read back."""

import base64
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from services.work_orders.forms.faults import Finding, faults, repair, repair_of
from services.work_orders.forms.rounds import Hall, Place, record
from services.work_orders.forms.workbook import MOST_CHARACTERS, Sheet, fault_sheet, record_sheet, workbook
from shared.contracts.work_orders import (
    PointResult,
    PointsInspected,
    WorkAccepted,
    WorkOrderCancelled,
    WorkOrderOpened,
    WorkPerformed,
    WorkReturned,
)
from shared.errors import NotFound
from shared.event import Event, Recorded
from shared.tests.alone import Alone

MORNING = datetime(2021, 3, 9, 2, 40, tzinfo=UTC)
HALL = Hall(
    name="政务大厅",
    zone=ZoneInfo("Asia/Shanghai"),
    systems={"gas": "气体灭火"},
    places={
        "N-1": Place(label="喷嘴 1", equipment="气体喷嘴", location="档案区"),
        "N-2": Place(label="喷嘴 2", equipment="气体喷嘴"),
        "N-3": Place(label="喷嘴 3", equipment="气体喷嘴"),
        "B-1": Place(label="按钮 1", equipment="紧急启停按钮"),
    },
)
ROUND = WorkOrderOpened(
    work_order_id="w", kind="inspection", system_id="gas", point_ids=("N-1", "B-1", "N-2", "N-3"), priority="normal"
)
MENDING = WorkOrderOpened(
    work_order_id="m", kind="corrective", system_id="gas", point_ids=("N-1",), priority="high", caused_by="w"
)


def told(*events: Event, actor: str = "user:li", at: datetime = MORNING) -> list[Recorded]:
    """Events in their envelopes."""
    return [
        Recorded(
            id=f"e-{number}",
            source="/work_orders",
            type=event.type,
            time=at,
            recordedat=at,
            facility="hall",
            event=event,
            actor=actor,
        )
        for number, event in enumerate(events)
    ]


def inspected(point_id: str, outcome: Any, **more: Any) -> PointsInspected:
    """One point was looked at."""
    result = PointResult(point_id=point_id, outcome=outcome, **more)
    return PointsInspected(work_order_id="w", system_id="gas", results=(result,))


def performed(by: str = "user:wang", order: str = "w", at: datetime = MORNING) -> WorkPerformed:
    """A job was done."""
    return WorkPerformed(work_order_id=order, kind="corrective", system_id="gas", performed_at=at, performed_by=by)


def rows(*events: Event, **repairs: str) -> dict[str, dict[str, Any]]:
    """The record's rows by item."""
    found = record(told(ROUND, *events), HALL, {point.replace("_", "-"): id_ for point, id_ in repairs.items()})["rows"]
    return {row["item"]: row for row in found}


def test_a_record_counts_its_points_group_by_group() -> None:
    found = rows(inspected("N-1", "normal"), inspected("N-2", "normal"), inspected("N-3", "normal"))

    assert list(found) == ["气体喷嘴", "紧急启停按钮"]
    assert (found["气体喷嘴"]["count"], found["气体喷嘴"]["normal"], found["气体喷嘴"]["condition"]) == (3, 3, "正常")


def test_a_point_that_was_not_inspected_is_named_and_never_normal() -> None:
    found = rows(inspected("N-1", "normal"), inspected("N-2", "normal"))

    assert (found["气体喷嘴"]["normal"], found["气体喷嘴"]["condition"]) == (2, "未巡查")
    assert (found["气体喷嘴"]["not_inspected"], found["紧急启停按钮"]["not_inspected"]) == (["喷嘴 3"], ["按钮 1"])
    assert (found["紧急启停按钮"]["normal"], found["紧急启停按钮"]["condition"]) == (0, "未巡查")


def test_a_fault_is_mended_on_site_or_reported_with_the_order_that_mends_it() -> None:
    found = rows(
        inspected("N-1", "fault", note="堵塞"),
        inspected("N-2", "fault", fixed_on_site=True, note="松动"),
        N_1="mend:N-1:x",
    )["气体喷嘴"]

    assert (found["condition"], found["faults"], found["normal"]) == ("故障", 2, 0)
    assert (found["fixed_on_site"], found["reported"]) == (["喷嘴 2"], ["喷嘴 1（档案区） mend:N-1:x"])
    assert found["remarks"] == ["故障：喷嘴 1（档案区）：堵塞", "故障：喷嘴 2：松动"]


def test_points_that_do_not_apply_make_a_stroke_unless_others_of_the_group_are_normal() -> None:
    found = rows(inspected("B-1", "not_applicable", note="拆除"), inspected("N-1", "normal"))

    assert (found["紧急启停按钮"]["condition"], found["紧急启停按钮"]["remarks"]) == ("/", ["不适用：按钮 1：拆除"])


def test_the_last_word_on_a_point_holds_and_everybody_who_inspected_is_named() -> None:
    events = told(ROUND, inspected("B-1", "fault"), inspected("B-1", "normal"), performed(), performed())

    found = record(events, HALL, {})

    assert {row["item"]: row["condition"] for row in found["rows"]}["紧急启停按钮"] == "正常"
    assert (found["inspected_by"], found["performed_at"]) == (["user:li", "user:wang"], "2021-03-09T10:40:00+08:00")


def test_an_unfinished_record_has_no_time_and_an_order_without_a_past_no_record() -> None:
    found = record(told(ROUND), HALL, {})

    assert (found["performed_at"], found["inspected_by"], found["accepted_by"]) == (None, [], None)
    with pytest.raises(NotFound):
        record([], HALL, {})


def test_points_that_nothing_is_known_of_are_called_by_their_ids() -> None:
    found = record(told(ROUND), Hall(name="?", zone=HALL.zone), {})["rows"]

    assert [(row["item"], row["not_inspected"]) for row in found] == [("gas", ["N-1", "B-1", "N-2", "N-3"])]


def finding(point_id: str = "N-1", at: datetime = MORNING, **more: Any) -> Finding:
    """Li found a fault."""
    known: dict[str, Any] = {"work_order_id": "w", "system_id": "gas", "found_by": "user:li", "note": "堵塞"}
    return Finding(**{**known, "point_id": point_id, "found_at": at, "fixed_on_site": False, **more})


def test_a_fault_is_followed_through_its_repair_to_its_confirmation() -> None:
    accepted = WorkAccepted(work_order_id="m", kind="corrective", system_id="gas", accepted_by="user:zhao")
    mended = repair(told(MENDING, performed(order="m", at=MORNING + timedelta(hours=2)), accepted))

    (row,) = faults(2021, [finding()], [mended], HALL)

    assert row == {
        "system_id": "gas",
        "system": "气体灭火",
        "found_by": "user:li",
        "found_at": "2021-03-09T10:40:00+08:00",
        "place": "喷嘴 1（档案区）",
        "description": "堵塞",
        "handling": "报修",
        "work_order_id": "m",
        "repaired_by": "user:wang",
        "cleared_at": "2021-03-09T12:40:00+08:00",
        "confirmed_by": "user:zhao",
        "remarks": None,
    }


def test_a_repair_that_was_returned_or_not_done_has_cleared_nothing() -> None:
    returned = WorkReturned(
        work_order_id="m", kind="corrective", system_id="gas", returned_by="user:zhao", reason="未修"
    )
    for past in ([], [performed(order="m"), returned]):
        (row,) = faults(2021, [finding()], [repair(told(MENDING, *past))], HALL)

        assert (row["repaired_by"], row["cleared_at"], row["confirmed_by"]) == (None, None, None)


def test_a_fault_fixed_on_site_was_cleared_by_who_found_it_and_nobody_confirmed_that() -> None:
    (row,) = faults(2021, [finding(fixed_on_site=True)], [], HALL)

    assert (row["handling"], row["repaired_by"], row["confirmed_by"]) == ("当场处理", "user:li", None)
    assert row["cleared_at"] == row["found_at"]


def test_a_fault_found_again_while_its_repair_is_open_belongs_to_that_repair() -> None:
    mended = repair(told(MENDING, performed(order="m", at=MORNING + timedelta(days=2))))
    again = finding(at=MORNING + timedelta(days=1), work_order_id="w2")
    after = finding(at=MORNING + timedelta(days=3), work_order_id="w3")

    assert (repair_of(again, [mended]), repair_of(after, [mended])) == (mended, None)


def test_a_fault_whose_repair_was_cancelled_is_one_line_that_says_so_and_the_next_has_no_repair() -> None:
    cancelled = repair(told(MENDING, WorkOrderCancelled(work_order_id="m", reason="误报")))
    later = finding(at=MORNING + timedelta(days=1), work_order_id="w2")

    (row,) = faults(2021, [finding()], [cancelled], HALL)

    assert (row["work_order_id"], row["remarks"], row["cleared_at"]) == ("m", "工单已取消", None)
    assert repair_of(later, [cancelled]) is None


def test_a_repair_that_no_inspection_asked_for_stands_for_itself_with_who_asked_for_it() -> None:
    by_hand = WorkOrderOpened(**{**vars(MENDING), "work_order_id": "h", "caused_by": "r", "description": "灯不亮"})
    cancelled = WorkOrderCancelled(work_order_id="h", reason="误报")

    (row,) = faults(2021, [], [repair(told(by_hand, cancelled), requested_by="user:qian")], HALL)

    assert (row["found_by"], row["description"], row["remarks"]) == ("user:qian", "灯不亮", "工单已取消")


def test_faults_are_of_the_year_in_which_they_were_found_in_local_time() -> None:
    eve = datetime(2020, 12, 31, 16, tzinfo=UTC)

    found = [finding(at=eve - timedelta(seconds=1)), finding("N-2", at=eve)]

    assert [row["place"] for row in faults(2021, found, [], HALL)] == ["喷嘴 2"]
    assert [row["place"] for row in faults(2020, found, [], HALL)] == ["喷嘴 1（档案区）"]


def page_of(content: bytes) -> Worksheet:
    """The sheet of a file."""
    page = load_workbook(BytesIO(content)).worksheets[0]
    assert isinstance(page, Worksheet)
    return page


def table(page: Worksheet) -> list[list[Any]]:
    """Everything that is written, row by row."""
    return [[value for value in row if value is not None] for row in page.iter_rows(values_only=True)]


def test_the_record_reads_back_as_the_form_with_its_head_and_headings() -> None:
    events = told(ROUND, inspected("N-1", "normal"), inspected("B-1", "fault", note="=1+1"), performed())
    sheet = record_sheet(record(events, HALL, {"B-1": "mend:1"}), HALL)

    page = page_of(workbook(sheet, simulated=False))

    assert table(page) == [
        ["巡查记录"],
        ["单位名称：政务大厅"],
        ["系统：气体灭火"],
        ["巡查人：li、wang"],
        ["时间：2021-03-09 10:40"],
        ["工单：w"],
        ["项目", "数量", "正常数", '正常/故障/"/"', "当场处理", "报修", "备注"],
        ["气体喷嘴", 3, 1, "未巡查", "未巡查 2：喷嘴 2、喷嘴 3"],
        ["紧急启停按钮", 1, 0, "故障", "按钮 1 mend:1", "故障：按钮 1：=1+1"],
    ]
    assert (page.print_area, page.print_title_rows) == ("'巡查记录'!$A$1:$G$9", "$7:$7")
    assert (page.page_setup.paperSize, page.page_setup.orientation) == (9, "landscape")
    assert (page.page_setup.fitToWidth, page.page_setup.fitToHeight) == (1, 0)


def test_the_fault_sheet_leaves_the_safeguards_to_be_filled_in_by_hand() -> None:
    found = faults(2021, [finding(), finding("N-2", fixed_on_site=True)], [repair(told(MENDING))], HALL)

    page = page_of(workbook(fault_sheet(2021, found, HALL), simulated=True))

    assert [row[0] for row in table(page)[:2]] == ["建筑消防设施故障维修记录", "模拟数据"]
    headings = [cell.value for cell in page[5]]
    assert headings[2:9] == [
        "发现人",
        "时间",
        "部位/故障描述",
        "当场处理/报修",
        "维修人",
        "故障排除时间/确认",
        "安全保护措施",
    ]
    first, second = ({name: cell.value for name, cell in zip(headings, page[row], strict=True)} for row in (6, 7))
    assert (first["部位/故障描述"], first["当场处理/报修"]) == ("喷嘴 1（档案区）\n堵塞", "报修\nm")
    assert (second["维修人"], second["故障排除时间/确认"]) == ("li", "2021-03-09 10:40")
    assert {first["安全保护措施"], second["安全保护措施"]} <= {None, ""}


def test_words_stay_words_whatever_they_begin_with_or_contain() -> None:
    sheet = Sheet(title="表", head=(), columns=(("甲", 10),), rows=[["=HYPERLINK(1)"], ["a\x07b"], ["长" * 40_000]])

    formula, control, long = (page_of(workbook(sheet, simulated=False)).cell(row, 1) for row in (3, 4, 5))

    assert (formula.value, formula.data_type, control.value) == ("=HYPERLINK(1)", "s", "a�b")
    assert len(str(long.value)) <= MOST_CHARACTERS
    assert str(long.value).endswith("（未完，见电子记录）")


def test_the_service_fills_in_the_forms_of_an_order_and_of_a_year(desk: Alone) -> None:
    asked: dict[str, Any] = {"kind": "maintenance", "system_id": "hvac", "point_ids": ["P-1", "P-2"], "priority": "low"}
    desk.ask("open_work_order", work_order_id="w", **asked)
    desk.ask("assign", work_order_id="w", assignee="user:li")
    desk.ask("start", work_order_id="w", at="2021-03-09T09:00:00+08:00", actor="user:li")
    results = [{"point_id": "P-1", "outcome": "fault", "note": "漏水"}]
    (mends,) = desk.ask("inspect", work_order_id="w", results=results, actor="user:li")["opened"]

    found = desk.service.record(desk.hall, "w")
    sheets = desk.service.record_sheet(desk.hall, "w"), desk.service.fault_sheet(desk.hall, 2021, system_id="hvac")

    (row,) = found["rows"]
    assert (found["facility"], found["system"], found["simulated"]) == ("政务大厅", "hvac", True)
    assert (row["item"], row["count"], row["condition"]) == ("室内机", 2, "故障")
    assert (row["reported"], row["not_inspected"]) == ([f"P-1 号（101） {mends}"], ["P-2 号（101）"])
    first, second = (table(page_of(base64.b64decode(sheet["body"]))) for sheet in sheets)
    assert (first[0], first[1], first[2]) == (["巡查记录"], ["模拟数据"], ["单位名称：政务大厅"])
    assert second[-1][:6] == [1, "hvac", "li", "2021-03-09 09:00", "P-1 号（101）\n漏水", f"报修\n{mends}"]
    assert sheets[1]["filename"] == "故障维修记录-2021.xlsx"
    assert len(table(page_of(base64.b64decode(desk.service.fault_sheet(desk.hall, 2020)["body"])))) == 5
    with pytest.raises(NotFound):
        desk.service.record(desk.hall, "nowhere")
    with pytest.raises(NotFound):
        desk.service.record_sheet("elsewhere", "w")
    with pytest.raises(NotFound):
        desk.service.fault_sheet(desk.hall, 2021, system_id="nowhere")
