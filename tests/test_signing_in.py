"""People and systems of a real installation: how they get in, that they are who did it, and how they are kept out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.api import Api
from tests.conftest import run_xunjian
from tests.processes import Platform, embedded

FORM = "application/x-www-form-urlencoded"
PASSWORD = "correct horse battery"
HALL = {
    "name": "新区政务服务中心",
    "uscc": "11530121MB198972XH",
    "region_code": "530114",
    "timezone": "Asia/Shanghai",
}
SYSTEM = {"system_id": "water", "name": "给排水", "category": "water", "commissioned_on": "2020-01-01"}
POINTS = {"equipment": "水泵", "points": [{"point_id": "pump-1", "label": "1号泵"}]}


@dataclass
class Person:
    """Somebody with a session, or a system with a key."""

    port: int
    token: str

    @property
    def api(self) -> Api:
        """The API, under the token."""
        return Api(self.port, self.token)

    def tell(self, path: str, body: Any) -> Any:
        """A command that is carried out."""
        status, answer = self.try_to(path, body)
        assert status == 200, answer
        return answer

    def try_to(self, path: str, body: Any) -> tuple[int, Any]:
        """A command, and how it is answered."""
        return self.api.once("POST", path, body)


class Office:
    """A real installation with an administrator, two halls, and the people whom it lets in."""

    def __init__(self, platform: Platform, code: str) -> None:
        self.platform = platform
        self.code = code
        browser, page = requests.Session(), f"http://127.0.0.1:{platform.port}/welcome"
        first = {"code": code, "username": "admin", "display_name": "管理员", "password": PASSWORD}
        landed = browser.post(page, data=first, timeout=60)
        assert (landed.status_code, landed.json()["actor"]) == (200, "user:admin"), landed.text
        self.admin = Person(platform.port, str(browser.cookies["xunjian_session"]))
        for hall in ("hall", "other-hall"):
            self.admin.tell("/facilities", {"facility_id": hall, **HALL})
        self.admin.tell("/facilities/hall/systems", SYSTEM)
        self.admin.tell("/facilities/hall/systems/water/points", POINTS)
        platform.settle()

    def person(self, username: str, *roles: str, facility: str = "hall") -> Person:
        """A new account with roles in a hall, whose owner has chosen a password and signed in."""
        made = self.admin.tell("/accounts", {"username": username, "display_name": username})
        for role in roles:
            self.grant(username, role, facility)
        chosen = {"code": made["code"], "password": PASSWORD}
        status, session = Api(self.platform.port, "").once("POST", "/password/set", chosen)
        assert status == 200, session
        return Person(self.platform.port, session["token"])

    def grant(self, username: str, role: str, facility: str = "hall") -> None:
        """Give a role in a hall."""
        self.admin.tell(f"/facilities/{facility}/roles/grant", {"username": username, "role": role})

    def system(self, key_id: str, *roles: str, **terms: str) -> Person:
        """A system of others with a key and roles in the hall."""
        bound = [{"facility_id": "hall", "role": role} for role in roles]
        issued = self.admin.tell("/keys", {"key_id": key_id, "description": key_id, "roles": bound, **terms})
        return Person(self.platform.port, issued["secret"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("office")


@pytest.fixture(scope="module")
def office(folder: Path) -> Iterator[Office]:
    with embedded(folder, simulated=False) as platform:
        link = re.search(r"http://\S+/welcome\?code=(\S+)", (folder / "platform.log").read_text())
        assert link, "serve printed no link"
        yield Office(platform, link[1])


def test_who_signed_in_is_who_did_it(office: Office) -> None:
    li, zhao = office.person("li", "inspector"), office.person("zhao", "supervisor")
    order = "/facilities/hall/work-orders"
    job = {"kind": "maintenance", "system_id": "water", "point_ids": ["pump-1"], "priority": "normal"}
    id_ = li.tell(order, job)["work_order_id"]
    zhao.tell(f"{order}/{id_}/assign", {"assignee": "user:li"})
    now = "2026-01-05T09:00:00+08:00"
    li.tell(f"{order}/{id_}/start", {"at": now})
    li.tell(f"{order}/{id_}/inspect", {"results": [{"point_id": "pump-1", "outcome": "normal"}]})
    li.tell(f"{order}/{id_}/perform", {"performed_at": now})

    assert li.try_to(f"{order}/{id_}/accept", {})[0] == 403
    zhao.tell(f"{order}/{id_}/accept", {})

    history = zhao.api.get(f"{order}/{id_}/history")
    assert [event["actor"] for event in history] == ["user:li", "user:zhao", *3 * ["user:li"], "user:zhao"]
    assert history[-1]["data"]["accepted_by"] == "user:zhao"


def test_a_password_is_chosen_on_the_page_behind_the_code(office: Office) -> None:
    made = office.admin.tell("/accounts", {"username": "yu", "display_name": "于"})
    browser, page = requests.Session(), f"http://127.0.0.1:{office.platform.port}/password"

    shown = browser.get(page, params={"code": made["code"]}, timeout=60)
    short = browser.post(page, data={"code": made["code"], "password": "too<short"}, timeout=60)
    landed = browser.post(page, data={"code": made["code"], "password": PASSWORD}, timeout=60)
    again = requests.post(page, data={"code": made["code"], "password": PASSWORD}, timeout=60)

    assert f'name="code" value="{made["code"]}"' in shown.text
    assert "script" not in shown.headers["Content-Security-Policy"]
    assert short.status_code == 422
    assert "密码须为12至200个字符" in short.text
    assert "too" not in short.text
    assert (landed.status_code, landed.json()["actor"]) == (200, "user:yu")
    assert (again.status_code, "链接无效" in again.text) == (401, True)


def test_what_was_typed_on_a_page_is_kept_but_for_the_password(office: Office) -> None:
    page = f"http://127.0.0.1:{office.platform.port}/welcome"
    typed = {"code": '"><b>', "username": "Wrong Name", "display_name": "<i>于</i>", "password": PASSWORD}

    answer = requests.post(page, data=typed, timeout=60)
    broken = requests.post(page, data=b"code=%ff&code=2", headers={"Content-Type": FORM}, timeout=60)

    assert answer.status_code in (401, 422)
    assert 'value="Wrong Name"' in answer.text
    assert "&lt;i&gt;于&lt;/i&gt;" in answer.text
    assert "<b>" not in answer.text
    assert PASSWORD not in answer.text
    assert (broken.status_code, broken.headers["Content-Type"]) == (400, "application/problem+json")


def test_nobody_sees_another_hall(office: Office) -> None:
    sun = office.person("sun", "manager", facility="other-hall")

    assert [hall["facility_id"] for hall in sun.api.get("/facilities")] == ["other-hall"]
    for path in ("/facilities/hall/systems", "/facilities/hall/work-orders", "/facilities/nowhere/systems"):
        status, problem = sun.api.once("GET", path)
        assert (status, problem["type"]) == (403, "urn:xunjian:problem:forbidden")
    assert sun.try_to("/facilities/hall/systems", {**SYSTEM, "system_id": "gas"})[0] == 403
    assert sun.api.once("GET", "/events?facility=hall")[0] == 403
    assert sun.api.get("/events", facility="other-hall")[0]["event"]["facility"] == "other-hall"


def test_a_role_that_is_taken_is_gone_at_once(office: Office) -> None:
    wu = office.person("wu", "finance")
    assert wu.api.once("GET", "/facilities/hall/costs")[0] == 200

    office.admin.tell("/facilities/hall/roles/revoke", {"username": "wu", "role": "finance"})

    assert wu.api.once("GET", "/facilities/hall/costs")[0] == 403
    assert wu.api.get("/session")["roles"] == {}


def test_an_account_that_is_closed_is_shut_out_at_once(office: Office) -> None:
    he = office.person("he", "finance")

    office.admin.tell("/accounts/he/disable", {"reason": "离职"})

    assert he.api.once("GET", "/session")[0] == 401
    again = {"username": "he", "password": PASSWORD}
    assert Api(office.platform.port, "").once("POST", "/session", again)[0] == 401


def test_who_signs_out_is_out(office: Office) -> None:
    office.person("ma", "finance")
    status, session = Api(office.platform.port, "").once("POST", "/session", {"username": "ma", "password": PASSWORD})
    ma = Person(office.platform.port, session["token"])
    assert (status, ma.api.get("/session")["actor"]) == (200, "user:ma")

    assert ma.api.once("DELETE", "/session")[0] == 200

    assert ma.api.once("GET", "/session")[0] == 401


def test_a_system_comes_by_its_key_until_that_is_revoked(office: Office) -> None:
    finance = office.system("finance-system", "integrator")
    cost = {"cost_id": "c-1", "amount": "120.00", "category": "service", "incurred_on": "2026-01-05"}

    finance.tell("/facilities/hall/costs", cost)
    assert finance.try_to("/facilities/hall/costs/c-1/reverse", {"reason": "误"})[0] == 200
    assert finance.try_to("/facilities/hall/incidents/i-1/confirm", {})[0] == 403
    office.admin.tell("/keys/finance-system/revoke", {"reason": "换新"})

    assert finance.try_to("/facilities/hall/costs", {**cost, "cost_id": "c-2"})[0] == 401
    actors = {
        one["event"]["actor"]
        for one in office.admin.api.get("/events", facility="hall", types="work_orders.cost_recorded.v1")
    }
    assert actors == {"system:finance-system"}


def test_an_admin_of_one_hall_gives_roles_there_only(office: Office) -> None:
    qian = office.person("qian", "admin")
    office.person("new")

    qian.tell("/facilities/hall/roles/grant", {"username": "new", "role": "inspector"})

    for path in ("/facilities/other-hall/roles/grant", "/roles/grant"):
        body = {"username": "new", "role": "inspector"} | ({"facility_id": "*"} if path == "/roles/grant" else {})
        assert qian.try_to(path, body)[0] == 403
    assert (
        qian.try_to("/facilities/hall/roles/grant", {"username": "new", "role": "admin", "facility_id": "*"})[0] == 422
    )
    assert qian.try_to("/accounts", {"username": "friend", "display_name": "友"})[0] == 403


def test_the_same_key_of_two_requests_is_one_command(office: Office) -> None:
    zhou = office.person("zhou", "finance")
    cost = {"cost_id": "c-9", "amount": "1.00", "category": "other", "incurred_on": "2026-01-06"}
    answers = [zhou.api.once("POST", "/facilities/hall/costs", cost, Idempotency_Key="k-9") for _ in range(2)]

    assert answers[0] == answers[1]
    other = {**cost, "amount": "2.00"}
    status, problem = zhou.api.once("POST", "/facilities/hall/costs", other, Idempotency_Key="k-9")
    assert (status, problem["type"]) == (409, "urn:xunjian:problem:conflict")


def test_a_stale_precondition_changes_nothing(office: Office) -> None:
    wang, he = office.person("wang", "supervisor"), office.person("hu", "supervisor")
    order = "/facilities/hall/work-orders"
    job = {"kind": "corrective", "system_id": "water", "point_ids": ["pump-1"], "priority": "normal"}
    id_ = wang.tell(order, job)["work_order_id"]

    seen = '"1"'
    assert wang.api.once("POST", f"{order}/{id_}/assign", {"assignee": "user:li"}, If_Match=seen)[0] == 200
    status, problem = he.api.once("POST", f"{order}/{id_}/assign", {"assignee": "user:wu"}, If_Match=seen)

    assert (status, problem["type"]) == (412, "urn:xunjian:problem:stale")
    assert wang.api.get(f"{order}/{id_}")["assignee"] == "user:li"


def test_whoever_came_or_was_refused_stands_in_the_log_and_no_secret_does(office: Office, folder: Path) -> None:
    guest = office.person("guest")
    assert guest.api.once("GET", "/facilities/hall/systems")[0] == 403
    assert Api(office.platform.port, "xs_" + 43 * "A").once("GET", "/session")[0] == 401
    wrong = {"username": "guest", "password": "not the one that it is"}
    assert Api(office.platform.port, "").once("POST", "/session", wrong)[0] == 401

    log = office.admin.api.get("/access-log", limit="10")
    told = {(entry["event"], entry["actor"]) for entry in log}
    assert {("access_refused", "user:guest"), ("signed_in", "user:guest")} <= told
    assert sum(entry["event"] == "sign_in_refused" for entry in log) >= 2
    written = (folder / "data" / "access.db").read_bytes() + (folder / "platform.log").read_bytes()
    written += (folder / "data" / "access.db-wal").read_bytes()
    for secret in (guest.token, office.admin.token, PASSWORD, "not the one that it is"):
        assert secret.encode() not in written


def test_the_audit_holds_with_people_in_it(office: Office, folder: Path) -> None:
    audited = run_xunjian("audit", "verify", "--data", folder / "data")

    assert audited.returncode == 0, audited.stdout + audited.stderr
