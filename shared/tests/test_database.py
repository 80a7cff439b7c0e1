"""One database per service: its schema is what the tables say, however many replicas bring it there at once."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import eventlet
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, NullPool, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared.config import SERVICES
from shared.database import Database
from shared.ledger import metadata as ledger_tables
from shared.tests.given import history, ledger_at

ROOT = Path(__file__).parents[2]
KEPT = "CREATE TABLE kept (number INTEGER PRIMARY KEY)"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    with database.write() as connection:
        connection.execute(text(KEPT))
    yield database
    database.close()


def kept(database: Database) -> list[int]:
    return [row.number for row in database.rows(text("SELECT number FROM kept ORDER BY number"))]


def python(program: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Run a program text in a Python of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_transaction_is_kept_whole_or_not_at_all(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("INSERT INTO kept VALUES (1)"))
    with pytest.raises(ZeroDivisionError), database.write() as connection:  # noqa: PT012  the block is one transaction
        connection.execute(text("INSERT INTO kept VALUES (2)"))
        raise ZeroDivisionError
    with pytest.raises(IntegrityError), database.write() as connection:  # noqa: PT012  the block is one transaction
        connection.execute(text("INSERT INTO kept VALUES (3)"))
        connection.execute(text("INSERT INTO kept VALUES (1)"))

    assert kept(database) == [1]


def test_a_reader_sees_what_is_committed_and_is_not_held_up_by_a_writer(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("INSERT INTO kept VALUES (1)"))
        with database.read() as reader, eventlet.Timeout(5):
            assert reader.execute(text("SELECT count(*) FROM kept")).scalar_one() == 0
            assert kept(database) == []

    assert kept(database) == [1]


def test_writers_queue_up_instead_of_finding_the_database_locked(database: Database) -> None:
    def write(number: int) -> None:
        with database.write() as connection:
            connection.execute(text("SELECT count(*) FROM kept"))
            eventlet.sleep(0.005)
            connection.execute(text("INSERT INTO kept VALUES (:number)"), {"number": number})

    for writer in [eventlet.spawn(write, number) for number in range(20)]:
        writer.wait()

    assert kept(database) == list(range(20))


def test_a_stopped_writer_frees_the_database(database: Database) -> None:
    def write() -> None:
        with database.write() as connection:
            connection.execute(text("INSERT INTO kept VALUES (1)"))
            eventlet.sleep(60)

    writer = eventlet.spawn(write)
    eventlet.sleep(0.05)
    writer.kill()

    with eventlet.Timeout(5), database.write() as connection:
        connection.execute(text("INSERT INTO kept VALUES (2)"))
    assert kept(database) == [2]


def test_many_readers_share_few_connections(database: Database) -> None:
    answers = eventlet.GreenPool(60).imap(lambda _: kept(database), range(60))

    assert list(answers) == [[]] * 60


# --- PostgreSQL ----------------------------------------------------------------------------------------------------


def test_a_single_statement_says_what_went_wrong_as_a_transaction_does(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.write() as connection:
        connection.execute(text(KEPT))

    assert database.alone("INSERT INTO kept VALUES (%s) RETURNING number", (1,)) == 1
    with pytest.raises(IntegrityError):
        database.alone("INSERT INTO kept VALUES (%s) RETURNING number", (1,))
    with pytest.raises(DBAPIError):
        database.alone("SELECT 1 / %s", (0,))

    assert kept(database) == [1]
    database.close()


def test_a_single_statement_that_is_stopped_spoils_no_connection(postgres_url: str) -> None:
    database = Database(postgres_url)
    stopped = [eventlet.spawn(database.alone, "SELECT pg_sleep(%s)::text", (30,)) for _ in range(3)]
    eventlet.sleep(0.3)
    for one in stopped:
        one.kill()

    with eventlet.Timeout(5):
        assert [database.alone("SELECT %s::int", (number,)) for number in range(20)] == list(range(20))
        assert {row[0] for _ in range(20) for row in database.rows(text("SELECT 7"))} == {7}
    database.close()


def test_after_connections_broke_the_next_call_but_one_works(postgres_url: str) -> None:
    with ledger_at(postgres_url) as ledger:
        history(ledger, 1, "hall-0")
        history(ledger, 1, "hall-1")
        killer = Database(postgres_url)
        killer.rows(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database() AND usename = current_user"
            )
        )
        killer.close()

        failed = []
        for number in range(2, 8):
            try:
                history(ledger, 1, f"hall-{number}")
            except DBAPIError as fault:
                failed.append(fault)

        assert len(failed) <= 2
        assert all(fault.connection_invalidated for fault in failed)
        history(ledger, 1, "hall-9")


SLEEPERS = """
import sys, time, warnings
import eventlet
eventlet.monkey_patch()
from shared.database import Database
from sqlalchemy import text
database = Database(sys.argv[1])
begun = time.monotonic()
pool = eventlet.GreenPool()
if sys.argv[2] == "rows":
    jobs = [pool.spawn(database.rows, text("SELECT pg_sleep(0.2)")) for _ in range(10)]
elif sys.argv[2] == "alone":
    jobs = [pool.spawn(database.alone, "SELECT pg_sleep(%s)::text", (0.2,)) for _ in range(10)]
else:
    def write():
        with database.write() as connection:
            connection.execute(text("SELECT pg_sleep(0.2)"))
    jobs = [pool.spawn(write) for _ in range(10)]
for job in jobs:
    job.wait()
print(time.monotonic() - begun)
"""


@pytest.mark.parametrize("call", ["rows", "write", "alone"])
def test_greenlets_wait_for_postgresql_side_by_side(postgres_url: str, call: str) -> None:
    program = python(SLEEPERS, postgres_url, call)

    seconds, complaints = program.communicate()

    assert 0.2 <= float(seconds or 0) < 1.5, complaints


def test_without_the_wait_function_they_would_wait_one_after_the_other(postgres_url: str) -> None:
    """What the test above would find: psycopg's own way of waiting, in C, takes the name of no wait function."""
    program = python(SLEEPERS, postgres_url, "rows", PSYCOPG_WAIT_FUNC="wait_c")

    seconds, complaints = program.communicate()

    assert float(seconds or 0) >= 2.0, complaints


# --- migrations ----------------------------------------------------------------------------------------------------


def tables_of(service: str) -> MetaData:
    """What a service's code believes to be in its database."""
    import_module("shared.installation")
    import_module("shared.subscription")
    together = MetaData()
    for tables in (ledger_tables, import_module(f"services.{service}.views").metadata):
        for table in tables.tables.values():
            table.to_metadata(together)
    return together


@pytest.mark.parametrize("service", SERVICES)
def test_the_migrated_schema_is_what_the_tables_say(database_url: str, service: str) -> None:
    database = Database(database_url)

    database.migrate(service)

    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, tables_of(service)) == []
    database.close()


def test_migrating_again_changes_nothing(database_url: str) -> None:
    with ledger_at(database_url) as ledger:
        history(ledger, 2)

        ledger.database.migrate("work_orders")

        assert ledger.tips()["hall-1"]["position"] == 2


BEGIN = """
import sys
from shared.database import Database
from shared.installation import clock_of
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
database.migrate("scoring")
assert not clock_of(database, None).simulated
"""
MIGRATE_IN_THREADS = """
import sys, threading
from shared.database import Database
faults = []
threading.excepthook = lambda fault: faults.append(fault.exc_value)
places = zip(sys.argv[1::2], sys.argv[2::2])
jobs = [threading.Thread(target=Database(url).migrate, args=(service,)) for url, service in places]
for job in jobs: job.start()
for job in jobs: job.join()
sys.exit(str(faults) if faults else 0)
"""


def tables_in(url: str) -> set[str]:
    engine = create_engine(url, poolclass=NullPool)
    return set(inspect(engine).get_table_names())


def test_replicas_may_migrate_and_mark_one_database_at_once(database_url: str) -> None:
    programs = [python(BEGIN, database_url) for _ in range(4)]

    assert [program.stdout.readline() for program in programs if program.stdout] == ["ready\n"] * 4
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    complaints = [program.communicate()[1] for program in programs]

    assert complaints == [""] * 4
    assert {"event", "ledger", "checkpoint", "journal", "alembic_version"} <= tables_in(database_url)


def test_threads_may_migrate_several_databases_at_once(postgres_url: str, tmp_path: Path) -> None:
    places = [f"sqlite:///{tmp_path}/{service}.db" for service in SERVICES] + [postgres_url] * 3
    services = [*SERVICES, "scoring", "scoring", "scoring"]
    program = python(MIGRATE_IN_THREADS, *(word for pair in zip(places, services, strict=True) for word in pair))

    assert program.communicate()[1] == ""
    for place, service in zip(places, services, strict=True):
        assert {"event", *import_module(f"services.{service}.views").metadata.tables} <= tables_in(place)


def test_greenlets_may_migrate_several_databases_at_once(postgres_url: str, sqlite_url: str) -> None:
    databases = [Database(url) for url in (postgres_url, sqlite_url, postgres_url)]

    jobs = [eventlet.spawn(database.migrate, "scoring") for database in databases]

    with eventlet.Timeout(20):
        for job in jobs:
            job.wait()
    for database in databases:
        database.close()
