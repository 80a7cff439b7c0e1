"""Files in place of a connection: each row is a message, the same row once."""

import io
from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook

from services.integration.tests.office import FINANCE, HAOCHAPING, Office, payment
from shared.contracts.integration import MessageReceived
from shared.contracts.work_orders import CostRecorded
from shared.errors import Forbidden, Invalid, NotFound
from shared.sheets.tables import CSV, XLSX

SHEET = "流水号,金额,科目,支付日期,收款单位\nP-1,1280.50,设备维修,2021-03-18,昆明电梯公司\nP-2,99,办公,2021-03-19,\n"


@pytest.fixture
def finance(office: Office) -> Office:
    """An office to which the finance system is mapped."""
    office.map("finance", FINANCE)
    return office


def workbook(*rows: list[Any]) -> bytes:
    """A workbook of one sheet."""
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def costs(office: Office) -> list[tuple[str, str, str, str | None]]:
    """What was booked."""
    told = office.work_orders.events(CostRecorded)
    return [(one.cost_id, str(one.amount), one.incurred_on.isoformat(), one.supplier) for one in told]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_each_row_of_a_csv_file_is_a_message(finance: Office, encoding: str) -> None:
    told = finance.drop(SHEET.encode(encoding), CSV)

    assert [(one["line"], one["id"], one["status"]) for one in told] == [(2, "P-1", "accepted"), (3, "P-2", "accepted")]
    assert costs(finance) == [
        ("pay-P-1", "1280.50", "2021-03-18", "昆明电梯公司"),
        ("pay-P-2", "99.00", "2021-03-19", None),
    ]
    received = finance.integration.events(MessageReceived)[0]
    assert (received.received_from, str(received.happened_at)) == ("user:chen", "2021-03-18 00:00:00+08:00")


def test_a_workbook_says_the_same_as_a_csv_file(finance: Office) -> None:
    rows: list[list[Any]] = [
        ["流水号", "金额", "科目", "支付日期", "收款单位"],
        ["P-1", 1280.5, "设备维修", date(2021, 3, 18), "昆明电梯公司"],
        ["P-2", 99, "办公", "2021-03-19", None],
    ]

    told = finance.drop(workbook(*rows), XLSX)

    assert [one["status"] for one in told] == ["accepted", "accepted"], told
    assert [cost[:3] for cost in costs(finance)] == [
        ("pay-P-1", "1280.50", "2021-03-18"),
        ("pay-P-2", "99.00", "2021-03-19"),
    ]


def test_the_same_file_twice_adds_nothing(finance: Office) -> None:
    finance.drop(SHEET.encode(), CSV)
    before = finance.work_orders.ledger.tips()

    told = finance.drop(SHEET.encode() + "P-3,1.00,办公,2021-03-19,\n".encode(), CSV)

    assert [one["status"] for one in told] == ["duplicate", "duplicate", "accepted"]
    assert len(costs(finance)) == 3
    assert finance.work_orders.ledger.tips()[finance.hall]["position"] == before[finance.hall]["position"] + 1


def test_a_bad_row_is_named_by_its_line_and_the_good_are_kept(finance: Office) -> None:
    content = "流水号,金额,科目,支付日期\n,5,办公,2021-03-18\nP-2,五元,办公,2021-03-18\n\nP-3,5,办公,18.3.2021\nP-4,5,办公,2021-03-18\n"

    told = finance.drop(content.encode(), CSV)

    assert [(one["line"], one["status"]) for one in told] == [
        (2, "refused"),
        (3, "refused"),
        (5, "refused"),
        (6, "accepted"),
    ]
    fields = [{reason["field"]: reason["expected"] for reason in one["reasons"]} for one in told]
    assert fields[0] == {"流水号": "expected an id, found nothing"}
    assert fields[1]["amount"].startswith("expected an amount as a number, or as text of digits like 1280.50, found ")
    assert 'found "18.3.2021" at data."支付日期"' in fields[2]["time"]
    assert told[1]["message"] is not None
    assert told[2]["message"] is None


def test_rows_without_a_column_of_ids_are_named_by_what_they_say(finance: Office) -> None:
    finance.map("finance", FINANCE.replace("  id: 流水号\n", "").replace('data.\\"流水号\\"', "id"))
    content = "金额,科目,支付日期\n5,办公,2021-03-18\n5,办公,2021-03-18\n6,办公,2021-03-18\n"

    told = finance.drop(content.encode(), CSV)

    assert [one["status"] for one in told] == ["accepted", "duplicate", "accepted"]
    assert [one["status"] for one in finance.drop(content.encode(), CSV)] == 3 * ["duplicate"]


def test_what_a_file_cannot_be_is_refused_whole(finance: Office) -> None:
    for content, media_type, why in (
        (b"\xff\xfe\x00", CSV, "expected text in UTF-8 or GB18030"),
        (b"PK", XLSX, "expected an xlsx workbook"),
        (b"", CSV, "expected headings in the first row"),
        ("金额\n5\n".encode(), CSV, "expected a column 流水号"),
        ("流水号,流水号\n5,5\n".encode(), CSV, "expected each heading once, found 流水号 twice"),
        (b"x" * (20 * 2**20 + 1), CSV, "expected at most"),
        (SHEET.encode(), "application/pdf", "media_type: expected text/csv or "),
        (SHEET.encode() + b"P-%d,1,x,2021-03-18,\n" * 10_000, CSV, "expected at most 10000 rows"),
    ):
        with pytest.raises(Invalid) as refused:
            finance.drop(content, media_type)
        assert why in str(refused.value)
    with pytest.raises(NotFound, match="no source nobody"):
        finance.drop(SHEET.encode(), CSV, "nobody")
    finance.map("haochaping", HAOCHAPING)
    with pytest.raises(Invalid, match="expected a source whose mapping says under file"):
        finance.drop(SHEET.encode(), CSV, "haochaping")
    with pytest.raises(Forbidden):
        finance.integration.ask("receive_file", roles=["manager"], source_id="finance", file="", media_type=CSV)
    assert finance.integration.events(MessageReceived) == []


def test_a_row_and_the_event_of_the_same_name_are_one_message(finance: Office) -> None:
    finance.drop(SHEET.encode(), CSV)

    (told,) = finance.send(payment("P-1", "1280.50"))

    assert (told["status"], told["first"]) == ("refused", "accepted")
    assert len(costs(finance)) == 2
