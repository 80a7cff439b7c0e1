"""One gapless, chained, commit-ordered sequence per facility, whoever writes, and nothing of what failed."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import eventlet
import orjson
import pytest
import rfc8785
from eventlet.greenthread import GreenThread
from sqlalchemy import Connection, text
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared.clock import SimulatedClock
from shared.commit_queue import BATCH, CommitQueue, Place
from shared.database import Database
from shared.errors import Conflict, Invalid
from shared.event import Recorded
from shared.ledger import Done, Ledger, envelope, last_recorded, stripped
from shared.tests.given import NOON, Job, assert_chain, assigned, draft, entry, history, ledger_at

ROOT = Path(__file__).parents[2]
DONE = Done(command_id="k-1", fingerprint="f" * 64, outcome=b"null")


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with ledger_at(database_url) as ledger:
        yield ledger


@contextmanager
def ledger_with_view(url: str) -> Iterator[tuple[Ledger, list[str]]]:
    """A ledger whose fold keeps the assignees, takes none twice, and trips over the name Tripwire; and what folds saw."""
    seen: list[str] = []

    def fold(connection: Connection, recorded: Recorded) -> None:
        assignee = recorded.event.data()["assignee"]
        seen.append(assignee)
        connection.execute(text("INSERT INTO crew VALUES (:assignee)"), {"assignee": assignee})
        if assignee == "Tripwire":
            raise ZeroDivisionError(assignee)

    with ledger_at(url, fold=fold) as ledger:
        with ledger.database.write() as connection:
            connection.execute(text("CREATE TABLE crew (assignee VARCHAR(80) PRIMARY KEY)"))
        yield ledger, seen


@contextmanager
def held(ledger: Ledger, facility: str = "hall-1") -> Iterator[Connection]:
    """Keep everybody else from writing to a facility."""
    with ledger.database.write() as connection:
        ledger._locked_head(connection, facility)
        yield connection
        eventlet.sleep(0.05)


def crew(ledger: Ledger) -> set[str]:
    return {row.assignee for row in ledger.database.rows(text("SELECT assignee FROM crew"))}


def appending(ledger: Ledger, *names: str, facility: str = "hall-1") -> list[GreenThread]:
    """Greenlets that each append one event, in a stream of its own, in this order."""
    waiting = []
    for name in names:
        one = entry(draft(f"job/{name}", 1, assigned(name, name)), facility=facility)
        waiting.append(eventlet.spawn(ledger.append, one))
        eventlet.sleep(0.02)
    return waiting


def outcomes(waiting: list[GreenThread]) -> list[type[BaseException] | int]:
    found: list[type[BaseException] | int] = []
    for one in waiting:
        try:
            found.append(one.wait()[0].position)
        except Exception as fault:  # noqa: BLE001  what it was is the answer
            found.append(type(fault))
    return found


# --- what is written -----------------------------------------------------------------------------------------------


def test_an_envelope_says_all_of_the_published_language_in_canonical_bytes(ledger: Ledger) -> None:
    history(ledger, 1)
    (recorded,) = ledger.append(entry(draft("job/1", 2, assigned("wo-1", "王\0\u2028𝌆"))))

    whole = ledger.raw("hall-1", after=1)[0]

    body, hash_ = stripped(whole.encode())
    found = json.loads(body)
    assert rfc8785.dumps(found) == body
    assert found | {"id": "…", "recordedat": "…", "prevhash": "…"} == {
        "specversion": "1.0",
        "id": "…",
        "source": "/work_orders",
        "type": "work_orders.work_order_assigned.v1",
        "subject": "job/1",
        "time": "2021-03-09T12:00:00+08:00",
        "datacontenttype": "application/json",
        "data": {"work_order_id": "wo-1", "assignee": "王\0\u2028𝌆"},
        "facility": "hall-1",
        "position": 2,
        "streamversion": 2,
        "recordedat": "…",
        "actor": "user:li",
        "correlationid": "c-1",
        "causationid": "c-1",
        "prevhash": "…",
    }
    assert json.loads(whole) == found | {"hash": hash_}
    assert recorded.hash == hash_
    assert recorded.prevhash == json.loads(ledger.raw("hall-1")[0])["hash"]


def test_a_stream_is_read_in_its_order_and_a_ledger_page_by_page(ledger: Ledger) -> None:
    for version in (1, 2, 3):
        ledger.append(entry(draft("job/a", version, assigned("a", str(version))), draft("job/b", version)))
    ledger.append(entry(draft("job/a"), facility="hall-2"))

    stream = ledger.stream("hall-1", "job/a")
    pages = [ledger.raw("hall-1", after, limit=4) for after in (0, 4, 8)]

    assert [(one.streamversion, one.position, one.event.data()["assignee"]) for one in stream] == [
        (1, 1, "1"),
        (2, 3, "2"),
        (3, 5, "3"),
    ]
    assert [[orjson.loads(whole)["position"] for whole in page] for page in pages] == [[1, 2, 3, 4], [5, 6], []]
    assert {facility: tip["position"] for facility, tip in ledger.tips().items()} == {"hall-1": 6, "hall-2": 1}


def test_an_envelope_is_the_hashed_bytes_and_their_hash() -> None:
    body = b'{"a":",\\"hash\\":\\"x\\"}","b":1}'

    whole = envelope(body, "sha256:00")

    assert orjson.loads(whole) == orjson.loads(body) | {"hash": "sha256:00"}
    assert stripped(whole) == (body, "sha256:00")


# --- who writes ----------------------------------------------------------------------------------------------------


def test_of_two_writers_on_one_stream_the_later_gets_a_conflict(ledger: Ledger) -> None:
    ledger.append(entry(draft("job/1", 1, assigned("wo-1", "li"))))

    with pytest.raises(Conflict, match="the stream moved on"):
        ledger.append(entry(draft("job/2", 1), draft("job/1", 1, assigned("wo-1", "wang"))))

    assert [found["data"]["assignee"] for found in assert_chain(ledger, "hall-1")] == ["li"]


def test_replicas_of_a_service_overtake_each_other(database_url: str) -> None:
    with ledger_at(database_url) as one, ledger_at(database_url) as other:
        for version in range(1, 9):
            (one, other)[version % 2].append(entry(draft("job/1", version)))

        with pytest.raises(Conflict):
            one.append(entry(draft("job/1", 8)))

        assert len(assert_chain(one, "hall-1")) == 8


def observed(database: Database, writers: list[subprocess.Popen[str]]) -> int:
    """Look at the positions while others write: nothing may ever appear below what was seen already."""
    looks = 0
    query = text("SELECT facility, count(*) AS many, max(position) AS last FROM event GROUP BY facility")
    while any(writer.poll() is None for writer in writers):
        for row in database.rows(query):
            assert row.many == row.last
        looks += 1
        eventlet.sleep(0.005)
    return looks


def written_by(url: str, kinds: list[tuple[str, int]]) -> None:
    """Let programs write, and check what they leave behind."""
    with ledger_at(url) as ledger:
        with ledger.database.write() as connection:
            connection.execute(text("CREATE TABLE seen (facility VARCHAR(80), position BIGINT)"))
        programs = [
            subprocess.Popen(
                [sys.executable, "-m", "shared.tests.writers", url, kind, str(writers)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for kind, writers in kinds
        ]
        looks = observed(ledger.database, programs)
        answers = [program.communicate() for program in programs]

        assert [program.returncode for program in programs] == [0] * len(programs), answers
        assert [stderr for _, stderr in answers] == [""] * len(programs)
        assert looks > 10
        written = {facility: assert_chain(ledger, facility) for facility in ledger.tips()}
        assert sorted(written) == ["hall-0", "hall-1", "hall-2", "hall-3", "hall-4"]
        assert sum(map(len, written.values())) == sum(json.loads(stdout)["events"] for stdout, _ in answers)
        folded = ledger.database.rows(text("SELECT facility, position FROM seen"))
        assert len(folded) == len(set(folded)) > 0


@pytest.mark.parametrize("kind", ["threads", "greenlets"])
def test_twenty_writers_to_five_facilities_leave_gapless_chains_in_commit_order(database_url: str, kind: str) -> None:
    written_by(database_url, [(kind, 20)])


def test_writers_in_several_processes_leave_gapless_chains_in_commit_order(postgres_url: str) -> None:
    written_by(postgres_url, [("threads", 5), ("greenlets", 5), ("greenlets", 5), ("threads", 5)])


def test_time_never_runs_backwards_within_a_facility(database_url: str) -> None:
    clock = SimulatedClock(datetime(2021, 1, 1, tzinfo=UTC))

    def write(ledger: Ledger, name: int) -> None:
        for version in range(1, 6):
            clock.advance(clock.now() + timedelta(hours=(name * version) % 5 - 2))
            ledger.append(entry(draft(f"job/{name}", version), facility=f"hall-{name % 2}"))

    with ledger_at(database_url, clock=clock) as one, ledger_at(database_url, clock=clock) as other:
        for writer in [eventlet.spawn(write, (one, other)[name % 3 == 0], name) for name in range(12)]:
            writer.wait()

        for facility in ("hall-0", "hall-1"):
            moments = [datetime.fromisoformat(found["recordedat"]) for found in assert_chain(one, facility)]
            assert moments == sorted(moments)
            assert moments[0] < moments[-1]
        assert last_recorded(one.database) == clock.now()


# --- together ------------------------------------------------------------------------------------------------------


def test_commands_that_wait_for_one_facility_are_committed_together(database_url: str) -> None:
    commits: list[str] = []
    with ledger_with_view(database_url) as (ledger, _):
        history(ledger, 1)
        sqlalchemy_event.listen(ledger.database.engine, "commit", lambda _: commits.append("commit"))
        with held(ledger):
            waiting = appending(ledger, "a", "b", "c", "d", "e")
        positions = outcomes(waiting)

        assert positions == [2, 3, 4, 5, 6]
        assert len(commits) == 3  # ours, which held them up; the first of them; and the four that waited behind it
        assert len(assert_chain(ledger, "hall-1")) == 6


def test_one_clash_among_those_committed_together_fails_alone(database_url: str) -> None:
    with ledger_with_view(database_url) as (ledger, _):
        history(ledger, 1)
        with held(ledger):
            waiting = appending(ledger, "a", "b")
            waiting.append(eventlet.spawn(ledger.append, entry(draft("job/1", 1, assigned("wo-1", "late")))))
            waiting += appending(ledger, "c")

        assert outcomes(waiting) == [2, 3, Conflict, 4]
        assert crew(ledger) == {"li", "a", "b", "c"}
        assert len(assert_chain(ledger, "hall-1")) == 4


@pytest.mark.parametrize(
    ("name", "fault"), [("Tripwire", ZeroDivisionError), ("li", IntegrityError)], ids=["any", "constraint"]
)
def test_a_fold_that_raises_leaves_nothing_behind_and_fails_alone(
    database_url: str, name: str, fault: type[Exception]
) -> None:
    with ledger_with_view(database_url) as (ledger, _):
        history(ledger, 1)
        with held(ledger):
            waiting = appending(ledger, "a", "b", name, "c")
        assert outcomes(waiting) == [2, 3, fault, 4]

        with pytest.raises(fault):
            ledger.append(entry(draft("job/x", 1, assigned("x", name)), done=DONE))

        assert crew(ledger) == {"li", "a", "b", "c"}
        assert len(assert_chain(ledger, "hall-1")) == 4
        assert ledger.remembered("k-1") is None
        assert outcomes(appending(ledger, "d")) == [5]


def test_an_event_that_has_no_form_fails_alone(database_url: str) -> None:
    with ledger_with_view(database_url) as (ledger, _):
        history(ledger, 1)
        naive = draft("job/x", 1, assigned("x", "x"), NOON.replace(tzinfo=None))
        with held(ledger):
            waiting = appending(ledger, "a", "b")
            waiting.append(eventlet.spawn(ledger.append, entry(naive)))
            waiting += appending(ledger, "c")

        assert outcomes(waiting) == [2, 3, Invalid, 4]


def test_more_than_a_batch_at_once_is_committed_in_turns(sqlite_url: str) -> None:
    with ledger_at(sqlite_url) as ledger:
        history(ledger, 1)
        with held(ledger):
            waiting = [
                eventlet.spawn(ledger.append, entry(draft(f"job/n{number}"))) for number in range(2 * BATCH + 10)
            ]
            eventlet.sleep(0.05)

        assert sorted(map(int, outcomes(waiting))) == list(range(2, 2 * BATCH + 12))  # type: ignore[arg-type]


def test_who_is_stopped_while_waiting_holds_nobody_up(database_url: str) -> None:
    with ledger_with_view(database_url) as (ledger, _):
        history(ledger, 1)
        with held(ledger):
            waiting = appending(ledger, "a", "b", "c", "d")
            waiting[1].kill()  # next to lead
            waiting[2].kill()
        with eventlet.Timeout(5):
            assert outcomes([waiting[0], waiting[3]]) == [2, 3]
            assert outcomes(appending(ledger, "e")) == [4]
        assert crew(ledger) == {"li", "a", "d", "e"}


def test_who_is_stopped_when_told_to_lead_passes_it_on() -> None:
    queue, turns = CommitQueue(), [Place("a"), Place("b"), Place("c")]

    def commit(batch: Sequence[Place]) -> None:
        eventlet.sleep(0.01)
        for place in batch[:1]:
            place.settled = True

    def write_and_stop_the_next() -> None:
        queue.pass_through(turns[0], commit)
        writers[1].kill()

    writers = [eventlet.spawn(write_and_stop_the_next)]
    eventlet.sleep(0)
    writers += [eventlet.spawn(queue.pass_through, turn, commit) for turn in turns[1:]]

    with eventlet.Timeout(5):
        writers[2].wait()
    assert [turn.settled for turn in turns] == [True, False, True]


def test_a_leader_that_is_stopped_while_writing_holds_nobody_up(database_url: str) -> None:
    with ledger_with_view(database_url) as (ledger, _):
        history(ledger, 1)
        with held(ledger):
            waiting = appending(ledger, "a", "b", "c")
            waiting[0].kill()
            eventlet.sleep(0.05)
        with eventlet.Timeout(5):
            assert outcomes(waiting[1:]) == [2, 3]
            assert outcomes(appending(ledger, "d")) == [4]
        assert len(assert_chain(ledger, "hall-1")) == 4


def test_facilities_do_not_wait_for_each_other(postgres_url: str) -> None:
    with ledger_at(postgres_url) as ledger:
        history(ledger, 1, facility="hall-1")
        with held(ledger, "hall-1"):
            (waiting,) = appending(ledger, "a", facility="hall-1")
            with eventlet.Timeout(5):
                assert outcomes(appending(ledger, "b", facility="hall-2")) == [1]
            assert not waiting.dead

        assert outcomes([waiting]) == [2]


# --- commands remembered -------------------------------------------------------------------------------------------


def test_a_command_is_remembered_with_its_events_or_not_at_all(ledger: Ledger) -> None:
    with pytest.raises(Conflict):
        ledger.append(entry(draft("job/1"), draft("job/1"), done=DONE))
    assert ledger.remembered("k-1") is None

    ledger.append(entry(draft("job/1"), done=DONE))
    with pytest.raises(Conflict, match="already remembered"):
        ledger.append(entry(draft("job/2"), done=DONE))

    assert ledger.remembered("k-1") == DONE
    assert len(assert_chain(ledger, "hall-1")) == 1


def test_a_command_without_events_is_remembered_too(ledger: Ledger) -> None:
    assert ledger.append(entry(done=DONE)) == []

    assert ledger.remembered("k-1") == DONE
    assert ledger.tips()["hall-1"]["position"] == 0
    assert outcomes(appending(ledger, "a")) == [1]


# --- in somebody's transaction -------------------------------------------------------------------------------------


def test_what_is_added_within_a_transaction_comes_and_goes_with_it(database_url: str) -> None:
    with ledger_with_view(database_url) as (ledger, _):
        history(ledger, 1)
        with pytest.raises(ZeroDivisionError), ledger.database.write() as connection:  # noqa: PT012  the block is one transaction
            ledger.append_within(connection, entry(draft("job/2", 1, assigned("wo-2", "wang")), done=DONE))
            assert len(ledger.stream("hall-1", "job/2", connection)) == 1
            raise ZeroDivisionError

        assert crew(ledger) == {"li"}
        assert ledger.remembered("k-1") is None
        assert outcomes(appending(ledger, "a")) == [2]

        with ledger.database.write() as connection:
            ledger.append_within(connection, entry(draft("job/2", 1, assigned("wo-2", "wang"))))
            ledger.append_within(connection, entry(draft("job/2", 2, assigned("wo-2", "zhao"))))

        assert crew(ledger) == {"li", "a", "wang", "zhao"}
        assert outcomes(appending(ledger, "b")) == [5]
        assert len(assert_chain(ledger, "hall-1")) == 5


def test_a_clash_within_a_transaction_undoes_all_of_it(ledger: Ledger) -> None:
    history(ledger, 1)

    with pytest.raises(Conflict), ledger.database.write() as connection:  # noqa: PT012  the block is one transaction
        ledger.append_within(connection, entry(draft("job/2")))
        ledger.append_within(connection, entry(draft("job/1")))

    assert outcomes(appending(ledger, "a")) == [2]
    assert len(assert_chain(ledger, "hall-1")) == 2


@pytest.mark.parametrize("views", [True, False])
def test_a_reaction_that_overtakes_a_waiting_command_only_delays_it(database_url: str, views: bool) -> None:
    with ledger_with_view(database_url) as (ledger, _):
        if not views:
            ledger.fold = None
        history(ledger, 1)
        with held(ledger) as connection:
            (waiting,) = appending(ledger, "a")
            ledger.append_within(connection, entry(draft("job/2", 1, assigned("wo-2", "wang"))))

        assert outcomes([waiting]) == [3]
        assert len(assert_chain(ledger, "hall-1")) == 3


# --- what the database refuses -------------------------------------------------------------------------------------

CHANGES = ["UPDATE event SET hash = 'x'", "UPDATE event SET body = body WHERE position = 2", "DELETE FROM event"]


@pytest.mark.parametrize("change", [*CHANGES, "TRUNCATE event", "TRUNCATE event CASCADE"])
def test_the_database_itself_refuses_to_change_what_happened(ledger: Ledger, change: str) -> None:
    history(ledger, 3)
    if ledger.database.sqlite and change.startswith("TRUNCATE"):
        change = "DELETE FROM event WHERE position = 3"  # SQLite has no TRUNCATE

    with pytest.raises(DBAPIError, match="append-only"), ledger.database.write() as connection:
        connection.execute(text(change))

    assert len(assert_chain(ledger, "hall-1")) == 3


def test_the_database_itself_refuses_a_second_event_at_a_place(ledger: Ledger) -> None:
    history(ledger, 1)
    copied = "INSERT INTO event SELECT {facility}, {position}, {id}, {stream}, version, type, body, hash FROM event"
    free: dict[str, Any] = {"facility": "facility", "position": "2", "id": "'other'", "stream": "'job/2'"}

    for taken in ({"stream": "stream"}, {"id": "event_id"}, {"position": "1"}):
        with pytest.raises(IntegrityError), ledger.database.write() as connection:
            connection.execute(text(copied.format(**free | taken)))

    with ledger.database.write() as connection:
        assert connection.execute(text(copied.format(**free | {"facility": "'hall-2'", "stream": "stream"}))).rowcount


def test_an_aggregate_is_what_its_past_made_it(ledger: Ledger) -> None:
    ledger.append(entry(draft("job/1", 1, assigned("1", "li")), draft("job/1", 2, assigned("1", "wang"))))

    job = Job.replay("1", (recorded.event for recorded in ledger.stream("hall-1", "job/1")))

    assert (job.version, job.assignees, job.new_events) == (2, ["li", "wang"], [])
