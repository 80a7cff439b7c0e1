"""Whose work a visit is, who may excuse it, and what scheduling answers when it is asked."""

from itertools import count
from typing import Any

import pytest

from services.scheduling.tests.office import MONTHLY, Office, local
from services.scheduling.tests.plans import item
from shared.contracts.scheduling import OccurrenceExcused
from shared.contracts.work_orders import WorkPerformed
from shared.errors import Forbidden, Invalid, NotFound, Rejected

VISIT = "hvac:2021-01:1"


def excuse(office: Office, by: str = "user:chen", **more: Any) -> None:
    """Excuse the visit of January."""
    office.alone.ask("excuse_occurrence", **{"occurrence_id": VISIT, "reason": "停电", "actor": by, **more})


@pytest.fixture
def planned(office: Office) -> Office:
    """An office with a monthly duty of Li's, and one for water."""
    office.register("2020-01-01", "water")
    duties = [
        item("FREQ=MONTHLY;BYMONTHDAY=1", plan_item_id="hvac", assignee="user:li"),
        item("FREQ=MONTHLY;BYMONTHDAY=2", plan_item_id="water", system_id="water", window_days=3),
    ]
    office.adopt(*duties)
    return office


def test_a_visit_shows_who_has_its_work_now(planned: Office) -> None:
    before = planned.alone.service.occurrence(planned.alone.hall, VISIT)["assignee"]
    planned.give(VISIT, "user:wang", "user:zhao")
    planned.alone.follow()

    assert (before, planned.shown()[0]["assignee"]) == ("user:li", "user:zhao")
    assert [row["occurrence_id"] for row in planned.shown(assignee="user:zhao")] == [VISIT]
    assert [row["occurrence_id"] for row in planned.shown(assignee="user:li")] == ["hvac:2021-02:1"]


@pytest.mark.parametrize("by", ["user:li", "user:wang", "user:zhao", "user:qian"])
def test_nobody_excuses_what_they_should_have_done_be_it_given_to_them_this_moment(planned: Office, by: str) -> None:
    planned.give(VISIT, "user:wang", "user:zhao")
    planned.at("2021-01-09")
    planned.alone.tell("work-order/other", _done_by("user:qian"))

    with pytest.raises(Rejected, match="someone other than who should have done it"):
        excuse(planned, by, point_ids=["P-1"])
    excuse(planned, "user:chen", point_ids=["P-1"])

    (excused,) = planned.alone.events(OccurrenceExcused)
    assert (excused.approved_by, excused.point_ids) == ("user:chen", ("P-1",))


def _done_by(doer: str) -> Any:
    return WorkPerformed(
        work_order_id="other",
        kind="inspection",
        occurrence_id=VISIT,
        system_id="hvac",
        performed_at=local("2021-01-08"),
        performed_by=doer,
    )


def test_only_a_manager_excuses_with_words_for_a_reason(planned: Office) -> None:
    for role in ("supervisor", "admin", "inspector", "auditor"):
        with pytest.raises(Forbidden):
            excuse(planned, roles=[role])
    for blank in ("", " \n"):
        with pytest.raises(Invalid) as refused:
            excuse(planned, reason=blank)
        assert list(refused.value.errors) == ["reason"]

    excuse(planned, roles=["manager"])

    assert planned.shown()[0]["excused"]


@pytest.mark.parametrize(
    ("day", "status"), [("2021-01-15", "planned"), ("2021-02-02", "overdue"), ("2021-03-01", "missed")]
)
def test_a_visit_is_excused_while_planned_overdue_or_missed(planned: Office, day: str, status: str) -> None:
    planned.look(day)

    excuse(planned)

    assert (planned.shown()[0]["status"], planned.shown()[0]["excused"]) == (status, True)


def test_a_performed_visit_is_excused_for_points_only_and_a_withdrawn_one_never(planned: Office) -> None:
    planned.at("2021-01-09")
    planned.perform(VISIT, "2021-01-09")
    planned.alone.ask("withdraw_occurrence", occurrence_id="hvac:2021-02:1", reason="停用")

    with pytest.raises(Rejected, match="unless for points of it"):
        excuse(planned)
    with pytest.raises(Rejected, match="withdrawn"):
        excuse(planned, occurrence_id="hvac:2021-02:1")
    excuse(planned, point_ids=["P-2"])

    shown = planned.alone.service.occurrence(planned.alone.hall, VISIT)
    assert (shown["status"], shown["excused"], shown["point_ids"]) == ("performed", False, ["P-1", "P-2"])
    (said,) = shown["excuses"]
    assert (said["point_ids"], said["reason"], said["approved_by"]) == (["P-2"], "停电", "user:chen")


def test_a_visit_that_downtime_kept_from_being_made_is_excused_all_the_same(planned: Office) -> None:
    planned.at("2021-04-10")

    excuse(planned, occurrence_id="hvac:2021-04:1")

    assert planned.shown(period="2021-04", system_id="hvac")[0]["excused"]


def test_visits_are_listed_by_month_system_status_days_and_whether_excused(planned: Office) -> None:
    planned.look("2021-02-09")
    excuse(planned)

    def found(**filters: Any) -> list[str]:
        return [row["occurrence_id"] for row in planned.shown(**filters)]

    assert found(period="2021-02") == ["hvac:2021-02:1", "water:2021-02:1"]
    assert found(system_id="water", status="missed") == ["water:2021-01:1"]
    assert found(excused=True) == [VISIT]
    assert VISIT not in found(excused=False)
    assert found(since="2021-02-05", until="2021-02-28") == ["hvac:2021-02:1"]
    assert found(since="2021-01-31", until="2021-02-02") == [VISIT, "hvac:2021-02:1", "water:2021-02:1"]
    assert found(status="performed") == []
    assert planned.alone.service.occurrences("elsewhere") == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        (None, ["hvac:2021-01:1", "water:2021-01:1", "hvac:2021-02:1"]),
        ("-window", ["water:2021-03:1", "hvac:2021-03:1", "water:2021-02:1"]),
        ("window_end", ["water:2021-01:1", "hvac:2021-01:1", "water:2021-02:1"]),
        ("system", ["hvac:2021-01:1", "hvac:2021-02:1", "hvac:2021-03:1"]),
    ],
)
def test_visits_come_in_pages_in_the_order_asked_for(planned: Office, sort: str | None, first: list[str]) -> None:
    planned.look("2021-02-01")
    pages, cursor = [], None
    for _ in count():
        page = planned.alone.service.occurrences(planned.alone.hall, sort=sort, cursor=cursor, limit=2)
        pages.append([row["occurrence_id"] for row in page["items"]])
        cursor = page["next"]
        if cursor is None:
            break

    assert [len(page) for page in pages] == [2, 2, 2]
    assert [id_ for page in pages for id_ in page][:3] == first


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"status": "done"}, "status"),
        ({"since": "yesterday"}, "since"),
        ({"until": "2021-02-30"}, "until"),
        ({"sort": "colour"}, "sort"),
        ({"limit": 0}, "limit"),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused_by_field(
    planned: Office, asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        planned.alone.service.occurrences(planned.alone.hall, **asked)

    assert list(refused.value.errors) == [field]


def test_plans_are_listed_by_year(planned: Office) -> None:
    planned.adopt(MONTHLY, plan_id="a", year=2022)
    plans, hall = planned.alone.service.plans, planned.alone.hall

    assert [plan["plan_id"] for plan in plans(hall)["items"]] == ["a", "p"]
    assert [plan["plan_id"] for plan in plans(hall, sort="year")["items"]] == ["p", "a"]
    assert [(plan["plan_id"], plan["items"]) for plan in plans(hall, year=2021)["items"]] == [("p", 2)]


def test_a_plan_shows_its_items_as_they_read_today_each_with_its_terms(planned: Office) -> None:
    planned.change("2021-02-01", workdays="move", reason="避开假日")
    planned.end("2021-06-01", "water")
    planned.at("2021-02-01")

    plan = planned.alone.service.plan(planned.alone.hall, "p")

    hvac, water = plan["items"]
    reads = {"rrule": "FREQ=MONTHLY;BYMONTHDAY=1", "window_days": None, "assignee": "user:li", "withdrawn": False}
    assert (plan["plan_id"], plan["year"]) == ("p", 2021)
    assert hvac == {
        "plan_item_id": "hvac",
        "system_id": "hvac",
        "activity": "inspection",
        **reads,
        "workdays": "move",
        "terms": [
            {"effective_on": None, **reads, "workdays": "ignore", "reason": None},
            {"effective_on": "2021-02-01", **reads, "workdays": "move", "reason": "避开假日"},
        ],
    }
    assert (water["withdrawn"], [term["withdrawn"] for term in water["terms"]]) == (False, [False, True])


def test_what_is_not_there_is_not_found(planned: Office) -> None:
    for asked in (
        lambda: planned.alone.service.plan(planned.alone.hall, "q"),
        lambda: planned.alone.service.occurrence(planned.alone.hall, "hvac:2021-09:1"),
        lambda: excuse(planned, occurrence_id="hvac:2021-09:1"),
    ):
        with pytest.raises(NotFound):
            asked()
