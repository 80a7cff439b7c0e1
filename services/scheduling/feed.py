"""A facility's visits as an iCalendar feed (RFC 5545). Pure: the same visits give the same bytes."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from icalendar import Calendar, Event

MEDIA_TYPE = "text/calendar; charset=utf-8"
ACTIVITIES = {"inspection": "巡检", "maintenance": "维保", "service": "服务", "test": "检验"}
STATUSES = {
    "expected": "计划中",
    "planned": "待执行",
    "performed": "已完成",
    "overdue": "已逾期",
    "missed": "漏检",
    "withdrawn": "已撤销",
}


def feed(facility: str, name: str, visits: Iterable[Mapping[str, Any]], *, simulated: bool = False) -> bytes:
    """A calendar called `name` with an event for each visit, whole days from the window's first to its last.

    A visit: the columns of the view `occurrence`, `name` of its system, and `changed_at`, the aware moment at which what
    is known of it was recorded (DTSTAMP). An event keeps its UID from its first announcement to its cancellation. A
    calendar without events is one, though RFC 5545 asks for a component; the clients that we know take it so.
    """
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Xunjian//Scheduling//ZH")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", _marked(name, simulated=simulated))
    for visit in sorted(visits, key=lambda visit: (visit["window_start"], visit["occurrence_id"])):
        calendar.add_component(_event(facility, visit, simulated=simulated))
    return bytes(calendar.to_ical())


def _event(facility: str, visit: Mapping[str, Any], *, simulated: bool) -> Event:
    withdrawn, status = visit["status"] == "withdrawn", str(visit["status"])
    first, last = date.fromisoformat(visit["window_start"]), date.fromisoformat(visit["window_end"])
    changed_at: datetime = visit["changed_at"]
    summary = f"{visit['name']} {ACTIVITIES[visit['activity']]} {visit['period']}"
    event = Event()
    event.add("uid", f"{visit['occurrence_id']}@{facility}.xunjian")
    event.add("dtstamp", changed_at.replace(microsecond=0))
    event.add("dtstart", first)
    event.add("dtend", last + timedelta(days=1))
    event.add("summary", _marked(summary, simulated=simulated))
    event.add("description", f"{STATUSES[status]}{'（已免责）' if visit['excused'] else ''} {visit['occurrence_id']}")
    event.add("status", "CANCELLED" if withdrawn else "TENTATIVE" if status == "expected" else "CONFIRMED")
    event.add("sequence", 1 if withdrawn else 0)
    event.add("transp", "TRANSPARENT")
    return event


def _marked(words: str, *, simulated: bool) -> str:
    return f"【模拟】{words}" if simulated else words
