"""What access can be asked to change; words as in shared.contracts.access."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

import msgspec

from shared.contracts.access import AccountKind, Username, Where
from shared.rights import Role
from shared.schema import Text

Issuer = Annotated[
    str, msgspec.Meta(pattern=r"^https?://[!-~]{1,490}$", description="the address of an issuer, as its tokens name it")
]
Subject = Annotated[
    str, msgspec.Meta(pattern=r"^[!-~]([ -~]{0,253}[!-~])?$", description="1–255 visible ASCII characters (sub)")
]


@dataclass(frozen=True, kw_only=True)
class CreateAccount:
    """Open an account for a person, who sets the password by a one-time code, or for a machine, whose identity is linked."""

    username: Username
    display_name: Text
    kind: AccountKind = "person"


@dataclass(frozen=True, kw_only=True)
class ChangeAccount:
    """Let somebody in no more, or again."""

    username: Username
    reason: Text


@dataclass(frozen=True, kw_only=True)
class ResetPassword:
    """Let a person set a new password by a one-time code."""

    username: Username


@dataclass(frozen=True, kw_only=True)
class LinkIdentity:
    """Know somebody by what an OpenID provider, or an issuer of bearer tokens, calls them (`sub`)."""

    username: Username
    issuer: Issuer
    subject: Subject


@dataclass(frozen=True, kw_only=True)
class BindRole:
    """Give a person, a machine or a key a role in a facility, or in all (`*`); or take it."""

    facility_id: Where
    role: Role
    username: Username | None = None
    key_id: Username | None = None


@dataclass(frozen=True, kw_only=True)
class RoleBinding:
    """A role in a facility, or in all (`*`)."""

    facility_id: Where
    role: Role


@dataclass(frozen=True, kw_only=True)
class IssueKey:
    """Make an API key; its name is that of the system that will use it. It expires at the end of a day, or never."""

    key_id: Username
    description: Text
    roles: tuple[RoleBinding, ...] = ()
    expires_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class RevokeKey:
    """Let nobody in by a key any more."""

    key_id: Username
    reason: Text
