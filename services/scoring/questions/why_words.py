"""A deduction as a sentence, in Chinese and in English: what was expected, and what did not come or came amiss."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.scoring.counted import Figures
from services.scoring.facts import Known
from services.scoring.finding import Deduction
from services.scoring.missed import Visit
from services.scoring.questions.places import Place
from services.scoring.questions.shown import results_of
from shared.contracts.scoring import DeductionWaived
from shared.contracts.work_orders import IncidentConfirmed, WorkPerformed, WorkReturned
from shared.event import Recorded

Pair = tuple[str, str]
"""Chinese, English."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A deduction and what is known of it; `events` are its evidence without the waivers."""

    deduction: Deduction
    known: Known
    visit: Visit | None
    record_until: date | None
    place: Place | None
    figures: Figures
    parameters: Mapping[str, Any]
    events: Sequence[Recorded]
    waivers: Sequence[Recorded]

    @property
    def system(self) -> str:
        """The system's name and id."""
        id_ = self.deduction.system_id or ""
        system = self.known.systems.get(id_)
        return f"{system.registered.event.name}（{id_}）" if system else id_


def sentences(told: Told) -> Pair:
    """What happened, and what it costs or why it costs nothing."""
    zh, en = _REASONS[told.deduction.reason](told)
    points = f"{told.deduction.points:.2f}"
    if not told.waivers:
        return f"{zh}，扣 {points} 分", f"{en}: {points} points"
    waived = [waiver.event for waiver in told.waivers if isinstance(waiver.event, DeductionWaived)]
    because = "；".join(f"{waiver.approved_by} 以“{waiver.reason}”豁免" for waiver in waived)
    by = "; ".join(f"waived by {waiver.approved_by}, “{waiver.reason}”" for waiver in waived)
    return f"{zh}；{because}，扣 {points} 分", f"{en}; {by}: {points} points"


def _missed_inspection(told: Told) -> Pair:
    assert told.visit is not None
    due = told.visit.event
    zh = f"{told.system} {due.period}：在 {due.window_start} 至 {due.window_end} 的窗口内没有完成检查"
    en = f"{told.system} {due.period}: no inspection was performed in the window {due.window_start} to {due.window_end}"
    for event in told.events:
        if isinstance(event.event, WorkPerformed):
            done, told_on = told.known.day(event.event.performed_at), told.known.day(event.recordedat)
            if not due.window_start <= done <= due.window_end:
                zh += f"；{done} 的作业在窗口之外"
                en += f"; the work of {done} lies outside it"
            else:
                zh += f"；{done} 的作业 {told_on} 才记录，补录截至 {told.record_until}"
                en += f"; the work of {done} was recorded on {told_on}, the limit was {told.record_until}"
    return zh, en


def _missed_point(told: Told) -> Pair:
    assert told.visit is not None
    assert told.place is not None
    due, place = told.visit.event, told.place
    where = f"，{place.location}" if place.location else ""
    zh = (
        f"{told.system} {due.period}：在 {due.window_start} 至 {due.window_end} 的窗口内完成，"
        f"但点位 {place.label or place.point_id}（{place.point_id}{where}）截至 {told.record_until} 无结果"
    )
    at = f", {place.location}" if place.location else ""
    en = (
        f"{told.system} {due.period}: performed in the window {due.window_start} to {due.window_end}, but point "
        f"{place.label or place.point_id} ({place.point_id}{at}) had no result by {told.record_until}"
    )
    for event in told.events:
        for result in results_of(event, place.point_id):
            told_on = told.known.day(event.recordedat)
            if told.record_until is not None and told_on > told.record_until:
                zh += f"；{told_on} 的结果记录过晚"
                en += f"; the result of {told_on} came too late"
            elif result.outcome == "not_applicable":
                zh += f"；{told_on} 记为不适用，但没有说明"
                en += f"; on {told_on} it was called not applicable, without a note"
    return zh, en


def _not_scheduled(told: Told) -> Pair:
    withdrawn = len(told.events) - 1
    zh, en = (
        f"{told.system} {told.deduction.period}：整月没有安排检查",
        "no inspection was scheduled in the whole month",
    )
    if withdrawn > 0:
        zh += f"（原有安排已撤回，{withdrawn} 次）"
        en += f" ({withdrawn} withdrawn)"
    return zh, f"{told.system} {told.deduction.period}: {en}"


def _substandard_work(told: Told) -> Pair:
    (event,) = told.events
    work = event.event
    assert isinstance(work, WorkReturned)
    day = told.known.day(event.time)
    return (
        f"{told.system}：工单 {work.work_order_id} 于 {day} 被 {work.returned_by} 退回，“{work.reason}”",
        f"{told.system}: work order {work.work_order_id} was returned by {work.returned_by} on {day}, “{work.reason}”",
    )


def _periods_without_inspection(told: Told) -> Pair:
    period = told.deduction.period
    return f"{period}：整月没有一次安全检查", f"{period}: not one inspection in the whole month"


def _cost_growth(told: Told) -> Pair:
    spent, baseline = told.figures["spent"], told.figures["baseline"]
    limit = told.parameters["limit_percent"]
    return (
        f"固定设备维修维护支出 {spent} 元，高于上年度 {baseline} 元 {limit}% 以上",
        f"{spent} CNY were spent, more than {limit} % above the {baseline} CNY of the year before",
    )


def _incidents(told: Told) -> Pair:
    (event,) = told.events
    incident = event.event
    assert isinstance(incident, IncidentConfirmed)
    day = told.known.day(incident.occurred_at)
    harms = {"life": "生命", "property": "财产"}
    harmed = "、".join(harms[harm] for harm in incident.harms)
    return (
        f"{day} 发生安全事故 {incident.incident_id}，涉及办事群众{harmed}安全：“{incident.description}”",
        f"incident {incident.incident_id} of {day} harmed visitors' {' and '.join(incident.harms)}: "
        f"“{incident.description}”",
    )


def _satisfaction_rate(told: Told) -> Pair:
    figures = told.figures
    good = sum(_number(figures[name]) for name in ("very_satisfied", "satisfied", "basically_satisfied"))
    bad = sum(_number(figures[name]) for name in ("dissatisfied", "very_dissatisfied"))
    rated, minimum = good + bad - _number(figures["overturned"]), told.parameters["minimum_percent"]
    return (
        f"{rated} 条有效评价中满意 {good} 条，低于 {minimum}%",
        f"{good} of {rated} ratings that count are satisfied, less than {minimum} %",
    )


def _number(figure: object) -> int:
    assert isinstance(figure, int)
    return figure


_REASONS: Mapping[str, Callable[[Told], Pair]] = {
    "missed_inspection": _missed_inspection,
    "missed_point": _missed_point,
    "not_scheduled": _not_scheduled,
    "substandard_work": _substandard_work,
    "periods_without_inspection": _periods_without_inspection,
    "cost_growth": _cost_growth,
    "incidents": _incidents,
    "satisfaction_rate": _satisfaction_rate,
}
