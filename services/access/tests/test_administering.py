"""Admins open accounts, bind roles and issue keys; an auditor reads who did what when."""

from datetime import date
from typing import Any

import pytest
from eventlet.greenpool import GreenPool
from sqlalchemy import text

from services.access.tests.given import HERE, Hall
from services.access.views import VIEWS
from services.audit.verify import Verification
from shared.contracts.access import AccountDisabled, KeyIssued, RoleGranted, RoleRevoked
from shared.errors import Conflict, Forbidden, Invalid, NotFound, Rejected, Unauthenticated
from shared.installation import clock_of
from shared.tests.given import assert_chain
from shared.views import version_of


def test_a_person_signs_in_with_the_roles_that_admins_gave_where_they_gave_them(access_on_each: Hall) -> None:
    access_on_each.first()
    token = access_on_each.person("li")["token"]

    access_on_each.ask("grant_role", actor="user:chen", username="li", facility_id="hall", role="inspector")
    access_on_each.ask("grant_role", actor="user:chen", username="li", facility_id="*", role="auditor")

    assert access_on_each.identify(token)["roles"] == {"*": ["auditor"], "hall": ["inspector"]}
    access_on_each.ask("revoke_role", actor="user:chen", username="li", facility_id="*", role="auditor")
    assert access_on_each.identify(token)["roles"] == {"hall": ["inspector"]}
    assert {one.actor for one in access_on_each.recorded(RoleGranted, RoleRevoked)} == {"user:chen"}


def test_only_an_admin_may_do_any_of_it(access: Hall) -> None:
    given: dict[str, dict[str, Any]] = {
        "create_account": {"username": "li", "display_name": "李"},
        "disable_account": {"username": "chen", "reason": "x"},
        "enable_account": {"username": "chen", "reason": "x"},
        "reset_password": {"username": "chen"},
        "link_identity": {"username": "chen", "issuer": "https://id.example.org", "subject": "17"},
        "grant_role": {"username": "chen", "facility_id": "hall", "role": "finance"},
        "revoke_role": {"username": "chen", "facility_id": "*", "role": "admin"},
        "issue_key": {"key_id": "ratings", "description": "x"},
        "revoke_key": {"key_id": "ratings", "reason": "x"},
    }
    access.first()
    before = access.alone.ledger.tips()

    for command, data in given.items():
        with pytest.raises(Forbidden, match="expected the role admin"):
            access.ask(command, held=["manager", "integrator", "auditor"], **data)

    assert access.alone.ledger.tips() == before


def test_commands_belong_to_the_installation_and_to_no_facility(access: Hall) -> None:
    with pytest.raises(Invalid, match="facility: expected -"):
        access.ask("create_account", where="hall", username="li", display_name="李")

    assert access.alone.ledger.tips() == {}


@pytest.mark.parametrize(
    ("command", "data", "field"),
    [
        ("create_account", {"username": "Li", "display_name": "李"}, "username"),
        ("create_account", {"username": "li", "display_name": " "}, "display_name"),
        ("create_account", {"username": "li", "display_name": "李", "password": "x"}, "password"),
        ("create_account", {"username": "li", "display_name": "李", "kind": "robot"}, "kind"),
        ("grant_role", {"username": "chen", "facility_id": "a b", "role": "finance"}, "facility_id"),
        ("grant_role", {"username": "chen", "facility_id": "hall", "role": "king"}, "role"),
        ("grant_role", {"facility_id": "hall", "role": "finance"}, "username"),
        ("link_identity", {"username": "chen", "issuer": "id.example.org", "subject": "17"}, "issuer"),
        ("link_identity", {"username": "chen", "issuer": "https://id.example.org", "subject": "\t"}, "subject"),
        ("issue_key", {"key_id": "ratings", "description": "x", "expires_on": "2026-03-01"}, "expires_on"),
        ("issue_key", {"key_id": "ratings", "description": "x", "roles": [{"role": "admin"}]}, "roles[0].facility_id"),
    ],
)
def test_bad_input_is_refused_by_field_and_changes_nothing(
    access: Hall, command: str, data: dict[str, Any], field: str
) -> None:
    access.first()
    before = access.alone.ledger.tips()

    with pytest.raises(Invalid) as refused:
        access.ask(command, **data)

    assert list(refused.value.errors) == [field]
    assert access.alone.ledger.tips() == before


def test_a_key_lets_in_with_its_roles_until_it_is_revoked(access_on_each: Hall) -> None:
    roles = [{"facility_id": "hall", "role": "integrator"}]

    key = access_on_each.ask("issue_key", key_id="ratings_1", description="好差评", roles=roles)

    assert key["secret"].startswith("xk_ratings_1_")
    assert access_on_each.identify(key["secret"]) == {
        "actor": "system:ratings_1",
        "kind": "key",
        "name": "ratings_1",
        "roles": {"hall": ["integrator"]},
        "session": False,
        "expires_at": None,
    }
    with pytest.raises(Unauthenticated, match="unknown"):
        access_on_each.identify(key["secret"][:-1] + ("A" if key["secret"][-1] != "A" else "B"))
    access_on_each.ask("revoke_key", key_id="ratings_1", reason="换人")
    with pytest.raises(Unauthenticated, match="revoked"):
        access_on_each.identify(key["secret"])


def test_a_key_expires_at_the_end_of_its_day_in_china(access: Hall) -> None:
    key = access.ask("issue_key", key_id="ratings", description="好差评", expires_on=date(2026, 3, 2))

    access.wall.wait(hours=7, minutes=59)  # 23:59 in Kunming
    assert access.identify(key["secret"])["expires_at"] == "2026-03-02T16:00:00Z"
    assert access.service.keys()["items"][0]["status"] == "active"

    access.wall.wait(minutes=1)
    with pytest.raises(Unauthenticated, match="expired at the end of 2026-03-02"):
        access.identify(key["secret"])
    assert access.service.keys()["items"][0]["status"] == "expired"


def test_a_repeated_request_for_a_key_is_answered_without_the_secret(access_on_each: Hall) -> None:
    def issue(_: int = 0) -> Any:
        return access_on_each.ask("issue_key", key="request-1", key_id="ratings", description="好差评")

    answers = list(GreenPool(4).imap(issue, range(4)))

    (secret,) = [answer["secret"] for answer in answers if answer["secret"] is not None]
    assert access_on_each.identify(secret)["actor"] == "system:ratings"
    again = issue()
    assert (again["key_id"], again["secret"]) == ("ratings", None)
    assert "revoke the key if it was lost" in again["note"]
    assert len(access_on_each.events(KeyIssued)) == 1


def test_whoever_was_stopped_between_the_command_and_the_secret_gets_it_by_repeating(access: Hall) -> None:
    access.ask("issue_key", key="request-1", key_id="ratings", description="好差评")
    with access.alone.ledger.database.write() as connection:  # as if it had not come so far
        connection.execute(text("DELETE FROM credential"))

    again = access.ask("issue_key", key="request-1", key_id="ratings", description="好差评")

    assert access.identify(again["secret"])["actor"] == "system:ratings"


def test_a_repeated_request_for_a_code_is_answered_without_it_also_when_it_has_expired(access: Hall) -> None:
    def create() -> Any:
        return access.ask("create_account", key="request-1", username="li", display_name="李")

    first, again = create(), create()
    access.wall.wait(hours=73)
    access.ask("create_account", username="wang", display_name="王")  # which forgets what has expired
    late = create()

    assert first["code"].startswith("xo_")
    assert (again["code"], late["code"]) == (None, None)
    assert again["expires_at"] == first["expires_at"] == "2026-03-05T08:00:00Z"


def test_a_machine_has_no_password(access: Hall) -> None:
    machine = access.ask("create_account", username="robot", display_name="机器人", kind="machine")

    assert (machine["actor"], machine["code"], machine["expires_at"]) == ("system:robot", None, None)
    with pytest.raises(Rejected, match="robot is a machine"):
        access.ask("reset_password", username="robot")
    with pytest.raises(NotFound):
        access.ask("reset_password", username="nobody")


def test_of_two_admins_who_disable_each_other_at_once_one_stays(access_on_each: Hall) -> None:
    access_on_each.first()
    access_on_each.person("li")
    access_on_each.ask("grant_role", username="li", facility_id="*", role="admin")

    def disable(pair: tuple[str, str]) -> bool:
        try:
            access_on_each.ask("disable_account", actor=f"user:{pair[0]}", username=pair[1], reason="x")
        except Rejected:
            return False
        return True

    answers = list(GreenPool(2).imap(disable, [("chen", "li"), ("li", "chen")]))

    assert sorted(answers) == [False, True]
    assert len(access_on_each.events(AccountDisabled)) == 1


def test_one_name_asked_for_by_many_at_once_is_given_once(access_on_each: Hall) -> None:
    def take(number: int) -> bool:
        try:
            if number % 2:
                access_on_each.ask("create_account", username="ratings", display_name="x")
            else:
                access_on_each.ask("issue_key", key_id="ratings", description="x")
        except (Rejected, Conflict):
            return False
        return True

    answers = list(GreenPool(6).imap(take, range(6)))

    assert answers.count(True) == 1


def test_an_account_is_shown_with_its_roles_and_what_issuers_call_it_and_never_with_a_hash(access: Hall) -> None:
    access.first()
    access.person("li")
    access.ask("grant_role", actor="user:chen", username="li", facility_id="hall", role="finance")
    access.ask("link_identity", username="li", issuer="https://id.example.org", subject="17")

    li = access.service.account("li")

    assert li["identities"] == [{"issuer": "https://id.example.org", "subject": "17"}]
    (role,) = li["roles"]
    assert (role["facility_id"], role["role"], role["granted_by"]) == ("hall", "finance", "user:chen")
    assert (li["actor"], li["status"], li["created_by"]) == ("user:li", "active", "service:operator")
    assert "argon2" not in repr(li)
    with pytest.raises(NotFound):
        access.service.account("nobody")


def test_lists_come_in_pages(access: Hall) -> None:
    for name in ("c", "a", "b"):
        access.ask("create_account", username=name, display_name=name, kind="machine")
        access.ask("issue_key", key_id=f"key-{name}", description=name)

    page = access.service.accounts(limit=2)
    rest = access.service.accounts(cursor=page["next"])

    assert [one["username"] for one in (*page["items"], *rest["items"])] == ["a", "b", "c"]
    assert [one["key_id"] for one in access.service.keys(sort="-key_id")["items"]] == ["key-c", "key-b", "key-a"]


def test_the_log_says_who_came_in_who_was_refused_and_who_gave_what_newest_first(access: Hall) -> None:
    access.first()
    access.person("li")
    access.ask("grant_role", actor="user:chen", username="li", facility_id="hall", role="finance")
    with pytest.raises(Unauthenticated):
        access.sign_in("li", "not the password at all")
    access.service.record_refusal("user:li", "hall-2", "work_orders.costs", "no role in hall-2", HERE)

    newest = access.service.access_log(limit=3)

    told = [
        {name: row[name] for name in ("event", "actor", "about", "facility_id", "what", "why")}
        for row in newest["items"]
    ]
    assert told == [
        {
            "event": "access_refused",
            "actor": "user:li",
            "about": None,
            "facility_id": "hall-2",
            "what": "work_orders.costs",
            "why": "no role in hall-2",
        },
        {
            "event": "sign_in_refused",
            "actor": "service:access",
            "about": "user:li",
            "facility_id": None,
            "what": "password",
            "why": "wrong_password",
        },
        {
            "event": "role_granted",
            "actor": "user:chen",
            "about": "user:li",
            "facility_id": "hall",
            "what": "finance",
            "why": None,
        },
    ]
    of_li = access.service.access_log(actor="user:li", event="signed_in")["items"]
    assert [row["address"] for row in of_li] == [HERE]
    older = access.service.access_log(cursor=newest["next"])["items"]
    assert older[-1]["event"] == "account_created"


def test_an_audit_finds_nothing_wrong_where_people_signed_in_and_a_credential_that_somebody_changed(
    access_on_each: Hall,
) -> None:
    database = access_on_each.alone.ledger.database
    clock_of(database, simulated=True)
    version_of(database, VIEWS)
    access_on_each.first()
    token = access_on_each.person("li")["token"]
    access_on_each.ask("issue_key", key_id="ratings", description="好差评")
    access_on_each.ask("disable_account", username="li", reason="调离")
    with pytest.raises(Unauthenticated):
        access_on_each.identify(token)

    assert list(Verification({"access": database}).faults()) == []
    assert_chain(access_on_each.alone.ledger, "-")

    with database.write() as connection:
        connection.execute(text("UPDATE credential SET hash = 'x' WHERE kind = 'key'"))
        connection.execute(text("UPDATE role_binding SET facility_id = 'hall' WHERE holder = 'user:chen'"))
    found = [fault.what for fault in Verification({"access": database}).faults()]
    assert "table credential, row key ratings: was changed: its digest is of another content" in found
    assert sum("table role_binding" in what for what in found) == 2
