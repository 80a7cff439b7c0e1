"""Views are built anew beside the live ones and put in their place: compared, all at once, and while others go on."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import eventlet
import pytest
from sqlalchemy import JSON, Boolean, Column, Connection, Integer, MetaData, String, Table, insert, select, update

from shared import embedded, service
from shared.contracts.work_orders import WorkOrderAssigned
from shared.database import Database
from shared.errors import Conflict, Invalid, Unavailable
from shared.event import Recorded
from shared.ledger import Ledger
from shared.rebuild import Rebuild
from shared.subscription import Handler, Reader, subscribe
from shared.tests.given import assigned, draft, entry, ledger_at
from shared.tests.hosted import Followed, configuration, hosting
from shared.unit import Unit
from shared.views import Views, version_of

metadata = MetaData()
people = Table(
    "person",
    metadata,
    Column("facility", String(80), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("jobs", Integer, nullable=False),
    Column("ours", Boolean, nullable=False),
    Column("last", JSON, nullable=False),
)


def fold(connection: Connection, recorded: Recorded, by: int = 1) -> None:
    """Count the jobs of each person, ours and those heard of."""
    event = recorded.event
    assert isinstance(event, WorkOrderAssigned)
    ours, last = recorded.source == "/scoring", {"job": event.work_order_id}
    name = event.assignee if ours else f"{event.assignee} (theirs)"
    this = (people.c.facility == recorded.facility) & (people.c.name == name)
    if connection.execute(select(people.c.jobs).where(this)).first():
        connection.execute(update(people).where(this).values(jobs=people.c.jobs + by, last=last))
    else:
        row = {"facility": recorded.facility, "name": name, "jobs": by, "ours": ours}
        connection.execute(insert(people).values(**row, last=last))


def fold_twofold(connection: Connection, recorded: Recorded) -> None:
    """Another fold: every job counts twice."""
    fold(connection, recorded, by=2)


VIEWS = Views(metadata=metadata, fold=fold, hears=(WorkOrderAssigned,))
CHANGED = replace(VIEWS, fold=fold_twofold, version=2)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Ledger]:
    """The ledger that is heard of."""
    with ledger_at(f"sqlite:///{tmp_path / 'source.db'}") as ledger:
        yield ledger


@pytest.fixture
def ledger(database_url: str, source: Ledger) -> Iterator[Ledger]:
    """The ledger of the one whose views these are, with four events of its own and three heard of."""
    with ledger_at(database_url, "scoring", fold=fold) as ledger:
        metadata.create_all(ledger.database.engine)
        version_of(ledger.database, VIEWS)
        for number, name in enumerate(("li", "wang", "li", "li"), start=1):
            happen(ledger, number, name)
        for number, name in enumerate(("li", "wang", "wang"), start=1):
            happen(source, number, name)
        follow(ledger, source)
        yield ledger


def happen(ledger: Ledger, number: int, name: str) -> None:
    """Somebody was assigned."""
    ledger.append(entry(draft(f"job/{number}", 1, assigned(f"wo-{number}", name))))


def follow(ledger: Ledger, source: Ledger) -> None:
    """Hear of everything."""

    def nothing(do: Unit, recorded: Recorded) -> None:
        """Decide nothing."""

    Reader(ledger, "work_orders", [Handler(nothing, ())], source.raw).catch_up(source.tips())


def jobs(ledger: Ledger) -> dict[str, int]:
    """What the view says."""
    return {row.name: row.jobs for row in ledger.database.rows(select(people.c.name, people.c.jobs))}


ONCE = {"li": 3, "wang": 1, "li (theirs)": 1, "wang (theirs)": 2}
TWICE = {name: 2 * count for name, count in ONCE.items()}


def rebuild(ledger: Ledger, source: Ledger, views: Views = VIEWS) -> Rebuild:
    """A rebuild that reads the source's ledger."""
    return Rebuild(ledger.database, "scoring", views, {"work_orders": source.raw})


def test_views_that_follow_from_their_events_are_left_as_they_are(ledger: Ledger, source: Ledger) -> None:
    rebuilt = rebuild(ledger, source).run()

    assert (rebuilt.before, rebuilt.version, rebuilt.events, rebuilt.differing) == (1, 1, 7, ())
    assert jobs(ledger) == ONCE


def test_rows_that_do_not_are_named_and_mended(ledger: Ledger, source: Ledger) -> None:
    before = ledger.database.rows(select(people).order_by(people.c.name))
    with ledger.database.write() as connection:
        connection.execute(update(people).where(people.c.name == "li").values(jobs=9, last=["wo-9"], ours=False))
        connection.execute(people.delete().where(people.c.name == "wang"))
        connection.execute(insert(people).values(facility="hall-1", name="zhao", jobs=1, ours=True, last={}))

    (table,) = rebuild(ledger, source).run().differing

    assert (table.missing, table.unfounded, table.different) == (1, 1, 1)
    assert [str(one) for one in table.first] == [
        "table person, row hall-1 li: jobs is 9, but the events give 3; ours is 0, but the events give 1;"
        """ last is '["wo-9"]', but the events give '{"job": "wo-4"}'""",
        "table person, row hall-1 wang: is missing",
        "table person, row hall-1 zhao: follows from no event",
    ]
    assert ledger.database.rows(select(people).order_by(people.c.name)) == before


def test_a_changed_fold_is_built_beside_while_events_go_on_and_then_swapped_at_once(
    ledger: Ledger, source: Ledger
) -> None:
    seen: list[dict[str, int]] = []

    def feed(**page: Any) -> list[str]:
        """Meanwhile somebody reads, and something is recorded here and there, once."""
        seen.append(jobs(ledger))
        if len(seen) == 1:
            ledger.fold = fold_twofold  # as the new code folds from its start on
            happen(ledger, 5, "zhao")
            happen(source, 4, "zhao")
            follow(ledger, source)
        return source.raw(**page)

    rebuilt = Rebuild(ledger.database, "scoring", CHANGED, {"work_orders": feed}).run()

    meanwhile = {"zhao": 2, "zhao (theirs)": 2}
    assert seen == [ONCE, ONCE | meanwhile]
    assert jobs(ledger) == TWICE | meanwhile
    assert (rebuilt.before, rebuilt.version, rebuilt.events) == (1, 2, 9)
    assert version_of(ledger.database, CHANGED) == 2


def test_what_fails_at_the_last_moment_leaves_the_old_views(ledger: Ledger, source: Ledger) -> None:
    pages = 0

    def feed(**page: Any) -> list[str]:
        """The source goes away when ledgers are held still and only the last event is to be read."""
        nonlocal pages
        pages += 1
        if pages == 1:
            first = source.raw(**page)
            happen(source, 4, "zhao")
            follow(ledger, source)
            return first
        raise Unavailable("work_orders is away")

    with pytest.raises(Unavailable):
        Rebuild(ledger.database, "scoring", CHANGED, {"work_orders": feed}).run()

    assert jobs(ledger) == ONCE | {"zhao (theirs)": 1}
    assert version_of(ledger.database, CHANGED) == 1
    happen(ledger, 5, "zhao")  # nothing is held any more
    assert rebuild(ledger, source, CHANGED).run().version == 2


def test_a_source_that_tells_something_else_is_not_believed(ledger: Ledger, source: Ledger) -> None:
    def feed(**page: Any) -> list[str]:
        return [text.replace("wang", "zhao") for text in source.raw(**page)]

    with pytest.raises(Invalid, match="facility hall-1, position 2 of work_orders: the chain is broken"):
        Rebuild(ledger.database, "scoring", CHANGED, {"work_orders": feed}).run()

    assert jobs(ledger) == ONCE


def test_a_source_that_lacks_what_was_heard_is_not_believed(ledger: Ledger, source: Ledger) -> None:
    def feed(**page: Any) -> list[str]:
        return source.raw(**page)[: 2 - page["after"]]

    with pytest.raises(Invalid, match="facility hall-1, position 3 of work_orders: the event is missing"):
        Rebuild(ledger.database, "scoring", CHANGED, {"work_orders": feed}).run()


def test_a_rebuild_needs_every_ledger_that_is_folded(ledger: Ledger) -> None:
    with pytest.raises(Invalid, match="scoring: its views are folded from the ledgers of work_orders too"):
        Rebuild(ledger.database, "scoring", VIEWS, {})


def test_of_several_processes_one_rebuilds(postgres_url: str, source: Ledger) -> None:
    with ledger_at(postgres_url, "scoring", fold=fold) as ledger:
        metadata.create_all(ledger.database.engine)

        def feed(**page: Any) -> list[str]:
            with pytest.raises(Conflict, match="by another process"):
                rebuild(ledger, source).run()
            return source.raw(**page)

        happen(source, 1, "li")
        follow(ledger, source)

        rebuilt = Rebuild(ledger.database, "scoring", CHANGED, {"work_orders": feed}).run()

    assert rebuilt.events == 1


class Counting(service.LedgerService):
    """Counts, by whichever fold it has."""

    name = "scoring"
    views = VIEWS

    @subscribe("work_orders", WorkOrderAssigned)
    def on_work_order_assigned(self, do: Unit, recorded: Recorded) -> None:
        """Count."""


class CountingTwice(Counting):
    """Its newer version."""

    views = CHANGED


def test_a_service_with_a_new_fold_rebuilds_its_views_by_itself_once_its_sources_are_there(
    database_url: str, tmp_path: Path
) -> None:
    config = configuration(embedded.fresh(), f"sqlite:///{tmp_path / 'source.db'}", database_url)
    database = Database(database_url)
    database.migrate("scoring")
    metadata.create_all(database.engine)
    database.close()
    with hosting(config, Followed, Counting) as (source, ledger):
        happen(source, 1, "li")
        until(lambda: jobs(ledger) == {"li (theirs)": 1})

    with hosting(config, CountingTwice) as (ledger,):
        until(lambda: version_of(ledger.database, CHANGED) == 1)
        happen(ledger, 1, "wang")
        assert jobs(ledger) == {"li (theirs)": 1, "wang": 2}
        with hosting(config, Followed):
            until(lambda: version_of(ledger.database, CHANGED) == 2)

            assert jobs(ledger) == {"li (theirs)": 2, "wang": 2}


def until(happened: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something."""
    give_up = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < give_up
        eventlet.sleep(0.02)
