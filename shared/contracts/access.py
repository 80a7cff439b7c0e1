"""What access publishes: who may come in as whom, what they may do where, and who came in or was refused.

A holder is an actor to whom roles are bound: `user:<username>` of a person, `system:<name>` of a machine or a key. What
somebody says to be let in (a password, a code, a token) is in no event.
"""

from datetime import date
from typing import Annotated, Literal

import msgspec

from shared.event import Event, Moment
from shared.rights import Role
from shared.schema import Id

Username = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,49}$",
        description="a name: 1–50 of a–z 0–9 . _ -, beginning with a letter or a digit",
    ),
]
"""Of a person, a machine or a key; small letters only, so that no two look alike but for their case."""
Where = Annotated[
    str,
    msgspec.Meta(pattern=r"^(\*|[A-Za-z0-9._:-]{1,80})$", description="the id of a facility, or * for all of them"),
]
AccountKind = Literal["person", "machine"]
Origin = Literal["first_link", "admin", "oidc"]
"""How an account came to be: by the first link, by an admin, or by a first sign-in at the OpenID provider."""
SignInWay = Literal["password", "code", "oidc"]
Shown = Literal["password", "code", "oidc", "session", "key", "bearer", "unknown"]
"""What somebody showed who was refused."""


class AccountCreated(Event):
    """Somebody can be let in under a name of their own; a machine is known by what its issuer calls it."""

    username: Username
    kind: AccountKind
    display_name: str
    origin: Origin


class AccountDisabled(Event):
    """Nobody is let in under this name any more; its sessions ended."""

    username: Username
    reason: str


class AccountEnabled(Event):
    """Whoever signs in under this name is let in again."""

    username: Username
    reason: str


class IdentityLinked(Event):
    """Whom an issuer (OpenID provider or issuer of bearer tokens) calls `subject` is let in under this name."""

    username: Username
    issuer: str
    subject: str


class RoleGranted(Event):
    """A holder may do from now on what a role may do, in a facility or in all."""

    holder: str
    facility_id: Where
    role: Role


class RoleRevoked(Event):
    """A holder has a role no longer."""

    holder: str
    facility_id: Where
    role: Role


class KeyIssued(Event):
    """An API key was made; it lets in until the end of `expires_on` (Asia/Shanghai), or until it is revoked."""

    key_id: Username
    description: str
    expires_on: date | None = None


class KeyRevoked(Event):
    """An API key lets nobody in any more."""

    key_id: Username
    reason: str


class PasswordChanged(Event):
    """A person set a new password: the own one, knowing the `old`, or by a one-time `code`; their sessions ended."""

    username: Username
    by_means_of: Literal["old", "code"]


class SignedIn(Event):
    """A person was let in until `expires_at` at most (real time); `address` is where the request came from."""

    username: Username
    session_id: Id
    way: SignInWay
    address: str
    expires_at: Moment


class SignedOut(Event):
    """A person ended their session."""

    username: Username
    session_id: Id


class SignInRefused(Event):
    """Somebody was not let in.

    `holder` is whom they named, where there is such a one: what else was typed there may be a password. `why` is a
    word: unknown, wrong_password, expired, revoked, disabled and so on.
    """

    shown: Shown
    why: str
    address: str
    holder: str | None = None


class AccessRefused(Event):
    """Somebody who was let in asked for something that they may not (the envelope's actor)."""

    what: str
    why: str
    address: str
    facility_id: Id | None = None
