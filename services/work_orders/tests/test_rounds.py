"""Rounds as they are walked: in parts, against limits, with photos and omissions, and the faults that they find."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from services.work_orders.mending import corrective_of
from services.work_orders.service import LARGEST_PHOTO
from services.work_orders.tests.given import assets, facility, point
from shared.contracts.asset_registry import (
    Point,
    PointRelocated,
    PointsAdded,
    PointsRetired,
    SystemDecommissioned,
    SystemRegistered,
)
from shared.contracts.scheduling import OccurrenceScheduled
from shared.contracts.work_orders import PointsInspected, WorkOrderAssigned, WorkOrderOpened, WorkPerformed
from shared.errors import Forbidden, Invalid, NotFound
from shared.event import timestamp
from shared.tests.alone import Alone
from shared.tests.given import assert_chain

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2021, 3, 9, 12, tzinfo=SHANGHAI)
MARCH, APRIL = "wo:gas:2021-03:1", "wo:gas:2021-04:1"


@pytest.fixture
def office(service: Alone) -> Iterator[Alone]:
    """A hall with three bottles, one of them without a gauge, whose round of March Li is walking."""
    service.new_hall()
    service.set_time(NOON)
    assets(service, "gas", ("G-1", "G-2", "N-1"))
    schedule(service, 3)
    begin(service, MARCH)
    yield service
    service.set_time(NOON)
    assert_chain(service.ledger, service.hall)


def schedule(office: Alone, month: int, heard_of: tuple[str, ...] = (), **more: Any) -> None:
    """The round of a month is scheduled, and that is heard, with all else or with these sources alone."""
    visit: dict[str, Any] = {
        "occurrence_id": f"gas:2021-{month:02}:1",
        "plan_item_id": "gas",
        "system_id": "gas",
        "activity": "inspection",
        "period": f"2021-{month:02}",
        "window_start": date(2021, month, 1),
        "window_end": date(2021, month, 30),
        "point_ids": ("G-1", "G-2", "N-1"),
    }
    office.tell(f"occurrence/{visit['occurrence_id']}", OccurrenceScheduled(**{**visit, **more}))
    office.follow(*heard_of)


def begin(office: Alone, order: str, at: str = "2021-03-09T09:00:00+08:00") -> None:
    """Li begins to walk."""
    office.ask("assign", work_order_id=order, assignee="user:li")
    office.ask("start", work_order_id=order, at=at, actor="user:li")


def inspect(office: Alone, *results: dict[str, Any], order: str = MARCH, **more: Any) -> Any:
    """Li says what was found."""
    return office.ask("inspect", work_order_id=order, results=list(results), actor="user:li", **more)


def perform(office: Alone, order: str = MARCH, **more: Any) -> Any:
    """Li says that the round is done, and names what was left out."""
    omitted = office.service.round(office.hall, order)["unnamed"]
    asked = {"performed_at": timestamp(office.ledger.clock.now()), "omitted_point_ids": omitted, **more}
    return office.ask("perform", work_order_id=order, actor="user:li", **asked)


def at(point_id: str, outcome: str = "normal", **more: Any) -> dict[str, Any]:
    """What was found at a point."""
    return {"point_id": point_id, "outcome": outcome, **more}


def shown(office: Alone, order: str = MARCH) -> dict[str, Any]:
    """The order as it is shown."""
    found: dict[str, Any] = office.service.work_order(office.hall, order)
    return found


def walked(office: Alone, order: str = MARCH) -> dict[str, Any]:
    """The points of the round as they are shown."""
    return {one["point_id"]: one for one in office.service.round(office.hall, order)["points"]}


def picture(kind: str = "PNG", colour: str = "red") -> bytes:
    """A small picture."""
    file = BytesIO()
    Image.new("RGB", (4, 3), colour).save(file, kind)
    return file.getvalue()


def upload(office: Alone, content: bytes, **more: Any) -> Any:
    """A file is sent as the gateway sends it."""
    file = base64.b64encode(content).decode()
    return office.ask("keep_photo", file=file, media_type="image/png", **more)


# --- a round in parts ----------------------------------------------------------------------------------------------


def test_a_round_is_saved_in_parts_and_the_last_word_on_a_point_holds(office: Alone) -> None:
    inspect(office, at("G-1", reading="4.20", unit="MPa"), at("N-1", "fault", note="漏水", fixed_on_site=True))
    half = office.service.round(office.hall, MARCH)
    inspect(office, at("N-1"), at("G-2", "not_applicable", note="现场封闭"))

    assert (half["unnamed"], half["status"]) == (["G-2"], "in_progress")
    results = {id_: one["result"] for id_, one in walked(office).items()}
    assert {id_: result["outcome"] for id_, result in results.items()} == {
        "G-1": "normal",
        "G-2": "not_applicable",
        "N-1": "normal",
    }
    assert (results["G-1"]["reading"], results["G-1"]["unit"], results["N-1"]["note"]) == ("4.20", "MPa", None)
    assert (shown(office)["results"], perform(office)) == (3, {"flags": []})


def test_a_round_shows_its_points_as_they_are_now(office: Alone) -> None:
    office.tell("system/gas", PointRelocated(point_id="N-1", location="档案区 2 号"))
    office.follow()

    found = office.service.round(office.hall, MARCH)

    assert [one["point_id"] for one in found["points"]] == ["G-1", "G-2", "N-1"]
    assert found["points"][2] == {
        "point_id": "N-1",
        "label": "N-1 号",
        "location": "档案区 2 号",
        "equipment": "室内机",
        "expected": None,
        "result": None,
        "open_fault": None,
    }
    assert found["points"][0]["expected"] == {"unit": "MPa", "low": "3.78", "high": "5.00"}
    with pytest.raises(NotFound):
        office.service.round(office.hall, "nowhere")


def test_all_that_is_wrong_is_named_and_nothing_is_recorded(office: Alone) -> None:
    wrong = [
        at("G-1", reading="3.20", unit="MPa"),
        at("G-2", reading="4.20", unit="bar"),
        at("N-1", photos=["a" * 64]),
        at("P-9"),
    ]

    with pytest.raises(Invalid) as refused:
        inspect(office, *wrong, at="2021-03-09T12:00:01+08:00")

    assert refused.value.errors["results[0].outcome"] == ["expected the outcome fault: 3.20 MPa is below 3.78"]
    assert set(refused.value.errors) == {
        "at",
        "results[0].outcome",
        "results[1].unit",
        "results[2].photos[0]",
        "results[3].point_id",
    }
    assert office.events(PointsInspected) == []


def test_results_are_of_the_time_that_they_were_captured(office: Alone) -> None:
    inspect(office, at("G-1"), captured_at="2021-03-09T10:00:00+08:00")
    inspect(office, at("G-2"), at="2021-03-09T09:30:00+08:00", captured_at="2021-03-09T10:00:00+08:00")
    inspect(office, at("N-1"))

    times = [one.time.astimezone(SHANGHAI).strftime("%H:%M") for one in office.recorded(PointsInspected)]
    assert times == ["10:00", "09:30", "12:00"]
    assert walked(office)["G-2"]["result"]["captured_at"] == "2021-03-09T10:00:00+08:00"


def test_a_gauge_that_was_not_heard_of_yet_is_waited_for(office: Alone) -> None:
    office.tell("system/gas", PointsAdded(system_id="gas", equipment="瓶组", points=(point("G-3"),)))
    visit = OccurrenceScheduled(
        occurrence_id="late",
        plan_item_id="gas",
        system_id="gas",
        activity="inspection",
        period="2021-03",
        window_start=date(2021, 3, 1),
        window_end=date(2021, 3, 31),
        point_ids=("G-3",),
    )
    office.tell("occurrence/late", visit)
    office.follow("scheduling")
    begin(office, "wo:late")

    with pytest.raises(Invalid, match="is below"):
        inspect(office, at("G-3", reading="1", unit="MPa"), order="wo:late")


# --- omissions and times -------------------------------------------------------------------------------------------


def test_points_left_out_are_named_to_be_confirmed(office: Alone) -> None:
    inspect(office, at("G-1"))

    with pytest.raises(Invalid, match="expected every point without a result: G-2, N-1"):
        perform(office, omitted_point_ids=None)
    perform(office)

    (done,) = office.events(WorkPerformed)
    assert done.omitted_point_ids == ("G-2", "N-1")
    assert shown(office)["omitted_point_ids"] == ["G-2", "N-1"]


def test_odd_times_are_answered_and_shown(office: Alone) -> None:
    office.set_time(datetime(2021, 4, 2, 9, tzinfo=SHANGHAI))

    answer = perform(office, performed_at="2021-03-31T00:30:00+08:00", captured_at="2021-03-31T01:00:00+08:00")

    assert answer == {"flags": ["after_window", "recorded_late"]}
    assert shown(office)["flags"] == answer["flags"]
    (done,) = office.events(WorkPerformed)
    captured_at = datetime(2021, 3, 31, 1, tzinfo=SHANGHAI)
    assert (done.flags, done.captured_at) == (("after_window", "recorded_late"), captured_at)


def test_days_are_those_of_the_facility(service: Alone) -> None:
    service.new_hall()
    service.set_time(datetime(2021, 3, 31, 6, tzinfo=UTC))
    service.tell("facility/hall", facility("Pacific/Honolulu"))
    schedule(service, 3, occurrence_id="hawaii", point_ids=())

    opened = shown(service, "wo:hawaii")
    begin(service, "wo:hawaii", "2021-03-30T00:00:00Z")

    assert (opened["due_at"], opened["window_end"]) == ("2021-03-31T00:00:00-10:00", "2021-03-30")
    assert perform(service, "wo:hawaii") == {"flags": []}


def test_a_visit_waits_until_the_facility_s_time_zone_is_heard_of(service: Alone) -> None:
    service.new_hall()
    service.tell("facility/hall", facility())
    with pytest.raises(AssertionError):  # that it was applied
        schedule(service, 3, heard_of=("scheduling",))
    (parked,) = service.service.health()["parked"]

    service.follow()

    assert parked["reason"].endswith(f"the time zone of {service.hall} is not known yet")
    assert shown(service)["due_at"] == "2021-03-31T00:00:00+08:00"


def test_a_visit_that_the_plan_gives_to_somebody_is_theirs_from_the_start(office: Alone) -> None:
    schedule(office, 4, assignee="user:wang")

    assert (shown(office, APRIL)["status"], shown(office, APRIL)["assignee"]) == ("assigned", "user:wang")
    assigned = office.recorded(WorkOrderOpened, WorkOrderAssigned)[-2:]
    assert assigned[0].causationid == assigned[1].causationid


# --- faults and what mends them ------------------------------------------------------------------------------------


def test_a_fault_that_is_being_mended_opens_no_second_order_and_is_shown_at_the_next_round(office: Alone) -> None:
    (mending,) = inspect(office, at("G-1", "fault", reading="3.20", unit="MPa", note="压力偏低"))["opened"]
    perform(office)
    schedule(office, 4)
    begin(office, APRIL)
    due = walked(office, APRIL)["G-1"]["open_fault"]

    again = inspect(office, at("G-1", "fault"), at("G-2", "fault"), order=APRIL)

    assert (due["work_order_id"], due["description"]) == (mending, "压力偏低")
    assert again == {"opened": [corrective_of("G-2", 1)], "known": [mending]}
    assert (shown(office)["caused"], shown(office, APRIL)["caused"]) == ([mending], again["opened"])
    assert shown(office, mending)["caused_by"] == MARCH


def test_a_fault_found_again_after_it_was_mended_opens_the_next_order(office: Alone) -> None:
    (first,) = inspect(office, at("G-1", "fault"))["opened"]
    begin(office, first)
    perform(office, first)
    mended = walked(office)["G-1"]["open_fault"]

    answer = inspect(office, at("G-1", "fault"))

    assert mended is None
    assert (first, answer) == (corrective_of("G-1", 1), {"opened": [corrective_of("G-1", 2)], "known": []})


def test_an_order_that_somebody_opened_for_the_point_mends_it_too(office: Alone) -> None:
    named = {"work_order_id": "mine", "kind": "corrective", "system_id": "gas", "priority": "high"}
    office.ask("open_work_order", **named, point_ids=["G-1", "G-2"])

    assert inspect(office, at("G-1", "fault"), at("G-2", "fault")) == {"opened": [], "known": ["mine"]}


def test_a_fault_found_while_mending_it_is_mended_by_the_same_order(office: Alone) -> None:
    (mending,) = inspect(office, at("G-1", "fault"))["opened"]
    begin(office, mending)

    assert inspect(office, at("G-1", "fault"), order=mending) == {"opened": [], "known": [mending]}
    assert walked(office, mending)["G-1"]["open_fault"] is None


# --- assets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"system_id": "water"}, {"system_id": "expected a registered system, not water"}),
        ({"point_ids": ["G-1", "P-9"]}, {"point_ids[1]": "expected a point of system gas, not P-9"}),
        ({"point_ids": ["H-1"]}, {"point_ids[0]": "expected a point of system gas, not H-1"}),
        ({"point_ids": ["N-1", "G-1"]}, {"point_ids[0]": "N-1 is retired"}),
        ({"point_ids": ["G-1", "G-1"]}, {"point_ids[1]": "G-1 is twice"}),
        ({"system_id": "hvac"}, {"system_id": "hvac went out of commission on 2021-03-08"}),
    ],
)
def test_work_is_opened_only_on_assets_that_are_known_and_in_use(
    office: Alone, wrong: dict[str, Any], errors: dict[str, str]
) -> None:
    assets(office, "hvac", ("H-1",))
    office.tell("system/gas", PointsRetired(system_id="gas", point_ids=("N-1",), reason="拆除"))
    gone = SystemDecommissioned(system_id="hvac", decommissioned_on=date(2021, 3, 8), reason="停用")
    office.tell("system/hvac", gone)
    office.follow()
    asked = {"kind": "emergency", "system_id": "gas", "point_ids": [], "priority": "urgent", **wrong}

    with pytest.raises(Invalid) as refused:
        office.ask("open_work_order", roles=["inspector"], **asked)

    assert refused.value.errors == {field: [why] for field, why in errors.items()}


def test_assets_that_were_not_heard_of_yet_are_waited_for(office: Alone) -> None:
    day = date(2020, 1, 1)
    registered = SystemRegistered(system_id="water", name="给排水", category="water", commissioned_on=day)
    added = PointsAdded(system_id="water", equipment="阀", points=(point("W-1"),))
    office.tell("system/water", registered, added)

    named = {"work_order_id": "burst", "kind": "emergency", "system_id": "water", "priority": "urgent"}
    office.ask("open_work_order", roles=["inspector"], **named, point_ids=["W-1"])

    assert shown(office, "burst")["point_ids"] == ["W-1"]


def test_a_system_is_worked_on_until_the_end_of_its_last_day_and_again_when_it_is_back(office: Alone) -> None:
    asked: dict[str, Any] = {"kind": "corrective", "system_id": "gas", "point_ids": [], "priority": "high"}
    last_day = SystemDecommissioned(system_id="gas", decommissioned_on=date(2021, 3, 9), reason="停用")
    office.tell("system/gas", last_day)
    office.follow()
    office.ask("open_work_order", **asked)

    office.set_time(datetime(2021, 3, 10, 0, 0, tzinfo=SHANGHAI))
    with pytest.raises(Invalid, match="out of commission on 2021-03-09"):
        office.ask("open_work_order", **asked)
    back = SystemRegistered(system_id="gas", name="气体灭火", category="fire", commissioned_on=date(2021, 3, 10))
    office.tell("system/gas", back)
    office.follow()

    office.ask("open_work_order", **asked)


def test_five_thousand_points_arrive_in_one_event_and_are_walked_in_one_round(office: Alone) -> None:
    ids = [f"P-{number:04}" for number in range(5000)]
    points = tuple(Point(point_id=id_, label=id_) for id_ in ids)
    office.tell("system/gas", PointsAdded(system_id="gas", equipment="喷头", points=points))
    office.follow()
    schedule(office, 4, point_ids=tuple(ids))
    begin(office, APRIL)

    inspect(office, *(at(id_) for id_ in ids[1:]), order=APRIL)

    assert office.service.round(office.hall, APRIL)["unnamed"] == ["P-0000"]
    assert shown(office, APRIL)["results"] == 4999


# --- photos --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
def test_a_photo_is_kept_under_the_hash_of_its_bytes_and_named_by_a_result(
    office: Alone, kind: str, media_type: str
) -> None:
    content = picture(kind)

    kept = upload(office, content)
    assert upload(office, content) == kept
    inspect(office, at("G-1", photos=[kept["sha256"]]))

    sha256 = hashlib.sha256(content).hexdigest()
    assert kept == {"sha256": sha256, "media_type": media_type, "size": len(content)}
    assert office.service.photo(office.hall, sha256) == {
        "media_type": media_type,
        "body": base64.b64encode(content).decode(),
    }
    assert walked(office)["G-1"]["result"]["photos"] == [sha256]
    with pytest.raises(NotFound):
        office.service.photo("elsewhere", sha256)


@pytest.mark.parametrize(
    "content",
    [b"no image", picture()[:40], b"%PDF-1.7", picture("GIF"), picture() + b"\0" * LARGEST_PHOTO],
    ids=["words", "cut off", "a document", "a GIF", "too large"],
)
def test_a_file_that_is_no_photo_is_refused(office: Alone, content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        upload(office, content)

    assert list(refused.value.errors) == ["file"]


def test_an_auditor_keeps_no_photos(office: Alone) -> None:
    with pytest.raises(Forbidden):
        upload(office, picture(), roles=["auditor"])
