"""People sign in by password, with a lock before it; sessions begin, last and end."""

from typing import Literal

import pytest
from argon2 import PasswordHasher
from eventlet.greenpool import GreenPool
from sqlalchemy import select, text

from services.access.doors import Doors
from services.access.passwords import Passwords
from services.access.tables import credentials
from services.access.tests.given import CHEAP, HERE, OPERATOR_KEY, PASSWORD, Hall
from shared.contracts.access import (
    AccessRefused,
    AccountCreated,
    PasswordChanged,
    RoleGranted,
    SignedIn,
    SignedOut,
    SignInRefused,
)
from shared.errors import Invalid, Refused, Rejected, TooMany, Unauthenticated

WRONG = "not the password at all"


def test_whoever_has_the_first_link_opens_the_account_that_administers_all_others(access_on_each: Hall) -> None:
    code = access_on_each.service.first_link()

    let_in = access_on_each.service.first_account(code, "chen", "陈", PASSWORD, HERE)

    assert access_on_each.identify(let_in["token"]) == {
        "actor": "user:chen",
        "kind": "account",
        "name": "陈",
        "roles": {"*": ["admin"]},
        "session": True,
        "expires_at": "2026-03-02T20:00:00Z",
    }
    assert [type(one.event) for one in access_on_each.recorded()] == [
        AccountCreated,
        RoleGranted,
        PasswordChanged,
        SignedIn,
    ]
    assert {one.actor for one in access_on_each.recorded()} == {"user:chen"}
    assert access_on_each.service.first_link() is None


def test_only_the_newest_first_link_is_good(access: Hall) -> None:
    older, newest = access.service.first_link(), access.service.first_link()

    with pytest.raises(Unauthenticated, match="replaced by a newer one"):
        access.service.first_account(older, "chen", "陈", PASSWORD, HERE)

    assert access.service.first_account(newest, "chen", "陈", PASSWORD, HERE)["actor"] == "user:chen"


def test_a_first_link_is_good_for_three_days(access: Hall) -> None:
    code = access.service.first_link()
    access.wall.wait(hours=72)

    with pytest.raises(Unauthenticated, match="has expired"):
        access.service.first_account(code, "chen", "陈", PASSWORD, HERE)


def test_of_many_who_use_one_first_link_at_once_one_is_let_in(access_on_each: Hall) -> None:
    code = access_on_each.service.first_link()

    def use(number: int) -> object:
        try:
            return access_on_each.service.first_account(code, f"chen-{number}", "陈", PASSWORD, HERE)["actor"]
        except Refused as refusal:
            return type(refusal)

    answers = list(GreenPool(8).imap(use, range(8)))

    (winner,) = [answer for answer in answers if isinstance(answer, str)]
    assert answers.count(Unauthenticated) == 7
    assert [f"user:{one.username}" for one in access_on_each.events(AccountCreated)] == [winner]


@pytest.mark.parametrize(
    ("username", "display_name", "password", "field", "expected"),
    [
        ("Chen", "陈", PASSWORD, "username", "a–z 0–9"),
        ("", "陈", PASSWORD, "username", "a–z 0–9"),
        ("chen", "  ", PASSWORD, "display_name", "not blank"),
        ("chen", "陈", "elevenchars", "password", "expected 12 to 200 characters, not 11"),
        ("chen", "陈", 201 * "x", "password", "expected 12 to 200 characters, not 201"),
        ("chen-of-the-hall", "陈", "Chen-Of-The-Hall", "password", "something else than the username"),
    ],
)
def test_a_bad_name_or_password_is_refused_by_field_and_the_code_stays_good(  # noqa: PLR0917
    access: Hall, username: str, display_name: str, password: str, field: str, expected: str
) -> None:
    code = access.service.first_link()

    with pytest.raises(Invalid) as refused:
        access.service.first_account(code, username, display_name, password, HERE)

    assert list(refused.value.errors) == [field]
    assert expected in str(refused.value)
    assert access.service.first_account(code, "chen", "陈", PASSWORD, HERE)["actor"] == "user:chen"


def test_an_unknown_username_and_a_wrong_password_are_refused_in_the_same_words(access: Hall) -> None:
    access.first()

    said = set()
    for username in ("chen", "nobody", PASSWORD):
        with pytest.raises(Unauthenticated) as refused:
            access.sign_in(username, WRONG)
        said.add(str(refused.value))

    assert said == {"unknown username or wrong password"}
    told = [(one.holder, one.why) for one in access.events(SignInRefused)]
    assert told == [("user:chen", "wrong_password"), (None, "unknown"), (None, "unknown")]


def test_nobody_s_password_is_looked_at_as_long_as_somebody_s(access: Hall) -> None:
    looked_at: list[str] = []

    class Watched(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            looked_at.append(str(hash))
            return super().verify(hash, password)

    access.service.doors = Doors({}, access.wall, Watched(time_cost=1, memory_cost=8, parallelism=1))
    access.first()

    for username in ("chen", "nobody"):
        with pytest.raises(Unauthenticated):
            access.sign_in(username, WRONG)

    chens, nobodys = looked_at
    assert chens != nobodys
    assert chens.rsplit("$", 2)[0] == nobodys.rsplit("$", 2)[0], "the same algorithm with the same parameters"


def test_a_name_is_known_whatever_its_case_and_a_password_however_a_keyboard_writes_it(access: Hall) -> None:
    access.first(password="caf\u00e9 in the hall")

    assert access.sign_in(" CHEN ", "cafe\u0301 in the hall")["actor"] == "user:chen"


def test_after_five_failures_nobody_is_let_in_under_a_name_for_fifteen_minutes(access_on_each: Hall) -> None:
    access_on_each.first()
    for number in range(5):
        with pytest.raises(Unauthenticated):
            access_on_each.sign_in("chen", WRONG, address=f"192.0.2.{number}")
        access_on_each.wall.wait(minutes=1)

    with pytest.raises(TooMany, match="wait for 840 s") as refused:
        access_on_each.sign_in("chen", PASSWORD)

    assert refused.value.retry_after == 840
    access_on_each.wall.wait(seconds=840)
    assert access_on_each.sign_in("chen")["actor"] == "user:chen"
    assert len(access_on_each.events(SignInRefused)) == 5, "what was answered TooMany is logged only"


def test_failures_add_up_over_the_last_fifteen_minutes_whenever_they_began(access: Hall) -> None:
    access.first()
    for minutes in (14, 1, 0, 0):
        with pytest.raises(Unauthenticated):
            access.sign_in("chen", WRONG)
        access.wall.wait(minutes=minutes)

    access.wall.wait(minutes=1)  # the first of them is too long ago
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            access.sign_in("chen", WRONG)

    with pytest.raises(TooMany):
        access.sign_in("chen")


def test_a_name_that_nobody_has_is_locked_too(access: Hall) -> None:
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            access.sign_in("nobody", WRONG)

    with pytest.raises(TooMany):
        access.sign_in("nobody", WRONG)


def test_after_twenty_failures_nobody_is_let_in_from_an_address(access: Hall) -> None:
    access.first()
    for number in range(20):
        with pytest.raises(Unauthenticated):
            access.sign_in(f"nobody-{number}", WRONG)

    with pytest.raises(TooMany):
        access.sign_in("chen")

    assert access.sign_in("chen", address="192.0.2.8")["actor"] == "user:chen"


def test_signing_in_forgives_the_failures_of_the_name_and_not_those_of_the_address(access: Hall) -> None:
    access.first()
    for _ in range(4):
        for _ in range(4):
            with pytest.raises(Unauthenticated):
                access.sign_in("chen", WRONG)
        access.sign_in("chen")
    for number in range(4):
        with pytest.raises(Unauthenticated):
            access.sign_in(f"nobody-{number}", WRONG)

    with pytest.raises(TooMany):
        access.sign_in("chen")


def test_guesses_at_once_get_no_more_tries_than_one_after_the_other(access_on_each: Hall) -> None:
    access_on_each.first()

    def guess(_: int) -> type[Refused]:
        try:
            access_on_each.sign_in("chen", WRONG)
        except Refused as refusal:
            return type(refusal)
        raise AssertionError("let in")

    answers = list(GreenPool(12).imap(guess, range(12)))

    assert answers.count(Unauthenticated) == 5
    assert answers.count(TooMany) == 7


def test_a_password_kept_by_older_parameters_is_kept_anew_at_the_next_sign_in(access: Hall) -> None:
    access.first()
    kept = select(credentials.c.hash)
    (before,) = access.alone.ledger.database.rows(kept)
    access.service.doors = Doors({}, access.wall, PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))

    access.sign_in("chen")

    (after,) = access.alone.ledger.database.rows(kept)
    assert "m=8,t=1" in before.hash
    assert "m=16,t=2" in after.hash
    assert access.sign_in("chen")["actor"] == "user:chen"


def test_a_session_that_is_not_used_ends_after_eight_hours(access: Hall) -> None:
    token = access.first()["token"]
    access.wall.wait(hours=7.9)
    access.identify(token)
    access.wall.wait(hours=4)

    assert access.identify(token)["actor"] == "user:chen"

    token = access.sign_in("chen")["token"]
    access.wall.wait(hours=8)
    with pytest.raises(Unauthenticated, match="has expired"):
        access.identify(token)


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(access: Hall) -> None:
    token = access.first()["token"]
    for _ in range(11):
        access.wall.wait(hours=1)
        access.identify(token)
    access.wall.wait(hours=1)

    with pytest.raises(Unauthenticated, match="has expired"):
        access.identify(token)

    (refused,) = access.events(SignInRefused)
    assert (refused.shown, refused.why, refused.holder) == ("session", "expired", "user:chen")


def test_sessions_expire_by_real_time_also_where_the_time_of_the_ledger_is_made_up(access: Hall) -> None:
    token = access.first()["token"]
    access.alone.ledger.clock.advance(access.wall.now().replace(year=2040))

    assert access.identify(token)["actor"] == "user:chen"


def test_signing_out_ends_a_session_once(access: Hall) -> None:
    token = access.first()["token"]

    access.service.sign_out(token)
    access.service.sign_out(token)

    assert len(access.events(SignedOut)) == 1
    with pytest.raises(Unauthenticated, match="has ended"):
        access.identify(token)


def test_a_changed_password_ends_all_sessions_but_the_one_that_changed_it(access: Hall) -> None:
    here, elsewhere = access.first()["token"], access.sign_in("chen")["token"]

    access.service.change_password(here, PASSWORD, "another walk in the hall", HERE)

    assert access.identify(here)["actor"] == "user:chen"
    with pytest.raises(Unauthenticated, match="password was changed"):
        access.identify(elsewhere)
    with pytest.raises(Unauthenticated):
        access.sign_in("chen", PASSWORD)
    assert access.sign_in("chen", "another walk in the hall")["actor"] == "user:chen"


def test_a_password_that_is_changed_while_it_is_looked_at_lets_nobody_in_any_more(access: Hall) -> None:
    here = access.first()["token"]

    class Slow(Passwords):
        def fits(self, password: str, kept: str | None) -> bool:
            found = super().fits(password, kept)
            access.service.doors.passwords = Passwords(CHEAP)
            access.service.change_password(here, PASSWORD, "another walk in the hall", "192.0.2.8")
            return found

    access.service.doors.passwords = Slow(CHEAP)

    with pytest.raises(Unauthenticated, match="wrong password"):
        access.sign_in("chen", PASSWORD)

    assert len(access.events(SignedIn)) == 1


def test_a_password_is_changed_only_by_whoever_knows_it(access: Hall) -> None:
    token = access.first()["token"]

    with pytest.raises(Invalid, match="old: expected the password that you have now"):
        access.service.change_password(token, WRONG, "another walk in the hall", HERE)
    with pytest.raises(Invalid, match="new: expected 12 to 200"):
        access.service.change_password(token, PASSWORD, "short", HERE)

    assert access.sign_in("chen")["actor"] == "user:chen"
    for _ in range(5):
        with pytest.raises(Invalid):
            access.service.change_password(token, WRONG, "another walk in the hall", HERE)
    with pytest.raises(TooMany):
        access.service.change_password(token, PASSWORD, "another walk in the hall", HERE)


def test_a_disabled_account_is_out_at_once_and_its_sessions_do_not_come_back_with_it(access_on_each: Hall) -> None:
    access_on_each.first()
    token = access_on_each.person("li")["token"]

    access_on_each.ask("disable_account", username="li", reason="调离")

    with pytest.raises(Unauthenticated, match="the account is disabled"):
        access_on_each.identify(token)
    with pytest.raises(Unauthenticated, match="the account is disabled"):
        access_on_each.sign_in("li")
    access_on_each.ask("enable_account", username="li", reason="回岗")
    with pytest.raises(Unauthenticated, match="was ended"):
        access_on_each.identify(token)
    assert access_on_each.sign_in("li")["actor"] == "user:li"


def test_a_code_to_set_a_password_is_good_once_and_voids_those_before(access: Hall) -> None:
    access.first()
    older = access.ask("create_account", username="li", display_name="李")["code"]
    newest = access.ask("reset_password", username="li")["code"]

    with pytest.raises(Unauthenticated):
        access.service.set_password(older, PASSWORD, HERE)
    assert access.service.set_password(newest, PASSWORD, HERE)["actor"] == "user:li"
    with pytest.raises(Unauthenticated):
        access.service.set_password(newest, PASSWORD, HERE)


def test_of_many_who_set_a_password_by_one_code_at_once_one_does(access_on_each: Hall) -> None:
    code = access_on_each.ask("create_account", username="li", display_name="李")["code"]

    def use(number: int) -> bool:
        try:
            return bool(access_on_each.service.set_password(code, f"{number} {PASSWORD}", HERE))
        except Unauthenticated:
            return False

    answers = list(GreenPool(6).imap(use, range(6)))

    assert answers.count(True) == 1
    assert access_on_each.sign_in("li", f"{answers.index(True)} {PASSWORD}")["actor"] == "user:li"


def test_the_operator_is_an_admin_everywhere(access: Hall) -> None:
    principal = access.identify(OPERATOR_KEY)

    assert (principal["actor"], principal["kind"], principal["roles"]) == (
        "service:operator",
        "operator",
        {"*": ["admin"]},
    )
    with pytest.raises(Unauthenticated):
        access.identify(OPERATOR_KEY[:-1])


@pytest.mark.parametrize("key", ["", "o" * 31])
def test_access_does_not_begin_with_an_operator_s_key_that_can_be_guessed(key: str) -> None:
    with pytest.raises(Invalid, match="OPERATOR_KEY: expected at least 32 characters"):
        Doors({"OPERATOR_KEY": key})


NO_CREDENTIALS = (
    *("", "x", "好", "\ud800", "xs_unknown", "xk_unknown", "xk__", "a.b.c", ".."),
    *(f"xk_{name}_{43 * 'A'}" for name in ("li", "\ud800", "\0")),
)


def test_what_is_no_credential_lets_nobody_in_and_is_recorded_without_itself(access_on_each: Hall) -> None:
    for credential in NO_CREDENTIALS:
        with pytest.raises(Unauthenticated):
            access_on_each.identify(credential)

    refused = access_on_each.events(SignInRefused)
    assert len(refused) == len(NO_CREDENTIALS)
    assert {(one.why, one.holder, one.address) for one in refused} == {
        ("unknown", None, HERE),
        ("malformed", None, HERE),
    }


def test_nobody_fills_the_ledger_with_refusals(access: Hall) -> None:
    for _ in range(30):
        with pytest.raises(Unauthenticated):
            access.identify("xs_unknown")
        access.service.record_refusal("user:li", "hall", "work_orders.accept", "expected the role manager", HERE)

    assert len(access.events(SignInRefused)) == 20
    assert len(access.events(AccessRefused)) == 20
    access.first()
    assert access.sign_in("chen")["actor"] == "user:chen", "they lock nobody out"
    access.wall.wait(minutes=15)
    with pytest.raises(Unauthenticated):
        access.identify("xs_unknown")
    assert len(access.events(SignInRefused)) == 21


def test_a_name_that_nobody_can_have_is_refused_like_any_other(access_on_each: Hall) -> None:
    names = ["\0", "\ud800", "好", 5000 * "x", "' OR 1=1 --"]

    for name in names:
        with pytest.raises(Unauthenticated, match="unknown username or wrong password"):
            access_on_each.sign_in(name, WRONG, address="192.0.2.7\r\n\0")

    refused = access_on_each.events(SignInRefused)
    assert [(one.holder, one.address) for one in refused] == len(names) * [(None, HERE)]


def test_a_refusal_names_the_facility_only_where_it_can_be_one(access: Hall) -> None:
    access.service.record_refusal("user:li", "hall-2", "work_orders.accept", "no role in hall-2", HERE)
    access.service.record_refusal("user:li", "../etc", "work_orders.accept", "no role in ../etc", HERE)

    told = access.recorded(AccessRefused)
    assert [one.event.data().get("facility_id") for one in told] == ["hall-2", None]
    assert {one.actor for one in told} == {"user:li"}


def test_no_secret_is_in_an_event_in_the_command_table_or_in_the_database(access_on_each: Hall) -> None:
    code = access_on_each.service.first_link()
    first = access_on_each.service.first_account(code, "chen", "陈", PASSWORD, HERE)
    account = access_on_each.ask("create_account", username="li", display_name="李")
    reset = access_on_each.ask("reset_password", username="li")
    li = access_on_each.service.set_password(reset["code"], "li walks in the hall", HERE)
    key = access_on_each.ask("issue_key", key_id="ratings", description="好差评")
    with pytest.raises(Unauthenticated):
        access_on_each.sign_in("li", WRONG)

    names = ["credential", "session", "one_time", "attempt", "event", "command", "account", "api_key", "access_log"]
    rows = [access_on_each.alone.ledger.database.rows(text(f"SELECT * FROM {name}")) for name in names]
    kept = repr(
        [[bytes(value) if isinstance(value, memoryview) else value for value in row] for table in rows for row in table]
    )

    secrets = [PASSWORD, "li walks in the hall", WRONG, code, first["token"], account["code"], reset["code"]]
    secrets += [li["token"], key["secret"], key["secret"].removeprefix("xk_ratings_")]
    assert all(len(secret) > 10 and secret not in kept for secret in secrets)
    assert "ratings" in kept


def test_a_real_admin_is_needed_before_the_first_link_is_gone(access: Hall) -> None:
    access.person("li")
    access.ask("create_account", username="robot", display_name="robot", kind="machine")
    access.ask("grant_role", username="robot", facility_id="*", role="admin")
    access.ask("grant_role", username="li", facility_id="hall", role="admin")

    code = access.service.first_link()

    assert code is not None
    access.ask("grant_role", username="li", facility_id="*", role="admin")
    assert access.service.first_link() is None
    with pytest.raises(Rejected, match="administers the others already"):
        access.service.first_account(code, "chen", "陈", PASSWORD, HERE)
