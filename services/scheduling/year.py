"""A year of visits by system and month: those that were made, and those that the plan still lets expect. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from services.scheduling.recurrence import Due

Row = Mapping[str, Any]
"""A row of the view `system` or `occurrence`; dates are text, YYYY-MM-DD."""

EXPECTED = "expected"
"""The status of a visit that is planned and not made yet."""
_SHOWN = ("occurrence_id", "activity", "status", "excused", "window_start", "window_end")


def expected(visits: Iterable[Due]) -> Iterator[dict[str, Any]]:
    """Visits that are planned and not made yet, as rows like those of the view `occurrence`."""
    for visit in visits:
        yield {
            "occurrence_id": visit.occurrence_id,
            "plan_item_id": visit.item.plan_item_id,
            "system_id": visit.item.system_id,
            "activity": visit.item.activity,
            "period": visit.period,
            "window_start": visit.window_start.isoformat(),
            "window_end": visit.window_end.isoformat(),
            "assignee": visit.item.assignee,
            "status": EXPECTED,
            "excused": False,
        }


def by_system_and_month(year: int, systems: Iterable[Row], visits: Iterable[Row]) -> list[dict[str, Any]]:
    """For each system of the year its twelve months, each with its visits by window and what became of them.

    A system is of the year if it is in commission on one of its days, or if a visit of the year is for it.
    """
    cells: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for visit in visits:
        cells[visit["system_id"], visit["period"]].append(visit)
    visited = {system_id for system_id, _ in cells}
    months = [f"{year:04}-{month:02}" for month in range(1, 13)]
    return [
        {
            "system_id": system["system_id"],
            "name": system["name"],
            "months": [
                {"period": month, "occurrences": _shown(cells.get((system["system_id"], month), ()))}
                for month in months
            ],
        }
        for system in sorted(systems, key=lambda system: str(system["system_id"]))
        if system["system_id"] in visited or _in_commission(system, year)
    ]


def _in_commission(system: Row, year: int) -> bool:
    """Whether a system is in commission on some day of a year."""
    since, until = system["commissioned_on"], system["decommissioned_on"]
    return bool(since <= f"{year:04}-12-31" and (until is None or until >= f"{year:04}-01-01"))


def _shown(visits: Sequence[Row]) -> list[dict[str, Any]]:
    ordered = sorted(visits, key=lambda visit: (visit["window_start"], visit["occurrence_id"]))
    return [{name: visit[name] for name in _SHOWN} for visit in ordered]
