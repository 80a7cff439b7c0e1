"""Requests from staff: made, then approved by an order or rejected, by somebody else."""

from typing import Any

import pytest

from services.work_orders.tests.given import assets
from shared.contracts.work_orders import WorkOrderOpened, WorkRequestApproved, WorkRequested
from shared.errors import Forbidden, Invalid, NotFound, Rejected
from shared.tests.alone import Alone

GRANT: dict[str, Any] = {
    "request_id": "r",
    "kind": "corrective",
    "priority": "high",
    "system_id": "hvac",
    "point_ids": ["P-1"],
}


def ask_for(desk: Alone, request_id: str = "r", **more: Any) -> None:
    """Li asks for a lamp."""
    desk.ask("request_work", request_id=request_id, description="灯不亮", actor="user:li", **more)


def shown(desk: Alone, **filters: Any) -> list[tuple[str, str]]:
    """The requests of the hall."""
    return [(row["request_id"], row["status"]) for row in desk.service.work_requests(desk.hall, **filters)["items"]]


def test_an_approved_request_opens_an_order_in_the_same_entry(desk: Alone) -> None:
    ask_for(desk, system_id="hvac", point_id="P-1")

    id_ = desk.ask("approve_work_request", **GRANT, actor="user:zhao")["work_order_id"]

    approved, opened = desk.recorded(WorkRequestApproved, WorkOrderOpened)
    assert isinstance(approved.event, WorkRequestApproved)
    assert isinstance(opened.event, WorkOrderOpened)
    assert (approved.event.work_order_id, opened.event.work_order_id) == (id_, id_)
    assert (approved.position + 1, approved.causationid) == (opened.position, opened.causationid)
    assert (opened.event.caused_by, opened.event.description) == ("r", "灯不亮")
    assert opened.event.due_at
    (row,) = desk.service.work_requests(desk.hall)["items"]
    assert (row["status"], row["work_order_id"], row["requested_by"]) == ("approved", id_, "user:li")


def test_whoever_made_a_request_does_not_approve_it(desk: Alone) -> None:
    ask_for(desk)

    with pytest.raises(Rejected, match="other than who made it"):
        desk.ask("approve_work_request", **GRANT, actor="user:li")

    assert [type(event) for event in desk.events()] == [WorkRequested]


def test_a_request_is_judged_once(desk: Alone) -> None:
    ask_for(desk, "a")
    ask_for(desk, "b")
    desk.ask("approve_work_request", **{**GRANT, "request_id": "a"})
    desk.ask("reject_work_request", request_id="b", reason="已修")
    before = desk.events()

    for id_ in ("a", "b"):
        with pytest.raises(Rejected, match="already"):
            desk.ask("approve_work_request", **{**GRANT, "request_id": id_})
        with pytest.raises(Rejected, match="already"):
            desk.ask("reject_work_request", request_id=id_, reason="已修")

    assert desk.events() == before
    assert shown(desk) == [("a", "approved"), ("b", "rejected")]
    assert (shown(desk, status="rejected"), shown(desk, status="reported")) == ([("b", "rejected")], [])
    assert shown(desk, sort="-request_id", limit=1) == [("b", "rejected")]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"system_id": "water"}, "system_id"),
        ({"point_ids": ["P-1", "P-9"]}, "point_ids[1]"),
        ({"work_order_id": "wo:x"}, "work_order_id"),
        ({"kind": "inspection"}, "kind"),
        ({"description": " "}, "description"),
    ],
)
def test_a_request_is_not_approved_by_an_order_that_could_not_be_opened_by_hand(
    desk: Alone, wrong: Any, field: str
) -> None:
    ask_for(desk)

    with pytest.raises(Invalid) as refused:
        desk.ask("approve_work_request", **{**GRANT, **wrong})

    assert list(refused.value.errors) == [field]
    assert shown(desk) == [("r", "reported")]


@pytest.mark.parametrize(
    ("about", "fields"),
    [
        ({"system_id": "water"}, ["system_id"]),
        ({"point_id": "P-9"}, ["point_id"]),
        ({"system_id": "water", "point_id": "P-9"}, ["system_id", "point_id"]),
        ({"system_id": "lighting", "point_id": "P-1"}, ["point_id"]),
    ],
)
def test_a_request_is_about_what_is_registered(desk: Alone, about: Any, fields: list[str]) -> None:
    assets(desk, "lighting", ("L-1",))

    with pytest.raises(Invalid) as refused:
        ask_for(desk, **about)

    assert list(refused.value.errors) == fields
    assert desk.events() == []


def test_a_request_that_was_not_made_is_not_found_and_an_inspector_judges_none(desk: Alone) -> None:
    with pytest.raises(NotFound):
        desk.ask("approve_work_request", **GRANT)
    with pytest.raises(Forbidden):
        desk.ask("approve_work_request", **GRANT, roles=["inspector"])
