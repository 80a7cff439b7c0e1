"""What keeps a service from starting is said in one line if it is for good, and waited for if it is not."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import eventlet
import orjson
import pytest
from sqlalchemy import inspect, make_url, text

from services.configuration_page import page
from services.needs import missing_broker, missing_database
from services.waiting import Waiting
from shared.database import Database
from shared.errors import Invalid, Rejected
from shared.installation import clock_of
from shared.tests.between import Between, between
from tests.conftest import run_xunjian
from tests.processes import ROOT, free_port

SERVICE = "scheduling"


def config_of(database: str, broker: str = "amqp://127.0.0.1:1//", **settings: Any) -> dict[str, Any]:
    """The settings of one service."""
    return {"AMQP_URI": broker, "DATABASES": {SERVICE: database}, **settings}


def other(url: str, **parts: str) -> str:
    """The same address, but for some of its parts."""
    return make_url(url).set(**parts).render_as_string(hide_password=False)


def tables(url: str) -> list[str]:
    """The tables of a database."""
    with closing(Database(url)) as database, database.read() as connection:
        return list(inspect(connection).get_table_names())


@contextmanager
def answering(said: bytes) -> Iterator[str]:
    """The address of something that listens, and says only this."""
    listener = eventlet.listen(("127.0.0.1", 0))

    def answer(peer: Any, _: Any) -> None:
        peer.recv(100)
        peer.sendall(said)

    serving = eventlet.spawn(eventlet.serve, listener, answer)
    yield f"amqp://127.0.0.1:{listener.getsockname()[1]}//"
    serving.kill()
    listener.close()


def test_the_page_of_settings_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text() == page(), "make catalogue writes it anew"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            {"password": "not-this"},
            "refused the password of .*; expected the right one in XUNJIAN_DATABASE_PASSWORD_FILE",
        ),
        (
            {"password": ""},
            "asks for the password of .*, and none is set; expected it in XUNJIAN_DATABASE_PASSWORD_FILE",
        ),
        ({"database": "no_such_one"}, "there is no database 'no_such_one' at .*: CREATE DATABASE no_such_one, or name"),
    ],
)
def test_a_database_that_will_not_do_is_told_with_what_was_expected(
    postgres_url: str, parts: dict[str, str], said: str
) -> None:
    with pytest.raises(Invalid, match=rf"^DATABASES.scheduling \(XUNJIAN_DATABASE_SCHEDULING\): .*{said}") as told:
        missing_database(config_of(other(postgres_url, **parts)), SERVICE)

    assert "not-this" not in str(told.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            r"^(amqp://[^:]+):[^@]+@",
            r"\1:not-this@",
            "the broker refused user '.*'; expected its password in XUNJIAN_BR",
        ),
        (
            r"/[^/]+$",
            "/no_such_one",
            "may not use the virtual host 'no_such_one', .*: rabbitmqctl add_vhost no_such_one",
        ),
    ],
)
def test_a_broker_that_does_not_let_us_in_is_told_with_what_was_expected(
    amqp_url: str, old: str, new: str, said: str
) -> None:
    with pytest.raises(Invalid, match=rf"^AMQP_URI \(XUNJIAN_AMQP_URI\): 127.0.0.1:\d+: .*{said}") as told:
        missing_broker({"AMQP_URI": re.sub(old, new, amqp_url)})

    assert "not-this" not in str(told.value)


@pytest.mark.parametrize("version", ["3.9", "5.0"])
def test_a_rabbitmq_of_a_version_that_is_not_known_to_do_is_refused(amqp_url: str, version: str) -> None:
    def pretend(said: bytes) -> bytes:
        return re.sub(
            rb"(?<=\x07versionS\0\0\0.)[0-9.]+", lambda real: version.encode().ljust(len(real[0]), b"."), said
        )

    with (
        between(amqp_url, pretend) as broker,
        pytest.raises(Invalid, match=rf"is RabbitMQ {version}\.*; expected RabbitMQ from 3.10 to 4.x: name another"),
    ):
        missing_broker({"AMQP_URI": broker.address})

    assert missing_broker({"AMQP_URI": amqp_url}) is None


def test_something_else_on_the_brokers_port_is_refused() -> None:
    refused = pytest.raises(Invalid, match="something answers that is no AMQP 0-9-1 broker; expected RabbitMQ")

    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address, refused:
        missing_broker({"AMQP_URI": address})


def test_what_is_only_not_there_yet_is_no_fault(postgres_url: str) -> None:
    nobody = free_port()

    assert "refused" in str(missing_broker({"AMQP_URI": f"amqp://me:mine@127.0.0.1:{nobody}//"})).lower()
    assert "refused" in str(missing_database(config_of(other(postgres_url, port=nobody)), SERVICE)).lower()  # type: ignore[arg-type]
    assert missing_database(config_of(postgres_url), SERVICE) is None


def test_a_database_of_a_newer_schema_or_of_the_other_kind_is_refused_and_stays_as_it_is(
    amqp_url: str, postgres_url: str
) -> None:
    with closing(Database(postgres_url)) as database:
        database.migrate(SERVICE)
        clock_of(database, simulated=False)

        with pytest.raises(Rejected, match="a real installation and cannot be run as a simulated one"):
            Waiting(config_of(postgres_url, amqp_url, SIMULATED=True), SERVICE).wait()
        with database.write() as connection:
            connection.execute(text("INSERT INTO alembic_version VALUES ('ledger_9999')"))
        with pytest.raises(Rejected, match=r"newer schema .*ledger_9999"):
            Waiting(config_of(postgres_url, amqp_url), SERVICE).wait()

        assert [row.simulated for row in database.rows(text("SELECT simulated FROM installation"))] == [False]


def test_a_process_that_cannot_start_says_so_in_one_line_and_writes_nothing(amqp_url: str, postgres_url: str) -> None:
    environment = {"XUNJIAN_DATABASE_SCHEDULING": postgres_url, "XUNJIAN_AMQP_URI": f"{amqp_url}_none"}

    finished = run_xunjian("host", SERVICE, **environment)

    assert (finished.returncode, finished.stdout) == (2, "")
    assert re.fullmatch(r"xunjian: AMQP_URI \(XUNJIAN_AMQP_URI\): .*\n", finished.stderr)
    assert tables(postgres_url) == []


@pytest.fixture
def waiting_process(amqp_url: str, postgres_url: str, tmp_path: Path) -> Iterator[tuple["Hosted", Between]]:
    """A service of which the broker is not there yet, and the way to it."""
    with between(amqp_url) as broker:
        broker.cut()
        hosted = Hosted(tmp_path / "log", postgres_url, broker.address)
        yield hosted, broker
        hosted.process.kill()
        hosted.process.wait()


class Hosted:
    """One service as a process of its own, with a monitor."""

    def __init__(self, log: Path, database: str, broker: str) -> None:
        self.port = free_port()
        environment = {
            **os.environ,
            "XUNJIAN_DATABASE_SCHEDULING": database,
            "XUNJIAN_AMQP_URI": broker,
            "XUNJIAN_MONITOR_ADDRESS": f"127.0.0.1:{self.port}",
        }
        self.log = log
        with log.open("wb") as end:
            command = [sys.executable, "-m", "services.cli", "host", SERVICE]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=end)

    def asked(self, path: str) -> tuple[int, Any]:
        """What the monitor says; (0, why) where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, orjson.loads(response.read())
        except OSError as fault:
            return 0, repr(fault)
        finally:
            connection.close()

    def asked_until(self, holds: Callable[[int, Any], bool], path: str = "/readyz") -> Any:
        """The same, once it is as it should be."""
        give_up = time.monotonic() + 60
        while not holds(*(answer := self.asked(path))):
            assert time.monotonic() < give_up, f"{answer}\n{self.log.read_text()[-3000:]}"
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            eventlet.sleep(0.05)
        return answer[1]


def test_a_broker_that_is_not_there_yet_or_goes_away_is_waited_for(waiting_process: tuple[Hosted, Between]) -> None:
    hosted, broker = waiting_process

    early = hosted.asked_until(lambda _, told: "broker" in told.get("missing", {}).get(SERVICE, {}) if _ else False)
    turns = hosted.asked("/healthz")
    broker.mend()
    hosted.asked_until(lambda status, _: status == 200)
    broker.cut()
    late = hosted.asked_until(lambda status, _: status == 503)
    broker.mend()
    hosted.asked_until(lambda status, _: status == 200)
    hosted.process.send_signal(signal.SIGTERM)

    assert "refused" in early["missing"][SERVICE]["broker"].lower()
    assert turns == (200, {"status": "ok"})
    assert late["missing"] == {SERVICE: {"broker": "not connected"}}
    assert hosted.process.wait(30) == 0
    assert "waiting for broker: 127.0.0.1" in hosted.log.read_text()
