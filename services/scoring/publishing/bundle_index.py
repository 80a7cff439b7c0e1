"""The page by which a person reads a bundle: the result, each deduction, and the events that it rests on.

It says nothing that is not in the other files, and is made from them alone; so it can be made again and compared. A bundle
of format 1 keeps this page for ever: another look is another format.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.scoring.facts import Facts
from services.scoring.publishing.seal import Seal
from services.scoring.rulebooks.rulebook import Rulebook
from shared.contracts.work_orders import PointsInspected
from shared.event import Recorded

REASONS = {
    "missed_inspection": "漏检一次 missed inspection",
    "missed_point": "漏检点位 missed point",
    "not_scheduled": "当月未安排检查 not scheduled",
    "substandard_work": "未按质按量 returned work",
    "periods_without_inspection": "当月无安全检查 month without inspection",
    "cost_growth": "费用高于上年度上限 cost growth",
    "incidents": "安全事故 incident",
    "satisfaction_rate": "满意度低于下限 satisfaction below the minimum",
}
STATUS = {"met": "达标 met", "unmet": "未达标 unmet", "not_assessable": "无法评定 not assessable"}

_pages = Environment(
    loader=PackageLoader("services.scoring.publishing"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def index(
    seal: Seal, rulebook: Rulebook, result: Mapping[str, Any], history: Sequence[Recorded], photos: Sequence[str]
) -> bytes:
    """The page (HTML, Chinese with English beside it); `photos` are the SHA-256 of those in the bundle."""
    events = {recorded.id: recorded for recorded in history}
    words = {indicator.id: indicator for indicator in rulebook.indicators}
    zone = Facts(seal.statement.facility).extend(history).known().timezone
    rows = [(words.get(row["id"]), row) for row in result["indicators"]]
    page = _pages.get_template("bundle-index-1.html").render(
        seal=seal,
        statement=seal.statement.as_json(),
        rulebook=rulebook,
        result=result,
        rows=rows,
        events=events,
        photos_of=lambda deduction: _photos(deduction, events, photos),
        zone=zone.key,
        moment=lambda at: f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        reasons=REASONS,
        status=STATUS,
    )
    return page.encode()


def _photos(deduction: Mapping[str, Any], events: Mapping[str, Recorded], there: Sequence[str]) -> list[str]:
    """The photos in the bundle that a deduction's results name."""
    return [sha256 for sha256 in photos_named(deduction, events) if sha256 in there]


def photos_named(deduction: Mapping[str, Any], events: Mapping[str, Recorded]) -> list[str]:
    """The SHA-256 of every photo that the results among a deduction's evidence name, each once, in their order."""
    told = (events[id_].event for id_ in deduction["evidence"] if id_ in events)
    results = (result for event in told if isinstance(event, PointsInspected) for result in event.results)
    return list(dict.fromkeys(photo for result in results for photo in result.photos or ()))
