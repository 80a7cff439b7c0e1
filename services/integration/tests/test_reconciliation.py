"""The daily reconciliation, held against what a clerk would count with a pencil."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.integration.inbound.reconciliation import reconciled
from services.integration.tests.office import FINANCE, MONEY, PLATFORM, Office, event, payment, rating
from shared.errors import Invalid, NotFound

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2021, 3, 1, tzinfo=UTC)
amounts = st.none() | st.decimals(0, 1000, places=2).map(str)
messages = st.lists(
    st.fixed_dictionaries(
        {
            "happened_at": st.integers(0, 72 * 60).map(
                lambda minutes: (START + timedelta(minutes=minutes)).isoformat()
            ),
            "source": st.sampled_from(["urn:a", "urn:b"]),
            "fact": st.sampled_from([None, "cost_recorded", "satisfaction_reported", "day_closed"]),
            "status": st.sampled_from(["accepted", "refused", "pending"]),
            "ratings": st.none() | st.integers(0, 9),
            "amount": amounts,
            "repeats": st.integers(0, 3),
            "contradictions": st.integers(0, 2),
        }
    )
)
closed = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(["urn:a", "urn:b"]),
            "day": st.dates(date(2021, 3, 1), date(2021, 3, 5)).map(str),
            "count": st.integers(0, 3),
            "ratings": st.none() | st.integers(0, 9),
            "amount": amounts,
        }
    ),
    unique_by=lambda one: (one["source"], one["day"]),
)


@given(messages, closed)
def test_each_day_is_what_a_clerk_would_count(told: list[dict[str, Any]], stated: list[dict[str, Any]]) -> None:
    found = {(row["day"], row["source"]): row for row in reconciled(told, stated, ZONE)}

    counted = [one for one in told if one["fact"] != "day_closed"]
    days = {(_day(one), one["source"]) for one in counted} | {(one["day"], one["source"]) for one in stated}
    assert list(found) == sorted(days)
    for (day, source), row in found.items():
        mine = [one for one in counted if (_day(one), one["source"]) == (day, source)]
        accepted = [one for one in mine if one["status"] == "accepted"]
        said = [one for one in stated if (one["day"], one["source"]) == (day, source)]
        assert row["received"] == len(mine) == row["accepted"] + row["refused"] + row["pending"]
        assert row["duplicates"] == sum(one["repeats"] for one in mine)
        assert row["contradictions"] == sum(one["contradictions"] for one in mine)
        assert row["ratings"] == sum(one["ratings"] or 0 for one in accepted)
        assert row["amount"] == str(sum((Decimal(one["amount"] or "0.00") for one in accepted), Decimal("0.00")))
        agrees = [
            one["count"] == len(accepted)
            and one["ratings"] in (None, row["ratings"])
            and one["amount"] in (None, row["amount"])
            for one in said
        ]
        assert row["agrees"] == (agrees[0] if agrees else None)


def _day(message: dict[str, Any]) -> str:
    moment = datetime.fromisoformat(message["happened_at"]) + timedelta(hours=8)
    return moment.date().isoformat()


def day_closed(day: str, payments: int, total: Any, **more: Any) -> dict[str, Any]:
    """The finance system says that a day is over."""
    named = {"id": f"closed-{day}", "type": "cn.example.finance.day-closed.v1", "source": MONEY, **more}
    return event(named, {"day": day, "payments": payments, "total": total})


def test_a_day_agrees_with_its_source_or_it_shows_where_it_does_not(office: Office) -> None:
    office.map("finance", FINANCE)
    at = "2021-03-18T09:00:00+08:00"
    office.send(payment("P-1", "10.10", time=at), payment("P-2", "20.20", time=at), payment("P-2", "20.20", time=at))
    office.send(
        payment("P-3", "x", time=at), payment("P-4", "5.00", time="2021-03-18T16:00:00Z"), rating(1, 5, time=at)
    )
    office.send(day_closed("2021-03-18", 3, "35.30", time="2021-03-18T23:00:00+08:00"))

    platform, first, second = office.reconciled(since="2021-03-18", until="2021-03-19")

    assert first == {
        "day": "2021-03-18",
        "source": MONEY,
        "received": 3,
        "accepted": 2,
        "refused": 1,
        "pending": 0,
        "duplicates": 1,
        "contradictions": 0,
        "ratings": 0,
        "amount": "30.30",
        "stated": {"count": 3, "ratings": None, "amount": "35.30"},
        "agrees": False,
    }
    assert (platform["source"], platform["ratings"], platform["agrees"]) == (PLATFORM, 1, None)
    assert (second["day"], second["amount"], second["stated"]) == ("2021-03-19", "5.00", None)
    office.send(day_closed("2021-03-18", 2, "30.30", id="again", time="2021-03-18T23:30:00+08:00"))
    assert office.reconciled(since="2021-03-18", until="2021-03-18", source="finance")[0]["agrees"] is True


def test_what_a_source_said_earlier_of_a_day_does_not_come_back(office: Office) -> None:
    office.map("finance", FINANCE)
    office.send(day_closed("2021-03-18", 0, "0.00", id="b", time="2021-03-18T23:30:00+08:00"))
    office.send(day_closed("2021-03-18", 9, "9.00", id="a", time="2021-03-18T23:00:00+08:00"))

    (day,) = office.reconciled(source=MONEY)

    assert (day["received"], day["stated"]["count"], day["agrees"]) == (0, 0, True)


def test_by_default_it_is_the_last_week(office: Office) -> None:
    for number in range(1, 20):
        office.send(rating(number, 5, time=f"2021-03-{number:02}T09:00:00+08:00"))

    assert [day["day"] for day in office.reconciled()] == [f"2021-03-{number}" for number in range(14, 20)]
    assert len(office.reconciled(since="2021-01-01")) == 19


def test_a_span_that_is_none_or_too_long_is_refused(office: Office) -> None:
    for since, until in (("2021-03-02", "2021-03-01"), ("2020-01-01", "2021-03-01")):
        with pytest.raises(Invalid, match="since: expected a day not after 2021-03-01"):
            office.reconciled(since=since, until=until)
    with pytest.raises(NotFound, match="no facility nowhere"):
        office.service.reconciliation("nowhere")
