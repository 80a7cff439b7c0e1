"""Access as it runs: hosted by nameko, asked over a broker, beside others while it hashes."""

from collections.abc import Iterator

import eventlet
import pytest

from services.access.passwords import Passwords
from services.access.service import Access
from services.access.tests.given import HERE, OPERATOR_KEY, PASSWORD
from shared import embedded
from shared.errors import Invalid, TooMany, Unauthenticated
from shared.rpc import Caller, caller
from shared.tests.hosted import hosting


@pytest.fixture
def asked(sqlite_url: str) -> Iterator[Caller]:
    """Calls of a hosted service."""
    config = {
        "AMQP_URI": embedded.fresh(),
        "DATABASES": {"access": sqlite_url},
        "SIMULATED": True,
        "OPERATOR_KEY": OPERATOR_KEY,
        "serializer": "json",
        "max_workers": 4,
    }
    with hosting(config, Access), caller(config) as call:
        yield call


def test_people_sign_in_over_the_broker_and_refusals_arrive_as_what_they_are(asked: Caller) -> None:
    code = asked("access", "first_link")
    let_in = asked(
        "access",
        "first_account",
        code=code,
        username="chen",
        display_name="陈",
        password=PASSWORD,
        address=HERE,
    )

    assert asked("access", "identify", credential=let_in["token"], address=HERE)["actor"] == "user:chen"
    for _ in range(5):
        with pytest.raises(Unauthenticated, match="unknown username or wrong password"):
            asked("access", "sign_in", username="chen", password="x", address=HERE, context={})
    with pytest.raises(TooMany, match=r"wait for \d+ s") as refused:
        asked("access", "sign_in", username="chen", password=PASSWORD, address=HERE, context={})
    assert 800 < int(refused.value.retry_after) <= 900
    with pytest.raises(Unauthenticated):
        asked("access", "identify", credential="xs_unknown", address=HERE)
    data = {"username": "li", "display_name": "李"}
    again = asked("access", "create_account", facility="-", data=data, context=_context())
    with pytest.raises(Invalid, match="password: expected 12 to 200"):
        asked("access", "set_password", code=again["code"], password="short", address=HERE)


def test_an_operator_s_key_that_can_be_guessed_keeps_access_from_starting(sqlite_url: str) -> None:
    config = {"AMQP_URI": embedded.fresh(), "DATABASES": {"access": sqlite_url}, "OPERATOR_KEY": "short"}

    with pytest.raises(Invalid, match="OPERATOR_KEY"), hosting(config, Access):
        pass


def test_while_a_password_is_looked_at_others_have_their_turns() -> None:
    passwords, turns = Passwords(), 0
    looking = eventlet.spawn(passwords.fits, PASSWORD, None)

    while not looking.dead:
        eventlet.sleep(0)
        turns += 1

    assert turns > 2, "one turn, and the hash was made within it"
    assert looking.wait() is False


def _context() -> dict[str, object]:
    return {
        "command_id": "k-1",
        "actor": "service:operator",
        "roles": ["admin"],
        "correlation_id": "c-1",
        "time": None,
    }
