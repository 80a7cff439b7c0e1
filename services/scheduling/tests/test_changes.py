"""A plan that changes: only the future, and all of it, with a preview that is true."""

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from services.scheduling.tests.office import MONTHLY, Office
from services.scheduling.tests.plans import item
from shared.contracts.scheduling import OccurrenceScheduled, OccurrenceWithdrawn, PlanAdopted, PlanItemChanged
from shared.errors import Invalid, NotFound, Rejected


def withdrawn(office: Office) -> list[tuple[str, str | None]]:
    """The visits that were withdrawn, and what that followed from."""
    return [(event.occurrence_id, event.because) for event in office.alone.events(OccurrenceWithdrawn)]


def ids(visits: list[dict[str, Any]]) -> list[str]:
    """Of visits in an answer."""
    return [visit["occurrence_id"] for visit in visits]


def test_a_change_takes_back_what_was_made_ahead_and_makes_what_is_asked_instead(office: Office) -> None:
    office.adopt(MONTHLY)
    office.at("2021-01-02")

    office.change("2021-01-03", rrule="FREQ=MONTHLY;BYMONTHDAY=10")

    assert withdrawn(office) == [("hvac:2021-02:1", "plan")]
    assert office.standing() == [
        ("hvac:2021-01:1", "2021-01-01"),
        ("hvac:2021-01:1r1", "2021-01-10"),
        ("hvac:2021-02:1r1", "2021-02-10"),
    ]
    (taken_back,) = office.alone.events(OccurrenceWithdrawn)
    assert taken_back.reason == "计划自 2021-01-03 起变更：改期"
    (change, back) = office.alone.recorded(PlanItemChanged, OccurrenceWithdrawn)
    assert change.causationid == back.causationid


def test_visits_of_dates_before_a_change_stay_as_they_are_also_where_their_windows_reach_beyond(office: Office) -> None:
    office.adopt(MONTHLY)
    office.at("2021-01-02")

    office.change("2021-01-15", window_days=3)

    (january, february) = office.shown()[:2]
    assert (january["status"], january["window_end"]) == ("planned", "2021-01-31")
    assert (february["status"], withdrawn(office)) == ("withdrawn", [("hvac:2021-02:1", "plan")])


def test_a_second_change_takes_back_what_the_first_asked_for(office: Office) -> None:
    office.adopt(MONTHLY)
    office.at("2021-01-02")
    office.change("2021-01-03", rrule="FREQ=MONTHLY;BYMONTHDAY=10")

    office.change("2021-02-01", rrule="FREQ=MONTHLY;BYMONTHDAY=8")

    assert withdrawn(office)[1:] == [("hvac:2021-02:1r1", "plan")]
    assert office.standing()[-1] == ("hvac:2021-02:1r2", "2021-02-08")


def test_what_was_slept_through_is_made_as_it_was_planned_then(office: Office) -> None:
    office.adopt(MONTHLY)
    office.at("2021-03-10")

    office.change("2021-03-11", rrule="FREQ=MONTHLY;BYMONTHDAY=15")
    office.look("2021-04-01")

    assert [start for _, start in office.standing()] == [
        "2021-01-01",
        "2021-02-01",
        "2021-03-01",
        "2021-03-15",
        "2021-04-15",
        "2021-05-15",
    ]
    assert withdrawn(office) == [("hvac:2021-04:1", "plan")]


def test_a_withdrawn_duty_is_done_no_more_and_what_was_made_ahead_is_taken_back(office: Office) -> None:
    office.adopt(MONTHLY)
    office.at("2021-01-20")

    answer = office.end("2021-02-02")
    office.look("2021-06-01")

    assert office.standing() == [("hvac:2021-01:1", "2021-01-01"), ("hvac:2021-02:1", "2021-02-01")]
    assert withdrawn(office) == [("hvac:2021-03:1", "plan")]
    assert (answer["added"], ids(answer["withdrawn"])[0], len(answer["withdrawn"])) == ([], "hvac:2021-03:1", 10)


def test_a_duty_given_to_somebody_else_names_them_in_its_visits(office: Office) -> None:
    office.adopt(item("FREQ=MONTHLY;BYMONTHDAY=1", plan_item_id="hvac", assignee="user:li"))

    office.change("2021-02-01", assignee="user:wang")

    given = {event.occurrence_id: event.assignee for event in office.alone.events(OccurrenceScheduled)}
    assert given == {"hvac:2021-01:1": "user:li", "hvac:2021-02:1": "user:li", "hvac:2021-02:1r1": "user:wang"}


COMMANDS: dict[str, Any] = {
    "another rule": lambda office, **how: office.change("2021-01-20", rrule="FREQ=WEEKLY;BYDAY=TU", **how),
    "moved": lambda office, **how: office.change("2021-02-01", workdays="move", window_days=5, **how),
    "skipped": lambda office, **how: office.change("2021-03-01", workdays="skip", **how),
    "ended": lambda office, **how: office.end("2021-04-01", **how),
    "another plan": lambda office, **how: office.adopt(
        item("FREQ=WEEKLY", plan_item_id="new"), plan_id="q", **how
    ),
    "a holiday": lambda office, **how: office.amend(2021, ["2021-02-10", "2021-02-11", "2021-06-10"], **how),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_a_dry_run_says_exactly_what_the_command_then_changes_and_changes_nothing(office: Office, name: str) -> None:
    office.adopt(item("FREQ=MONTHLY;BYMONTHDAY=10", "move", plan_item_id="hvac"))
    office.look("2021-01-10")
    command, before, facts = COMMANDS[name], office.standing(), office.alone.events()

    preview = command(office, dry_run=True)
    unchanged = office.alone.events()
    answer = command(office)
    changed = office.standing()

    assert (preview, unchanged) == (answer, facts)
    added = {(visit["occurrence_id"], visit["window_start"]) for visit in preview["added"]}
    taken = {(visit["occurrence_id"], visit["window_start"]) for visit in preview["withdrawn"]}
    assert set(changed) - set(before) == {visit for visit in added if visit[1] <= "2021-02-24"}
    assert set(before) - set(changed) == {visit for visit in taken if visit[1] <= "2021-02-24"}
    office.look("2021-12-31")
    assert {visit for visit in office.standing() if visit in added | taken} == added


def test_a_preview_shows_the_visits_beyond_the_horizon_too(office: Office) -> None:
    answer = office.adopt(MONTHLY, dry_run=True)

    assert ids(answer["added"]) == [f"hvac:2021-{month:02}:1" for month in range(1, 13)]
    assert answer["added"][1] == {
        "occurrence_id": "hvac:2021-02:1",
        "system_id": "hvac",
        "plan_item_id": "hvac",
        "period": "2021-02",
        "window_start": "2021-02-01",
        "window_end": "2021-02-28",
    }
    assert answer["withdrawn"] == []
    assert office.alone.events() == []


def test_a_dry_run_refuses_what_the_command_would(office: Office) -> None:
    office.adopt(MONTHLY)
    facts = office.alone.events()

    with pytest.raises(Rejected, match="only the future"):
        office.change("2020-12-20", workdays="skip", dry_run=True)
    with pytest.raises(Rejected, match="nothing would change"):
        office.change("2021-02-01", dry_run=True)
    with pytest.raises(NotFound):
        office.end("2021-02-01", "pumps", dry_run=True)
    for bad in ({"window_days": 0}, {"rrule": "FREQ=HOURLY"}, {"assignee": " "}, {"rrule": "FREQ=DAILY;INTERVAL=0"}):
        with pytest.raises(Invalid) as refused:
            office.change("2021-02-01", **bad, dry_run=True)
        assert list(refused.value.errors) == list(bad)

    assert office.alone.events() == facts


def test_a_system_out_of_commission_has_its_visits_after_its_last_day_taken_back(office: Office) -> None:
    office.adopt(item("FREQ=WEEKLY;BYDAY=MO", plan_item_id="hvac", window_days=5))
    office.at("2021-01-05")
    office.decommission("2021-01-20")

    office.alone.follow()

    assert [start for _, start in office.standing()] == ["2021-01-04", "2021-01-11", "2021-01-18"]
    assert {because for _, because in withdrawn(office)} == {"system"}
    assert office.alone.events(OccurrenceWithdrawn)[0].reason == "系统自 2021-01-20 起停用"


def test_begun_visits_of_a_system_that_went_out_of_commission_before_are_taken_back_unless_done(office: Office) -> None:
    office.adopt(MONTHLY, item("FREQ=MONTHLY;BYMONTHDAY=2", plan_item_id="also"))
    office.look("2021-01-10")
    office.perform("also:2021-01:1", "2021-01-09")
    office.decommission("2020-12-31")

    office.look("2021-03-20")

    statuses = office.statuses()
    assert (statuses["also:2021-01:1"], statuses["hvac:2021-01:1"]) == ("performed", "withdrawn")
    assert set(statuses.values()) == {"performed", "withdrawn"}


def test_a_system_registered_anew_is_visited_under_new_ids_where_visits_were_taken_back(office: Office) -> None:
    office.adopt(MONTHLY)
    office.at("2021-01-05")
    office.decommission("2021-01-20")
    office.at("2021-01-06")
    office.register("2021-01-06")

    office.look("2021-03-01")

    assert withdrawn(office) == [("hvac:2021-02:1", "system")]
    assert [id_ for id_, _ in office.standing()] == [
        "hvac:2021-01:1",
        "hvac:2021-02:1m2",
        "hvac:2021-03:1",
        "hvac:2021-04:1",
    ]


def test_begun_visits_are_taken_back_also_where_their_system_came_back_during_downtime(office: Office) -> None:
    office.adopt(MONTHLY)
    office.at("2021-01-11")
    office.decommission("2020-12-31")
    office.at("2021-03-02")
    office.register("2021-03-02")

    office.look("2021-03-10")

    statuses = office.statuses()
    assert (statuses["hvac:2021-01:1"], statuses["hvac:2021-02:1"]) == ("withdrawn", "withdrawn")
    assert statuses["hvac:2021-03:1"] == "planned"


def test_a_visit_that_somebody_withdrew_alone_is_made_no_more(office: Office) -> None:
    office.adopt(MONTHLY)
    office.alone.ask("withdraw_occurrence", occurrence_id="hvac:2021-02:1", reason="停用")
    office.decommission("2021-01-20")
    office.register("2021-01-06")

    office.look("2021-01-20")

    assert [id_ for id_, _ in office.standing()] == ["hvac:2021-01:1", "hvac:2021-03:1"]


def test_two_plans_adopted_at_the_same_moment_do_not_share_a_duty(office: Office) -> None:
    office.adopt(MONTHLY)

    with pytest.raises(IntegrityError):  # the command is decided anew then, and refused by name
        office.alone.tell("plan/q", PlanAdopted(plan_id="q", year=2021, items=(MONTHLY,)))

    assert len(office.alone.events(PlanAdopted)) == 1
