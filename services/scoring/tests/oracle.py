"""The rule of missed inspections once more, slow and straight from the text of domain.md, to compare with.

It shares no code with the rule: it walks the whole history for every question that the text asks.
"""

import calendar
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.event import Recorded

Missed = tuple[str, str, str | None, str | None, list[str]]
"""Reason, period, occurrence, point and evidence."""


class Oracle:
    """Answers the text's questions about one history, as it was known at a moment."""

    def __init__(self, history: Sequence[Recorded], known_at: datetime | None) -> None:
        once = {one.id: one for one in history if known_at is None or one.recordedat <= known_at}
        self.seen = sorted(once.values(), key=lambda one: (one.recordedat, one.id))

    def told(self, name: str, **members: Any) -> list[Any]:
        """The events of a name whose members have these values, from the first to the newest."""
        return [
            one
            for one in self.seen
            if type(one.event).event_name == name
            and all(getattr(one.event, key) == value for key, value in members.items())
        ]

    def day(self, moment: datetime) -> date:
        """The local date."""
        zones = [one.event.timezone for one in self.told("facility_registered")]
        return moment.astimezone(ZoneInfo(zones[-1] if zones else "Asia/Shanghai")).date()

    def in_commission(self, system: str, last: date) -> bool:
        """commissioned_on ≤ the month's last day; never decommissioned, or decommissioned on or after it."""
        registrations = self.told("system_registered", system_id=system)
        if not registrations:
            return False
        newest = registrations[-1]
        ends = self.told("system_decommissioned", system_id=system)
        ends = [one for one in ends if self.seen.index(one) > self.seen.index(newest)]
        return newest.event.commissioned_on <= last and (not ends or ends[-1].event.decommissioned_on >= last)

    def occurrences(self, system: str, period: str) -> list[Any]:
        """Inspections of that system and period; the first schedule of an occurrence holds."""
        scheduled = self.told("occurrence_scheduled", system_id=system, period=period, activity="inspection")
        return [
            one
            for one in scheduled
            if self.told("occurrence_scheduled", occurrence_id=one.event.occurrence_id)[0].id == one.id
        ]

    def withdrawals(self, one: Any) -> list[str]:
        """A withdrawal holds only if the date of its recordedat ≤ window_end."""
        told = self.told("occurrence_withdrawn", occurrence_id=one.event.occurrence_id)
        return [withdrawal.id for withdrawal in told if self.day(withdrawal.recordedat) <= one.event.window_end]

    def performed(self, one: Any) -> bool:
        """By work of any kind that names it, done in its window and recorded within the limit."""
        visit = one.event
        for work in self.told("work_performed", occurrence_id=visit.occurrence_id):
            in_window = visit.window_start <= self.day(work.event.performed_at) <= visit.window_end
            if in_window and self.day(work.recordedat) <= visit.window_end + timedelta(days=5):
                return True
        return False

    def excuses(self, one: Any) -> list[Sequence[str]]:
        """The points that each excuse names; none for the whole."""
        return [
            told.event.point_ids or ()
            for told in self.told("occurrence_excused", occurrence_id=one.event.occurrence_id)
        ]

    def covered(self, one: Any, point: str) -> bool:
        """By a result that says something and was recorded within the limit."""
        visit = one.event
        for inspected in self.told("points_inspected", occurrence_id=visit.occurrence_id):
            if self.day(inspected.recordedat) <= visit.window_end + timedelta(days=5):
                for result in inspected.event.results:
                    says = result.outcome in ("normal", "fault") or (result.note is not None and result.note != " ")
                    if result.point_id == point and says:
                        return True
        return False

    def evidence(self, one: Any) -> list[str]:
        """Its schedule that holds, and all that names it."""
        names = ("work_order_opened", "points_inspected", "work_performed")
        naming = [told.id for name in names for told in self.told(name, occurrence_id=one.event.occurrence_id)]
        return sorted([one.id, *naming])

    def judged(self, one: Any) -> list[Missed]:
        """What one occurrence costs."""
        visit, excuses = one.event, self.excuses(one)
        if () in [tuple(points) for points in excuses]:
            return []
        if not self.performed(one):
            return [("missed_inspection", visit.period, visit.occurrence_id, None, self.evidence(one))]
        return [
            ("missed_point", visit.period, visit.occurrence_id, point, self.evidence(one))
            for point in sorted(set(visit.point_ids))
            if not self.covered(one, point) and not any(point in points for points in excuses)
        ]

    def missed_inspections(self, system: str, year: int, as_of: date) -> tuple[int, list[Missed]] | None:
        """How many judged visits were performed, and what was missed; None where nothing can be assessed."""
        lasts = [date(year, month, calendar.monthrange(year, month)[1]) for month in range(1, 13)]
        months = [last for last in lasts if self.in_commission(system, last)]
        performed = 0
        missed: list[Missed] = []
        for last in months:
            period = last.isoformat()[:7]
            told = self.occurrences(system, period)
            due = [one for one in told if not self.withdrawals(one)]
            if not due and last <= as_of:
                registered = self.told("system_registered", system_id=system)[-1].id
                evidence = sorted([registered, *(id_ for one in told for id_ in self.withdrawals(one))])
                missed.append(("not_scheduled", period, None, None, evidence))
            for one in due:
                if one.event.window_end <= as_of:
                    performed += self.performed(one)
                    missed += self.judged(one)
        return (performed, missed) if months else None
