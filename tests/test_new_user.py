"""The way of a new user, through the command line and the API: from an empty installation to a month that can be shown."""

import http.client
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest
from PIL import Image

from tests.api import KEY, SIGNED_IN
from tests.conftest import Start, run_xunjian
from tests.processes import Platform

HALL = {
    "facility_id": "hall",
    "name": "新区政务服务中心",
    "uscc": "11530121MB198972XH",
    "region_code": "530114",
    "timezone": "Asia/Shanghai",
}
SHUTTERS = {
    "system_id": "fire-shutters",
    "name": "防火卷帘",
    "category": "fire-safety",
    "commissioned_on": "2026-01-01",
}
MONTHLY = {
    "plan_item_id": "shutters",
    "system_id": "fire-shutters",
    "activity": "inspection",
    "rrule": "FREQ=MONTHLY;BYMONTHDAY=1",
    "workdays": "ignore",
    "assignee": "user:li",
}
POINTS = 21
MARCH = "wo:shutters:2026-03:1"
HOME = f"/work-orders/{MARCH}"


class Office:
    """Somebody who sends one command after the other, at the time on the wall."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.now = "2026-01-20T09:00:00+08:00"
        self._sent = 0

    def tell(self, path: str, body: dict[str, Any], actor: str = "user:boss", role: str = "manager") -> Any:
        """A command that is carried out."""
        status, answer = self.try_to(path, body, actor, role)
        assert status == 200, answer
        return answer

    def try_to(self, path: str, body: Any, actor: str = "user:boss", role: str = "manager") -> tuple[int, Any]:
        """A command, and how it is answered."""
        self._sent += 1
        headers = {
            "Idempotency_Key": f"k-{self._sent}",
            "X_Actor": actor,
            "X_Roles": role,
            "X_Simulated_Time": self.now,
        }
        return self.platform.api.once("POST", f"/facilities/hall{path}" if path else "/facilities", body, **headers)

    def ask(self, path: str, **query: str) -> Any:
        """A question."""
        return self.platform.api.get(f"/facilities/hall{path}", **query)

    def send_file(self, path: str, content: bytes, media_type: str) -> tuple[int, Any]:
        """A file."""
        with connection(self.platform.port) as http_:
            http_.request("POST", f"/v1/facilities/hall{path}", content, SIGNED_IN | {"Content-Type": media_type})
            response = http_.getresponse()
            return response.status, orjson.loads(response.read())

    def file(self, path: str) -> tuple[str, bytes]:
        """A file that is asked for: its media type and bytes."""
        with connection(self.platform.port) as http_:
            http_.request("GET", f"/v1/facilities/hall{path}", headers=SIGNED_IN)
            response = http_.getresponse()
            content = response.read()
            assert response.status == 200, content
            return str(response.headers["Content-Type"]), content

    def move_clock(self, now: str) -> None:
        """Let time pass, once all that was done has arrived."""
        self.platform.settle()
        self.now = now
        self.platform.api.post("/simulation/clock", {"now": now}, f"clock:{now}")
        self.platform.settle()


@contextmanager
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    opened = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    yield opened
    opened.close()


@pytest.fixture
def office(start: Start) -> Iterator[Office]:
    with start() as platform:
        yield Office(platform)


def points_sheet(path: Path, last_low: str = "0.5") -> Path:
    """A CSV sheet of the shutters' points, as an office would fill it in."""
    head = (
        "point_id,system_id,equipment,label,location,unit,low,high,design,low_percent,"
        "maker,model,serial,supplier,installed_on,warranty_until"
    )
    rows = [
        f"shutter-{n:02},fire-shutters,防火卷帘门,{n}号卷帘门,{'一层' if n < POINTS else '二层'},s,"
        f"{'0.5' if n < POINTS else last_low},30,,,昆明卷帘厂,,JL-{n:03},,2025-11-02,2027-11-01"
        for n in range(1, POINTS + 1)
    ]
    path.write_text("\n".join([head, *rows]))
    return path


def picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), "grey").save(drawn, "JPEG")
    return drawn.getvalue()


def result(point: int, **found: Any) -> dict[str, Any]:
    return {"point_id": f"shutter-{point:02}", "outcome": "normal", **found}


def test_from_an_empty_installation_to_a_month_that_can_be_shown(office: Office, tmp_path: Path) -> None:
    points_come_by_a_sheet_that_is_looked_over_first(office, tmp_path)
    a_plan_shows_first_what_it_would_do(office)
    office.move_clock("2026-03-02T08:30:00+08:00")
    mending = a_round_is_made_in_two_goes_and_names_what_it_left_out(office)
    the_supervisor_returns_it_and_accepts_it_and_the_doer_may_not(office)
    office.move_clock("2026-04-02T09:00:00+08:00")
    the_fault_is_linked_both_ways_and_shown_in_the_next_round(office, mending)
    what_happened_can_be_shown(office)


def points_come_by_a_sheet_that_is_looked_over_first(office: Office, folder: Path) -> None:
    url = ("--facility", "hall", "--url", f"http://127.0.0.1:{office.platform.port}")
    office.tell("", HALL, role="admin")
    office.tell("/systems", SHUTTERS)

    wrong = run_xunjian("assets", "import", points_sheet(folder / "wrong.csv", last_low="halb"), *url, XUNJIAN_KEY=KEY)
    assert wrong.returncode == 2
    assert "row 22, column low" in wrong.stderr, wrong.stderr

    sheet = points_sheet(folder / "points.csv")
    looked_over = run_xunjian("assets", "import", sheet, *url, "--dry-run", XUNJIAN_KEY=KEY)
    assert looked_over.returncode == 0, looked_over.stderr
    assert office.ask("/points") == []

    imported = run_xunjian("assets", "import", sheet, *url, XUNJIAN_KEY=KEY)
    assert imported.returncode == 0, imported.stderr
    assert [point["label"] for point in office.ask("/points", q="二层")] == ["21号卷帘门"]


def a_plan_shows_first_what_it_would_do(office: Office) -> None:
    office.platform.settle()
    plan = {"plan_id": "plan-2026", "year": 2026, "items": [MONTHLY]}

    shown = office.tell("/plans", {**plan, "dry_run": True})

    assert len(shown["added"]) == 12
    assert office.ask("/plans") == []
    office.tell("/plans", plan)


def a_round_is_made_in_two_goes_and_names_what_it_left_out(office: Office) -> str:
    due = {"due_before": "2026-04-02T00:00:00+08:00", "sort": "-due_at", "limit": "1"}
    (order,) = office.ask("/work-orders", assignee="user:li", status="assigned", **due)
    assert (order["work_order_id"], order["window_end"]) == (MARCH, "2026-03-31")
    office.tell(f"{HOME}/start", {"at": office.now}, "user:li", "inspector")

    status, kept = office.send_file("/photos", picture(), "image/jpeg")
    assert status == 200
    assert office.send_file("/photos", b"<script>", "image/jpeg")[0] == 422
    first = [result(n, reading="12.5", unit="s") for n in range(1, 11)]
    office.tell(f"{HOME}/inspect", {"results": first}, "user:li", "inspector")
    fault = result(11, outcome="fault", note="卡在半途", photos=[kept["sha256"]])
    rest = [fault, *(result(n) for n in range(12, POINTS))]
    (mending,) = office.tell(f"{HOME}/inspect", {"results": rest}, "user:li", "inspector")["opened"]

    assert office.ask(f"{HOME}/round")["unnamed"] == ["shutter-21"]
    status, refusal = office.try_to(f"{HOME}/perform", {"performed_at": office.now}, "user:li", "inspector")
    assert (status, "shutter-21" in refusal["detail"]) == (422, True)
    done = {"performed_at": office.now, "omitted_point_ids": ["shutter-21"]}
    office.tell(f"{HOME}/perform", done, "user:li", "inspector")
    return str(mending)


def the_supervisor_returns_it_and_accepts_it_and_the_doer_may_not(office: Office) -> None:
    office.tell(f"{HOME}/return", {"reason": "21号卷帘门漏检"}, "user:zhao", "supervisor")
    office.tell(f"{HOME}/inspect", {"results": [result(21)]}, "user:li", "inspector")
    office.tell(f"{HOME}/perform", {"performed_at": office.now}, "user:li", "inspector")

    assert office.try_to(f"{HOME}/accept", {}, "user:li", "supervisor")[0] == 409
    assert office.try_to(f"{HOME}/accept", {}, "user:sun", "finance")[0] == 403
    office.tell("/work-orders/accept", {"work_order_ids": [MARCH]}, "user:zhao", "supervisor")


def the_fault_is_linked_both_ways_and_shown_in_the_next_round(office: Office, mending: str) -> None:
    assert office.ask(HOME)["caused"] == [mending]
    corrective = office.ask(f"/work-orders/{mending}")
    assert (corrective["caused_by"], corrective["escalated"]) == (MARCH, 2)

    april = office.ask("/work-orders/wo:shutters:2026-04:1/round")["points"]

    faults = {point["point_id"]: point["open_fault"]["work_order_id"] for point in april if point["open_fault"]}
    assert faults == {"shutter-11": mending}


def what_happened_can_be_shown(office: Office) -> None:
    told = [event["type"].split(".")[1] for event in office.ask(f"{HOME}/history")]
    assert told[0] == "work_order_opened"
    assert told[-3:] == ["points_inspected", "work_performed", "work_accepted"]

    media_type, content = office.file(f"{HOME}/record.xlsx")
    assert media_type.startswith("application/vnd.openxmlformats")
    words = {str(cell) for row in openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].values for cell in row}
    assert any("模拟" in word for word in words)
    assert any("防火卷帘门" in word for word in words)

    assert office.file("/labels")[1].count(b"<svg") == POINTS
    assert office.file("/calendar.ics?assignee=user:li")[1].count(b"BEGIN:VEVENT") == 12


def test_what_was_slept_through_is_missed_all_the_same(office: Office, tmp_path: Path) -> None:
    office.tell("", HALL, role="admin")
    office.tell("/systems", SHUTTERS)
    office.tell(
        "/systems/fire-shutters/points", {"equipment": "防火卷帘门", "points": [{"point_id": "s-1", "label": "1"}]}
    )
    office.platform.settle()
    office.tell("/plans", {"plan_id": "plan-2026", "year": 2026, "items": [MONTHLY]})
    office.move_clock("2026-03-02T08:30:00+08:00")

    for process in list(office.platform.processes):
        office.platform.kill(process)
    for process in list(office.platform.processes):
        office.platform.restart(process)
    office.platform.wait_until(office.platform.answers, "every service answers again")
    office.move_clock("2026-06-10T08:30:00+08:00")

    missed = office.ask("/occurrences", status="missed")
    assert [occurrence["period"] for occurrence in missed] == [f"2026-0{month}" for month in range(1, 6)]
    excuse = {"reason": "停电"}
    assert office.try_to(f"/occurrences/{missed[0]['occurrence_id']}/excuse", excuse, "user:li", "manager")[0] == 409
    assert (
        office.try_to(f"/occurrences/{missed[0]['occurrence_id']}/excuse", excuse, "user:zhao", "supervisor")[0] == 403
    )
    office.tell(f"/occurrences/{missed[0]['occurrence_id']}/excuse", excuse)
    (year,) = office.ask("/years/2026")["systems"]
    states = {month["period"]: [one["status"] for one in month["occurrences"]] for month in year["months"]}
    assert (states["2026-01"], states["2026-06"], states["2026-12"]) == (["missed"], ["planned"], ["expected"])
