"""What scheduling answers when it is asked: lists in pages, one visit, a plan as it reads, a calendar."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import select

from services.scheduling import views
from services.scheduling.aggregate import Plan, Status
from services.scheduling.recurrence import Term
from services.scheduling.workdays import WorkdayCalendar, of_library
from shared.contracts.scheduling import OccurrenceExcused, OccurrenceScheduled
from shared.database import Database
from shared.errors import Invalid, NotFound
from shared.event import Recorded, timestamp
from shared.pages import Page, page

_PLAN, _VISIT = views.plans.c, views.occurrences.c
_PLAN_SORTS = {"plan_id": (_PLAN.plan_id,), "year": (_PLAN.year, _PLAN.plan_id)}
_VISIT_SORTS = {
    "window": (_VISIT.window_start, _VISIT.occurrence_id),
    "window_end": (_VISIT.window_end, _VISIT.occurrence_id),
    "system": (_VISIT.system_id, _VISIT.window_start, _VISIT.occurrence_id),
}


def plans(database: Database, facility: str, year: int | None, **paging: Any) -> Page:
    """A facility's plans: plan_id, year, number of items."""
    wanted = select(views.plans).where(_PLAN.facility == facility)
    if year is not None:
        wanted = wanted.where(_PLAN.year == year)
    return page(database, wanted, _PLAN_SORTS, **paging)


def occurrences(
    database: Database, facility: str, since: str | None, until: str | None, filters: dict[str, Any], **paging: Any
) -> Page:
    """A facility's visits where each column has the value in `filters` (None: any), their windows touching since–until."""
    status = filters.get("status")
    if status is not None and status not in set(Status):
        raise Invalid({"status": [f"expected one of {', '.join(Status)}"]})
    wanted = select(views.occurrences).where(_VISIT.facility == facility)
    for column, value in filters.items():
        if value is not None:
            wanted = wanted.where(_VISIT[column] == value)
    if since is not None:
        wanted = wanted.where(_VISIT.window_end >= _day("since", since))
    if until is not None:
        wanted = wanted.where(_VISIT.window_start <= _day("until", until))
    return page(database, wanted, _VISIT_SORTS, **paging)


def occurrence(database: Database, facility: str, occurrence_id: str, past: Iterable[Recorded]) -> dict[str, Any]:
    """A visit as the list shows it, with its point_ids and its excuses [{point_ids, reason, approved_by, at}]."""
    wanted = select(views.occurrences).where(_VISIT.facility == facility, _VISIT.occurrence_id == occurrence_id)
    rows = database.mappings(wanted)
    if not rows:
        raise NotFound(f"no occurrence {occurrence_id} in {facility}")
    point_ids: list[str] = []
    excuses: list[dict[str, Any]] = []
    for recorded in past:
        match recorded.event:
            case OccurrenceScheduled() as scheduled:
                point_ids = list(scheduled.point_ids)
            case OccurrenceExcused() as excuse:
                said = {"reason": excuse.reason, "approved_by": excuse.approved_by, "at": timestamp(recorded.time)}
                excuses.append({"point_ids": list(excuse.point_ids) if excuse.point_ids else None, **said})
    return {**rows[0], "point_ids": point_ids, "excuses": excuses}


def plan_as_it_reads(plan: Plan, today: date) -> dict[str, Any]:
    """A plan: plan_id, year, and its items as they read today (as adopted before), each with all its terms.

    A term: effective_on (None: from the beginning), rrule, window_days, workdays, assignee, withdrawn, reason.
    """
    items = [
        {**_identity(terms), **_reading(_current(terms, today)), "terms": [_term(term) for term in terms]}
        for terms in plan.terms.values()
    ]
    return {"plan_id": plan.id, "year": plan.year, "items": items}


def calendar_of(year: int, calendar: WorkdayCalendar) -> dict[str, Any]:
    """A year's workdays as adopted here, else (version 0) as the library says; lists are empty where nobody knows them."""
    held = calendar.versions[-1] if calendar.versions else of_library(year)
    return {
        "year": year,
        "known": held is not None,
        "source": held.source if held else None,
        "holidays": [day.isoformat() for day in held.holidays] if held else [],
        "make_up_workdays": [day.isoformat() for day in held.make_up_workdays] if held else [],
        "version": len(calendar.versions),
    }


def _current(terms: list[Term], today: date) -> Term:
    return [terms[0], *(term for term in terms[1:] if term.effective_on <= today)][-1]


def _identity(terms: list[Term]) -> dict[str, Any]:
    adopted = asdict(terms[0].item) if terms[0].item else {}
    return {name: adopted.get(name) for name in ("plan_item_id", "system_id", "activity")}


def _reading(term: Term) -> dict[str, Any]:
    item = asdict(term.item) if term.item else {}
    words = {name: item.get(name) for name in ("rrule", "window_days", "workdays", "assignee")}
    return {**words, "withdrawn": term.item is None}


def _term(term: Term) -> dict[str, Any]:
    effective_on = None if term.effective_on == date.min else term.effective_on.isoformat()
    return {"effective_on": effective_on, **_reading(term), "reason": term.reason}


def _day(name: str, words: str) -> str:
    try:
        return date.fromisoformat(words).isoformat()
    except ValueError as fault:
        raise Invalid({name: ["expected a date YYYY-MM-DD"]}) from fault
