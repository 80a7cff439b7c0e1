"""A facility with thousands of points in each of several systems: registering them, the rounds of a month, the score."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contender import ROOT
from benchmarks.platform import Platform, serving, took

SYSTEMS = ("gas-suppression", "hvac", "fire-shutters", "lighting")
"""Those whose rounds the rulebook counts."""
RULEBOOK = ROOT / "projects/chenggong-2021/rulebooks/chenggong-2021.yaml"
HALL = "/facilities/hall"
DOER, SUPERVISOR = "user:li", "user:zhao"
ORDERS_OPEN = "2021-01-04T09:00:00+08:00"
MONTH_IS_OVER = "2021-02-09T09:00:00+08:00"

Figures = dict[str, float]


def rounds(folder: Path, points: int) -> Figures:
    """What each step takes with so many points in each system, in seconds; and what the process holds then, in MiB."""
    with serving(folder) as platform:
        figures = _registered(platform, points)
        figures["orders opened"] = took(lambda: platform.move_clock(ORDERS_OPEN)) + platform.settle()
        figures |= _walked(platform)
        figures["month over"] = took(lambda: platform.move_clock(MONTH_IS_OVER)) + platform.settle()
        asked = [took(lambda: _score(platform)) for _ in range(3)]
        return figures | {"score": median(asked), "memory, MiB": platform.memory(), "disk, MiB": platform.disk()}


def _registered(platform: Platform, points: int) -> Figures:
    """A hall, its systems, their points, a plan with a round a month, and what a score wants."""
    here = {"facility_id": "hall", "name": "大厅", "uscc": "11530121MB198972XH", "region_code": "530114"}
    platform.send("/facilities", {**here, "timezone": "Asia/Shanghai"})
    added = [took(partial(_add, platform, system, points)) for system in SYSTEMS]
    heard = platform.settle()
    items = [
        {
            "plan_item_id": f"{system}-inspection",
            "system_id": system,
            "activity": "inspection",
            "rrule": "FREQ=MONTHLY;BYMONTHDAY=1",
            "workdays": "ignore",
        }
        for system in SYSTEMS
    ]
    book = platform.send("/rulebooks", {"text": RULEBOOK.read_text()})
    opened = {"assessment_id": "a-2021", "year": 2021, "rulebooks": [book], "official": book["rulebook_id"]}
    platform.send(f"{HALL}/assessments", opened)
    platform.send(f"{HALL}/plans", {"plan_id": "plan-2021", "year": 2021, "items": items})
    return {"points of a system added": median(added), "heard by all": heard}


def _add(platform: Platform, system: str, points: int) -> None:
    registered = {"system_id": system, "name": system, "category": "fire-safety", "commissioned_on": "2020-12-01"}
    platform.send(f"{HALL}/systems", registered)
    named = [{"point_id": f"{system}-{number:04}", "label": f"{number:04}"} for number in range(points)]
    platform.send(f"{HALL}/systems/{system}/points", {"equipment": "设备", "points": named})


def _walked(platform: Platform) -> Figures:
    """The round of each system: given out, begun, found in order at every point, done, accepted."""
    orders = platform.client.rows(f"{HALL}/work-orders", kind="inspection")
    whole, inspected = [], []
    for order in orders[: len(SYSTEMS)]:
        path = f"{HALL}/work-orders/{order['work_order_id']}"
        results = [{"point_id": id_, "outcome": "normal"} for id_ in platform.client.get(path)["point_ids"]]
        steps: Sequence[tuple[str, dict[str, Any], str]] = (
            ("assign", {"assignee": DOER}, SUPERVISOR),
            ("start", {"at": ORDERS_OPEN}, DOER),
            ("inspect", {"results": results}, DOER),
            ("perform", {"performed_at": ORDERS_OPEN, "summary": "完成"}, DOER),
            ("accept", {}, SUPERVISOR),
        )
        seconds = [took(partial(platform.send, f"{path}/{verb}", body, who)) for verb, body, who in steps]
        whole.append(sum(seconds))
        inspected.append(seconds[2])
    heard = platform.settle()
    return {"results of a round sent": median(inspected), "a whole round": median(whole), "rounds heard by all": heard}


def _score(platform: Platform) -> None:
    platform.client.get(f"{HALL}/assessments/2021", as_of="2021-01-31")
