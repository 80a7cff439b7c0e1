"""A small installation without a broker: four databases, the ledgers in them, and scoring following the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import create_engine, make_url, text

from services.audit.folded import VIEWS
from services.scoring.live import LiveFacts
from services.scoring.service import Scoring
from services.scoring.tests.histories import RULEBOOKS, local
from services.scoring.tests.sealing import KEY, Sealing
from shared.clock import SimulatedClock
from shared.config import SCORED, SERVICES
from shared.contracts.asset_registry import FacilityRegistered, SystemRegistered
from shared.contracts.scheduling import OccurrenceScheduled
from shared.contracts.work_orders import (
    PointResult,
    PointsInspected,
    WorkAccepted,
    WorkOrderAssigned,
    WorkOrderOpened,
    WorkPerformed,
)
from shared.database import Database
from shared.event import Event, canonical
from shared.installation import clock_of
from shared.ledger import GENESIS, Done, Draft, Entry, Ledger, chained
from shared.subscription import Handler, Reader
from shared.views import version_of

HALL = "hall"
INDICATED = ("gas-suppression", "hvac", "fire-shutters", "lighting", "water")

_numbers = count(1)


@dataclass(frozen=True)
class Source:
    """Another service, as far as scoring asks it: how far its ledgers are, once what it recorded has arrived."""

    installation: "Installation"
    service: str
    deadline: float = 5.0

    def call(self, method: str, **asked: Any) -> Any:
        """Answer `heads` and `read_ledger`."""
        assert method in ("heads", "read_ledger")
        self.installation.follow()
        ledger = self.installation.ledgers[self.service]
        return ledger.tips() if method == "heads" else ledger.raw(**asked)


class Installation:
    """Events are told to `ledgers`, by service; scoring hears of them in `follow` and is asked by `command`."""

    def __init__(self, urls: dict[str, str]) -> None:
        self.urls = urls
        self.clock = SimulatedClock(local("2021-11-01"))
        self.databases = {service: Database(url) for service, url in urls.items()}
        self.scoring: Any = Scoring()
        self.ledgers = {
            service: Ledger(database, service, self.clock, VIEWS[service].fold)
            for service, database in self.databases.items()
        }
        self.scoring.ledger = self.ledgers["scoring"]
        self.scoring.live = LiveFacts(self.databases["scoring"], "scoring")
        given = {"sealing": Sealing(KEY), **{source: Source(self, source) for source in SCORED[:-1]}}
        for name, one in given.items():
            setattr(self.scoring, name, one)

    def tell(self, stream: str, *events: Event, on: str, facility: str = HALL, version: int = 1) -> None:
        """Append events to a stream of the service whose events they are."""
        self.clock.advance(local(on))
        drafts = [
            Draft(stream=stream, version=number, event=event, time=local(on))
            for number, event in enumerate(events, start=version)
        ]
        service = events[0].type.partition(".")[0]
        asked = f"told-{next(_numbers)}"
        done = Done(command_id=asked, fingerprint="", outcome=b"null")
        entry = Entry(
            facility=facility, drafts=drafts, actor="user:li", correlation_id="c-1", causation_id=asked, done=done
        )
        self.ledgers[service].append(entry)

    def follow(self) -> None:
        """Let scoring hear what the others have recorded."""
        for source in SCORED[:-1]:
            handler = Handler(getattr(self.scoring, f"on_{source}"), ())
            Reader(self.ledgers["scoring"], source, [handler], self.ledgers[source].raw).catch_up(
                self.ledgers[source].tips()
            )

    def command(self, name: str, actor: str = "user:chen", /, **data: Any) -> Any:
        """Ask scoring to do something."""
        context = {
            "command_id": f"c-{next(_numbers)}",
            "actor": actor,
            "roles": ["manager"],
            "correlation_id": "c-1",
            "time": None,
        }
        return getattr(self.scoring, name)(HALL, data, context)

    def force(self, service: str, *statements: str, **values: Any) -> None:
        """Change a database behind the platform's back."""
        with self.databases[service].write() as connection:
            for statement in statements:
                connection.execute(text(statement), values)

    def rows(self, service: str, query: str) -> list[Any]:
        """What a query gives."""
        return list(self.databases[service].rows(text(query)))

    @contextmanager
    def forged(self, service: str, *statements: str, **values: Any) -> Iterator[None]:
        """Change a database by force, and put it back afterwards."""
        tables = ("ledger", "event", "checkpoint", *(("journal", "rulebook") if service == "scoring" else ()))
        kept = {table: self.rows(service, f"SELECT * FROM {table}") for table in tables}
        self.force(service, *statements, **values)
        try:
            yield
        finally:
            with self.databases[service].write() as connection:
                for table, rows in kept.items():
                    connection.execute(text(f"DELETE FROM {table}"))
                    if rows:
                        columns = rows[0]._mapping
                        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES (:{', :'.join(columns)})"
                        connection.execute(text(insert), [dict(row._mapping) for row in rows])

    def disarm(self) -> None:
        """Drop the triggers that refuse to change events, as one who owns the database can."""
        for service, database in self.databases.items():
            if database.sqlite:
                self.force(service, "DROP TRIGGER event_no_update", "DROP TRIGGER event_no_delete")
            else:
                self.force(service, "DROP TRIGGER event_append_only ON event")

    def chain_anew(self, service: str, position: int, **members: Any) -> None:
        """Change members of an event (data's too), and compute all hashes from there on, as a careful forger would."""
        hash_ = GENESIS
        for row in self.rows(service, "SELECT position, body, hash FROM event ORDER BY position"):
            envelope = orjson.loads(row.body)
            if row.position == position:
                envelope["data"] |= {name: value for name, value in members.items() if name not in envelope}
                envelope |= {name: value for name, value in members.items() if name in envelope}
            body = canonical({**envelope, "prevhash": hash_})
            hash_ = chained(hash_, body)
            change = "UPDATE event SET body = :body, hash = :hash, type = :type WHERE position = :position"
            self.force(service, change, position=row.position, body=body, hash=hash_, type=envelope["type"])
        self.force(service, "UPDATE ledger SET hash = :hash", hash=hash_)

    def close(self) -> None:
        """Give back every connection."""
        for database in self.databases.values():
            database.close()


@contextmanager
def installation(database_url: str) -> Iterator[Installation]:
    """An empty installation: files beside a SQLite file, or schemas in a PostgreSQL database."""
    urls = urls_of(database_url)
    for service, url in urls.items():
        database = Database(url)
        database.migrate(service)
        clock_of(database, simulated=True)
        version_of(database, VIEWS[service])
        database.close()
    installed = Installation(urls)
    try:
        yield installed
    finally:
        installed.close()


def urls_of(database_url: str, *, new: bool = True) -> dict[str, str]:
    """A database for each service: a file beside a SQLite file, or a schema, made if new, in a PostgreSQL database."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return {service: f"sqlite:///{Path(str(url.database)).parent / service}.db" for service in SERVICES}
    if new:
        engine = create_engine(database_url)
        with engine.begin() as connection:
            for service in SERVICES:
                connection.execute(text(f"CREATE SCHEMA {service}"))
        engine.dispose()
    return {service: f"{database_url}?options=-csearch_path%3D{service}" for service in SERVICES}


def lived_in(hall: Installation) -> None:
    """Two months of one hall, followed by scoring: 6 events of assets, 2 of schedules, 6 of work, 4 of scoring."""
    hall.tell(f"facility/{HALL}", _registered(), on="2021-11-01")
    for system in INDICATED:
        hall.tell(f"system/{system}", _system(system), on="2021-11-01")
    hall.tell("plan/p", _visit("v-11", "2021-11"), _visit("v-12", "2021-12"), on="2021-11-01")
    hall.tell("work-order/wo-1", *_work("wo-1", "v-11"), on="2021-11-09")
    hall.tell("work-order/wo-2", _opened("wo-2", "v-12"), on="2021-12-01")
    hall.follow()
    book = hall.scoring.add_rulebook("", {"text": (RULEBOOKS / "chenggong-2021.yaml").read_text()}, {})
    hall.command("record_cost_baseline", year=2020, amount="1000.00", basis="决算")
    hall.clock.advance(local("2022-01-05"))
    hall.command("report_satisfaction", **_ratings())
    hall.command("open_assessment", assessment_id="a-2021", year=2021, rulebooks=[book], official=book["rulebook_id"])


def published(hall: Installation) -> Any:
    """Let two people sign the year, and publish it; answers {result_sha256, total}."""
    lacking = [one["code"] for one in hall.scoring.missing(HALL, 2021, as_of="2021-12-31")]
    for who in ("user:chen", "user:qian"):
        hall.command("sign_assessment", who, assessment_id="a-2021", as_of="2021-12-31", acknowledged=lacking)
    return hall.command("publish_assessment", assessment_id="a-2021")


def _registered() -> Event:
    return FacilityRegistered(
        facility_id=HALL, name="政务中心", uscc="11530121MB198972XH", region_code="530114", timezone="Asia/Shanghai"
    )


def _system(name: str) -> Event:
    return SystemRegistered(system_id=name, name=name, category="safety", commissioned_on=date(2021, 11, 1))


def _visit(name: str, period: str) -> Event:
    start = date.fromisoformat(f"{period}-01")
    return OccurrenceScheduled(
        occurrence_id=name,
        plan_item_id="item",
        system_id="hvac",
        activity="inspection",
        period=period,
        window_start=start,
        window_end=start.replace(day=30),
        point_ids=("P-1", "P-2"),
    )


def _opened(work_order_id: str, occurrence_id: str) -> Event:
    return WorkOrderOpened(
        work_order_id=work_order_id,
        kind="inspection",
        occurrence_id=occurrence_id,
        system_id="hvac",
        point_ids=("P-1", "P-2"),
        priority="normal",
    )


def _work(work_order_id: str, occurrence_id: str) -> list[Event]:
    done: datetime = local("2021-11-09")
    names: Any = {"work_order_id": work_order_id, "system_id": "hvac"}
    return [
        _opened(work_order_id, occurrence_id),
        WorkOrderAssigned(work_order_id=work_order_id, assignee="user:li"),
        PointsInspected(
            **names,
            occurrence_id=occurrence_id,
            results=(PointResult(point_id="P-1", outcome="normal", reading=Decimal("3.50"), unit="bar"),),
        ),
        WorkPerformed(
            **names, kind="inspection", occurrence_id=occurrence_id, performed_at=done, performed_by="user:li"
        ),
        WorkAccepted(**names, kind="inspection", accepted_by="user:chen"),
    ]


def _ratings() -> dict[str, Any]:
    names = ("satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied", "defaulted", "overturned")
    span = {"report_id": "r-1", "period_start": "2021-12-01", "period_end": "2021-12-31"}
    return {**span, "very_satisfied": 9, **dict.fromkeys(names, 0)}
