"""The rules of who may come in and what they may do: pure, without storage."""

from collections import defaultdict
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.access.aggregate import Binding, Directory
from shared.contracts.access import (
    AccountCreated,
    AccountDisabled,
    AccountEnabled,
    IdentityLinked,
    KeyIssued,
    RoleGranted,
    RoleRevoked,
)
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Event
from shared.rights import INSTALLATION, ROLES, Role

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
TODAY = date(2026, 3, 2)
ISSUER = "https://id.example.org"


def created(username: str, kind: str = "person") -> AccountCreated:
    return AccountCreated(username=username, kind=kind, display_name=username, origin="admin")  # type: ignore[arg-type]


def granted(holder: str, role: Role = "admin", facility_id: str = "*") -> RoleGranted:
    return RoleGranted(holder=holder, facility_id=facility_id, role=role)


def revoked(holder: str, role: Role = "admin", facility_id: str = "*") -> RoleRevoked:
    return RoleRevoked(holder=holder, facility_id=facility_id, role=role)


def directory(*past: Event) -> Directory:
    """After some past: Chen administers, Li does not."""
    return Directory.replay(INSTALLATION, [created("chen"), granted("user:chen"), created("li"), *past])


def test_the_first_account_administers_everything_and_there_is_one_such_account() -> None:
    empty = Directory()

    empty.open_first("chen", "陈", NOW)

    assert empty.admins == {"chen"}
    with pytest.raises(Rejected, match="already"):
        empty.open_first("li", "李", NOW)


@pytest.mark.parametrize("name", ["li", "robot", "ratings"])
def test_a_name_is_given_once_whoever_has_it(name: str) -> None:
    known = directory(created("robot", "machine"), KeyIssued(key_id="ratings", description="好差评"))

    with pytest.raises(Rejected, match=f"{name} was given already"):
        known.create(created(name), NOW)
    with pytest.raises(Rejected, match=f"{name} was given already"):
        known.issue_key(KeyIssued(key_id=name, description="x"), (), TODAY, NOW)

    assert known.new_events == []


def test_the_last_admin_is_neither_disabled_nor_loses_the_role() -> None:
    known = directory(created("robot", "machine"), granted("system:robot"), granted("user:li", facility_id="hall"))

    with pytest.raises(Rejected, match="last admin"):
        known.disable("chen", "调离", "system:robot", NOW)
    with pytest.raises(Rejected, match="last admin"):
        known.revoke(revoked("user:chen"), "system:robot", NOW)

    known.grant(granted("user:li"), "user:chen", NOW)
    known.revoke(revoked("user:chen"), "user:li", NOW)
    assert known.admins == {"li"}


def test_an_admin_who_is_disabled_is_not_counted() -> None:
    known = directory(granted("user:li"), AccountDisabled(username="li", reason="病假"))

    with pytest.raises(Rejected, match="last admin"):
        known.disable("chen", "调离", "service:operator", NOW)

    known.apply(AccountEnabled(username="li", reason="回岗"))
    known.disable("chen", "调离", "service:operator", NOW)
    assert known.admins == {"li"}


def test_nobody_changes_what_they_may_do_themselves() -> None:
    known = directory(granted("user:li"))

    with pytest.raises(Rejected, match="another admin does"):
        known.grant(granted("user:chen", "finance"), "user:chen", NOW)
    with pytest.raises(Rejected, match="another admin does"):
        known.revoke(revoked("user:chen"), "user:chen", NOW)
    with pytest.raises(Rejected, match="another admin does"):
        known.disable("chen", "调离", "user:chen", NOW)


def test_a_role_is_granted_once_and_revoked_from_whoever_holds_it() -> None:
    known = directory(granted("user:li", "finance", "hall"))

    with pytest.raises(Rejected, match="is finance in hall already"):
        known.grant(granted("user:li", "finance", "hall"), "user:chen", NOW)
    with pytest.raises(Rejected, match=r"is not finance in \*"):
        known.revoke(revoked("user:li", "finance"), "user:chen", NOW)


def test_an_identity_is_linked_to_one_account() -> None:
    known = directory(IdentityLinked(username="li", issuer=ISSUER, subject="17"))

    with pytest.raises(Rejected, match="is linked to li already"):
        known.link(IdentityLinked(username="chen", issuer=ISSUER, subject="17"), NOW)
    with pytest.raises(NotFound):
        known.link(IdentityLinked(username="nobody", issuer=ISSUER, subject="18"), NOW)

    known.link(IdentityLinked(username="chen", issuer="https://other.example.org", subject="17"), NOW)
    assert known.identities["https://other.example.org", "17"] == "chen"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("wang", "wang"),
        ("Wang.Wu", "wang.wu"),
        ("ｗａｎｇ", "wang"),
        ("li", "li-2"),
        ("robot", "robot-2"),
        ("wang wu/../x", "wang-wu-..-x"),
        ("-_.", "u-ec2e66b9c238"),
        ("王", "u-ec2e66b9c238"),
        ("", "u-ec2e66b9c238"),
        (60 * "w", 46 * "w"),
    ],
)
def test_whom_a_provider_sends_gets_a_free_name_and_no_role(wanted: str, name: str) -> None:
    known = directory(KeyIssued(key_id="robot", description="x"))

    found = known.welcome(ISSUER, "17", wanted, "王", NOW)

    assert found == name
    assert known.accounts[name].kind == "person"
    assert not known.roles[f"user:{name}"]
    assert known.welcome(ISSUER, "17", "another", "王", NOW) == name


def test_a_key_that_would_have_expired_is_not_issued() -> None:
    known = directory()

    with pytest.raises(Invalid, match="expires_on: expected 2026-03-02 or later"):
        known.issue_key(KeyIssued(key_id="k", description="x", expires_on=date(2026, 3, 1)), (), TODAY, NOW)

    known.issue_key(KeyIssued(key_id="k", description="x", expires_on=TODAY), (), TODAY, NOW)
    assert "k" in known.keys


def test_a_key_has_the_roles_that_it_was_issued_with_once_each_and_is_revoked_once() -> None:
    known = directory()
    twice = Binding("hall", "integrator")

    known.issue_key(KeyIssued(key_id="k", description="x"), (twice, twice, Binding("*", "auditor")), TODAY, NOW)

    assert known.roles["system:k"] == {("hall", "integrator"), ("*", "auditor")}
    known.revoke_key("k", "lost", NOW)
    with pytest.raises(Rejected, match="revoked already"):
        known.revoke_key("k", "lost", NOW)


def test_a_holder_is_named_by_a_username_or_a_key_and_must_be_there() -> None:
    known = directory(created("robot", "machine"), KeyIssued(key_id="ratings", description="x"))

    assert known.holder_of("li", None) == "user:li"
    assert known.holder_of("robot", None) == "system:robot"
    assert known.holder_of(None, "ratings") == "system:ratings"
    for username, key_id in ((None, None), ("li", "ratings")):
        with pytest.raises(Invalid, match="and not both"):
            known.holder_of(username, key_id)
    with pytest.raises(NotFound):
        known.holder_of("ratings", None)
    with pytest.raises(NotFound):
        known.holder_of(None, "robot")


holders = st.sampled_from(["chen", "li", "wang"])
places = st.sampled_from(["*", "hall", "hall-2"])
steps = st.lists(
    st.tuples(
        st.sampled_from(["grant", "grant", "revoke", "disable", "enable"]),
        holders,
        places,
        st.sampled_from([*ROLES, "admin", "admin"]),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(steps)
def test_any_sequence_of_changes_leaves_what_a_list_of_them_says_and_an_admin(
    changes: list[tuple[str, str, str, Role]],
) -> None:
    known = directory(created("wang"))
    held: defaultdict[str, set[tuple[str, Role]]] = defaultdict(set, {"chen": {("*", "admin")}})
    out: set[str] = set()

    for what, name, where, role in changes:
        admins = {one for one, of_them in held.items() if ("*", "admin") in of_them} - out
        is_last = admins == {name}
        try:
            match what:
                case "grant":
                    known.grant(granted(f"user:{name}", role, where), "service:operator", NOW)
                    assert (where, role) not in held[name]
                    held[name].add((where, role))
                case "revoke":
                    known.revoke(revoked(f"user:{name}", role, where), "service:operator", NOW)
                    assert not (is_last and (where, role) == ("*", "admin"))
                    held[name].remove((where, role))
                case "disable":
                    known.disable(name, "x", "service:operator", NOW)
                    assert name not in out
                    assert not is_last
                    out.add(name)
                case "enable":
                    known.enable(name, "x", NOW)
                    out.remove(name)
        except Rejected:
            is_refused = {
                "grant": (where, role) in held[name],
                "revoke": (where, role) not in held[name] or (is_last and (where, role) == ("*", "admin")),
                "disable": name in out or is_last,
                "enable": name not in out,
            }
            assert is_refused[what]

    assert {f"user:{name}": of_them for name, of_them in held.items() if of_them} == {
        holder: of_them for holder, of_them in known.roles.items() if of_them
    }
    assert known.admins == {name for name, of_them in held.items() if ("*", "admin") in of_them} - out != set()
    assert {name for name, account in known.accounts.items() if account.disabled} == out
