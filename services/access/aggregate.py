"""The rules of access: who may come in under which name, who holds which role where, and who may change that.

All of it is one stream, so that what holds for all names together is decided safely: no name and no identity is given
twice, and an admin is always left.
"""

import hashlib
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from shared.aggregate import Aggregate
from shared.contracts.access import (
    AccountCreated,
    AccountDisabled,
    AccountEnabled,
    AccountKind,
    IdentityLinked,
    KeyIssued,
    KeyRevoked,
    RoleGranted,
    RoleRevoked,
)
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Event
from shared.rights import EVERYWHERE, INSTALLATION, Role

ADMIN_EVERYWHERE = (EVERYWHERE, "admin")
LONGEST_NAME = 50
_UNSAFE = re.compile("[^a-z0-9._-]+")


@dataclass
class Account:
    """A person or a machine."""

    kind: AccountKind
    disabled: bool = False


@dataclass(frozen=True)
class Binding:
    """A role in a facility, or in all."""

    facility_id: str
    role: Role


@dataclass
class _Key:
    revoked: bool = False


def actor_of(username: str, kind: AccountKind) -> str:
    """Under which name the events of an account are recorded."""
    return f"{'user' if kind == 'person' else 'system'}:{username}"


def actor_of_key(key_id: str) -> str:
    """Under which name the events of a key are recorded."""
    return f"system:{key_id}"


class Directory(Aggregate):
    """Everybody who may come in, and their roles."""

    category = "directory"

    def __init__(self, id_: str = INSTALLATION) -> None:
        super().__init__(id_)
        self.accounts: dict[str, Account] = {}
        self.keys: dict[str, _Key] = {}
        self.roles: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self.identities: dict[tuple[str, str], str] = {}

    # Accounts

    def create(self, account: AccountCreated, at: datetime) -> None:
        """Open an account under a name that nobody has or had."""
        self._must_be_free(account.username, "username")
        self.record(account, at)

    def open_first(self, username: str, display_name: str, at: datetime) -> None:
        """Open the account that administers all others, once: as long as nobody does."""
        if self.admins:
            raise Rejected("there is an account that administers the others already")
        self.create(
            AccountCreated(username=username, kind="person", display_name=display_name, origin="first_link"), at
        )
        self.record(RoleGranted(holder=actor_of(username, "person"), facility_id=EVERYWHERE, role="admin"), at)

    def disable(self, username: str, reason: str, by: str, at: datetime) -> None:
        """Let nobody in under a name any more."""
        account = self._account(username)
        if account.disabled:
            raise Rejected(f"{username} is disabled already")
        self._must_be_another(actor_of(username, account.kind), by)
        self._must_leave_an_admin(username)
        self.record(AccountDisabled(username=username, reason=reason), at)

    def enable(self, username: str, reason: str, at: datetime) -> None:
        """Let them in again."""
        if not self._account(username).disabled:
            raise Rejected(f"{username} is not disabled")
        self.record(AccountEnabled(username=username, reason=reason), at)

    def link(self, identity: IdentityLinked, at: datetime) -> None:
        """Know somebody by what an issuer calls them; it calls only one so."""
        self._account(identity.username)
        holder = self.identities.get((identity.issuer, identity.subject))
        if holder is not None:
            raise Rejected(f"{identity.subject} of {identity.issuer} is linked to {holder} already")
        self.record(identity, at)

    def welcome(self, issuer: str, subject: str, wanted: str, display_name: str, at: datetime) -> str:
        """The name of whom a provider calls `subject`; who is new gets an account without any role, and a free name."""
        if known := self.identities.get((issuer, subject)):
            return known
        username = self.free_name(wanted, issuer, subject)
        self.create(AccountCreated(username=username, kind="person", display_name=display_name, origin="oidc"), at)
        self.link(IdentityLinked(username=username, issuer=issuer, subject=subject), at)
        return username

    def free_name(self, wanted: str, issuer: str, subject: str) -> str:
        """A name that nobody has: as wanted where that can be, else by what the issuer calls them, else with a number."""
        plain = unicodedata.normalize("NFKC", wanted).lower()
        name = _UNSAFE.sub("-", plain).strip("._-")[: LONGEST_NAME - 4]
        if not name:
            name = f"u-{hashlib.sha256(f'{issuer} {subject}'.encode(errors='replace')).hexdigest()[:12]}"
        found, number = name, 1
        while found in self.accounts or found in self.keys:
            number += 1
            found = f"{name}-{number}"
        return found

    def must_sign_in(self, username: str) -> None:
        """Raise Rejected unless it is a person who is let in, NotFound where there is none."""
        account = self._account(username)
        if account.kind == "machine" or account.disabled:
            raise Rejected(f"{username} is {'a machine' if account.kind == 'machine' else 'disabled'}")

    # Roles

    def holder_of(self, username: str | None, key_id: str | None) -> str:
        """Whom a command names; raises Invalid unless it is one, NotFound where there is none."""
        if (username is None) == (key_id is None):
            raise Invalid({"username": ["expected a username or a key_id, and not both"]})
        if username is not None:
            return actor_of(username, self._account(username).kind)
        assert key_id is not None
        self._key(key_id)
        return actor_of_key(key_id)

    def grant(self, role: RoleGranted, by: str, at: datetime) -> None:
        """Bind a role to somebody else, where they do not hold it yet."""
        self._must_be_another(role.holder, by)
        if (role.facility_id, role.role) in self.roles[role.holder]:
            raise Rejected(f"{role.holder} is {role.role} in {role.facility_id} already")
        self.record(role, at)

    def revoke(self, role: RoleRevoked, by: str, at: datetime) -> None:
        """Take a role from somebody else who holds it; the last admin stays."""
        self._must_be_another(role.holder, by)
        if (role.facility_id, role.role) not in self.roles[role.holder]:
            raise Rejected(f"{role.holder} is not {role.role} in {role.facility_id}")
        if (role.facility_id, role.role) == ADMIN_EVERYWHERE and role.holder.startswith("user:"):
            self._must_leave_an_admin(role.holder.removeprefix("user:"))
        self.record(role, at)

    @property
    def admins(self) -> set[str]:
        """The people who administer everything, and can sign in."""
        return {
            username
            for username, account in self.accounts.items()
            if account.kind == "person"
            and not account.disabled
            and ADMIN_EVERYWHERE in self.roles[actor_of(username, "person")]
        }

    # Keys

    def issue_key(self, key: KeyIssued, roles: tuple[Binding, ...], today: date, at: datetime) -> None:
        """Make a key with roles of its own, under a name that nobody has or had."""
        self._must_be_free(key.key_id, "key_id")
        if key.expires_on is not None and key.expires_on < today:
            raise Invalid({"expires_on": [f"expected {today} or later"]})
        self.record(key, at)
        for binding in dict.fromkeys(roles):
            holder = actor_of_key(key.key_id)
            self.record(RoleGranted(holder=holder, facility_id=binding.facility_id, role=binding.role), at)

    def revoke_key(self, key_id: str, reason: str, at: datetime) -> None:
        """Let nobody in by a key any more."""
        if self._key(key_id).revoked:
            raise Rejected(f"{key_id} is revoked already")
        self.record(KeyRevoked(key_id=key_id, reason=reason), at)

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event:
            case AccountCreated():
                self.accounts[event.username] = Account(event.kind)
            case AccountDisabled() | AccountEnabled():
                self.accounts[event.username].disabled = isinstance(event, AccountDisabled)
            case IdentityLinked():
                self.identities[event.issuer, event.subject] = event.username
            case RoleGranted():
                self.roles[event.holder].add((event.facility_id, event.role))
            case RoleRevoked():
                self.roles[event.holder].discard((event.facility_id, event.role))
            case KeyIssued():
                self.keys[event.key_id] = _Key()
            case KeyRevoked():
                self.keys[event.key_id].revoked = True

    def _account(self, username: str) -> Account:
        if username not in self.accounts:
            raise NotFound(f"no account {username}")
        return self.accounts[username]

    def _key(self, key_id: str) -> _Key:
        if key_id not in self.keys:
            raise NotFound(f"no key {key_id}")
        return self.keys[key_id]

    def _must_be_free(self, name: str, member: str) -> None:
        """One name stands for one holder for ever, or old events would seem to be somebody else's."""
        if name in self.accounts or name in self.keys:
            raise Rejected(f"{member} {name} was given already; a name is given once, to a person, a machine or a key")

    def _must_leave_an_admin(self, username: str) -> None:
        if self.admins == {username}:
            raise Rejected(f"{username} is the last admin of all facilities; make somebody else one first")

    @staticmethod
    def _must_be_another(holder: str, by: str) -> None:
        if holder == by:
            raise Rejected(f"{by} cannot change what {by} may do; another admin does")


class Visit(Aggregate):
    """One session: somebody signed in, and perhaps out."""

    category = "session"

    def apply(self, event: Event) -> None:
        """Fold; no later decision depends on it."""


class Occasion(Aggregate):
    """One refusal, or one change of a password."""

    category = "occasion"

    def apply(self, event: Event) -> None:
        """Fold; no later decision depends on it."""
