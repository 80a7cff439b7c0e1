"""domain.md, What counts: a test a sentence."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.scoring.cli import score_command
from services.scoring.facts import Facts
from services.scoring.tests import histories as h
from shared.errors import Invalid
from shared.event import Recorded

EXAMPLE = Path(__file__).parent / "examples/points.jsonl"


def test_what_counts_one_facility_a_file() -> None:
    """**What counts.** One facility a file;"""
    facts = Facts().extend([h.system("hvac")])

    with pytest.raises(Invalid, match=r"^facility: expected hall, one facility only, not other$"):
        facts.add(h.system("water", facility="other"))


def test_an_event_is_identified_by_its_id_alone_and_counts_once() -> None:
    """an event is identified by its `id` alone and counts once."""
    returned, another = h.returned("wo", id_="one"), h.returned("wo", id_="two")

    assert h.row("quality", returned, returned, returned)["deducted"] == "10.00"
    assert h.row("quality", returned, another)["deducted"] == "20.00"
    assert len(Facts().extend([returned, returned, another])) == 2


def test_events_with_recordedat_after_known_at_are_not_seen_default_all_are() -> None:
    """Events with `recordedat` after `known_at` are not seen (default: all are)."""
    history = [h.incident("i", recorded="2021-07-01 10:00"), h.incident("j", recorded="2021-07-01 10:01")]

    assert h.row("incidents", *history, known_at="2021-07-01 09:59")["actual"] == 0
    assert h.row("incidents", *history, known_at="2021-07-01 10:00")["actual"] == 1
    assert h.row("incidents", *history, known_at="2021-07-01 10:01")["actual"] == 2
    assert h.row("incidents", *history)["actual"] == 2


@pytest.mark.parametrize(
    ("timezone", "last", "next_day"),
    [
        (None, "2021-06-10 23:59", "2021-06-11 00:00"),
        ("Asia/Shanghai", "2021-06-10 23:59", "2021-06-11 00:00"),
        ("America/New_York", "2021-06-11 11:59", "2021-06-11 12:00"),  # 12 hours behind Shanghai in summer
    ],
)
def test_as_of_is_a_local_date_facilitys_time_zone_default_asia_shanghai_inclusive(
    timezone: str | None, last: str, next_day: str
) -> None:
    """`as_of` is a local date (facility's time zone, default Asia/Shanghai), inclusive;"""
    hall = [h.facility(timezone)] if timezone else []

    def number(on: str, as_of: str) -> int:
        found: int = h.row("incidents", h.incident(on=on), *hall, as_of=as_of)["actual"]
        return found

    assert (number(last, "2021-06-09"), number(last, "2021-06-10")) == (0, 1)
    assert (number(next_day, "2021-06-10"), number(next_day, "2021-06-11")) == (0, 1)


@pytest.mark.parametrize(
    ("timezone", "on", "period"),
    [
        ("Asia/Shanghai", "2021-05-31 23:59", "2021-05"),
        ("Asia/Shanghai", "2021-06-01 00:00", "2021-06"),  # in UTC it is May 31st, 16:00
        ("Asia/Shanghai", "2021-06-01 07:59", "2021-06"),  # in UTC it is May 31st, 23:59
        ("UTC", "2021-06-01 07:59", "2021-05"),
        ("UTC", "2021-06-01 08:00", "2021-06"),
        ("Asia/Tokyo", "2021-05-31 22:59", "2021-05"),
        ("Asia/Tokyo", "2021-05-31 23:00", "2021-06"),
    ],
)
def test_the_date_of_a_timestamp_is_its_local_date(timezone: str, on: str, period: str) -> None:
    """the date of a timestamp is its local date."""
    (deduction,) = h.row("incidents", h.incident(on=on), h.facility(timezone))["deductions"]

    assert deduction["period"] == period


def test_y_is_the_rulebooks_year() -> None:
    """Y is the rulebook's `year`."""
    accidents = [h.incident(str(year), on=f"{year}-06-10", id_=str(year)) for year in (2020, 2021, 2022)]
    next_year = replace(h.CHENGGONG, year=2022)

    assert h.row("incidents", *accidents)["deductions"][0]["evidence"] == ["2021"]
    assert h.row("incidents", *accidents, rulebook=next_year)["actual"] == 0  # as_of is still in 2021
    (deduction,) = h.row("incidents", *accidents, rulebook=next_year, as_of="2022-12-31")["deductions"]
    assert deduction["evidence"] == ["2022"]


DATED: dict[str, tuple[str, Callable[[str, str], Recorded]]] = {
    "work_performed": ("timeliness", lambda on, told: h.performed(on=on, recorded=told)),
    "work_accepted": ("quality", lambda on, told: h.accepted("wo", on, recorded=told)),
    "work_returned": ("quality", lambda on, told: h.returned("wo", on, recorded=told)),
    "cost_recorded": ("cost", lambda on, told: h.cost("c", "100.00", on, recorded=told)),
    "incident_confirmed": ("incidents", lambda on, told: h.incident(on=on, recorded=told)),
    "satisfaction_reported": ("satisfaction", lambda on, told: h.report(good=1, end=on, recorded=told)),
}
"""By kind of dated fact: the indicator that it counts for, and one dated to a day and told (time, recordedat) on another."""


def counts(kind: str, on: str, told: str, as_of: str) -> bool:
    """Whether a fact makes a difference to its indicator."""
    indicator, dated = DATED[kind]
    return h.row(indicator, h.baseline(), dated(on, told), as_of=as_of) != h.row(indicator, h.baseline(), as_of=as_of)


@pytest.mark.parametrize("kind", DATED)
def test_dated_facts_count_only_if_their_date_lies_in_y_and_is_at_most_as_of(kind: str) -> None:
    """*Dated* facts count only if their date lies in Y and is ≤ `as_of`:"""
    days = ["2020-12-31", "2021-01-01", "2021-06-30", "2021-07-01", "2022-06-30"]

    counted = [counts(kind, on, told=on, as_of="2021-06-30") for on in days]
    at_years_end = [counts(kind, on, told=on, as_of="2022-12-31") for on in ("2021-12-31", "2022-01-01")]

    assert counted == [False, True, True, False, False]
    assert at_years_end == [True, False]


@pytest.mark.parametrize("kind", DATED)
def test_work_performed_performed_at_work_accepted_and_work_returned_time_cost_recorded_incurred_on_incident_confirmed_occurred_at_satisfaction_reported_period_end(
    kind: str,
) -> None:
    """work_performed (`performed_at`), work_accepted and work_returned (`time`), cost_recorded (`incurred_on`),
    incident_confirmed (`occurred_at`), satisfaction_reported (`period_end`).
    """
    assert counts(kind, on="2021-05-05", told="2022-05-05", as_of="2021-06-30")
    assert not counts(kind, on="2022-05-05", told="2021-05-05", as_of="2021-06-30")


OTHERS: dict[str, tuple[str, list[Recorded], Recorded]] = {
    "system_registered": ("hvac", [], h.system(recorded="2022-02-02")),
    "system_decommissioned": ("hvac", [h.system()], h.decommissioned(on="2021-03-01", recorded="2022-02-02")),
    "occurrence_scheduled": ("hvac", [h.system(), h.performed()], h.visit(recorded="2022-02-02")),
    "occurrence_excused": ("hvac", [h.system(), h.visit()], h.excused(recorded="2022-02-02")),
    "cost_reversed": (
        "cost",
        [h.baseline(), h.cost("c", "5.00", "2021-01-01")],
        h.cost_reversed("c", recorded="2022-02-02"),
    ),
    "cost_baseline_recorded": ("cost", [], h.baseline(recorded="2022-02-02")),
    "incident_dismissed": ("incidents", [h.incident(on="2021-01-01")], h.dismissed(recorded="2022-02-02")),
    "deduction_waived": (
        "incidents",
        [h.incident(on="2021-01-01", id_="waived")],
        h.waiver(event_id="waived", recorded="2022-02-02"),
    ),
}
"""By kind of event: an indicator, what else is known, and one told long after what was asked for (`as_of`)."""


@pytest.mark.parametrize("kind", OTHERS)
def test_all_other_events_count_once_seen(kind: str) -> None:
    """All other events count once seen."""
    indicator, known, late = OTHERS[kind]

    def found(known_at: str) -> object:
        return h.row(indicator, *known, late, as_of="2021-03-31", known_at=known_at)

    assert found("2022-02-02 11:59") == h.row(indicator, *known, as_of="2021-03-31")
    assert found("2022-02-02 12:00") != found("2022-02-02 11:59")


def test_newest_means_the_greatest_recordedat_id_first_the_least() -> None:
    """*Newest* means the greatest (`recordedat`, `id`), *first* the least."""
    newest_by_time = [h.incident("i", id_="a", harms=[], recorded="2021-07-02"), h.incident("i", id_="b")]
    newest_by_id = [h.incident("i", id_="b", harms=[]), h.incident("i", id_="a"), h.incident("i", id_="Z")]
    first_by_time = [h.visit(end="2021-03-20", id_="b"), h.visit(end="2021-03-30", id_="a", recorded="2020-12-02")]
    first_by_id = [h.visit(end="2021-03-20", id_="Z"), h.visit(end="2021-03-30", id_="a")]

    assert h.row("incidents", *newest_by_time)["actual"] == 0
    assert h.row("incidents", *newest_by_id)["actual"] == 0
    assert h.reasons(h.march(*first_by_time, as_of="2021-03-20")) == ["missed_inspection"]
    assert h.reasons(h.march(*first_by_id, as_of="2021-03-20")) == ["missed_inspection"]


def test_one_incident_id_cost_id_report_id_or_occurrence_id_is_one_thing_however_often_it_is_told() -> None:
    """One incident_id, cost_id, report_id or occurrence_id is one thing however often it is told:"""

    def told_twice(builder: Callable[..., Recorded], *names: object, **words: object) -> list[Recorded]:
        return [builder(*names, **words), builder(*names, **words, recorded="2021-07-01")]

    incidents = h.row("incidents", *told_twice(h.incident, "i"))
    cost = h.row("cost", h.baseline("1000.00"), *told_twice(h.cost, "c", "600.00"))
    satisfaction = h.row("satisfaction", *told_twice(h.report, "r", bad=1), h.report("s", good=1))
    visits = h.march(*told_twice(h.visit, "v"))

    assert (incidents["actual"], incidents["deducted"]) == (1, "15.00")
    assert (cost["actual"], satisfaction["actual"]) == ("60.00", "50.00")
    assert h.reasons(visits) == ["missed_inspection"]


def test_the_first_schedule_of_an_occurrence_holds() -> None:
    """the first schedule of an occurrence holds;"""
    first = h.visit(end="2021-03-20", points=["P1"], recorded="2020-12-01")
    again = h.visit(end="2021-03-31", points=["P1", "P2"], recorded="2020-12-02")
    history = [again, first, h.performed(on="2021-03-20"), h.inspected("P1")]

    assert (h.march(*history)["status"], h.march(*history)["actual"]) == ("met", 1)
    assert h.march(again, first, h.performed(on="2021-03-21"))["actual"] == 0


def test_the_newest_report_of_a_report_id_confirmation_of_an_incident_id_and_recording_of_a_cost_id_hold_chosen_before_their_dates_are_looked_at() -> (
    None
):
    """the newest report of a report_id, confirmation of an incident_id and recording of a cost_id hold (chosen
    before their dates are looked at);
    """
    newer = [
        h.report("r", good=1, recorded="2021-07-02"),
        h.incident("i", recorded="2021-07-02", visitors=False),
        h.cost("c", "500.00", recorded="2021-07-02"),
    ]
    older = [h.report("r", bad=1), h.incident("i"), h.cost("c", "900.00")]
    moved_out_of_the_year = [
        h.report("r", good=1, end="2022-01-01", recorded="2021-07-03"),
        h.incident("j", on="2020-06-10", recorded="2021-07-03"),
        h.incident("j"),
        h.cost("c", "100.00", on="2022-01-01", recorded="2021-07-03"),
        h.cost("d", "100.00"),
        h.cost("d", "100.00", category="service", recorded="2021-07-03"),
    ]

    told = h.score(h.baseline(), *newer, *older)["indicators"]
    moved = h.score(h.baseline(), *newer, *older, *moved_out_of_the_year)["indicators"]

    assert [row["actual"] for row in told[-3:]] == ["50.00", 0, "100.00"]
    assert [row["actual"] for row in moved[-3:]] == ["0.00", 0, None]


def test_the_newest_registration_and_decommissioning_of_a_system_hold() -> None:
    """the newest registration and decommissioning of a system hold,"""
    registrations = [h.system(since="2021-04-01", recorded="2020-12-02"), h.system(since="2021-03-01")]
    ends = [
        h.decommissioned(on="2021-05-31", recorded="2021-02-02"),
        h.decommissioned(on="2021-04-30", recorded="2021-02-01"),
    ]

    found = h.row("hvac", *registrations, *ends)

    assert [deduction["period"] for deduction in found["deductions"]] == ["2021-04", "2021-05"]


def test_and_a_decommissioning_told_before_the_newest_registration_is_void() -> None:
    """and a decommissioning told before the newest registration is void."""
    end = h.decommissioned(on="2021-03-15", recorded="2021-02-01")
    before, after = h.system(recorded="2021-01-31"), h.system(recorded="2021-02-02")

    assert h.row("hvac", before, end, as_of="2021-03-31")["status"] == "not_assessable"
    assert h.reasons(h.row("hvac", before, end, after, as_of="2021-03-31")) == ["not_scheduled"]


@pytest.mark.parametrize("recorded", ["2020-01-01", "2021-07-01", "2022-02-02"])
def test_a_dismissal_or_reversal_holds_whenever_it_is_told(recorded: str) -> None:
    """A dismissal or reversal holds whenever it is told."""
    history = [
        h.dismissed("i", recorded=recorded),
        h.incident("i", recorded="2021-06-11"),
        h.incident("i", recorded="2021-09-09"),
        h.cost_reversed("c", recorded=recorded),
        h.cost("c", "5000.00", recorded="2021-06-11"),
        h.cost("c", "5000.00", recorded="2021-09-09"),
        h.baseline(),
    ]

    assert h.row("incidents", *history)["actual"] == 0
    assert h.row("cost", *history)["actual"] == "0.00"


def test_differing_envelopes_of_one_id_are_bad_input_exit_2(tmp_path: Path) -> None:
    """Differing envelopes of one `id` are bad input (exit 2)."""
    facts, (first, *others) = Facts().extend([h.incident("i", id_="same")]), EXAMPLE.read_text().splitlines()
    events = tmp_path / "events.jsonl"
    differing = json.dumps({**json.loads(first), "actor": "user:somebody-else"})
    events.write_text("\n".join([first, *others, first, differing]))

    outcome = CliRunner().invoke(score_command, [str(events), "--as-of", "2021-03-31"])

    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert "differs from line 1, expected the same envelope" in outcome.stderr
    for other in (h.incident("j", id_="same"), h.incident("i", id_="same", recorded="2021-07-01")):
        with pytest.raises(
            Invalid, match=r"^id: same is told twice with different content, expected the same envelope$"
        ):
            facts.add(other)
