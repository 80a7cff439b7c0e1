"""Whatever byte of whatever table is changed, and whatever tail is cut off: an audit finds it, and names where it is."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text

from services.audit.snapshot import read_only
from services.audit.tests.forger import Change, Forger
from services.audit.tests.whole import two_months, whole
from services.audit.verify import Fault, Verification
from shared.config import FED, SERVICES
from shared.database import Database
from shared.tests.thorough import examples

ALONE = {"event", "ledger", "checkpoint"}
"""Tables of which a change is made alone: nothing more is said of what rests on a broken chain."""
TOGETHER = 10
"""How many changes of other tables are made at once; each must be named for itself."""


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation that was stopped after two months."""
    folder = tmp_path_factory.mktemp("lived-in")
    with whole(f"sqlite:///{folder / 'x.db'}") as here:
        two_months(here)
    return folder


@pytest.fixture
def databases(lived_in: Path, tmp_path: Path) -> Iterator[dict[str, Database]]:
    """A copy of it, as its owner opens it."""
    shutil.copytree(lived_in, tmp_path, dirs_exist_ok=True)
    opened = {service: Database(f"sqlite:///{tmp_path / service}.db") for service in SERVICES}
    yield opened
    for database in opened.values():
        database.close()


@contextmanager
def audited(databases: Mapping[str, Database]) -> Iterator[dict[str, Database]]:
    """Databases as an audit opens them."""
    urls = {service: one.url.render_as_string(hide_password=False) for service, one in databases.items()}
    opened = {service: read_only(url, service) for service, url in urls.items()}
    try:
        yield opened
    finally:
        for database in opened.values():
            database.close()


def audit(databases: Mapping[str, Database]) -> list[Fault]:
    """What an audit finds that is begun now."""
    with audited(databases) as opened:
        return faults_of(opened)


def faults_of(databases: Mapping[str, Database]) -> list[Fault]:
    """What an audit finds."""
    return list(Verification(databases).faults())


def together(changes: Iterator[Change]) -> Iterator[list[Change]]:
    """The changes in the groups in which they are made, no two of the same row in one."""
    group: list[Change] = []
    for change in changes:
        if change.table in ALONE:
            yield [change]
            continue
        if len(group) == TOGETHER or any(one.row is change.row for one in group):
            yield group
            group = []
        group.append(change)
    yield group


def all_are_named(databases: dict[str, Database], count: int, most: int) -> bool:
    """Make so many changes, more until every table was among them, and see each named; returns whether every table was."""
    touched: set[tuple[str, str]] = set()
    forger, found = Forger(databases, seed=2021), 0
    groups = together(forger.changes())
    with audited(databases) as opened:
        assert faults_of(opened) == []
        while found < count or (found < most and touched != forger.tables()):
            with forger.made(next(groups)) as made:
                faults = faults_of(opened)
                for change in made:
                    assert any(change.is_named_by(fault) for fault in faults), (change, [str(one) for one in faults])
                    touched.add((change.service, change.table))
                found += len(made)
        assert faults_of(opened) == []
    return touched == forger.tables()


@pytest.mark.slow
def test_any_byte_of_any_table_changed_is_found_and_named(databases: dict[str, Database]) -> None:
    assert all_are_named(databases, examples(400, many=2000), 2000)


@pytest.mark.slow
def test_any_value_of_a_postgresql_table_changed_is_found_and_named(postgres_url: str) -> None:
    with whole(postgres_url) as here:
        two_months(here)

        all_are_named(here.databases, count := examples(30, many=200), count)


@pytest.mark.parametrize("service", FED)
@pytest.mark.parametrize("cut", [1, 3])
def test_a_tail_cut_off_neatly_is_found_though_the_ledger_agrees_with_itself(
    databases: dict[str, Database], service: str, cut: int
) -> None:
    Forger(databases, seed=1)
    database = databases[service]
    last = database.rows(text("SELECT position FROM ledger"))[0].position - cut
    (kept,) = database.rows(text("SELECT hash FROM event WHERE position = :last"), {"last": last})

    with database.write() as connection:
        connection.execute(text("DELETE FROM event WHERE position > :last"), {"last": last})
        head = "position = :last, hash = :hash, published = :last, published_hash = :hash"
        connection.execute(text(f"UPDATE ledger SET {head}"), {"last": last, "hash": kept.hash})
    faults = audit(databases)

    assert any(fault.position and fault.position > last for fault in faults) or any(
        fault.service == service and "follows from no event" in fault.what for fault in faults
    )


def test_an_answer_that_is_no_longer_remembered_is_found_where_its_events_are(
    databases: dict[str, Database],
) -> None:
    (asked,) = databases["work_orders"].rows(text("SELECT body FROM event WHERE type LIKE '%work_accepted.v1'"))
    key = orjson.loads(asked.body)["causationid"]
    with databases["work_orders"].write() as connection:
        connection.execute(text("DELETE FROM command WHERE command_id = :key"), {"key": key})

    (fault,) = audit(databases)

    assert (fault.service, fault.facility) == ("work_orders", "hall")
    assert fault.what == f"the command {key} is not remembered"


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("CREATE TABLE notes (id INTEGER)", "work_orders: there is a table notes, which is not of work_orders"),
        ("DROP TABLE finding", "work_orders: there is no table finding"),
        ("DELETE FROM installation", "work_orders: table installation has 0 rows, expected one"),
        (
            "DELETE FROM alembic_version WHERE version_num LIKE 'ledger%'",
            "work_orders: table alembic_version: the schema stands at work_orders_0002, expected ledger_0002",
        ),
        (
            "UPDATE checkpoint SET parked = 'position 7: x' WHERE source = 'scheduling'",
            "work_orders, facility hall: what scheduling tells is parked: position 7: x",
        ),
        ("DELETE FROM attachment", "work_orders, facility hall, position 8: the file "),
        ("DELETE FROM cost", "work_orders, facility hall: table cost, row hall c-1: is missing"),
        (
            "UPDATE cost SET supplier = NULL",
            "work_orders, facility hall: table cost, row hall c-1: supplier is None, but",
        ),
    ],
)
def test_what_is_no_byte_of_a_value_is_found_too(databases: dict[str, Database], statement: str, what: str) -> None:
    with databases["work_orders"].write() as connection:
        connection.execute(text(statement))

    (fault,) = audit(databases)

    assert str(fault).startswith(what)
