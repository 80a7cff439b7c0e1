"""A row's digest says all of the row: any other value gives another digest, and the same value the same on any database."""

import hashlib

import pytest

from shared.digest import digest, digested

ROW = {"id": 1, "simulated": True, "now": "2021-01-06T00:00:00Z", "note": None, "content": b"\x00\xff"}


def test_a_digest_can_be_computed_by_hand() -> None:
    content = hashlib.sha256(b"\x00\xff").hexdigest()
    by_hand = f'{{"content":["{content}"],"id":1,"note":null,"now":"2021-01-06T00:00:00Z","simulated":1}}'

    assert digest(ROW) == hashlib.sha256(by_hand.encode()).hexdigest()
    assert digested(ROW) == {**ROW, "digest": digest(ROW)}


def test_it_is_the_same_whatever_digest_the_row_had_and_however_the_database_says_truth() -> None:
    assert digest({**ROW, "digest": "x", "simulated": 1}) == digest(ROW)


@pytest.mark.parametrize(
    "other", [{"id": 2}, {"id": "1"}, {"note": ""}, {"content": b"\x00\xfe"}, {"now": "2021-01-06T00:00:01Z"}]
)
def test_any_other_value_gives_another(other: dict[str, object]) -> None:
    assert digest({**ROW, **other}) != digest(ROW)


def test_what_no_row_holds_has_none() -> None:
    with pytest.raises(TypeError):
        digest({"now": "\udcff"})
