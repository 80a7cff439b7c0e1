"""How an embedded installation behaves with 1, 100, 1,000 facilities: each with a system, points and a plan of the year."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from statistics import median
from uuid import uuid4

from benchmarks.platform import Platform, serving, took
from services.hosted import class_of
from shared.contracts.asset_registry import FacilityRegistered, Point, PointsAdded, SystemRegistered
from shared.contracts.scheduling import PlanAdopted, PlanItem
from shared.event import Event
from shared.ledger import Draft, Entry
from shared.provider import open_ledger
from shared.views import Views

BEFORE = datetime(2020, 12, 1, 1, tzinfo=UTC)
NEW_YEAR = "2021-01-02T09:00:00+08:00"
A_MINUTE_LATER = "2021-01-02T09:01:00+08:00"
POINTS = 20
IDLE_SECONDS = 10.0

Figures = dict[str, float]
"""What was measured, by what it is."""
Told = tuple[str, Event]
"""An event, and the stream that it goes to."""


def halls(folder: Path, sizes: Sequence[int]) -> Iterator[tuple[int, Figures]]:
    """Number of facilities, and figures: seconds, shares of a processor, MiB."""
    for number in sizes:
        data, names = folder / f"halls-{number}", [f"hall-{count:04}" for count in range(number)]
        data.mkdir()
        _append(data, "asset_registry", names, _assets)
        with serving(data) as platform:
            figures = {"heard, s": platform.settle()}
        _append(data, "scheduling", names, _plan)
        with serving(data) as platform:
            figures["planned, s"] = took(partial(_plan_all, platform, names[-1]))
        with serving(data) as platform:
            figures |= {"ready again, s": platform.ready, "settled after, s": platform.settle()}
            yield number, figures | _at_rest(platform)


def _append(data: Path, service: str, names: Sequence[str], told: Callable[[str], Iterator[Told]]) -> None:
    """Append what commands of a service would, while nothing runs."""
    config = {"DATABASES": {service: f"sqlite:///{data / service}.db"}, "SIMULATED": True}
    views: Views = class_of(service).views  # type: ignore[attr-defined]  # every service that keeps a ledger has them
    ledger = open_ledger(config, service, views)
    ledger.clock.advance(BEFORE)
    for hall in names:
        ledger.append(_entry(hall, told(hall)))
    ledger.database.close()


def _assets(hall: str) -> Iterator[Told]:
    yield (
        f"facility/{hall}",
        FacilityRegistered(
            facility_id=hall, name="大厅", uscc="11530121MB198972XH", region_code="530114", timezone="Asia/Shanghai"
        ),
    )
    in_use = date(2020, 12, 1)
    yield "system/water", SystemRegistered(system_id="water", name="给排水", category="water", commissioned_on=in_use)
    points = tuple(Point(point_id=f"P-{n:03}", label=f"阀门{n:03}") for n in range(POINTS))
    yield "system/water", PointsAdded(system_id="water", equipment="阀门", points=points)


def _plan(hall: str) -> Iterator[Told]:
    monthly = PlanItem(
        plan_item_id="water-inspection",
        system_id="water",
        activity="inspection",
        rrule="FREQ=MONTHLY;BYMONTHDAY=1",
        workdays="ignore",
    )
    yield f"plan/{hall}-2021", PlanAdopted(plan_id=f"{hall}-2021", year=2021, items=(monthly,))


def _entry(hall: str, told: Iterator[Told]) -> Entry:
    versions: dict[str, int] = {}
    drafts = []
    for stream, event in told:
        versions[stream] = versions.get(stream, 0) + 1
        drafts.append(Draft(stream=stream, version=versions[stream], event=event, time=BEFORE))
    return Entry(
        facility=hall, drafts=drafts, actor="user:bench", correlation_id=str(uuid4()), causation_id=str(uuid4())
    )


def _plan_all(platform: Platform, last: str) -> None:
    """The clock makes the visits of two months, hall by hall, and the orders for them are opened."""
    platform.move_clock(NEW_YEAR)
    while not platform.client.get(f"/facilities/{last}/work-orders"):
        time.sleep(0.2)
    platform.move_clock(NEW_YEAR)  # for those whose turn did not come
    platform.settle()


def _at_rest(platform: Platform) -> Figures:
    """An ordinary day: what a command, a list, the state of the installation and a look at the clock take."""
    client = platform.client
    hall = f"/facilities/{client.rows('/facilities')[-1]['facility_id']}"
    requests = (f"r-{number}" for number in range(1000))

    def report() -> None:
        platform.send(f"{hall}/work-requests", {"request_id": next(requests), "description": "渗漏"})

    return {
        "command, ms": _milliseconds(report, 20),
        "list, ms": _milliseconds(lambda: client.get(f"{hall}/work-orders"), 20),
        "/health, ms": _milliseconds(lambda: client.get("/health"), 5),
        "/installation, ms": _milliseconds(lambda: client.get("/installation"), 5),
        "look at the clock, s": took(lambda: platform.move_clock(A_MINUTE_LATER)),
        "idle, % of a processor": 100 * _idle(platform),
        "memory, MiB": platform.memory(),
        "disk, MiB": platform.disk(),
    }


def _idle(platform: Platform) -> float:
    platform.settle()
    return platform.processor(IDLE_SECONDS)


def _milliseconds(do: Callable[[], object], times: int) -> float:
    return 1000 * median(took(do) for _ in range(times))
