"""What access answers; words as in shared.contracts.access."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from shared.contracts.access import AccountKind, Origin, Username, Where
from shared.rights import Role
from shared.schema import Count, Id


@dataclass(frozen=True, kw_only=True)
class OneTimeCode:
    """A code by which a person sets a password, once, before `expires_at`; null where this answer was given before."""

    username: Username
    code: str | None
    expires_at: datetime
    note: str


@dataclass(frozen=True, kw_only=True)
class NewAccount:
    """An account; a person's comes with the code by which they set a password: once, before `expires_at`.

    The code of a machine is null, and that of an answer that was given before.
    """

    username: Username
    actor: str
    code: str | None
    expires_at: datetime | None
    note: str


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """An API key; `secret` is the whole of what its user shows, and null where this answer was given before."""

    key_id: Username
    actor: str
    secret: str | None
    note: str


@dataclass(frozen=True, kw_only=True)
class HeldRole:
    """A role in a facility, or in all (`*`), and who gave it when."""

    facility_id: Where
    role: Role
    granted_by: str
    granted_at: datetime


@dataclass(frozen=True, kw_only=True)
class LinkedIdentity:
    """What an issuer calls somebody."""

    issuer: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class ListedAccount:
    """A person or a machine that may come in, under which actor, and with which roles."""

    username: Username
    actor: str
    kind: AccountKind
    display_name: str
    origin: Origin
    status: Literal["active", "disabled"]
    created_at: datetime
    created_by: str
    last_signed_in_at: datetime | None
    password_changed_at: datetime | None
    roles: tuple[HeldRole, ...]


@dataclass(frozen=True, kw_only=True)
class AccountWithIdentities(ListedAccount):
    """The same with what issuers call them."""

    identities: tuple[LinkedIdentity, ...]


@dataclass(frozen=True, kw_only=True)
class ListedKey:
    """An API key, never its secret. It is `active` until it is revoked or the day `expires_on` is over."""

    key_id: Username
    actor: str
    description: str
    status: Literal["active", "expired", "revoked"]
    issued_at: datetime
    issued_by: str
    expires_on: date | None
    revoked_because: str | None
    roles: tuple[HeldRole, ...]


@dataclass(frozen=True, kw_only=True)
class AccessLogRow:
    """One line of the access log: which event, by whom, about whom; each null where it has none.

    `what` is the role, the way of signing in, what was shown or what was asked for; `why` the reason.
    """

    position: Count
    event_id: Id
    at: datetime
    event: str
    actor: str
    about: str | None
    facility_id: str | None
    what: str | None
    why: str | None
    address: str | None
