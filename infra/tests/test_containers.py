"""The platform in containers, as `make up` brings it up: `make test-containers`, about two minutes, docker needed."""

import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from shared.config import SERVICES
from tests.api import Api
from tests.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
OURS = (*SERVICES, "gateway")
FACILITY = "/facilities/chenggong-hall"
PATIENCE_SECONDS = 60
MARCH = "2021-03-15T08:00:00+08:00"


class Containers:
    """One simulated installation of its own, beside whatever else runs on this machine."""

    def __init__(self, folder: Path) -> None:
        self.project = f"xunjian-test-{secrets.token_hex(4)}"
        self.port = free_port()
        self.env_file = folder / "passwords.env"
        self._environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": self.project,
            "XUNJIAN_ENV_FILE": str(self.env_file),
            "XUNJIAN_PORT": str(self.port),
            "XUNJIAN_SIMULATED": "true",
        }

    @property
    def key(self) -> str:
        """The operator's key, which `infra/compose up` has made."""
        lines = self.env_file.read_text().splitlines()
        return next(line.split("=")[1] for line in lines if line.startswith("XUNJIAN_OPERATOR_KEY="))

    @property
    def api(self) -> Api:
        """The API, under the operator's key."""
        return Api(self.port, self.key)

    def compose(self, *arguments: str) -> str:
        """Run infra/compose; what it printed."""
        return self._run(str(ROOT / "infra" / "compose"), *arguments)

    def xunjian(self, *arguments: str) -> str:
        """Run the command line, against the published port."""
        url = f"http://127.0.0.1:{self.port}"
        return self._run(sys.executable, "-m", "services.cli", *arguments, "--url", url)

    def container(self, service: str) -> Any:
        """The one container of a service."""
        return docker.from_env().containers.get(self.compose("ps", "--quiet", service).strip())

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for a condition."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < give_up, (
                f"waited {PATIENCE_SECONDS} s until {what}\n{self.compose('logs')[-5000:]}"
            )
            time.sleep(0.2)

    def settle(self) -> None:
        """Wait until every event was applied everywhere."""
        self.wait_until(lambda: self.api.once("GET", "/installation")[1]["settled"], "all is settled")

    def score(self) -> Any:
        """The year as it stands on 10 March."""
        return self.api.get(f"{FACILITY}/assessments/2021", as_of="2021-03-10")

    def _run(self, *command: str) -> str:
        known = {"XUNJIAN_KEY": self.key} if self.env_file.exists() else {}
        environment = self._environment | known
        finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """Up with the demo project loaded and its clock in March; gone afterwards with all its data."""
    installation = Containers(tmp_path_factory.mktemp("containers"))
    try:
        installation.compose("up")
        installation.xunjian("load", "projects/chenggong-2021")
        for day in ("2021-01-20T08:00:00+08:00", "2021-02-20T08:00:00+08:00", MARCH):
            installation.api.post("/simulation/clock", {"now": day}, key=day)
        installation.settle()
        yield installation
    finally:
        installation.compose("down", "--volumes", "--timeout", "3")


def test_the_loaded_project_is_scored_through_the_published_port(containers: Containers) -> None:
    score = containers.score()

    missed = [one["period"] for one in score["indicators"][0]["deductions"] if one["reason"] == "missed_inspection"]
    assert len(score["indicators"]) == 10
    assert missed == ["2021-01", "2021-02"]


def test_only_the_gateway_is_open_and_only_to_this_machine(containers: Containers) -> None:
    opened = {
        (service, published["HostIp"], published["HostPort"])
        for service in (*OURS, "postgres", "rabbitmq")
        for bindings in containers.container(service).attrs["NetworkSettings"]["Ports"].values()
        for published in bindings or ()
    }

    assert opened == {("gateway", "127.0.0.1", str(containers.port))}


@pytest.mark.parametrize("service", OURS)
def test_a_service_may_do_no_more_than_it_must(containers: Containers, service: str) -> None:
    container = containers.container(service)

    assert container.exec_run(["id", "-u"]).output == b"10001\n"
    assert container.exec_run(["touch", "/app/anything"]).exit_code != 0
    assert container.exec_run(["grep", "CapEff", "/proc/1/status"]).output.split()[1] == b"0000000000000000"


def test_a_service_opens_no_database_but_its_own(containers: Containers) -> None:
    attempt = (
        "import os, psycopg;"
        "own = os.environ['XUNJIAN_DATABASE_SCHEDULING'].replace('+psycopg', '');"
        "psycopg.connect(own).close(); print('own');"
        "psycopg.connect(own.replace('/scheduling', '/scoring').replace('//scoring:', '//scheduling:'))"
    )

    exit_code, output = containers.container("scheduling").exec_run(["python", "-c", attempt])

    assert exit_code != 0
    assert output.startswith(b"own\n")
    assert b'permission denied for database "scoring"' in output


def test_the_passwords_are_random_and_for_their_owner_only(containers: Containers) -> None:
    values = [line.split("=")[1] for line in containers.env_file.read_text().splitlines() if "=" in line]

    assert len(values) == len(set(values)) == 9
    assert min(map(len, values)) == 48
    assert containers.env_file.stat().st_mode & 0o777 == 0o600


def test_what_is_published_there_is_sealed_by_a_key_that_only_scoring_has(
    containers: Containers, tmp_path: Path
) -> None:
    year, id_ = f"{FACILITY}/assessments/2021", f"{FACILITY}/assessments/assessment-2021"
    lacking = [one["code"] for one in containers.api.get(f"{year}/missing", as_of="2021-02-28")]
    for who in ("user:zhao", "user:qian"):
        signed = {"as_of": "2021-02-28", "acknowledged": lacking}
        containers.api.post(f"{id_}/sign", signed, key=f"sign:{who}", actor=who)
    containers.api.post(f"{id_}/publish", {}, key="publish")
    files = {"b.zip": f"{year}/bundle.zip", "key.pem": "/seal-key.pem", "report.pdf": f"{year}/self-assessment.pdf"}
    for name, path in files.items():
        address = f"http://127.0.0.1:{containers.port}/v1{path}"
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {containers.key}"})
        (tmp_path / name).write_bytes(urllib.request.urlopen(request, timeout=PATIENCE_SECONDS).read())

    command = [sys.executable, "-m", "services.cli", "audit", "check", "b.zip", "--key", "key.pem"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    checked = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    mode = containers.container("scoring").exec_run(["stat", "-c", "%a %u", "/var/lib/xunjian/seal.pem"]).output
    assert mode.split() == [b"600", b"10001"]


def test_the_first_account_is_made_by_the_link_that_the_platform_prints(containers: Containers) -> None:
    printed = containers.compose("first-link")
    code = printed.strip().rpartition("code=")[2]
    account = {"code": code, "username": "admin", "display_name": "管理员", "password": "correct horse battery"}

    status, session = Api(containers.port, "").once("POST", "/accounts/first", account)

    assert status == 200, session
    assert Api(containers.port, session["token"]).get("/session")["roles"] == {"*": ["admin"]}


def test_a_service_that_is_killed_is_missed_and_comes_back_with_all_it_knew(containers: Containers) -> None:
    before = containers.score()
    killed = containers.container("work_orders")

    killed.kill()
    containers.wait_until(lambda: containers.api.once("GET", "/health")[0] == 503, "the service is missed")
    killed.start()
    containers.wait_until(lambda: containers.api.once("GET", "/health")[0] == 200, "every service answers")

    containers.settle()
    assert containers.score() == before


def test_what_was_recorded_outlives_the_containers(containers: Containers) -> None:
    before = containers.score()

    containers.compose("down", "--timeout", "3")
    containers.compose("up")

    assert containers.score() == before
    assert containers.api.get("/installation")["now"] == "2021-03-15T00:00:00Z"
