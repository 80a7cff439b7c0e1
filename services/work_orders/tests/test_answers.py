"""Every answer has a form of its own; work orders under test are held to them (shared.tests.answered) in every test."""

from typing import Any

from services.work_orders.service import WorkOrders
from shared.tests.alone import Alone
from shared.tests.answered import without_a_form

NOW = "2021-03-09T09:00:00+08:00"
DOWNLOADS = {"record_sheet", "fault_sheet", "photo"}
"""What answers a file needs no form."""


def test_every_answer_has_a_form_but_those_that_are_files() -> None:
    assert without_a_form(WorkOrders) == DOWNLOADS


def test_work_from_its_request_to_its_acceptance_is_answered_in_its_form(desk: Alone) -> None:
    desk.ask("request_work", request_id="r", description="漏水", system_id="hvac", point_id="P-1", actor="user:li")
    asked: dict[str, Any] = {"kind": "corrective", "priority": "high", "system_id": "hvac", "point_ids": ["P-1", "P-2"]}
    desk.ask("approve_work_request", request_id="r", work_order_id="w", **asked)
    order = {"work_order_id": "w", "actor": "user:li"}
    desk.ask("assign", **order, assignee="user:li")
    desk.ask("start", **order, at=NOW)
    results = [
        {"point_id": "P-1", "outcome": "fault", "note": "漏水", "fixed_on_site": True},
        {"point_id": "P-2", "outcome": "normal", "reading": 7, "unit": "℃"},
    ]
    desk.ask("inspect", **order, results=results, captured_at=NOW)
    desk.ask("perform", **order, performed_at=NOW, summary="已修")
    desk.ask("accept", work_order_id="w")

    record, round_ = desk.service.record(desk.hall, "w"), desk.service.round(desk.hall, "w")
    (request,) = desk.service.work_requests(desk.hall)["items"]

    assert (record["performed_at"], record["accepted_by"]) == (NOW, "user:chen")
    assert (record["rows"][0]["fixed_on_site"], request["work_order_id"]) == (["P-1 号（101）"], "w")
    assert [one["result"]["reading"] for one in round_["points"]] == [None, "7"]
    assert len(desk.service.history(desk.hall, "w")) == 6
