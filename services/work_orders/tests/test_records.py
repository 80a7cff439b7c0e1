"""The rules of requests, costs and incidents."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from services.work_orders.records import Cost, Incident, WorkRequest
from shared.contracts.work_orders import (
    CostRecorded,
    CostReversed,
    IncidentConfirmed,
    IncidentDismissed,
    IncidentReported,
    WorkRequestApproved,
    WorkRequested,
    WorkRequestRejected,
)
from shared.errors import Invalid, NotFound, Rejected

NOON = datetime(2021, 3, 9, 4, tzinfo=UTC)
SOON = NOON + timedelta(microseconds=1)
REQUESTED = WorkRequested(request_id="r", description="灯不亮", requested_by="user:li")
APPROVED = WorkRequestApproved(request_id="r", work_order_id="w")
TURNED_DOWN = WorkRequestRejected(request_id="r", reason="已修")
BOOKED = CostRecorded(cost_id="c", amount=Decimal("120.00"), category="fixed_equipment", incurred_on=date(2021, 3, 9))
REVERSED = CostReversed(cost_id="c", reason="误记")
REPORTED = IncidentReported(incident_id="i", occurred_at=NOON, description="滑倒", reported_by="user:li")
CONFIRMED = IncidentConfirmed(
    incident_id="i", occurred_at=NOON, harms=("life",), visitors_affected=True, description="滑倒"
)
DISMISSED = IncidentDismissed(incident_id="i", reason="非事故")


def test_a_request_is_made_once_and_turned_down_once() -> None:
    request = WorkRequest("r")

    request.make(REQUESTED, NOON)
    request.reject("已修", NOON)

    assert request.new_events == [(REQUESTED, NOON), (TURNED_DOWN, NOON)]
    with pytest.raises(Rejected, match="made already"):
        WorkRequest.replay("r", [REQUESTED]).make(REQUESTED, NOON)


def test_a_request_is_approved_by_someone_else_than_who_made_it() -> None:
    request = WorkRequest.replay("r", [REQUESTED])
    with pytest.raises(Rejected, match="other than who made it"):
        request.approve("user:li", "w", NOON)

    request.approve("user:zhao", "w", NOON)

    assert request.new_events == [(APPROVED, NOON)]


@pytest.mark.parametrize("last", [APPROVED, TURNED_DOWN])
def test_a_request_that_was_judged_is_not_judged_again(last: WorkRequestApproved | WorkRequestRejected) -> None:
    request = WorkRequest.replay("r", [REQUESTED, last])

    with pytest.raises(Rejected, match="already and cannot be rejected"):
        request.reject("已修", NOON)
    with pytest.raises(Rejected, match="already and cannot be approved"):
        request.approve("user:zhao", "w", NOON)
    assert request.new_events == []


def test_what_was_never_said_cannot_be_judged() -> None:
    with pytest.raises(NotFound):
        WorkRequest("r").approve("user:zhao", "w", NOON)
    with pytest.raises(NotFound):
        Cost("c").reverse("误记", NOON)
    with pytest.raises(NotFound):
        Incident("i").dismiss("user:zhao", "非事故", NOON)


def test_a_cost_is_booked_once_and_reversed_once() -> None:
    cost = Cost("c")

    cost.book(BOOKED, NOON)
    cost.reverse("误记", NOON)

    assert cost.new_events == [(BOOKED, NOON), (REVERSED, NOON)]
    for past in ([BOOKED], [BOOKED, REVERSED]):
        with pytest.raises(Rejected, match="booked already"):
            Cost.replay("c", past).book(BOOKED, NOON)
    with pytest.raises(Rejected, match="reversed already"):
        Cost.replay("c", [BOOKED, REVERSED]).reverse("误记", NOON)


def test_a_cost_is_nothing_or_more_and_never_negative() -> None:
    for amount in ("-0.01", "-120.00"):
        cost = Cost("c")
        with pytest.raises(Invalid) as refused:
            cost.book(replace(BOOKED, amount=Decimal(amount)), NOON)
        assert list(refused.value.errors) == ["amount"]
        assert cost.new_events == []

    free = Cost("c")
    free.book(replace(BOOKED, amount=Decimal("0.00")), NOON)
    assert free.exists


def test_a_cost_is_of_a_day_that_has_begun_somewhere() -> None:
    late = datetime(2021, 3, 9, 10, tzinfo=UTC)

    Cost("c").book(replace(BOOKED, incurred_on=date(2021, 3, 10)), late)

    for day, now in ((date(2021, 3, 10), late - timedelta(seconds=1)), (date(2999, 1, 1), late)):
        with pytest.raises(Rejected, match=r"incurred_on .* lies in the future"):
            Cost("c").book(replace(BOOKED, incurred_on=day), now)


def test_an_incident_is_reported_once_after_it_happened() -> None:
    incident = Incident("i")
    with pytest.raises(Rejected, match="future"):
        incident.report(replace(REPORTED, occurred_at=SOON), NOON)

    incident.report(REPORTED, NOON)

    assert incident.new_events == [(REPORTED, NOON)]
    with pytest.raises(Rejected, match="reported already"):
        incident.report(REPORTED, NOON)


def test_an_incident_is_confirmed_and_what_was_found_may_be_corrected() -> None:
    incident = Incident.replay("i", [REPORTED])

    incident.confirm(CONFIRMED, NOON)
    incident.confirm(replace(CONFIRMED, visitors_affected=False), NOON)

    assert len(incident.new_events) == 2
    with pytest.raises(Rejected, match="future"):
        incident.confirm(replace(CONFIRMED, occurred_at=SOON), NOON)


def test_an_incident_is_dismissed_once_confirmed_or_not_and_then_is_none() -> None:
    for past in ([REPORTED], [REPORTED, CONFIRMED]):
        incident = Incident.replay("i", past)

        incident.dismiss("user:zhao", "非事故", NOON)

        assert incident.new_events == [(DISMISSED, NOON)]
        with pytest.raises(Rejected, match="was dismissed"):
            incident.dismiss("user:zhao", "非事故", NOON)
        with pytest.raises(Rejected, match="was dismissed"):
            Incident.replay("i", [*past, DISMISSED]).confirm(CONFIRMED, NOON)


def test_whoever_reported_an_incident_does_not_dismiss_it() -> None:
    for past in ([REPORTED], [REPORTED, CONFIRMED]):
        incident = Incident.replay("i", past)

        with pytest.raises(Rejected, match="other than who reported it"):
            incident.dismiss("user:li", "非事故", NOON)

        assert incident.new_events == []
