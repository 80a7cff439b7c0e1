"""A command decides once: its events and its answer are committed together, and a retried request gets that answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import eventlet
import pytest
from sqlalchemy import text

from shared.clock import Clock, SimulatedClock
from shared.database import Database
from shared.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Rejected, Unavailable
from shared.ledger import GENESIS, Ledger
from shared.rights import MANAGER
from shared.schema import Id
from shared.service import ATTEMPTS, LedgerService, command
from shared.tests.given import NOON, Job, assert_chain, draft, entry, ledger_at
from shared.unit import Unit, fingerprint

NEW_YEAR = datetime(2021, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Assign:
    """Put somebody on a job."""

    job_id: Id
    assignee: str


class Jobs(LedgerService):
    """A service of two commands."""

    name = "work_orders"
    rights = dict.fromkeys(("work_orders.assign", "work_orders.reassign", "work_orders.look"), MANAGER)
    rival: Any = None

    @command(Assign)
    def assign(self, do: Unit, asked: Assign) -> dict[str, Any]:
        """Put somebody on a job; a rival may be faster."""
        job = do.find(Job, asked.job_id)
        eventlet.sleep(0)
        if self.rival:
            self.rival()
        job.assign(asked.assignee, do.now)
        return {"crew": job.assignees, "version": job.version}

    @command(Assign)
    def reassign(self, do: Unit, asked: Assign) -> None:
        """Put somebody on a job that somebody is on already."""
        do.edit(Job, asked.job_id).assign(asked.assignee, do.now)

    @command(Assign)
    def look(self, do: Unit, asked: Assign) -> list[str]:
        """Change nothing."""
        return do.find(Job, asked.job_id).assignees


def context(key: str = "k-1", time: str | None = None) -> dict[str, Any]:
    return {"command_id": key, "actor": "user:li", "roles": ["manager"], "correlation_id": "c-1", "time": time}


def asking(job_id: str = "1", assignee: str = "li") -> dict[str, Any]:
    return {"job_id": job_id, "assignee": assignee}


@contextmanager
def jobs_at(url: str, clock: Clock | None = None) -> Iterator[Jobs]:
    with ledger_at(url, clock=clock) as ledger:
        service = Jobs()
        service.ledger = ledger
        yield service


@pytest.fixture
def jobs(database_url: str) -> Iterator[Jobs]:
    with jobs_at(database_url) as service:
        yield service


def crew(jobs: Jobs, job_id: str = "1") -> list[str]:
    return Job.replay(job_id, (one.event for one in jobs.ledger.stream("hall-1", f"job/{job_id}"))).assignees


def together(*calls: Any) -> list[Any]:
    """What several callers get at once: an answer, or the class of a refusal."""

    def answer(call: Any) -> Any:
        try:
            return call()
        except Refused as refused:
            return type(refused)

    return [one.wait() for one in [eventlet.spawn(answer, call) for call in calls]]


# --- without its database --------------------------------------------------------------------------------------------


def test_a_database_that_went_away_is_unavailable_and_the_same_request_is_then_answered(postgres_url: str) -> None:
    with jobs_at(postgres_url) as jobs:
        jobs.assign("hall-1", asking("1"), context("k-1"))
        other = Database(postgres_url)
        other.rows(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
            )
        )
        other.close()

        with pytest.raises(Unavailable, match="went away"):
            jobs.assign("hall-1", asking("2", "wang"), context("k-2"))

        assert jobs.assign("hall-1", asking("2", "wang"), context("k-2")) == {"crew": ["wang"], "version": 0}
        assert len(assert_chain(jobs.ledger, "hall-1")) == 2


# --- once ----------------------------------------------------------------------------------------------------------


def test_a_command_is_recorded_with_who_asked_and_why(jobs: Jobs) -> None:
    assert jobs.assign("hall-1", asking(), context()) == {"crew": ["li"], "version": 0}

    (found,) = assert_chain(jobs.ledger, "hall-1")
    assert (found["actor"], found["correlationid"], found["causationid"]) == ("user:li", "c-1", "k-1")
    assert found["streamversion"] == 1


def test_a_command_repeated_answers_as_before_and_appends_nothing(jobs: Jobs) -> None:
    first = jobs.assign("hall-1", asking(), context())
    jobs.assign("hall-1", asking(assignee="wang"), context("k-2"))

    again = jobs.assign("hall-1", asking(), context())

    assert again == first == {"crew": ["li"], "version": 0}
    assert crew(jobs) == ["li", "wang"]


def test_the_order_of_members_makes_no_other_command(jobs: Jobs) -> None:
    first = jobs.assign("hall-1", {"job_id": "1", "assignee": "li"}, context())

    assert jobs.assign("hall-1", {"assignee": "li", "job_id": "1"}, context()) == first


def test_one_key_for_two_commands_is_a_conflict(jobs: Jobs) -> None:
    jobs.assign("hall-1", asking(), context())

    with pytest.raises(Conflict, match="another command"):
        jobs.assign("hall-1", asking(assignee="wang"), context())
    with pytest.raises(Conflict, match="another command"):
        jobs.assign("hall-2", asking(), context())
    with pytest.raises(Conflict, match="another command"):
        jobs.reassign("hall-1", asking(), context())

    assert len(assert_chain(jobs.ledger, "hall-1")) == 1
    assert "hall-2" not in jobs.ledger.tips()


def test_twenty_times_one_command_at_once_has_one_effect_and_one_answer(jobs: Jobs) -> None:
    answers = together(*[lambda: jobs.assign("hall-1", asking(), context())] * 20)

    assert answers == [{"crew": ["li"], "version": 0}] * 20
    assert crew(jobs) == ["li"]


def test_twenty_commands_under_one_key_at_once_have_one_effect(jobs: Jobs) -> None:
    answers = together(*[lambda n=n: jobs.assign("hall-1", asking(str(n)), context()) for n in range(20)])

    assert answers.count(Conflict) == 19
    assert len(assert_chain(jobs.ledger, "hall-1")) == 1


def test_one_command_at_once_through_two_replicas_has_one_effect(postgres_url: str) -> None:
    with jobs_at(postgres_url) as one, jobs_at(postgres_url) as other:
        answers = together(
            *[lambda jobs=jobs: jobs.assign("hall-1", asking(), context()) for jobs in (one, other) * 10]
        )

        assert answers == [{"crew": ["li"], "version": 0}] * 20
        assert crew(one) == ["li"]


def test_a_command_that_changes_nothing_is_remembered_as_well(jobs: Jobs) -> None:
    assert jobs.look("hall-1", asking(), context()) == []
    jobs.assign("hall-1", asking(), context("k-2"))

    assert jobs.look("hall-1", asking(), context()) == []


def test_a_refused_command_is_not_remembered_and_may_be_asked_again(jobs: Jobs) -> None:
    with pytest.raises(NotFound, match="no job 1 in hall-1"):
        jobs.reassign("hall-1", asking(assignee="wang"), context())
    jobs.assign("hall-1", asking(), context("k-2"))

    jobs.reassign("hall-1", asking(assignee="wang"), context())

    assert crew(jobs) == ["li", "wang"]


# --- against others ------------------------------------------------------------------------------------------------


def test_commands_that_meet_on_one_stream_are_decided_anew_and_both_count(jobs: Jobs) -> None:
    names = [f"n{number}" for number in range(6)]

    answers = together(*[lambda n=n: jobs.assign("hall-1", asking(assignee=n), context(n)) for n in names])

    assert sorted(crew(jobs)) == names
    assert sorted(answer["version"] for answer in answers) == list(range(6))


def test_a_rule_is_asked_again_when_a_command_is_decided_anew(jobs: Jobs) -> None:
    answers = together(*[lambda n=n: jobs.assign("hall-1", asking(), context(f"k-{n}")) for n in range(5)])

    assert answers.count(Rejected) == 4
    assert crew(jobs) == ["li"]


def test_a_command_that_never_gets_a_word_in_ends_in_a_conflict(jobs: Jobs) -> None:
    rivals: list[int] = []

    def rival() -> None:
        rivals.append(len(rivals) + 1)
        jobs.ledger.append(entry(draft("job/1", len(rivals))))

    jobs.rival = rival

    with pytest.raises(Conflict, match="moved on"):
        jobs.assign("hall-1", asking(assignee="wang"), context())

    assert len(rivals) == ATTEMPTS
    assert "wang" not in crew(jobs)


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({}, {"job_id", "assignee"}),
        ({"job_id": "a b", "assignee": 7}, {"job_id", "assignee"}),
        ({"job_id": "1", "assignee": "li", "shift": "night"}, {"shift"}),
        ({"job_id": "1", "assignee": "l\0i"}, {"assignee"}),
    ],
)
def test_a_command_of_another_form_is_refused_field_by_field(
    jobs: Jobs, data: dict[str, Any], fields: set[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        jobs.assign("hall-1", data, context())

    assert set(refused.value.errors) == fields
    assert jobs.ledger.tips() == {}


def test_a_real_installation_takes_no_time_from_a_command(jobs: Jobs) -> None:
    with pytest.raises(Rejected, match="real installation"):
        jobs.assign("hall-1", asking(), context(time="2021-03-09T12:00:00+08:00"))

    assert jobs.ledger.tips() == {}


def test_a_simulated_installation_takes_its_time_from_commands(database_url: str) -> None:
    with jobs_at(database_url, SimulatedClock(NEW_YEAR)) as jobs:
        jobs.assign("hall-1", asking(), context(time=NOON.isoformat()))
        jobs.assign("hall-1", asking(assignee="wang"), context("k-2", time=NEW_YEAR.isoformat()))

        found = assert_chain(jobs.ledger, "hall-1")
        assert [(one["recordedat"], one["time"]) for one in found] == [
            ("2021-03-09T04:00:00Z", "2021-03-09T04:00:00+00:00")
        ] * 2


@pytest.mark.parametrize("time", ["2021-03-09T12:00:00", "2021-03-09", "noon"])
def test_a_command_with_a_time_of_another_form_is_invalid(sqlite_url: str, time: str) -> None:
    with jobs_at(sqlite_url, SimulatedClock(NEW_YEAR)) as jobs, pytest.raises(Invalid):
        jobs.assign("hall-1", asking(), context(time=time))


# --- a unit of work ------------------------------------------------------------------------------------------------


def unit(ledger: Ledger, **options: Any) -> Unit:
    return Unit(ledger, "hall-1", actor="user:li", correlation_id="c-1", causation_id="c-1", **options)


def test_a_unit_knows_each_thing_once_and_adds_all_that_it_recorded(jobs: Jobs) -> None:
    do = unit(jobs.ledger)

    do.find(Job, "b").assign("li")
    do.find(Job, "a").assign("wang")
    do.edit(Job, "b").assign("zhao")
    jobs.ledger.append(do.entry())

    found = assert_chain(jobs.ledger, "hall-1")
    assert [(one["subject"], one["streamversion"]) for one in found] == [("job/b", 1), ("job/b", 2), ("job/a", 1)]


def test_a_unit_refuses_what_is_not_there_and_what_a_command_may_not_do(jobs: Jobs) -> None:
    do = unit(jobs.ledger)

    with pytest.raises(NotFound):
        do.edit(Job, "1")
    with pytest.raises(TypeError, match="only effect"):
        do.execute(text("DELETE FROM ledger"))


def test_a_unit_within_a_transaction_reads_what_that_wrote(jobs: Jobs) -> None:
    with jobs.ledger.database.write() as connection:
        first = unit(jobs.ledger, connection=connection)
        first.find(Job, "1").assign("li")
        jobs.ledger.append_within(connection, first.entry())

        second = unit(jobs.ledger, connection=connection)

        assert second.edit(Job, "1").assignees == ["li"]
        assert second.rows(text("SELECT count(*) FROM event"))[0][0] == 1
        assert unit(jobs.ledger).rows(text("SELECT count(*) FROM event"))[0][0] == 0


def test_a_fingerprint_tells_commands_apart() -> None:
    asked = {("assign", "hall-1", "1"), ("assign", "hall-1", "2"), ("assign", "hall-2", "1"), ("look", "hall-1", "1")}

    assert len({fingerprint(name, facility, asking(job)) for name, facility, job in asked}) == len(asked)


# --- what every service answers ------------------------------------------------------------------------------------


class Source:
    """Another service, as far as its heads and what is behind a position are asked for."""

    service = "asset_registry"
    deadline = 0.2

    def __init__(self, position: int) -> None:
        self.position = position
        self.asked: list[str] = []

    def call(self, method: str, facility: str = "hall-1", after: int = 0, limit: int = 1) -> Any:
        """Its heads, or its events as so many words."""
        self.asked.append(method)
        if method == "heads":
            return {"hall-1": {"position": self.position, "hash": GENESIS}}
        assert method == "read_ledger"
        return ["event"] * min(limit, max(0, self.position - after)) if facility == "hall-1" else []


def reach(jobs: Jobs, position: int, parked: str | None = None) -> None:
    row = {"position": position, "hash": GENESIS, "parked": parked}
    with jobs.ledger.database.write() as connection:
        connection.execute(text("DELETE FROM checkpoint"))
        connection.execute(
            text("INSERT INTO checkpoint VALUES ('asset_registry', 'hall-1', :position, :hash, :parked)"), row
        )


def test_what_a_service_says_of_itself(jobs: Jobs) -> None:
    jobs.assign("hall-1", asking(), context())
    reach(jobs, 3)

    assert jobs.health() == {"service": "work_orders", "status": "ok", "parked": []}
    assert jobs.heads() == jobs.ledger.tips()
    assert jobs.checkpoints() == {"asset_registry": {"hall-1": 3}}
    assert jobs.read_ledger("hall-1", 0, 10) == jobs.ledger.raw("hall-1")
    assert jobs.read_ledger("hall-1", 1) == []


def test_health_names_what_is_parked_and_why(jobs: Jobs) -> None:
    reach(jobs, 3, "position 4: KeyError: 'x'")

    assert jobs.health() == {
        "service": "work_orders",
        "status": "parked",
        "parked": [{"source": "asset_registry", "facility": "hall-1", "reason": "position 4: KeyError: 'x'"}],
    }


def test_a_service_waits_until_it_has_heard_all_that_another_knows(jobs: Jobs) -> None:
    reach(jobs, 3)
    jobs.must_have_heard(Source(3), "hall-1")  # type: ignore[arg-type]  # a fake of what is asked here
    jobs.must_have_heard(Source(9), "hall-2")  # type: ignore[arg-type]

    eventlet.spawn_after(0.05, reach, jobs, 4)
    jobs.must_have_heard(Source(4), "hall-1")  # type: ignore[arg-type]

    with pytest.raises(Unavailable, match="has not yet heard"):
        jobs.must_have_heard(Source(5), "hall-1")  # type: ignore[arg-type]


def test_who_has_heard_all_of_a_facility_asks_nothing_of_the_others(jobs: Jobs) -> None:
    source = Source(3)
    reach(jobs, 3)

    jobs.must_have_heard(source, "hall-1")  # type: ignore[arg-type]

    assert source.asked == ["read_ledger"]


def test_a_simulated_service_is_moved_on_and_remembers_it(database_url: str) -> None:
    with jobs_at(database_url, SimulatedClock(NEW_YEAR)) as jobs:
        with jobs.ledger.database.write() as connection:
            connection.execute(
                text("INSERT INTO installation VALUES (1, :yes, :then, :then, '')"),
                {"yes": True, "then": "2020-01-01T00:00:00Z"},
            )

        jobs.set_clock(NOON.isoformat())
        jobs.set_clock(NEW_YEAR.isoformat())

        assert jobs.clock() == {"simulated": True, "now": "2021-03-09T04:00:00Z"}
        assert jobs.ledger.database.rows(text("SELECT now FROM installation"))[0].now == "2021-03-09T04:00:00Z"


@pytest.mark.parametrize("roles", [[], ["auditor"], ["inspector", "finance"]])
def test_a_command_is_given_only_in_one_of_its_roles(jobs: Jobs, roles: list[str]) -> None:
    with pytest.raises(Forbidden, match="expected the role manager, not "):
        jobs.assign("hall", asking(), {**context(), "roles": roles})

    assert jobs.ledger.tips() == {}


def test_a_caller_that_names_no_role_has_none(jobs: Jobs) -> None:
    said = context()
    del said["roles"]

    with pytest.raises(Forbidden, match="not none"):
        jobs.assign("hall", asking(), said)
