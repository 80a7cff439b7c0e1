"""The platform in containers, as `make up` brings it up: `make compose-test`; docker needed."""

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from infra.tests.containers import FACILITY, ROOT, Containers
from shared.config import SERVICES
from tests.api import Api

OURS = (*SERVICES, "gateway")
PATIENCE_SECONDS = 60
MARCH = "2021-03-15T08:00:00+08:00"


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


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_opens_no_database_but_its_own_and_changes_no_event_there(
    containers: Containers, service: str
) -> None:
    exit_code, output = containers.container(service).exec_run(["python", "-c", _ATTEMPTS, service, *SERVICES])

    assert exit_code == 0, output
    assert output.decode().splitlines() == [
        *(f"{other}: permission denied for database" for other in (*SERVICES, "postgres") if other != service),
        *3 * ["permission denied for table event"],
        "must be owner of relation event",
        "must be owner of table event",
        "permission denied for schema public",
    ]


_ATTEMPTS = """
import os, pathlib, sys
import psycopg

service, *services = sys.argv[1:]
own = os.environ[f"XUNJIAN_DATABASE_{service.upper()}"].replace("+psycopg", "")
password = pathlib.Path("/run/secrets/database_password").read_text()
for other in (*services, "postgres"):
    if other != service:
        try:
            psycopg.connect(own.rpartition("/")[0] + "/" + other, password=password).close()
        except psycopg.OperationalError as fault:
            print(f"{other}: permission denied for database" if "permission denied for database" in str(fault) else fault)
with psycopg.connect(own, password=password, autocommit=True) as connection:
    for statement in (
        "UPDATE event SET hash = ''",
        "DELETE FROM event",
        "TRUNCATE event",
        "DROP TRIGGER event_append_only ON event",
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "CREATE TABLE another (a int)",
    ):
        try:
            connection.execute(statement)
        except psycopg.Error as fault:
            print(str(fault).splitlines()[0])
"""


def test_the_secrets_are_random_and_for_their_owner_only_and_stand_in_no_environment(containers: Containers) -> None:
    files = {file.name: file.read_text() for file in containers.secrets.iterdir() if file.stat().st_size}
    environments = [
        containers.compose("exec", "-T", service, "env") + str(containers.container(service).attrs["Config"])
        for service in (*OURS, "postgres", "rabbitmq")
    ]

    secret = [value for name, value in files.items() if name != "broker.conf"]
    assert len(secret) == len(set(secret)) > len(SERVICES)
    assert min(map(len, secret)) == 48
    assert containers.secrets.stat().st_mode & 0o777 == 0o700
    assert [value for value in secret for environment in environments if value in environment] == []


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
    address, _, code = printed.strip().rpartition("?code=")
    account = {"code": code, "username": "admin", "display_name": "管理员", "password": "correct horse battery"}

    status, session = Api(containers.port, "").once("POST", "/accounts/first", account)

    assert address == f"http://127.0.0.1:{containers.port}/welcome"
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


def test_what_went_with_its_disk_is_restored_to_the_very_moment(containers: Containers) -> None:
    containers.backup("base")
    containers.accident("before")
    before, moment = containers.score(), containers.sql("SELECT clock_timestamp()")
    containers.accident("after")
    assert containers.score() != before
    segment = containers.sql("SELECT pg_walfile_name(pg_switch_wal())")
    kept = f"SELECT last_archived_wal >= '{segment}' FROM pg_stat_archiver"
    containers.wait_until(lambda: containers.sql(kept) == "t", "the log is in the backup")

    containers.compose("rm", "--stop", "--force", "postgres")
    docker.from_env().volumes.get(f"{containers.project}_postgres").remove()
    printed = containers.backup("restore", "--to", moment)

    containers.settle()
    assert containers.score() == before
    assert f"and what followed to {moment}" in printed
    assert f"held: {len(SERVICES)} services, " in printed
    containers.accident("after")
    assert containers.score() != before


def test_a_moment_that_cannot_be_restored_is_refused_and_what_was_there_goes_on(containers: Containers) -> None:
    before = containers.score()

    with pytest.raises(AssertionError, match=r"no base backup in|has no base backup that was whole by 20000101T"):
        containers.backup("restore", "--to", "2000-01-01 00:00:00Z")
    with pytest.raises(AssertionError, match="with its offset"):
        containers.backup("restore", "--to", "2000-01-01 00:00:00")
    containers.compose("up", "--no-build")

    assert containers.score() == before


def test_an_installation_of_before_keeps_its_passwords_and_its_data(containers: Containers) -> None:
    before, secrets_ = containers.score(), {file.name: file.read_text() for file in containers.secrets.iterdir()}
    for service in SERVICES:  # each role owned its database
        containers.sql(f"REASSIGN OWNED BY migrator TO {service}", service)
    containers.sql("; ".join(f"ALTER DATABASE {service} OWNER TO {service}" for service in SERVICES))
    containers.compose("stop")
    flat = "mv /var/lib/postgresql/data/cluster/* /var/lib/postgresql/data/ && rmdir /var/lib/postgresql/data/cluster"
    containers.compose("run", "--rm", "--no-deps", "-T", "--entrypoint", "bash", "postgres", "-c", flat)
    passwords = {name.removeprefix("database_"): value for name, value in secrets_.items() if "database_" in name}
    passwords |= {"rabbitmq": secrets_["broker_password"]}
    lines = [f"XUNJIAN_PASSWORD_{name.upper()}={value}" for name, value in passwords.items() if name != "migrator"]
    containers.settings.write_text(
        "\n".join([*lines, f"XUNJIAN_OPERATOR_KEY={secrets_['operator_key']}", "XUNJIAN_LOG_LEVEL=INFO\n"])
    )
    containers.secrets.rename(containers.secrets.with_name("elsewhere"))

    containers.compose("up", "--no-build")

    now = {file.name: file.read_text() for file in containers.secrets.iterdir()}
    assert {name for name in secrets_ if now[name] != secrets_[name]} <= {"database_migrator", "grafana_password"}
    assert containers.settings.read_text() == "XUNJIAN_LOG_LEVEL=INFO\n"
    assert containers.score() == before
    owners = containers.sql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'", "scoring")
    assert owners == "migrator"


def test_the_file_is_taken_by_every_compose_that_is_there() -> None:
    compose = [command for command in (["docker", "compose"], ["docker-compose"]) if _answers(*command, "version")]

    assert compose
    for command in compose:
        with_monitoring = [*command, "--profile", "monitoring", "config", "--quiet"]
        found = subprocess.run(with_monitoring, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (found.returncode, found.stderr) == (0, ""), command


def _answers(*command: str) -> bool:
    return bool(shutil.which(command[0])) and subprocess.run(command, capture_output=True, check=False).returncode == 0
