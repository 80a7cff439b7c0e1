"""What other systems tell, from the request to the service that accepts it; on both databases."""

import hashlib
from collections import Counter
from datetime import datetime
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from eventlet.greenpool import GreenPool

from services.integration.inbound.aggregate import message_key
from services.integration.inbound.receiving import MINE
from services.integration.tests.office import (
    FINANCE,
    HAOCHAPING,
    MONEY,
    NEVER,
    PLATFORM,
    RATING,
    SECURITY,
    Office,
    event,
    payment,
    rating,
    single,
)
from shared.contracts.integration import (
    MessageAccepted,
    MessageContradicted,
    MessageReceived,
    MessageRefused,
    MessageRepeated,
    MessageRetried,
    SourceMapped,
)
from shared.contracts.scoring import BudgetRecorded, SatisfactionReported
from shared.contracts.work_orders import CostRecorded, IncidentReported
from shared.errors import Forbidden, Invalid, NotFound, Rejected

BROKEN = HAOCHAPING.replace("data.satisfaction", "data.stars")
KEY = message_key(PLATFORM, "r-1")


def outcomes(told: list[dict[str, Any]]) -> list[str]:
    """What became of each."""
    return [one["status"] for one in told]


def reports(office: Office) -> list[Any]:
    """The reports of satisfaction that scoring keeps."""
    return office.scoring.events(SatisfactionReported)


def test_a_rating_is_one_report_that_names_who_told_it(office: Office) -> None:
    (told,) = office.send(rating(1, 5))

    assert told == {
        "source": PLATFORM,
        "id": "r-1",
        "facility": office.hall,
        "message": KEY,
        "status": "accepted",
        "first": None,
        "reasons": [],
    }
    (report,) = office.scoring.recorded(SatisfactionReported)
    assert report.event.data() == {
        "report_id": "hcp-1",
        "period_start": "2021-03-19",
        "period_end": "2021-03-19",
        "very_satisfied": 1,
        **dict.fromkeys(("satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied"), 0),
        "defaulted": 0,
        "overturned": 0,
    }
    assert (report.actor, report.correlationid) == ("system:haochaping", "c-9")


def test_it_is_recorded_who_told_what_before_a_service_accepts_it(office: Office) -> None:
    office.send(rating(1, 5, time="2021-03-19T10:00:05+08:00"))

    received, accepted = office.integration.recorded(MessageReceived, MessageAccepted)
    assert isinstance(received.event, MessageReceived)
    assert received.event.received_from == received.actor == "system:key-1"
    assert received.event.happened_at is not None
    assert received.event.happened_at.isoformat() == "2021-03-19T10:00:05+08:00"
    assert (received.event.source_id, received.event.fact) == ("haochaping", "satisfaction_reported")
    assert accepted.event == MessageAccepted(
        message=KEY,
        source=PLATFORM,
        fact="satisfaction_reported",
        accepted_by="scoring",
        accepted_as="hcp-1",
        ratings=1,
    )
    assert (accepted.causationid, accepted.actor) == (received.id, "service:integration")
    assert office.service.ledger.remembered(received.causationid) is not None


def test_a_message_is_kept_as_it_was_sent_under_its_hash(office: Office) -> None:
    sent = rating(1382345678901234567, 4, note="谢谢")
    office.send(sent)

    found = office.service.message(office.hall, message_key(PLATFORM, sent["id"]))

    assert found["envelope"] == {**sent, "datacontenttype": "application/json"}
    content = orjson.dumps(found["envelope"], option=orjson.OPT_SORT_KEYS)
    assert found["sha256"] == hashlib.sha256(content).hexdigest()
    assert reports(office)[0].report_id == "hcp-1382345678901234567"
    with pytest.raises(NotFound):
        office.service.message(office.hall, "0" * 64)


def test_the_same_event_is_the_same_in_whichever_way_it_is_sent(office: Office) -> None:
    sent = rating(1, 5, time="2021-03-19T02:00:00Z")
    attributes = {name: value for name, value in sent.items() if name not in ("data", "time")}
    by_sdk = CloudEvent({**attributes, "time": datetime.fromisoformat(sent["time"])}, sent["data"])
    binary = to_binary_event(by_sdk)
    binary.headers["Content-Type"] = "application/json; charset=utf-8"

    told = [office.post(message)["items"][0] for message in (to_structured_event(by_sdk), binary)] + office.send(sent)

    assert outcomes(told) == ["accepted", "duplicate", "duplicate"]
    assert [one["first"] for one in told] == [None, "accepted", "accepted"]
    assert len(reports(office)) == 1


def test_an_event_that_is_sent_a_hundred_times_in_parallel_counts_once(office: Office) -> None:
    told = list(GreenPool(100).imap(lambda _: office.send(rating(1, 5))[0], range(100)))

    assert Counter(outcomes(told)) == {"accepted": 1, "duplicate": 99}
    assert len(reports(office)) == 1
    assert office.service.scoring.asked == ["report_satisfaction"]
    kinds = Counter(type(one) for one in office.integration.events())
    assert kinds == {SourceMapped: 1, MessageReceived: 1, MessageAccepted: 1, MessageRepeated: 99}
    assert office.rows()[0]["repeats"] == 99


def test_the_same_thing_twice_in_one_batch_counts_once(office: Office) -> None:
    told = office.send(rating(1, 5), rating(1, 5), rating(1, 1))

    assert outcomes(told) == ["accepted", "duplicate", "refused"]
    assert [report.very_satisfied for report in reports(office)] == [1]


def test_something_else_under_the_same_name_is_refused_and_the_first_one_stands(office: Office) -> None:
    office.send(rating(1, 5))

    told = [office.send(rating(1, 1))[0] for _ in range(2)]

    assert [(one["status"], one["first"], one["reasons"][0]["field"]) for one in told] == 2 * [
        ("refused", "accepted", "id")
    ]
    (noted,) = office.integration.events(MessageContradicted)
    assert office.service.envelope(office.hall, noted.other_sha256)["data"]["satisfaction"] == 1
    assert [report.very_satisfied for report in reports(office)] == [1]
    assert office.rows()[0]["contradictions"] == 1
    with pytest.raises(Invalid, match="id: expected what was received first"):
        office.post(single(rating(1, 1)))


def test_a_batch_with_a_bad_item_keeps_the_good(office: Office) -> None:
    told = office.send(rating(1, 5), {"id": "x"}, rating(2, 9), rating(3, 4), rating(4, 5, facility="elsewhere"))

    assert outcomes(told) == ["accepted", "refused", "refused", "accepted", "refused"]
    assert {one["field"]: one["expected"] for one in told[1]["reasons"]}["source"] == "missing"
    assert told[1]["message"] is None
    assert told[2]["reasons"][0]["expected"].startswith("expected one of 5, 4, 3, 2, 1, found 9 at data.satisfaction")
    assert told[4]["reasons"] == [{"field": "facility", "expected": MINE}]
    assert [report.report_id for report in reports(office)] == ["hcp-1", "hcp-3"]
    assert [row["message_id"] for row in office.rows(sort="position")] == ["r-1", "r-2", "r-3"]


def test_a_single_event_that_is_refused_is_told_field_by_field_and_kept(office: Office) -> None:
    with pytest.raises(Invalid) as refused:
        office.post(single(rating(1, 9, isDefault="maybe")))

    assert {"very_satisfied", "defaulted", ""} <= set(refused.value.errors)
    assert f"it is kept as message {KEY} of {office.hall}" in refused.value.errors[""][0]
    assert [row["status"] for row in office.rows()] == ["refused"]
    with pytest.raises(Invalid, match="very_satisfied"):
        office.post(single(rating(1, 9, isDefault="maybe")))


def test_a_later_word_on_a_rating_stands_in_place_of_the_earlier(office: Office) -> None:
    first = rating(1, 3, id="a", isDefault=True, time="2021-03-10T09:00:00+08:00")
    answer = rating(1, 1, id="b", time="2021-03-11T09:00:00+08:00")
    overturned = rating(1, 1, id="c", appealGranted=True, time="2021-03-12T09:00:00+08:00")

    office.send(first)
    office.send(answer, overturned)

    told = [(one.basically_satisfied, one.defaulted, one.very_dissatisfied, one.overturned) for one in reports(office)]
    assert told == [(1, 1, 0, 0), (0, 0, 1, 0), (0, 0, 1, 1)]


def test_an_earlier_word_that_comes_late_changes_nothing(office: Office) -> None:
    office.send(rating(1, 5, id="b", time="2021-03-11T09:00:00+08:00"))

    (told,) = office.send(rating(1, 1, id="a", time="2021-03-10T09:00:00+08:00"))

    assert told["status"] == "accepted"
    assert office.rows()[0]["superseded_by"] == message_key(PLATFORM, "b")
    assert [report.very_satisfied for report in reports(office)] == [1]


def test_what_a_wrong_mapping_refused_is_accepted_once_it_is_repaired(office: Office) -> None:
    office.map("haochaping", BROKEN)
    assert outcomes(office.send(rating(1, 5), rating(2, 2))) == ["refused", "refused"]
    assert office.service.scoring.asked == []

    mapped = office.map("haochaping", HAOCHAPING)
    office.service.retry_waiting()

    assert mapped["waiting"] == 2
    assert [row["status"] for row in office.rows()] == ["accepted", "accepted"]
    assert [report.report_id for report in reports(office)] == ["hcp-1", "hcp-2"]
    assert len(office.integration.events(MessageRetried)) == 2
    office.service.retry_waiting()
    assert len(office.integration.events(MessageRetried)) == 2


def test_a_repaired_mapping_lets_no_earlier_word_stand_over_a_later(office: Office) -> None:
    office.map("haochaping", BROKEN)
    office.send(rating(1, 1, id="a", time="2021-03-10T09:00:00+08:00"))
    office.send(rating(1, 5, id="b", stars=5, time="2021-03-11T09:00:00+08:00"))

    office.map("haochaping", HAOCHAPING)
    office.service.retry_waiting()

    assert [report.very_satisfied for report in reports(office)] == [1]


def test_what_comes_before_its_source_is_mapped_waits_for_the_mapping(office: Office) -> None:
    (told,) = office.send(payment("P-1", 1280.5))
    assert (told["status"], told["reasons"][0]["field"]) == ("refused", "source")

    office.map("finance", FINANCE)
    office.service.retry_waiting()

    (cost,) = office.work_orders.events(CostRecorded)
    assert cost.data() == {
        "cost_id": "pay-P-1",
        "amount": "1280.50",
        "category": "fixed_equipment",
        "incurred_on": "2021-03-18",
    }


def test_what_a_service_refused_is_tried_again_when_asked_for(office: Office) -> None:
    office.map("finance", FINANCE)
    (told,) = office.send(payment("P-1", "100.00", 支付日期="2021-04-01"))
    assert "incurred_on" in told["reasons"][0]["expected"] + told["reasons"][0]["field"]
    office.service.retry_waiting()
    assert len(office.service.work_orders.asked) == 1

    for one in office.services:
        one.set_time(datetime.fromisoformat("2021-04-02T09:00:00+08:00"))
    answer = office.integration.ask("retry_message", message=told["message"])
    office.service.retry_waiting()

    assert answer == {"message": told["message"], "status": "pending"}
    assert [row["status"] for row in office.rows()] == ["accepted"]
    with pytest.raises(Rejected, match="only one that was refused"):
        office.integration.ask("retry_message", message=told["message"])
    with pytest.raises(NotFound):
        office.integration.ask("retry_message", message="0" * 64)


def test_what_cannot_be_handed_over_stays_pending_until_the_service_is_back(office: Office) -> None:
    office.map("finance", FINANCE)
    office.service.scoring.answers = 0

    told = office.send(rating(1, 5), payment("P-1", "5.00"), rating(2, 5))
    assert outcomes(told) == ["pending", "accepted", "pending"]
    assert office.service.scoring.asked == ["report_satisfaction"], "one that is away is not asked again and again"
    assert outcomes(office.send(rating(1, 5))) == ["duplicate"]

    office.service.scoring.answers = NEVER
    office.service.retry_waiting()
    assert [row["status"] for row in office.rows()] == 3 * ["accepted"]
    assert [report.report_id for report in reports(office)] == ["hcp-1", "hcp-2"]


def test_an_answer_that_is_lost_does_not_make_a_fact_count_twice(office: Office) -> None:
    office.service.scoring.answers = 1
    assert outcomes(office.send(rating(1, 5))) == ["pending"]
    assert len(reports(office)) == 1

    office.map("haochaping", HAOCHAPING.replace("'hcp'", "'other'"))
    office.service.scoring.answers = NEVER
    office.service.retry_waiting()

    assert [row["accepted_as"] for row in office.rows()] == ["hcp-1"]
    assert [report.report_id for report in reports(office)] == ["hcp-1"]


def test_a_time_that_has_not_come_is_refused(office: Office) -> None:
    (told,) = office.send(rating(1, 5, time="2021-03-20T09:06:00+08:00"))

    assert (told["status"], told["reasons"][0]["field"]) == ("refused", "time")
    assert outcomes(office.send(rating(2, 5, time="2021-03-20T09:04:00+08:00"))) == ["accepted"]


def test_budget_and_accidents_are_told_too(office: Office) -> None:
    office.map("finance", FINANCE)
    office.map("security", SECURITY)
    budget = {"year": 2021, "initial": 90, "annual": "90.5", "executed": 312505.5}
    fall = {"no": 7, "happened": "2021/03/18 10:20", "what": "一层地面湿滑，群众摔倒"}

    told = office.send(
        event(
            {"id": "b", "type": "cn.example.finance.budget.v1", "source": MONEY, "time": "2021-03-18T23:00:00Z"}, budget
        ),
        event({"id": "s", "type": "cn.example.security.accident.v1", "source": "urn:example:chenggong:security"}, fall),
    )

    assert outcomes(told) == ["accepted", "accepted"], told
    (recorded,) = office.scoring.events(BudgetRecorded)
    assert recorded.data() == {
        "year": 2021,
        "initial": "900000.00",
        "annual": "905000.00",
        "executed": "312505.50",
        "as_of": "2021-03-19",
    }
    (incident,) = office.work_orders.events(IncidentReported)
    assert (incident.incident_id, incident.reported_by) == ("sec-7", "system:security")
    assert incident.occurred_at.isoformat() == "2021-03-18T10:20:00+08:00"


def test_a_cost_that_is_booked_already_is_refused_with_the_services_words(office: Office) -> None:
    office.map("finance", FINANCE)

    told = office.send(payment("P-1", 5), payment("P-1", 6, id="other"))

    assert outcomes(told) == ["accepted", "refused"]
    assert told[1]["reasons"] == [
        {"field": "", "expected": "cost pay-P-1 is booked already; reverse it and book another"}
    ]


def test_an_event_belongs_where_it_says_else_where_its_source_is_mapped(office: Office) -> None:
    first = office.hall
    office.open()
    second = office.hall
    office.map("finance", FINANCE)

    both = [first, second]
    told = office.send(rating(1, 5), payment("P-1", 5), rating(2, 5, facility=second), facilities=both)
    foreign = office.send(rating(3, 5, facility=first), facilities=[second])
    nowhere = office.send(rating(4, 5, source="urn:unknown"), facilities=both)
    everywhere = office.send(rating(5, 5, facility="no-such-hall"), rating(6, 5, facility=first), facilities=["*"])

    assert [one["facility"] for one in told] == [first, second, second]
    assert foreign[0]["reasons"] == everywhere[0]["reasons"] == [{"field": "facility", "expected": MINE}]
    assert "none of your facilities maps this source" in nowhere[0]["reasons"][0]["expected"]
    assert everywhere[1]["facility"] == first
    assert "no-such-hall" not in office.integration.ledger.tips()
    with pytest.raises(Forbidden):
        office.send(rating(1, 5), facilities=[])


def test_a_source_that_several_halls_map_is_told_apart_by_the_mapping_that_names_its_hall(office: Office) -> None:
    first = office.hall
    office.open()
    office.map("haochaping", HAOCHAPING)
    both = [first, office.hall]
    assert "several of your facilities" in office.send(rating(1, 5), facilities=both)[0]["reasons"][0]["expected"]

    office.map("haochaping", f"facility: {office.hall}\n{HAOCHAPING}")

    assert office.send(rating(1, 5), facilities=both)[0]["facility"] == office.hall


def test_a_mapping_is_adopted_whole_or_not_at_all(office: Office) -> None:
    with pytest.raises(Invalid, match=r"line 10, .*fact: expected one of"):
        office.map("haochaping", HAOCHAPING.replace("satisfaction_reported", "joy", 1))
    with pytest.raises(Invalid, match="facility: expected"):
        office.map("haochaping", f"facility: elsewhere\n{HAOCHAPING}")
    with pytest.raises(Rejected, match="is source haochaping already"):
        office.map("again", HAOCHAPING)
    with pytest.raises(Forbidden):
        office.map("haochaping", BROKEN, roles=["manager"])

    office.map("haochaping", HAOCHAPING)
    (mapped,) = office.integration.events(SourceMapped)
    listed = office.service.sources_of(office.hall)["items"]
    assert [one["mapping_sha256"] for one in listed] == [mapped.mapping_sha256]
    assert office.service.source(office.hall, "haochaping")["mapping"] == HAOCHAPING
    with pytest.raises(NotFound):
        office.service.source(office.hall, "finance")


def test_messages_are_listed_by_what_became_of_them_source_and_local_day(office: Office) -> None:
    office.send(
        rating(1, 5, time="2021-03-18T15:59:59Z"),
        rating(2, 9, time="2021-03-18T16:00:00Z"),
        payment("P-1", 5, time="2021-03-19T15:59:59Z"),
        rating(3, 5),
    )

    def listed(**filters: Any) -> list[str]:
        return [row["message_id"] for row in office.rows(sort="position", **filters)]

    assert listed(day="2021-03-18") == ["r-1"]
    assert listed(day="2021-03-19") == ["r-2", "P-1"]
    assert listed(day="2021-03-20") == ["r-3"]
    assert listed(status="refused") == ["r-2", "P-1"]
    assert listed(source="haochaping", status="refused") == listed(source=PLATFORM, day="2021-03-19") == ["r-2"]
    with pytest.raises(Invalid, match="status: expected one of"):
        listed(status="lost")


def test_a_thousand_events_are_taken_and_no_more(office: Office) -> None:
    with pytest.raises(Invalid, match="expected a list of 1 to 1000 events, found 1001"):
        office.send(*(rating(number, 5) for number in range(1001)))
    with pytest.raises(Invalid, match="found 0"):
        office.send()
    assert office.integration.events(MessageReceived, MessageRefused) == []


def test_an_event_type_that_the_mapping_does_not_know_is_refused_by_name(office: Office) -> None:
    (told,) = office.send(rating(1, 5, type="cn.gov.haochaping.complaint.v1"))

    assert told["reasons"][0]["field"] == "type"
    assert told["reasons"][0]["expected"].startswith(f"expected one of {RATING}, ")


def test_a_request_in_another_form_is_refused_whole(office: Office) -> None:
    before = len(office.integration.events())

    for headers, body, status in (
        ({"content-type": "text/plain"}, b"{}", 415),
        ({"content-type": "application/cloudevents+json; charset=gbk"}, b"{}", 415),
        ({"content-type": "application/cloudevents+json"}, b"{", 400),
        ({"content-type": "application/cloudevents+json"}, b'{"id": "\xff"}', 400),
        ({"content-type": "text/plain", "ce-id": "1", "ce-type": "t"}, b"{}", 415),
    ):
        with pytest.raises(Exception) as refused:  # noqa: PT011  told apart by its status
            office.post(HTTPMessage(headers, body))
        assert refused.value.status == status, headers  # type: ignore[attr-defined]
    assert len(office.integration.events()) == before
