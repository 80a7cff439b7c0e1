"""Whatever is changed behind the platform's back is found, and named with service, facility and position."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.audit.snapshot import read_only
from services.audit.tests.installation import HALL, Installation
from services.audit.tests.originals import PUBLISHED, Originals
from services.audit.verify import Broken, Fault, Verification, replay_events
from shared.config import SCORED
from shared.contracts.work_orders import WorkOrderAssigned
from shared.database import Database
from shared.ledger import chained
from shared.tests.thorough import examples

ASSIGNED = WorkOrderAssigned(work_order_id="wo-2", assignee="user:li")


@pytest.fixture
def hall(originals: Originals, kind: str, tmp_path: Path) -> Iterator[Installation]:
    """Two months of a hall, published, with its triggers dropped."""
    with originals.copy(PUBLISHED, kind, tmp_path) as installed:
        installed.disarm()
        yield installed


def faults_of(hall: Installation) -> list[Fault]:
    """What an audit finds."""
    databases = {service: read_only(url, service) for service, url in hall.urls.items()}
    try:
        return list(Verification(databases).faults())
    finally:
        for database in databases.values():
            database.close()


def places(faults: list[Fault]) -> set[tuple[str, Any, Any]]:
    """Where they are."""
    return {(fault.service, fault.facility, fault.position) for fault in faults}


def test_what_nobody_touched_holds(hall: Installation) -> None:
    verification = Verification(hall.databases)

    faults = list(verification.faults())

    assert faults == []
    assert (verification.facilities, verification.events) == ({HALL}, 6 + 2 + 6 + 6)


def test_what_scoring_has_not_heard_yet_is_no_difference(hall: Installation) -> None:
    hall.tell("work-order/wo-2", ASSIGNED, on="2022-01-06", version=2)

    faults = faults_of(hall)

    assert faults == []


def test_what_is_appended_during_the_reading_is_not_seen(hall: Installation) -> None:
    reading = replay_events(hall.databases["work_orders"], HALL)
    next(reading)

    hall.tell("work-order/wo-2", ASSIGNED, on="2022-01-06", version=2)

    assert [recorded.position for recorded in reading] == [2, 3, 4, 5, 6]


# --- what a forger might do: statements, and where and how an audit must name it -----------------------------------

UPDATE = "UPDATE event SET"
LEDGER = {
    "hash": (f"{UPDATE} hash = 'sha256:' || substr(hash, 9) || '0' WHERE position = 3", 3, "hash is"),
    "event_id": (f"{UPDATE} event_id = 'x' WHERE position = 3", 3, "event_id is x, but id in the body is"),
    "stream": (f"{UPDATE} stream = 'work-order/wo-3' WHERE position = 3", 3, "stream is work-order/wo-3"),
    "version": (f"{UPDATE} version = 9 WHERE position = 3", 3, "version is 9, but streamversion in the body is 3"),
    "type": (f"{UPDATE} type = 'work_orders.work_held.v1' WHERE position = 3", 3, "type is work_orders.work_held.v1"),
    "facility": (f"{UPDATE} facility = 'hell' WHERE position = 3", 3, "is missing"),
    "position": (f"{UPDATE} position = 7 WHERE position = 3", 3, "is missing"),
    "a row deleted": ("DELETE FROM event WHERE position = 4", 4, "is missing"),
    "two rows deleted": ("DELETE FROM event WHERE position IN (3, 4)", 3, "is missing, with all up to 4"),
    "the last row deleted": ("DELETE FROM event WHERE position = 6", 6, "is missing, says the head"),
    "all rows deleted": ("DELETE FROM event", 1, "is missing, with all up to 6, says the head"),
    "the head moved back": ("UPDATE ledger SET position = 5, published = 5", 6, "but the head stands at 5"),
    "the head's hash": ("UPDATE ledger SET hash = 'sha256:0'", 6, "but the head has sha256:0"),
    "the head deleted": ("DELETE FROM ledger", 6, "the ledger has no head"),
    "published ahead": ("UPDATE ledger SET published = 7", 6, "published are 7"),
}


def test_a_change_of_a_ledger_is_found_where_it_is(hall: Installation, subtests: pytest.Subtests) -> None:
    for change, (statement, position, what) in LEDGER.items():
        with subtests.test(change), hall.forged("work_orders", statement):
            found = [fault for fault in faults_of(hall) if fault.position == position and what in fault.what]

            assert [(fault.service, fault.facility) for fault in found] == [("work_orders", HALL)]


def test_a_changed_body_is_found(hall: Installation) -> None:
    ((body,),) = hall.rows("work_orders", "SELECT body FROM event WHERE position = 4")

    hall.force("work_orders", f"{UPDATE} body = :body WHERE position = 4", body=body.replace(b"user:li", b"user:lo"))

    ledger, journal = faults_of(hall)
    assert str(ledger).startswith("work_orders, facility hall, position 4: hash is sha256:")
    assert str(journal) == (
        "scoring, facility hall, position 4: the journal of work_orders differs from the ledger in the body"
    )


def test_swapped_rows_are_found_at_both_places(hall: Installation) -> None:
    moves = [f"{UPDATE} position = {to} WHERE position = {at}" for at, to in ((2, 99), (3, 2), (99, 3))]

    hall.force("work_orders", *moves)

    assert {("work_orders", HALL, 2), ("work_orders", HALL, 3)} <= places(faults_of(hall))


def test_a_row_added_is_found_though_its_hash_follows(hall: Installation) -> None:
    (last,) = hall.rows("work_orders", "SELECT * FROM event WHERE position = 6")
    body = last.body.replace(b'"position":6', b'"position":7')
    row = {
        **last._mapping,
        "position": 7,
        "event_id": "x",
        "version": 2,
        "body": body,
        "hash": chained(last.hash, body),
    }

    hall.force("work_orders", f"INSERT INTO event ({', '.join(row)}) VALUES (:{', :'.join(row)})", **row)

    assert places(faults_of(hall)) == {("work_orders", HALL, 7)}


def test_a_tail_cut_off_neatly_is_betrayed_by_those_who_read_it(hall: Installation) -> None:
    (head,) = hall.rows("work_orders", "SELECT hash FROM event WHERE position = 5")
    move = "UPDATE ledger SET position = 5, hash = :hash"

    hall.force("work_orders", "DELETE FROM event WHERE position = 6", move, hash=head.hash)

    checkpoint, journal, *views = faults_of(hall)
    assert (checkpoint.position, checkpoint.what.endswith("but there is no such event")) == (6, True)
    assert (journal.position, journal.what) == (
        6,
        "the journal of work_orders has an event here that the ledger has not",
    )
    assert [str(view) for view in views] == [
        f"work_orders, facility hall: table {row}: follows from no event"
        for row in (
            "work_order, row hall wo-2",
            "work_order_point, row hall P-1 wo-2",
            "work_order_point, row hall P-2 wo-2",
        )
    ]


def test_a_chain_computed_anew_is_betrayed_by_those_who_read_it(hall: Installation) -> None:
    hall.chain_anew("work_orders", 4, performed_by="user:lo")

    copies = {("scoring", HALL, position) for position in (4, 5, 6)}
    assert places(faults_of(hall)) == {*copies, ("work_orders", HALL, None)}


STRANGE: list[tuple[dict[str, Any], str]] = [
    ({"type": "work_orders.work_dreamt.v1"}, "'work_orders.work_dreamt.v1' is no known event type"),
    ({"type": "work_orders.work_performed.v9"}, "'work_orders.work_performed.v9' is no known event type"),
    ({"performed_at": "yesterday"}, "the event cannot be read"),
    ({"streamversion": 9}, "is number 9 of work-order/wo-1, expected 4"),
    ({"source": "/scheduling"}, "source is /work_orders, but source in the body is /scheduling"),
    ({"facility": "hell"}, "facility is hall, but facility in the body is hell"),
]


def test_an_event_that_no_service_wrote_is_found_though_its_hashes_follow(
    hall: Installation, subtests: pytest.Subtests
) -> None:
    for members, what in STRANGE:
        with subtests.test(what), hall.forged("work_orders"):
            hall.chain_anew("work_orders", 4, **members)

            found = [fault for fault in faults_of(hall) if fault.service == "work_orders" and what in fault.what]
            assert [fault.position for fault in found] == [4]


GARBLED: list[tuple[Callable[[bytes], bytes], str]] = [
    (lambda body: body.replace(b":", b": ", 1), "not in canonical form"),
    (lambda body: body[:-1], "no canonical JSON object"),
    (lambda body: body.replace(b'"data":{', b'"data":{"a":0.5,'), "no canonical JSON object: a float"),
    (lambda body: b"[" * 5000, "no canonical JSON object"),
    (lambda body: b"null", "no canonical JSON object"),
]


def test_bytes_that_no_service_wrote_are_found_though_their_hash_follows(
    hall: Installation, subtests: pytest.Subtests
) -> None:
    (last,) = hall.rows("work_orders", "SELECT body FROM event WHERE position = 6")
    (before,) = hall.rows("work_orders", "SELECT hash FROM event WHERE position = 5")
    for change, what in GARBLED:
        body = change(last.body)
        statement = f"{UPDATE} body = :body, hash = :hash WHERE position = 6"
        with (
            subtests.test(what),
            hall.forged("work_orders", statement, body=body, hash=chained(before.hash, body)),
        ):
            assert any(fault.position == 6 and what in fault.what for fault in faults_of(hall))


JOURNAL = {
    "hash": ("UPDATE journal SET hash = 'x' WHERE {at} = 4", 4, "differs from the ledger in the hash"),
    "a row deleted": ("DELETE FROM journal WHERE {at} = 4", 4, "lacks this event"),
    "the last row deleted": ("DELETE FROM journal WHERE {at} = 6", 6, "lacks this event"),
    "another position": ("UPDATE journal SET position = 9 WHERE {at} = 4", 9, "goes beyond its checkpoint, 6"),
    "another source": ("UPDATE journal SET source = 'x' WHERE {at} = 4", 4, "lacks this event"),
    "another facility": ("UPDATE journal SET facility = 'x' WHERE {at} = 4", 4, "lacks this event"),
    "checkpoint behind": ("UPDATE checkpoint SET position = 5 WHERE {at} = 6", 6, "goes beyond its checkpoint, 5"),
    "checkpoint ahead": ("UPDATE checkpoint SET position = 7 WHERE {at} = 6", 7, "but there is no such event"),
    "checkpoint's hash": ("UPDATE checkpoint SET hash = 'x' WHERE {at} = 6", 6, "has hash x, but there it is sha256:"),
    "checkpoint lost": ("DELETE FROM checkpoint WHERE {at} = 6", 1, "goes beyond its checkpoint, 0"),
}


def test_a_change_of_the_journal_is_found_where_it_is(hall: Installation, subtests: pytest.Subtests) -> None:
    for change, (statement, position, what) in JOURNAL.items():
        with subtests.test(change), hall.forged("scoring", statement.format(at="source = 'work_orders' AND position")):
            found = [fault for fault in faults_of(hall) if fault.position == position and what in fault.what]

            assert [(fault.service, fault.facility) for fault in found] == [("scoring", HALL)]


def test_a_changed_rulebook_is_found(hall: Installation) -> None:
    hall.force("scoring", "UPDATE rulebook SET text = :mine", mine=b"rulebook: mine")

    (fault,) = faults_of(hall)
    assert str(fault).startswith("scoring: table rulebook, row ")
    assert "was changed: its content has sha256 " in str(fault)


def test_any_byte_of_any_event_changed_is_found(hall: Installation) -> None:
    columns = ("facility", "event_id", "stream", "version", "type", "body", "hash", "position")
    events = {service: hall.rows(service, "SELECT * FROM event ORDER BY position") for service in SCORED}

    @settings(max_examples=examples(30, many=100), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def any_byte(data: st.DataObject) -> None:
        service = data.draw(st.sampled_from(SCORED))
        event = data.draw(st.sampled_from(events[service]))
        column = data.draw(st.sampled_from(columns))
        forged = data.draw(_flipped(event._mapping[column]))
        statement = f"{UPDATE} {column} = :value WHERE event_id = :id"

        with hall.forged(service, statement, value=forged, id=event.event_id):
            assert (service, HALL, event.position) in places(list(Verification(hall.databases).faults()))

    any_byte()
    assert faults_of(hall) == []


@st.composite
def _flipped(draw: st.DrawFn, value: bytes | str | int) -> Any:
    """The value with one bit, or one character's last bit, turned over."""
    if isinstance(value, int):
        return value ^ (1 << draw(st.integers(7, 30)))
    at = draw(st.integers(0, len(value) - 1))
    if isinstance(value, bytes):
        return value[:at] + bytes([value[at] ^ (1 << draw(st.integers(0, 7)))]) + value[at + 1 :]
    return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]


def test_replaying_gives_every_event_or_names_where_the_chain_breaks(hall: Installation) -> None:
    database: Database = hall.databases["work_orders"]
    whole = list(replay_events(database, HALL))

    hall.force("work_orders", f"{UPDATE} hash = 'x' WHERE position = 5")

    assert [recorded.position for recorded in whole] == [1, 2, 3, 4, 5, 6]
    assert [recorded.event for recorded in whole[1:2]] == [WorkOrderAssigned(work_order_id="wo-1", assignee="user:li")]
    with pytest.raises(Broken, match="facility hall, position 5: hash is x"):
        list(replay_events(database, HALL))


def test_replaying_notices_a_tail_cut_off(hall: Installation) -> None:
    hall.force("work_orders", "DELETE FROM event WHERE position = 6")

    with pytest.raises(Broken, match="position 6: is missing, says the head"):
        list(replay_events(hall.databases["work_orders"], HALL))
