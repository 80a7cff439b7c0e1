"""Platforms to disturb, and the undisturbed run that each is compared with."""

import os
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from shared.config import SERVICES
from shared.database import Database
from tests.demo import Demo, begun
from tests.least_privilege import Templates, templates
from tests.processes import BIN, ROOT, Platform, distributed, embedded
from tests.story import AS_OF, Story
from tests.truth import Truth, undated

Start = Callable[..., AbstractContextManager[Platform]]
"""Starts a platform on nothing: (*mischiefs)."""


@dataclass(frozen=True)
class Outcome:
    """What a run leads to: the score without its evidence, and what each service recorded."""

    score: bytes
    told: dict[str, Counter[str]]

    def assert_same_as(self, other: "Outcome") -> None:
        """Assert that the score is the same byte for byte, and that the same was recorded, as often."""
        assert self.score == other.score
        for service, told in self.told.items():
            assert sorted(told - other.told[service]) == sorted(other.told[service] - told) == [], service


def outcome_of(story: Story) -> Outcome:
    """The outcome of a finished story, after asserting that its ledgers are whole and give this very score."""
    truth = Truth(story.platform.databases, story.facility)
    truth.assert_whole()
    score = story.score()
    assert truth.replayed() == score
    return Outcome(undated(score), truth.told())


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The story told to an embedded platform that nothing happens to."""
    with embedded(tmp_path_factory.mktemp("undisturbed"), from_nothing=True) as platform:
        story = Story(platform)
        story.tell_all()
        assert platform.api.repeated == 0
        return outcome_of(story)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A whole simulated year in a folder that nobody writes to but the demo."""
    return begun(tmp_path_factory.mktemp("demo") / "data")


@pytest.fixture
def start_embedded(tmp_path: Path) -> Start:
    """One process, SQLite, its broker inside."""
    return partial(embedded, tmp_path)


@pytest.fixture
def start_distributed(tmp_path: Path, amqp_url: str, runtime_databases: dict[str, str]) -> Start:
    """A process and a PostgreSQL database for each service, under a role that may no more than it must, RabbitMQ between."""
    return partial(distributed, tmp_path, amqp_url, runtime_databases)


@pytest.fixture(params=["embedded", "distributed"])
def start(request: pytest.FixtureRequest) -> Start:
    """Both ways to run, in turn."""
    found: Start = request.getfixturevalue(f"start_{request.param}")
    return found


@pytest.fixture(scope="session")
def database_templates(test_servers: dict[str, str]) -> Iterator[Templates]:
    """A migrated PostgreSQL database of each service, and the roles that may use copies of it."""
    with templates(test_servers["XUNJIAN_TEST_POSTGRES"]) as found:
        yield found


@pytest.fixture
def runtime_databases(database_templates: Templates) -> Iterator[dict[str, str]]:
    """A migrated PostgreSQL database for each service, by the URL of the role under which the service runs."""
    with database_templates.copies() as urls:
        yield urls


@pytest.fixture
def service_databases(postgres_url: str) -> Iterator[dict[str, str]]:
    """An empty PostgreSQL database for each service."""
    server = Database(postgres_url)
    names = {service: f"{server.url.database}_{service}" for service in SERVICES}
    with server.read() as connection:
        for name in names.values():
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
        yield {service: f"{postgres_url.rpartition('/')[0]}/{name}" for service, name in names.items()}
        for name in names.values():
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()


def run_xunjian(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line to its end."""
    return subprocess.run(
        [BIN / "xunjian", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_auditable(story: Story) -> None:
    """Assert that a finished story can be signed and published, and that the publication stands up to an audit."""
    story.platform.settle()
    lacking = [one["code"] for one in story.ask("/assessments/2021/missing", as_of=AS_OF)]
    for who in ("user:signer-1", "user:signer-2"):
        story.tell("/assessments/assessment-2021/sign", {"as_of": AS_OF, "acknowledged": lacking}, who)
    story.tell("/assessments/assessment-2021/publish", {})
    story.platform.settle()
    option, environment = story.platform.found_by
    for audit in (["verify"], ["replay"], ["replay", "--from-sources"]):
        finished = run_xunjian("audit", *audit, option, **environment)
        assert finished.returncode == 0, finished.stdout + finished.stderr
