"""Against a seal that was kept elsewhere, ledgers that agree with themselves are still found shortened or made anew."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.audit.seals import Kept, Seals
from services.audit.tests.installation import HALL, Installation
from services.audit.tests.originals import PUBLISHED, Originals
from services.audit.verify import Verification
from services.scoring.publishing.evidence import published as publication
from services.scoring.publishing.seal import Seal
from services.scoring.tests.sealing import KEY
from shared.config import SCORED
from shared.errors import Invalid
from shared.signing import new_key


@pytest.fixture
def hall(originals: Originals, tmp_path: Path) -> Iterator[Installation]:
    """Two months of a hall on SQLite, published, with its triggers dropped."""
    with originals.copy(PUBLISHED, "sqlite", tmp_path) as installed:
        installed.disarm()
        yield installed


def seal_of(hall: Installation) -> Seal:
    """The seal of what stands published."""
    return publication(hall.databases["scoring"], HALL, 2021).seal


def faults(hall: Installation, *seals: Seal) -> list[str]:
    """What differs from the hall's own seals, and from these."""
    kept = [Kept(seal=seal, place="seal.json") for seal in seals]
    return [str(fault) for fault in Seals(hall.databases, kept, [KEY.public]).faults()]


def cut(hall: Installation, service: str, last: int) -> None:
    """Cut off a ledger behind a position in every copy, so that what is left agrees with itself."""
    head = hall.rows(service, f"SELECT hash FROM event WHERE position = {last}")[0].hash
    hall.force(service, f"DELETE FROM event WHERE position > {last}")
    values = {"last": last, "head": head}
    hall.force(service, "UPDATE ledger SET position = :last, hash = :head", **values)
    if service != "scoring":
        hall.force("scoring", f"DELETE FROM journal WHERE source = '{service}' AND position > {last}")
        hall.force(
            "scoring", f"UPDATE checkpoint SET position = :last, hash = :head WHERE source = '{service}'", **values
        )


def test_ledgers_that_lead_to_their_seals_hold(hall: Installation) -> None:
    seal = seal_of(hall)
    assert faults(hall, seal) == []

    hall.command("report_satisfaction", report_id="late", period_start="2021-11-01", period_end="2021-11-30",
                 very_satisfied=1, satisfied=0, basically_satisfied=0, dissatisfied=0, very_dissatisfied=0, defaulted=0,
                 overturned=0)  # fmt: skip

    assert faults(hall, seal) == []


def test_on_postgresql_they_are_read_alike(originals: Originals, tmp_path: Path) -> None:
    with originals.copy(PUBLISHED, "postgresql", tmp_path) as hall:
        hall.disarm()
        seal = seal_of(hall)
        assert faults(hall, seal) == []

        cut(hall, "work_orders", 5)

        assert "work_orders, facility hall, position 6: is missing (seal: seal.json)" in faults(hall, seal)


@pytest.mark.parametrize("service", SCORED)
def test_a_tail_cut_off_in_every_copy_is_found_by_the_seal(hall: Installation, service: str) -> None:
    seal = seal_of(hall)
    position = seal.statement.heads[service].position

    cut(hall, service, position - 1)

    found = faults(hall, seal)
    assert f"{service}, facility hall, position {position}: is missing (seal: seal.json)" in found


def test_a_publication_cut_off_is_found_by_its_seal(hall: Installation) -> None:
    seal = seal_of(hall)
    position = seal.statement.heads["scoring"].position

    cut(hall, "scoring", position)

    assert faults(hall) == []
    assert faults(hall, seal) == [
        f"scoring, facility hall, position {position + 1}: what was sealed is not published here (seal: seal.json)"
    ]


def test_a_chain_computed_anew_is_found_by_the_seal(hall: Installation) -> None:
    seal = seal_of(hall)

    hall.chain_anew("work_orders", 4, performed_at="2021-10-01T12:00:00+08:00")

    found = faults(hall, seal)
    assert found[0].startswith("work_orders, facility hall, position 6: hash is sha256:")
    assert all("(seal: seal.json)" in one or "(seal: the publication at position 6)" in one for one in found)


def test_a_body_under_an_old_hash_is_found_by_the_tree(hall: Installation) -> None:
    seal = seal_of(hall)

    hall.force("work_orders", "UPDATE event SET body = :body WHERE position = 2", body=b"{}")

    assert faults(hall, seal)[0].startswith("work_orders, facility hall, position 6: tree hash is sha256:")


def test_a_publication_that_says_otherwise_than_its_seal_is_found(hall: Installation) -> None:
    hall.chain_anew("scoring", 6, total="99.00")

    assert faults(hall) == [
        "scoring, facility hall, position 6: the signature does not hold (seal: the publication at position 6)"
    ]


def test_results_and_rulebooks_that_were_sealed_are_still_kept(hall: Installation) -> None:
    said = seal_of(hall).statement
    for table, sha256 in (("rulebook", said.rulebook_sha256), ("result", said.result_sha256)):
        with hall.forged("scoring", f"DELETE FROM {table}"):
            (found,) = faults(hall)
        assert found.startswith(f"scoring, facility hall, position 6: the {table} {sha256} is not kept any more")


def test_a_seal_by_an_unknown_key_is_refused(hall: Installation) -> None:
    with pytest.raises(Invalid, match="expected one of the keys given"):
        list(Seals(hall.databases, [], [new_key().public]).faults())


def test_a_seal_whose_statement_was_changed_does_not_hold(hall: Installation) -> None:
    seal = seal_of(hall)
    forged = replace(seal, statement=replace(seal.statement, published_by="user:x"))

    assert "scoring, facility hall: the signature does not hold (seal: seal.json)" in [
        one.replace(", position None", "") for one in faults(hall, forged)
    ]


def test_what_the_seals_find_is_not_seen_without_them(hall: Installation, tmp_path: Path) -> None:
    """The reason for seals: a tail that was cut everywhere agrees with itself, apart from views that nobody cut."""
    position = seal_of(hall).statement.heads["work_orders"].position
    cut(hall, "work_orders", position - 1)

    plain = [str(fault) for fault in Verification(hall.databases).faults()]

    assert not any(f"position {position}: is missing" in fault for fault in plain)
