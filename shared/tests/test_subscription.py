"""In any order, with any loss and any repetition, each event has its effect exactly once, or parks its facility."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import eventlet
import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from kombu import Message
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared import subscription
from shared.clock import SimulatedClock
from shared.contracts.work_orders import WorkOrderAssigned, WorkOrderClosed
from shared.errors import Conflict, Unavailable
from shared.event import Event, Recorded, canonical
from shared.ledger import GENESIS, Ledger, chained, envelope, stripped
from shared.rpc import Failed
from shared.subscription import ATTEMPTS, Arrived, Handler, Reader
from shared.tests.given import NOON, Job, assert_chain, assigned, draft, entry, envelope_of, ledger_at
from shared.unit import Unit

React = Callable[[Unit, Recorded], None]


def note(do: Unit, recorded: Recorded) -> None:
    """The plainest effect: a row."""
    row = {"facility": recorded.facility, "position": recorded.position}
    do.execute(text("INSERT INTO effect VALUES (:facility, :position)").bindparams(**row))


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Ledger]:
    """The ledger that is followed."""
    with ledger_at(f"sqlite:///{tmp_path / 'source.db'}") as ledger:
        yield ledger


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """The ledger of the one that follows, with a table of effects."""
    with follower(database_url) as ledger:
        yield ledger


@contextmanager
def follower(url: str) -> Iterator[Ledger]:
    with ledger_at(url, "scoring") as ledger:
        with ledger.database.write() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS effect (facility VARCHAR(80), position BIGINT)"))
        yield ledger


def reader(ledger: Ledger, source: Ledger, *methods: React, kinds: Sequence[type[Event]] = ()) -> Reader:
    handlers = [Handler(method, tuple(kinds)) for method in methods or (note,)]
    return Reader(ledger, "work_orders", handlers, source.raw)


def happened(source: Ledger, *names: str, facility: str = "hall-1") -> None:
    """Somebody was assigned, once per name."""
    first = len(source.raw(facility)) + 1
    drafts = (draft(f"job/{n}", 1, assigned(f"wo-{n}", name)) for n, name in enumerate(names, start=first))
    source.append(entry(*drafts, facility=facility))


def arrived(source: Ledger, facility: str = "hall-1") -> list[Arrived]:
    """What the broker brings of a facility, in order."""
    wholes = enumerate(source.raw(facility), start=1)
    return [Arrived(position, *stripped(whole.encode())) for position, whole in wholes]


def effects(ledger: Ledger, facility: str = "hall-1") -> list[int]:
    rows = ledger.database.rows(text("SELECT position FROM effect WHERE facility = :facility"), {"facility": facility})
    return sorted(row.position for row in rows)


def checkpoint(ledger: Ledger, facility: str = "hall-1") -> tuple[int, str | None]:
    """How far it came, and why not further."""
    query = text("SELECT position, parked FROM checkpoint WHERE facility = :facility")
    rows = ledger.database.rows(query, {"facility": facility})
    return (rows[0].position, rows[0].parked) if rows else (0, None)


def forged(*bodies: dict[str, Any], facility: str = "hall-1") -> list[Arrived]:
    """A ledger of anything, rightly chained."""
    chain, hash_ = [], GENESIS
    for position, body in enumerate(bodies, start=1):
        written = canonical(body | {"facility": facility, "position": position, "prevhash": hash_})
        hash_ = chained(hash_, written)
        chain.append(Arrived(position, written, hash_))
    return chain


# --- order, loss, repetition ---------------------------------------------------------------------------------------

halls = count(1)
arrivals = st.lists(st.lists(st.integers(1, 12), max_size=8), max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(many=st.integers(1, 12), batches=arrivals, whole=st.randoms(use_true_random=False), crash_at=st.integers(0, 9))
@example(many=12, batches=[[12], [3, 2, 1], [12, 12, 1]], whole=None, crash_at=0)
@example(many=7, batches=[[1, 2], [2, 1], [7, 5]], whole=None, crash_at=3)
def test_any_order_loss_and_repetition_give_each_effect_exactly_once(  # noqa: PLR0917  three are fixtures
    ledger: Ledger,
    source: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    many: int,
    batches: list[list[int]],
    whole: Any,
    crash_at: int,
) -> None:
    monkeypatch.setattr(subscription, "BATCH", 3)
    hall, crashes = f"hall-{next(halls)}", [crash_at]
    happened(source, *map(str, range(many)), facility=hall)
    known = arrived(source, hall)

    def note_or_crash(do: Unit, recorded: Recorded) -> None:
        note(do, recorded)
        if recorded.position in crashes:
            crashes.clear()
            raise KeyboardInterrupt

    following = reader(ledger, source, note_or_crash)
    if whole is not None:
        shuffled = list(range(1, many + 1)) * 2
        whole.shuffle(shuffled)
        batches = [*batches, shuffled]
    for batch in batches:
        try:
            following.receive(hall, [known[position - 1] for position in batch if position <= many])
        except KeyboardInterrupt:
            following = reader(ledger, source, note_or_crash)
        reached = checkpoint(ledger, hall)[0]
        assert effects(ledger, hall) == list(range(1, reached + 1))
    crashes.clear()
    following.catch_up({hall: source.tips()[hall]})

    assert effects(ledger, hall) == list(range(1, many + 1))
    assert checkpoint(ledger, hall) == (many, None)


def test_a_gap_is_read_from_the_source(ledger: Ledger, source: Ledger) -> None:
    happened(source, *"abcdef")
    asked: list[int] = []

    def feed(facility: str, after: int, limit: int) -> list[str]:
        asked.append(after)
        return source.raw(facility, after, limit)

    following = Reader(ledger, "work_orders", [Handler(note, ())], feed)
    known = arrived(source)
    following.receive("hall-1", known[:2])
    assert asked == []

    following.receive("hall-1", known[4:5])

    assert asked == [2]
    assert effects(ledger) == [1, 2, 3, 4, 5, 6]


def test_an_emptied_queue_costs_nothing_but_time(
    ledger: Ledger, source: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "BATCH", 4)
    happened(source, *map(str, range(10)))
    happened(source, *map(str, range(5)), facility="hall-2")

    reader(ledger, source).catch_up(source.tips())

    assert (effects(ledger), effects(ledger, "hall-2")) == (list(range(1, 11)), list(range(1, 6)))


def test_a_batch_is_one_transaction(ledger: Ledger, source: Ledger) -> None:
    happened(source, *"abc")
    seen: list[int] = []

    def look(do: Unit, recorded: Recorded) -> None:
        note(do, recorded)
        seen.append(len(effects(ledger)))

    reader(ledger, source, look).receive("hall-1", arrived(source))

    assert seen == [0, 0, 0]
    assert effects(ledger) == [1, 2, 3]


def test_a_source_that_is_away_is_not_the_facilitys_fault(ledger: Ledger, source: Ledger) -> None:
    happened(source, *"abc")

    def away(**_: Any) -> list[str]:
        raise Unavailable("work_orders is not running")

    following = Reader(ledger, "work_orders", [Handler(note, ())], away)
    with pytest.raises(Unavailable):
        following.receive("hall-1", arrived(source)[2:])

    assert checkpoint(ledger) == (0, None)


def test_a_simulated_follower_hears_what_time_it_is(ledger: Ledger, source: Ledger) -> None:
    source.clock = SimulatedClock(NOON)
    ledger.clock = SimulatedClock(datetime(2000, 1, 1, tzinfo=UTC))
    happened(source, "li")

    reader(ledger, source).catch_up(source.tips())

    assert ledger.clock.now() == NOON


def test_two_replicas_apply_each_event_once(postgres_url: str, source: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "BATCH", 5)
    for hall in ("hall-1", "hall-2"):
        happened(source, *map(str, range(40)), facility=hall)
    applied: list[int] = []

    def slowly(do: Unit, recorded: Recorded) -> None:
        note(do, recorded)
        applied.append(recorded.position)
        do.find(Job, "theirs").assign(f"number {len(applied)}")
        eventlet.sleep(0.001)

    with follower(postgres_url) as one, follower(postgres_url) as other, eventlet.Timeout(30):
        replicas = [reader(ledger, source, slowly) for ledger in (one, other)]
        jobs = [eventlet.spawn(replica.catch_up, source.tips()) for replica in replicas]
        jobs += [
            eventlet.spawn(replica.receive, hall, arrived(source, hall))
            for replica in replicas
            for hall in ("hall-1", "hall-2")
        ]
        for job in jobs:
            job.wait()

        for hall in ("hall-1", "hall-2"):
            assert effects(one, hall) == list(range(1, 41))
            assert checkpoint(one, hall) == (40, None)
            assert len(assert_chain(one, hall)) == 40


# --- reactions -----------------------------------------------------------------------------------------------------


def react(do: Unit, recorded: Recorded) -> None:
    """Put the same person on a job of ours."""
    do.find(Job, "ours").assign(f"{recorded.event.data()['assignee']}-{recorded.position}")


def test_a_reaction_says_what_it_answers(ledger: Ledger, source: Ledger) -> None:
    happened(source, "li", "wang")

    reader(ledger, source, react).catch_up(source.tips())

    found, caused = assert_chain(ledger, "hall-1"), source.raw("hall-1")
    assert [one["data"]["assignee"] for one in found] == ["li-1", "wang-2"]
    assert [one["causationid"] for one in found] == [orjson.loads(whole)["id"] for whole in caused]
    assert {(one["actor"], one["correlationid"]) for one in found} == {("service:scoring", "c-1")}


@pytest.mark.parametrize("crash", [KeyboardInterrupt, SystemExit])
def test_a_crash_after_a_reaction_leaves_neither_its_events_nor_the_checkpoint(
    ledger: Ledger, source: Ledger, crash: type[BaseException]
) -> None:
    happened(source, "li", "wang")

    def die(do: Unit, recorded: Recorded) -> None:
        if recorded.position == 2:
            raise crash

    with pytest.raises(crash):
        reader(ledger, source, note, react, die).catch_up(source.tips())
    assert ledger.raw("hall-1") == []
    assert (effects(ledger), checkpoint(ledger)) == ([], (0, None))

    reader(ledger, source, note, react).catch_up(source.tips())
    assert [one["data"]["assignee"] for one in assert_chain(ledger, "hall-1")] == ["li-1", "wang-2"]
    assert (effects(ledger), checkpoint(ledger)) == ([1, 2], (2, None))


def test_a_reaction_that_a_command_was_faster_than_is_decided_anew(postgres_url: str, source: Ledger) -> None:
    happened(source, "li", "wang")
    rivals = [entry(draft("job/ours", 1, assigned("ours", "zhao")))]

    with follower(postgres_url) as ledger:

        def react_late(do: Unit, recorded: Recorded) -> None:
            note(do, recorded)
            react(do, recorded)
            if rivals:
                ledger.append(rivals.pop())

        reader(ledger, source, react_late).catch_up(source.tips())

        found = assert_chain(ledger, "hall-1")
        assert [one["data"]["assignee"] for one in found] == ["zhao", "li-1", "wang-2"]
        assert (effects(ledger), checkpoint(ledger)) == ([1, 2], (2, None))


class Spinning(BaseException):
    """Enough."""


def test_a_reaction_that_clashes_for_ever_parks_instead_of_spinning(ledger: Ledger, source: Ledger) -> None:
    happened(source, "li", "wang", "zhao")
    tried: list[int] = []

    def clash(do: Unit, recorded: Recorded) -> None:
        note(do, recorded)
        if recorded.position == 2:
            tried.append(recorded.position)
            raise Conflict("the stream moved on") if len(tried) < 100 else Spinning

    reader(ledger, source, clash).catch_up(source.tips())

    assert len(tried) <= 3 * ATTEMPTS  # together, then alone
    assert checkpoint(ledger) == (1, "position 2: Conflict: the stream moved on")
    assert effects(ledger) == [1]


# --- what cannot be applied ----------------------------------------------------------------------------------------


class Mended:
    """A handler that trips over a name until it is mended."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault: Exception | None = fault or KeyError("no such person")

    def __call__(self, do: Unit, recorded: Recorded) -> None:
        """Note it, unless it is the poison."""
        note(do, recorded)
        if recorded.event.data()["assignee"] == "poison" and self.fault:
            raise self.fault


def test_a_poison_event_parks_its_facility_alone_until_it_can_be_applied(ledger: Ledger, source: Ledger) -> None:
    happened(source, "li", "wang", "poison", "zhao")
    happened(source, "li", "wang", facility="hall-2")
    handler = Mended()
    following = reader(ledger, source, handler)

    for _ in range(3):
        following.receive("hall-1", arrived(source))
        following.catch_up(source.tips())

    assert checkpoint(ledger) == (2, "position 3: KeyError: 'no such person'")
    assert (effects(ledger), effects(ledger, "hall-2")) == ([1, 2], [1, 2])
    assert checkpoint(ledger, "hall-2") == (2, None)

    handler.fault = None
    following.catch_up(source.tips())

    assert checkpoint(ledger) == (4, None)
    assert effects(ledger) == [1, 2, 3, 4]


def test_a_facility_may_be_parked_at_its_first_event_and_again_later(ledger: Ledger, source: Ledger) -> None:
    happened(source, "poison", "li")
    handler = Mended()
    reader(ledger, source, handler).catch_up(source.tips())
    assert checkpoint(ledger) == (0, "position 1: KeyError: 'no such person'")

    handler.fault = None
    following = reader(ledger, source, handler)
    following.catch_up(source.tips())
    assert checkpoint(ledger) == (2, None)

    handler.fault = ValueError("worse")
    happened(source, "poison")
    following.catch_up(source.tips())
    assert checkpoint(ledger) == (2, "position 3: ValueError: worse")


def test_another_reason_replaces_the_first(ledger: Ledger, source: Ledger) -> None:
    happened(source, "poison")
    handler = Mended()
    following = reader(ledger, source, handler)
    following.catch_up(source.tips())

    handler.fault = ValueError("worse")
    following.catch_up(source.tips())

    assert checkpoint(ledger) == (0, "position 1: ValueError: worse")


def test_a_broken_constraint_parks_too(ledger: Ledger, source: Ledger) -> None:
    happened(source, "li", "wang")
    with ledger.database.write() as connection:
        connection.execute(text("CREATE UNIQUE INDEX one_each ON effect (facility)"))

    reader(ledger, source).catch_up(source.tips())

    position, reason = checkpoint(ledger)
    assert position == 1
    assert reason is not None
    assert reason.startswith(f"position 2: {IntegrityError.__name__}")


def test_a_byte_changed_on_the_way_parks_until_the_true_event_is_there(ledger: Ledger, source: Ledger) -> None:
    happened(source, "li", "wang", "zhao")
    true = arrived(source)
    changed = Arrived(2, true[1].body.replace(b"wang", b"wong"), true[1].hash)
    following = reader(ledger, source)

    following.receive("hall-1", [true[0], changed, true[2]])
    assert checkpoint(ledger) == (
        1,
        "position 2: ValueError: position 2: the hash does not follow from the event before it",
    )

    following.catch_up(source.tips())
    assert checkpoint(ledger) == (3, None)


def test_a_source_that_rewrote_its_past_parks(ledger: Ledger, source: Ledger) -> None:
    first, second = (
        forged(envelope_of(assigned()), envelope_of(assigned("wo-2"))),
        forged(envelope_of(assigned("wo-3"))),
    )
    following = reader(ledger, source)
    following.receive("hall-1", first[:1])

    following.receive("hall-1", [Arrived(2, second[0].body, second[0].hash)])

    assert checkpoint(ledger)[0] == 1
    assert "hash does not follow" in str(checkpoint(ledger)[1])


def test_a_source_that_was_set_back_to_an_earlier_day_parks_until_it_is_set_right(
    ledger: Ledger, source: Ledger, tmp_path: Path
) -> None:
    following = reader(ledger, source)
    happened(source, "li", "wang")
    with ledger_at(f"sqlite:///{tmp_path / 'restored.db'}") as restored:
        happened(restored, "li")
        happened(source, "zhao", facility="hall-2")
        following.catch_up(source.tips())
        assert checkpoint(ledger) == (2, None)

        following.feed = restored.raw
        following.catch_up(restored.tips())

    assert checkpoint(ledger)[0] == 2
    assert "no longer has the event that was applied" in str(checkpoint(ledger)[1])
    assert checkpoint(ledger, "hall-2") == (1, None)

    following.feed = source.raw
    following.catch_up(source.tips())
    assert checkpoint(ledger) == (2, None)


def test_heads_that_are_older_than_the_checkpoint_park_nothing(ledger: Ledger, source: Ledger) -> None:
    happened(source, "li")
    earlier = source.tips()
    happened(source, "wang")

    following = reader(ledger, source)
    following.catch_up(source.tips())
    following.catch_up(earlier)

    assert checkpoint(ledger) == (2, None)


def test_reading_on_that_was_broken_off_goes_on_with_the_next_facility(ledger: Ledger, source: Ledger) -> None:
    for hall in ("hall-1", "hall-2", "hall-3"):
        happened(source, "li", facility=hall)
    following = reader(ledger, source)

    reached = []
    for _ in range(3):
        assert not following.catch_up(source.tips(), seconds=-1)
        reached.append(following._left_at)

    assert reached == ["hall-1", "hall-2", "hall-3"]
    assert following.catch_up(source.tips())
    assert checkpoint(ledger, "hall-3") == (1, None)


def test_a_facility_that_its_source_cannot_read_holds_no_other_back(ledger: Ledger, source: Ledger) -> None:
    happened(source, "li")
    happened(source, "li", "wang", facility="hall-2")

    def feed(facility: str, after: int, limit: int) -> list[str]:
        if facility == "hall-1":
            raise Failed("work_orders broke on read_ledger")
        return source.raw(facility, after, limit)

    Reader(ledger, "work_orders", [Handler(note, ())], feed).catch_up(source.tips())

    assert checkpoint(ledger) == (0, "position 1: Failed: work_orders broke on read_ledger")
    assert checkpoint(ledger, "hall-2") == (2, None)


def test_of_events_not_asked_for_any_version_is_passed_over(ledger: Ledger, source: Ledger) -> None:
    strange = forged(
        envelope_of(assigned(), type="work_orders.work_dreamt_of.v7", data={"dream": 1}),
        envelope_of(assigned()),
        envelope_of(WorkOrderClosed(work_order_id="wo-1")),
    )

    reader(ledger, source, note, kinds=[WorkOrderAssigned]).receive("hall-1", strange)

    assert checkpoint(ledger) == (3, None)
    assert effects(ledger) == [2]


@pytest.mark.parametrize("kinds", [[WorkOrderAssigned], []], ids=["by name", "all"])
def test_an_event_asked_for_in_an_unknown_version_parks(
    ledger: Ledger, source: Ledger, kinds: list[type[Event]]
) -> None:
    strange = forged(envelope_of(assigned()), envelope_of(assigned(), type="work_orders.work_order_assigned.v7"))

    reader(ledger, source, note, kinds=kinds).receive("hall-1", strange)

    position, reason = checkpoint(ledger)
    assert position == 1
    assert "'work_orders.work_order_assigned.v7' is no known event type and version" in str(reason)


def test_an_event_whose_data_cannot_be_read_parks(ledger: Ledger, source: Ledger) -> None:
    reader(ledger, source).receive("hall-1", forged(envelope_of(assigned()) | {"data": {"work_order_id": 7}}))

    assert checkpoint(ledger) == (0, "position 1: Invalid: event: Expected `str`, got `int` - at `$.work_order_id`")


def test_a_replica_that_cannot_does_not_park_what_another_could(postgres_url: str, source: Ledger) -> None:
    happened(source, "li", "poison", "wang")
    with follower(postgres_url) as old, follower(postgres_url) as new:

        class Late(Reader):
            def _park(self, facility: str, before: int, fault: Exception) -> None:
                reader(new, source).catch_up(source.tips())
                super()._park(facility, before, fault)

        Late(old, "work_orders", [Handler(Mended(), ())], source.raw).catch_up(source.tips())

        assert checkpoint(old) == (3, None)
        assert effects(old) == [1, 2, 3]


def test_a_lost_database_connection_parks_nothing(postgres_url: str, source: Ledger) -> None:
    happened(source, "li", "wang")
    deaths = [2]

    def lose(do: Unit, recorded: Recorded) -> None:
        note(do, recorded)
        if recorded.position in deaths:
            deaths.clear()
            do.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with follower(postgres_url) as ledger:
        following = reader(ledger, source, lose)
        with pytest.raises(DBAPIError):
            following.catch_up(source.tips())
        assert (effects(ledger), checkpoint(ledger)) == ([], (0, None))

        following.catch_up(source.tips())
        assert (effects(ledger), checkpoint(ledger)) == ([1, 2], (2, None))


# --- what the broker brings ----------------------------------------------------------------------------------------


def test_messages_that_are_no_events_are_dropped_and_the_others_kept(source: Ledger) -> None:
    happened(source, "li", "wang")
    (first, second), headers = arrived(source), {"facility": "hall-1", "position": 1}
    body = envelope(first.body, first.hash)
    messages = [
        Message(body=body, headers=headers),
        Message(body=body.decode(), headers=headers),
        Message(body=body, headers={}),
        Message(body=body, headers=headers | {"position": None}),
        Message(body=body, headers=headers | {"position": "first"}),
        Message(body=b"", headers=headers),
        Message(body=b"hello", headers=headers),
        Message(body=b'{"hash":"x"', headers=headers),
        Message(body=envelope(second.body, second.hash), headers=headers | {"position": 2, "facility": "hall-2"}),
    ]

    found = subscription._by_facility(messages)

    assert found == {"hall-1": [first, first], "hall-2": [second]}


def test_a_wake_follows_every_commit_and_nothing_else(ledger: Ledger, source: Ledger) -> None:
    happened(source, "li")
    woken = threading.Event()
    ledger.on_commit.append(woken.set)
    following = reader(ledger, source, react)

    following.catch_up(source.tips())
    assert woken.is_set()

    woken.clear()
    following.catch_up(source.tips())
    assert not woken.is_set()


def test_a_handler_decides_by_what_the_views_know_since_the_event_or_before_it(ledger: Ledger, source: Ledger) -> None:
    def fold(connection: Connection, recorded: Recorded) -> None:
        row = {"facility": recorded.facility, "position": recorded.position}
        connection.execute(text("INSERT INTO effect VALUES (:facility, :position)"), row)

    known: list[tuple[str, int]] = []

    def before(do: Unit, recorded: Recorded) -> None:
        known.append(("before", len(do.rows(text("SELECT * FROM effect")))))

    def since(do: Unit, recorded: Recorded) -> None:
        known.append(("since", len(do.rows(text("SELECT * FROM effect")))))

    ledger.fold = fold
    happened(source, "li", "wang")
    handlers = [Handler(since, ()), Handler(before, (), before=True), Handler(since, (WorkOrderClosed,))]
    Reader(ledger, "work_orders", handlers, source.raw).catch_up(source.tips())

    assert known == [("before", 0), ("since", 1), ("before", 1), ("since", 2)]
