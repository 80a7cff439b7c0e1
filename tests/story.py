"""A quarter in a small hall, told through the HTTP API: five systems, fifteen visits, and what may go wrong with them."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.contracts.scheduling import PlanItem
from tests.processes import ROOT, Platform

ZONE = ZoneInfo("Asia/Shanghai")
RULEBOOK = ROOT / "projects" / "chenggong-2021" / "rulebooks" / "chenggong-2021.yaml"
SYSTEMS = ("fire-shutters", "gas-suppression", "hvac", "lighting", "water")
LAPSES = {
    (1, "water"): "late",
    (2, "fire-shutters"): "missed",
    (2, "lighting"): "excused",
    (3, "gas-suppression"): "returned",
    (3, "hvac"): "forgotten",
}
AS_OF = "2021-03-31"
DOER, DISPATCHER, SUPERVISOR, MANAGER = "user:ma", "user:zhou", "user:zhao", "user:qian"


def moment(year: int, month: int, day: int, hour: int = 9) -> str:
    """A local time."""
    return datetime(year, month, day, hour, tzinfo=ZONE).isoformat()


class Story:
    """One facility's quarter; each command carries a key that is the same in every telling."""

    def __init__(self, platform: Platform, facility: str = "hall") -> None:
        self.platform = platform
        self.facility = facility
        self.now = moment(2020, 12, 1)
        self._told = 0
        self._left: list[dict[str, Any]] = []

    def tell_all(self) -> None:
        """From the first registration to the tenth of April."""
        self.begin()
        for month in (1, 2, 3):
            self.month(month)
        self.end()

    def score(self, **query: str) -> dict[str, Any]:
        """The score of the quarter, with its evidence."""
        answer = self.platform.api.get(self._here("/assessments/2021"), as_of=AS_OF, **query)
        return dict(answer)

    def tell(self, path: str, body: dict[str, Any], actor: str = MANAGER) -> Any:
        """Send a command about the facility, now."""
        self._told += 1
        key = f"{self.facility}:{self._told}"
        return self.platform.api.post(self._here(path), body, key, actor, self.now)

    def ask(self, path: str, **query: str) -> Any:
        """Ask about the facility."""
        return self.platform.api.get(self._here(path), **query)

    def move_clock(self, now: str) -> None:
        """Let time pass once all that was done has arrived, and let what follows from it happen."""
        self.platform.settle()
        self.now = now
        self.platform.api.post("/simulation/clock", {"now": now}, f"clock:{now}")
        self.platform.settle()

    def begin(self) -> None:
        """Registers the hall, its systems, two points in each, its money, rulebook and plan."""
        hall = {"name": "Hall", "uscc": "11530121MB198972XH", "region_code": "530114", "timezone": ZONE.key}
        self.platform.api.post("/facilities", {"facility_id": self.facility, **hall}, f"{self.facility}:0", at=self.now)
        for system in SYSTEMS:
            named = {"system_id": system, "name": system, "category": "any"}
            self.tell("/systems", {**named, "commissioned_on": "2021-01-01"})
            points = [{"point_id": f"{system}-{n}", "label": f"{system} {n}"} for n in (1, 2)]
            self.tell(f"/systems/{system}/points", {"equipment": "thing", "points": points})
        text = {"text": RULEBOOK.read_text()}
        rulebook = self.platform.api.post("/rulebooks", text, "rulebook", at=self.now)
        official = {"rulebooks": [rulebook], "official": rulebook["rulebook_id"]}
        self.tell("/assessments", {"assessment_id": "assessment-2021", "year": 2021, **official})
        self.tell("/cost-baselines", {"year": 2020, "amount": "1000.00", "basis": "books"})
        self.tell("/plans", {"plan_id": "plan-2021", "year": 2021, "items": [self._item(name) for name in SYSTEMS]})

    def month(self, month: int) -> None:
        """A month: it begins, work is done in it, and visitors say what they think."""
        self.move_clock(moment(2021, month, 1, 1))
        self.work(month)
        self.rate(month)

    def work(self, month: int) -> None:
        """A month's visits and bills, and whatever befell the hall; scoring is not asked for any of it."""
        self.tell(f"/points/water-{1 + month % 2}/relocate", {"location": f"room {month}"})
        self.tell(
            "/systems/water/points", {"equipment": "tap", "points": [{"point_id": f"tap-{month}", "label": "tap"}]}
        )
        for occurrence in self.ask("/occurrences", period=f"2021-{month:02}"):
            self.visit(occurrence, LAPSES.get((month, occurrence["system_id"])))
        self.pay(month)
        if month == 2:
            self.accident()

    def end(self) -> None:
        """Lets the quarter's windows close; what was left lying is written down, and its deduction waived."""
        self.move_clock(moment(2021, 4, 10))
        for occurrence in self._left:
            self.visit(occurrence, None)
        late = {"occurrence_id": "water-inspection:2021-01:1", "reason": "the book was at the binder's"}
        self.tell("/waivers", {"waiver_id": "waiver-1", **late})
        self.platform.settle()

    def visit(self, occurrence: dict[str, Any], lapse: str | None) -> None:
        """One visit: done, written down and judged, or not."""
        if lapse == "excused":
            self.tell(f"/occurrences/{occurrence['occurrence_id']}/excuse", {"reason": "under repair"})
        elif lapse == "late":
            self._left.append(occurrence)
        elif lapse != "missed":
            self._do(occurrence, lapse)

    def _do(self, occurrence: dict[str, Any], lapse: str | None) -> None:
        (order,) = self.ask("/work-orders", occurrence_id=occurrence["occurrence_id"])
        home, done_at = f"/work-orders/{order['work_order_id']}", f"{occurrence['period']}-10T09:00:00+08:00"
        self.now = max(self.now, f"{occurrence['period']}-11T09:00:00+08:00")
        self.tell(f"{home}/assign", {"assignee": DOER}, DISPATCHER)
        self.tell(f"{home}/start", {"at": done_at}, DOER)
        seen = order["point_ids"][1:] if lapse == "forgotten" else order["point_ids"]
        results = [{"point_id": point, "outcome": "normal"} for point in seen]
        if occurrence["occurrence_id"] == "hvac-inspection:2021-01:1":
            results[0] |= {"outcome": "fault", "note": "leaks"}
        self.tell(f"{home}/inspect", {"results": results}, DOER)
        omitted = {"omitted_point_ids": order["point_ids"][:1]} if lapse == "forgotten" else {}
        self.tell(f"{home}/perform", {"performed_at": done_at, **omitted}, DOER)
        if lapse == "returned":
            self.tell(f"{home}/return", {"reason": "illegible"}, SUPERVISOR)
            self.tell(f"{home}/perform", {"performed_at": done_at}, DOER)
        self.tell(f"{home}/accept", {}, SUPERVISOR)

    def pay(self, month: int) -> None:
        """Books a repair, and a mistake that is taken back."""
        cost = {"category": "fixed_equipment", "incurred_on": f"2021-{month:02}-11"}
        self.tell("/costs", {"cost_id": f"cost-{month}", "amount": "360.05", **cost})
        self.tell("/costs", {"cost_id": f"cost-{month}-again", "amount": "360.05", **cost})
        self.tell(f"/costs/cost-{month}-again/reverse", {"reason": "booked twice"})

    def accident(self) -> None:
        """Somebody comes to harm."""
        told = {"occurred_at": moment(2021, 2, 5), "description": "a fall"}
        self.tell("/incidents", {"incident_id": "incident-1", **told})
        self.tell("/incidents/incident-1/confirm", {**told, "harms": ["life"], "visitors_affected": True})

    def rate(self, month: int) -> None:
        """Reports what visitors said."""
        self.now = max(self.now, moment(2021, month, 28))
        levels = ("very_satisfied", "satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied")
        counts = dict(zip(levels, (40, 30, 12, 10, 8), strict=True)) | {"defaulted": 5, "overturned": month}
        span = {"period_start": f"2021-{month:02}-01", "period_end": f"2021-{month:02}-27"}
        self.tell("/satisfaction-reports", {"report_id": f"ratings-{month}", **span, **counts})

    def _here(self, path: str) -> str:
        return f"/facilities/{self.facility}{path}"

    @staticmethod
    def _item(system: str) -> dict[str, Any]:
        item = PlanItem(
            plan_item_id=f"{system}-inspection",
            system_id=system,
            activity="inspection",
            rrule="FREQ=MONTHLY;BYMONTHDAY=1",
            workdays="ignore",
        )
        return dict(vars(item))
