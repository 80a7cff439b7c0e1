"""Views follow from events alone: in any order of hearing, from any older schema; what does not is found and mended."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from alembic import command as alembic
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, text

from services.audit.cli import audit_group
from services.audit.folded import VIEWS
from services.audit.tests.whole import two_months, whole
from services.rebuild import rebuild_command
from shared.config import SCORED, SERVICES
from shared.contracts.scheduling import (
    OccurrenceExcused,
    OccurrencePerformed,
    OccurrenceScheduled,
    OccurrenceWithdrawalDeferred,
    OccurrenceWithdrawn,
)
from shared.contracts.work_orders import WorkOrderAssigned, WorkOrderOpened, WorkPerformed
from shared.database import Database, revisions
from shared.event import Event, Recorded, read
from shared.provider import open_ledger
from shared.refold import Scratch


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation that was stopped after two months."""
    folder = tmp_path_factory.mktemp("lived-in")
    with whole(f"sqlite:///{folder / 'x.db'}") as here:
        two_months(here)
    return folder


@pytest.fixture
def folder(lived_in: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(lived_in, tmp_path / "data"))


def rebuild(*arguments: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(rebuild_command, [str(argument) for argument in arguments])


def differences(folder: Path) -> list[str]:
    """What an audit finds, as far as it says what."""
    found = CliRunner().invoke(audit_group, ["verify", "--data", str(folder), "--json"])
    return [fault["what"] for fault in json.loads(found.stdout)["first"]]


def force(folder: Path, service: str, *statements: str) -> None:
    """Change a database behind the platform's back."""
    database = Database(f"sqlite:///{folder / service}.db")
    with database.write() as connection:
        for statement in statements:
            connection.execute(text(statement))
    database.close()


# --- the command ----------------------------------------------------------------------------------------------------


def test_views_that_follow_from_their_events_hold(folder: Path) -> None:
    rebuilt = rebuild("--data", folder)

    assert rebuilt.stdout.splitlines()[:2] == [
        "held: asset_registry, version 1, 7 events folded",
        "held: scheduling, version 2, 26 events folded",
    ]
    assert (rebuilt.exit_code, rebuilt.stderr) == (0, "")


def test_rows_that_do_not_are_named_and_mended(folder: Path) -> None:
    force(
        folder,
        "work_orders",
        "UPDATE cost SET supplier = 'X'",
        "DELETE FROM incident",
        "UPDATE finding SET note = CAST(X'FF' AS TEXT) WHERE point_id = 'N-2'",
    )
    found = differences(folder)

    first, again = rebuild("--data", folder, "--service", "work_orders"), rebuild("--data", folder)

    assert first.stdout.splitlines()[1:] == [
        "  cost: 1 different",
        "    table cost, row hall c-1: supplier is 'X', but the events give '昆明机电'",
        "  finding: 1 different",
        "    table finding, row hall wo:hvac:2021-01:1 N-2: note is '\\udcff', but the events give '漏气'",
        "  incident: 1 missing",
        "    table incident, row hall i-1: is missing",
    ]
    assert (first.exit_code, again.exit_code) == (1, 0)
    assert (len(found), differences(folder)) == (3, [])


def test_what_cannot_be_rebuilt_is_said_in_a_line(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({"DATABASES": {"scheduling": f"sqlite:///{folder}/scheduling.db"}}))
    alone, absent = rebuild("--config", config), rebuild("--config", config, "--service", "scoring")
    nowhere, both = rebuild("--data", tmp_path / "none"), rebuild("--data", folder, "--config", config)
    force(folder, "scoring", "UPDATE alembic_version SET version_num = 'ledger_0001' WHERE version_num LIKE 'ledger%'")
    older = rebuild("--data", folder)

    assert [one.exit_code for one in (alone, absent, nowhere, both, older)] == [2, 2, 2, 2, 2]
    assert alone.stderr.startswith("xunjian: scheduling: its views are folded from the ledgers of asset_registry, ")
    assert absent.stderr == f"xunjian: {config}: DATABASES: expected the database of scoring\n"
    assert nowhere.stderr == f"xunjian: {tmp_path / 'none'}: no such folder\n"
    assert older.stderr.startswith("xunjian: scoring: written by another version; ")


def test_a_forged_event_is_not_folded(folder: Path) -> None:
    force(folder, "work_orders", "DROP TRIGGER event_no_update", "UPDATE event SET hash = 'x' WHERE position = 3")

    rebuilt = rebuild("--data", folder, "--service", "work_orders")

    assert rebuilt.exit_code == 2
    assert rebuilt.stderr == "xunjian: facility hall, position 3 of work_orders: the chain is broken\n"


# --- what was written before views were folded from events alone ----------------------------------------------------


def test_a_database_of_an_older_schema_is_converted_rebuilt_and_holds(lived_in: Path, tmp_path: Path) -> None:
    config = {"DATABASES": {service: f"sqlite:///{tmp_path / service}.db" for service in SERVICES}}
    for service in SCORED:  # there were no others
        _as_once_written(lived_in / f"{service}.db", tmp_path / f"{service}.db", service)

    for service in SERVICES:
        open_ledger(config, service, VIEWS[service]).database.close()
    found = differences(tmp_path)
    rebuilt = rebuild("--data", tmp_path)

    assert found[0] == "the views were folded by version 1 of their fold, now it is 2: xunjian rebuild"
    assert "replaced: scheduling, version 2 (before: 1), 26 events folded" in rebuilt.stdout.splitlines()
    assert (rebuilt.exit_code, differences(tmp_path)) == (0, [])


_BEFORE_DIGESTS = {
    "asset_registry": "asset_registry_0001",
    "scheduling": "scheduling_0001",
    "work_orders": "work_orders_0001",
    "scoring": "scoring_0002",
}


def _as_once_written(whole: Path, older: Path, service: str) -> None:
    """The rows of a database in the tables that it had before there were digests."""
    database = Database(f"sqlite:///{older}")
    with database.write() as connection:
        configuration = revisions(service)
        configuration.attributes["connection"] = connection
        for revision in ("ledger_0001", _BEFORE_DIGESTS[service]):
            alembic.upgrade(configuration, revision)
    with database._writer, database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("ATTACH ? AS whole", (str(whole),))
        with connection.begin():
            for table in set(inspect(connection).get_table_names()) - {"alembic_version"}:
                columns = ", ".join(f'"{column["name"]}"' for column in inspect(connection).get_columns(table))
                driver.execute(f'INSERT INTO main."{table}" ({columns}) SELECT {columns} FROM whole."{table}"')
    database.close()


# --- in any order ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told(lived_in: Path) -> dict[str, list[Recorded]]:
    """The events of each service, in the order of its ledger."""
    databases = {service: Database(f"sqlite:///{lived_in / service}.db") for service in SERVICES}
    query = text("SELECT body, hash FROM event ORDER BY position")
    ledgers = {name: [read(row.body, row.hash) for row in one.rows(query)] for name, one in databases.items()}
    for database in databases.values():
        database.close()
    return ledgers


@pytest.mark.parametrize("service", ["scheduling", "work_orders"])
def test_whatever_is_heard_first_the_views_are_the_same(service: str, told: dict[str, list[Recorded]]) -> None:
    views = VIEWS[service]
    ledgers = [told[service], *(told[source] for source in views.sources)]
    one_after_the_other = _folded(service, [recorded for ledger in ledgers for recorded in ledger])

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.permutations([number for number, ledger in enumerate(ledgers) for _ in ledger]))
    def any_order(turns: list[int]) -> None:
        waiting = [iter(ledger) for ledger in ledgers]

        assert _folded(service, [next(waiting[turn]) for turn in turns]) == one_after_the_other

    any_order()
    assert all(one_after_the_other.values())


VISITS, JOBS, PEOPLE = ("o-1", "o-2", "o-3"), ("wo-1", "wo-2", "wo-3"), ("user:li", "user:wang")
_NOON = datetime(2021, 1, 6, 12, tzinfo=UTC)


@st.composite
def _own(draw: st.DrawFn) -> list[Event]:
    """Visits are scheduled, and anything becomes of them afterwards."""
    told: list[Event] = []
    for visit in draw(st.permutations(VISITS)):
        assignee = draw(st.sampled_from([None, *PEOPLE]))
        told.append(_scheduled(visit, assignee))
        then = draw(st.lists(st.sampled_from(_LATER), max_size=3, unique=True))
        told.extend(later(visit) for later in then)
    return told


@st.composite
def _of_work(draw: st.DrawFn) -> list[Event]:
    """Orders are opened for them, given to people, and performed."""
    told: list[Event] = [_opened(job, draw(st.sampled_from([None, *VISITS]))) for job in JOBS]
    for _ in range(draw(st.integers(0, 6))):
        job, person = draw(st.sampled_from(JOBS)), draw(st.sampled_from(PEOPLE))
        given = WorkOrderAssigned(work_order_id=job, assignee=person)
        told.append(draw(st.sampled_from([given, _performed(job, draw(st.sampled_from(VISITS)), person)])))
    return told


@settings(max_examples=100, deadline=None)
@given(_own(), _of_work(), st.randoms(use_true_random=False))
def test_random_schedules_and_random_work_give_the_same_views_in_any_order(
    own: list[Event], work: list[Event], random: Random
) -> None:
    ledgers = [_recorded("scheduling", own), _recorded("work_orders", work)]
    turns = [number for number, ledger in enumerate(ledgers) for _ in ledger]
    random.shuffle(turns)
    waiting = [iter(ledger) for ledger in ledgers]

    mixed = _folded("scheduling", [next(waiting[turn]) for turn in turns])

    assert mixed == _folded("scheduling", [*ledgers[0], *ledgers[1]])


def _recorded(source: str, events: Sequence[Event]) -> list[Recorded]:
    return [
        Recorded(
            id=f"{source}-{number}",
            source=f"/{source}",
            type=event.type,
            time=_NOON,
            recordedat=_NOON + timedelta(minutes=number),
            facility="hall",
            event=event,
            position=number,
        )
        for number, event in enumerate(events, start=1)
    ]


def _scheduled(visit: str, assignee: str | None) -> Event:
    window: Any = {"window_start": date(2021, 1, 6), "window_end": date(2021, 1, 31)}
    names: Any = {"occurrence_id": visit, "plan_item_id": "hvac", "system_id": "hvac", "assignee": assignee}
    return OccurrenceScheduled(**names, **window, activity="inspection", period="2021-01", point_ids=("N-1",))


_LATER: list[Callable[[str], Event]] = [
    lambda visit: OccurrencePerformed(occurrence_id=visit, work_order_id="wo-1", performed_at=_NOON),
    lambda visit: OccurrenceWithdrawn(occurrence_id=visit, reason="闭馆"),
    lambda visit: OccurrenceExcused(occurrence_id=visit, reason="停电", approved_by="user:chen"),
    lambda visit: OccurrenceWithdrawalDeferred(occurrence_id=visit, told_on=date(2021, 1, 9), reason="停用"),
]


def _opened(job: str, visit: str | None) -> Event:
    names: Any = {"work_order_id": job, "occurrence_id": visit, "system_id": "hvac", "point_ids": ("N-1",)}
    return WorkOrderOpened(**names, kind="inspection", priority="normal")


def _performed(job: str, visit: str, person: str) -> Event:
    names: Any = {"work_order_id": job, "occurrence_id": visit, "system_id": "hvac", "performed_by": person}
    return WorkPerformed(**names, kind="inspection", performed_at=_NOON)


def _folded(service: str, events: Sequence[Recorded]) -> dict[str, list[Any]]:
    """The rows of each table after some events, of a source's only those that are heard."""
    views = VIEWS[service]
    with Scratch(views) as scratch:
        for recorded in events:
            if recorded.source == f"/{service}" or isinstance(recorded.event, views.hears):
                scratch.fold(recorded)
        return {table.name: list(scratch.rows(table)) for table in views.tables}


def test_what_is_folded_of_others_is_what_is_subscribed_to() -> None:
    from services.audit.tests.whole import HOSTED

    for name, views in VIEWS.items():
        subscribed = set(_subscribed(HOSTED[name]))
        assert set(views.hears) <= subscribed, name


def _subscribed(service: Any) -> Iterator[Any]:
    import inspect as members

    from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

    for _, method in members.getmembers(service, members.isfunction):
        for entrypoint in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ()):
            yield from getattr(entrypoint, "kinds", ())
