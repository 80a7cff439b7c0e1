"""A published result is evaluated again from what it rests on; whatever no longer gives it is named."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.audit.replay import Replay, Replayed
from services.audit.snapshot import Unreadable
from services.audit.tests.installation import HALL, Installation, published
from services.audit.tests.originals import LIVED_IN, Originals
from services.scoring.tests.histories import local
from shared.contracts.work_orders import IncidentConfirmed
from shared.event import Event


@pytest.fixture
def hall(originals: Originals, kind: str, tmp_path: Path) -> Iterator[Installation]:
    """Two months of a hall, nothing published yet, with its triggers dropped."""
    with originals.copy(LIVED_IN, kind, tmp_path) as installed:
        installed.disarm()
        yield installed


def replayed(hall: Installation, *, from_sources: bool = False, year: int | None = None) -> list[Any]:
    """Everything that a replay says of the hall."""
    return list(Replay(hall.databases, from_sources=from_sources).of(HALL, year))


@pytest.mark.parametrize("from_sources", [False, True])
def test_what_was_published_holds(hall: Installation, from_sources: bool) -> None:
    answer = published(hall)

    (one,) = replayed(hall, from_sources=from_sources)

    assert (one.differences, one.position, one.withdrawn, one.year) == ([], 6, False, 2021)
    assert one.found == one.expected
    assert (one.found.sha256, str(one.found.total)) == (answer["result_sha256"], answer["total"])


def test_what_happens_later_changes_nothing_published(hall: Installation) -> None:
    answer = published(hall)
    hall.tell("incident/i", _incident(), on="2022-01-06")
    hall.follow()
    hall.command("withdraw_assessment", assessment_id="a-2021", reason="事故补报")
    again = published(hall)

    first, second = replayed(hall)

    assert (first.differences, first.withdrawn, first.found.sha256) == ([], True, answer["result_sha256"])
    assert (second.differences, second.withdrawn, second.found.sha256) == ([], False, again["result_sha256"])
    assert first.found.total - second.found.total == 15


def test_of_what_is_open_journal_and_ledgers_are_compared(hall: Installation) -> None:
    (one,) = replayed(hall)

    assert (one.position, one.differences, str(one.as_of)) == (None, [], "2021-12-31")
    assert one.found == one.expected

    with hall.forged("scoring", "DELETE FROM journal WHERE source = 'work_orders' AND position = 6"):
        (one,) = replayed(hall)
    assert one.differences == []

    hall.chain_anew("work_orders", 4, performed_at="2021-10-01T12:00:00+08:00")
    (one,) = replayed(hall)
    head, result = one.differences
    assert head.startswith("head of work_orders: in the journal position 6 sha256:")
    assert result == f"result: expected {one.expected}, found {one.found}"


def test_other_years_are_left_out(hall: Installation) -> None:
    published(hall)

    assert (len(replayed(hall, year=2021)), replayed(hall, year=2020)) == (1, [])


FORGERIES = {
    "a journal body": (
        "UPDATE journal SET body = (SELECT body FROM journal WHERE source = 'work_orders' AND position = 3)"
        " WHERE source = 'work_orders' AND position = 4",
        "the journal of work_orders, facility hall, position 4: prevhash is sha256:",
    ),
    "a journal row": (
        "DELETE FROM journal WHERE source = 'work_orders' AND position = 4",
        "the journal of work_orders, facility hall, position 4: is missing",
    ),
    "the journal's end": (
        "DELETE FROM journal WHERE source = 'work_orders' AND position = 6",
        "head of work_orders: published position 6 sha256:",
    ),
    "a rulebook": ("UPDATE rulebook SET text = :yaml", "was changed: its text has sha256"),
    "no rulebook": ("DELETE FROM rulebook", "is not kept any more"),
}


def test_what_a_result_rests_on_is_named_where_it_was_changed(hall: Installation, subtests: pytest.Subtests) -> None:
    published(hall)
    for change, (statement, what) in FORGERIES.items():
        values = {"yaml": b"rulebook: mine"} if ":yaml" in statement else {}
        with subtests.test(change), hall.forged("scoring", statement, **values):
            (one,) = replayed(hall)

            assert what in one.differences[0]


def test_a_forged_publication_is_named_with_what_it_should_say(hall: Installation) -> None:
    answer = published(hall)

    hall.chain_anew("scoring", 6, total="99.00")

    (one,) = replayed(hall)
    assert one.differences == [
        f"result: expected total 99.00 ({answer['result_sha256']}),"
        f" found total {answer['total']} ({answer['result_sha256']})"
    ]


def test_a_publication_changed_by_force_is_named_also_where_it_cannot_be_read(hall: Installation) -> None:
    published(hall)

    hall.force("scoring", "UPDATE event SET body = :body WHERE position = 6", body=b"{}")

    fault, *_, one = replayed(hall)
    assert str(fault).startswith("scoring, facility hall, position 6: the event cannot be read")
    assert isinstance(one, Replayed)
    assert one.position is None


def test_a_publication_cut_off_is_missed(hall: Installation) -> None:
    published(hall)

    hall.force("scoring", "DELETE FROM event WHERE position = 6")

    fault, *_ = replayed(hall)
    assert str(fault) == "scoring, facility hall, position 6: is missing, says the head"


def test_ledgers_computed_anew_no_longer_lead_to_the_published_heads(hall: Installation) -> None:
    published(hall)

    hall.chain_anew("work_orders", 4, performed_at="2021-10-01T12:00:00+08:00")

    (by_journal,), (by_ledgers,) = replayed(hall), replayed(hall, from_sources=True)
    assert by_journal.differences == []
    head, result = by_ledgers.differences
    assert head.startswith("head of work_orders: published position 6 sha256:")
    assert result.startswith("result: expected total")
    assert result.endswith("; first at indicators[1].actual: 1 expected, 0 found")


def test_who_signed_is_asked_of_what_was_published(hall: Installation) -> None:
    published(hall)

    hall.chain_anew("scoring", 5, signed_by="user:chen")

    (one,) = replayed(hall)
    assert "the result was signed by user:chen, expected 2 people" in one.differences


def test_the_databases_that_are_needed_are_named(hall: Installation) -> None:
    journal_only = {"scoring": hall.databases["scoring"]}
    published(hall)

    (one,) = Replay(journal_only).of(HALL)

    assert isinstance(one, Replayed)
    assert one.differences == []
    with pytest.raises(Unreadable, match="asset_registry, scheduling, work_orders is needed"):
        Replay(journal_only, from_sources=True)


def _incident() -> Event:
    return IncidentConfirmed(
        incident_id="i",
        occurred_at=local("2021-12-20"),
        harms=("life",),
        visitors_affected=True,
        description="地面湿滑",
    )
