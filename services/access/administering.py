"""The part of the service by which admins say who may come in, and what they may do where."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from uuid_utils import uuid7

from services.access import commands, identifying, queries, tokens
from services.access.aggregate import Binding, Directory, actor_of, actor_of_key
from services.access.answers import (
    AccessLogRow,
    AccountWithIdentities,
    ListedAccount,
    ListedKey,
    NewAccount,
    NewKey,
    OneTimeCode,
)
from services.access.told_once import telling
from shared.contracts.access import AccountCreated, IdentityLinked, KeyIssued, RoleGranted, RoleRevoked
from shared.digest import digested
from shared.errors import Invalid
from shared.event import timestamp
from shared.pages import Page
from shared.rights import INSTALLATION
from shared.service import answers, command, query
from shared.unit import Unit

_IF_NEW = text(
    "INSERT INTO credential (kind, name, hash, digest) VALUES (:kind, :name, :hash, :digest)"
    " ON CONFLICT (kind, name) DO NOTHING"
)
ONCE = "told once: it stands nowhere here and cannot be asked for again"
TOLD = "this request was answered before, and the secret was told then"


def _code_once(access: "Administering", answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with the code by which the person sets a password."""
    told = {name: value for name, value in answer.items() if name != "code_id"}
    if answer["code_id"] is None:
        return {**told, "code": None, "note": "a machine shows tokens of its issuer: link its identity"}
    expires_at = datetime.fromisoformat(answer["expires_at"])
    code = access.codes.make_once(answer["code_id"], answer["username"], expires_at)
    return {**told, "code": code, "note": ONCE if code else f"{TOLD}: reset the password if it was lost"}


def _secret_once(access: "Administering", answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with the key's secret."""
    secret = tokens.new_key(answer["key_id"])
    row = digested({"kind": "key", "name": answer["key_id"], "hash": tokens.sha256_of(secret)})
    with access.ledger.database.write() as connection:
        is_new = connection.execute(_IF_NEW, row).rowcount == 1
    if is_new:
        return {**answer, "secret": secret, "note": ONCE}
    return {**answer, "secret": None, "note": f"{TOLD}: revoke the key if it was lost, and issue another"}


class Administering(identifying.Identifying):
    """Keeps accounts, keys and roles."""

    @answers(NewAccount)
    @telling(_code_once)
    @command(commands.CreateAccount)
    def create_account(self, do: Unit, asked: commands.CreateAccount) -> dict[str, Any]:
        """Open an account without any role: {username, actor, code, expires_at, note}; a person sets the password by the code."""
        account = AccountCreated(
            username=asked.username, kind=asked.kind, display_name=asked.display_name.strip(), origin="admin"
        )
        _directory(do).create(account, do.now)
        told = {"username": asked.username, "actor": actor_of(asked.username, asked.kind)}
        if asked.kind == "machine":
            return {**told, "code_id": None, "expires_at": None}
        return {**told, **self._code_to_come()}

    @command(commands.ChangeAccount)
    def disable_account(self, do: Unit, asked: commands.ChangeAccount) -> None:
        """Let somebody in no more; their sessions end."""
        _directory(do).disable(asked.username, asked.reason, do.actor, do.now)

    @command(commands.ChangeAccount)
    def enable_account(self, do: Unit, asked: commands.ChangeAccount) -> None:
        """Let them in again."""
        _directory(do).enable(asked.username, asked.reason, do.now)

    @answers(OneTimeCode)
    @telling(_code_once)
    @command(commands.ResetPassword)
    def reset_password(self, do: Unit, asked: commands.ResetPassword) -> dict[str, Any]:
        """Let a person set a new password: {username, code, expires_at, note}; the old one is good until then."""
        _directory(do).must_sign_in(asked.username)
        return {"username": asked.username, **self._code_to_come()}

    @command(commands.LinkIdentity)
    def link_identity(self, do: Unit, asked: commands.LinkIdentity) -> None:
        """Know a person, or a machine, by what an issuer calls them."""
        _directory(do).link(IdentityLinked(**vars(asked)), do.now)

    @command(commands.BindRole)
    def grant_role(self, do: Unit, asked: commands.BindRole) -> None:
        """Give somebody else a role."""
        directory = _directory(do)
        holder = directory.holder_of(asked.username, asked.key_id)
        directory.grant(RoleGranted(holder=holder, facility_id=asked.facility_id, role=asked.role), do.actor, do.now)

    @command(commands.BindRole)
    def revoke_role(self, do: Unit, asked: commands.BindRole) -> None:
        """Take a role from somebody else."""
        directory = _directory(do)
        holder = directory.holder_of(asked.username, asked.key_id)
        directory.revoke(RoleRevoked(holder=holder, facility_id=asked.facility_id, role=asked.role), do.actor, do.now)

    @answers(NewKey)
    @telling(_secret_once)
    @command(commands.IssueKey)
    def issue_key(self, do: Unit, asked: commands.IssueKey) -> dict[str, Any]:
        """Make an API key: {key_id, actor, secret, note}."""
        key = KeyIssued(key_id=asked.key_id, description=asked.description.strip(), expires_on=asked.expires_on)
        bindings = tuple(Binding(role.facility_id, role.role) for role in asked.roles)
        today = self.doors.clock.now().astimezone(identifying.CHINA).date()
        _directory(do).issue_key(key, bindings, today, do.now)
        return {"key_id": asked.key_id, "actor": actor_of_key(asked.key_id)}

    @command(commands.RevokeKey)
    def revoke_key(self, do: Unit, asked: commands.RevokeKey) -> None:
        """Let nobody in by a key any more, from now on."""
        _directory(do).revoke_key(asked.key_id, asked.reason, do.now)

    @answers(ListedAccount)
    @query
    def accounts(self, sort: str | None = None, cursor: str | None = None, limit: int | None = None) -> Page:
        """The accounts with their roles, in pages."""
        return queries.accounts(self.ledger.database, sort, cursor, limit)

    @answers(AccountWithIdentities)
    @query
    def account(self, username: str) -> dict[str, Any]:
        """One account with its roles, and what issuers call it; raises NotFound."""
        return queries.account(self.ledger.database, username)

    @answers(ListedKey)
    @query
    def keys(self, sort: str | None = None, cursor: str | None = None, limit: int | None = None) -> Page:
        """The API keys with their roles, in pages."""
        today = self.doors.clock.now().astimezone(identifying.CHINA).date()
        return queries.keys(self.ledger.database, today, sort, cursor, limit)

    @answers(AccessLogRow)
    @query
    def access_log(
        self,
        *,
        event: str | None = None,
        actor: str | None = None,
        about: str | None = None,
        sort: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page:
        """Who came in, was refused, or changed what of others' rights, in pages, newest first."""
        filters = {"event": event, "actor": actor, "about": about}
        return queries.access_log(self.ledger.database, filters, sort, cursor, limit)

    def _code_to_come(self) -> dict[str, str]:
        """Under which id a code will be made, and until when it is good: both are remembered, the code is not."""
        return {"code_id": str(uuid7()), "expires_at": timestamp(self.codes.expiry())}


def _directory(do: Unit) -> Directory:
    """The one directory; raises Invalid where a command was sent to a facility's ledger."""
    if do.facility != INSTALLATION:
        raise Invalid({"facility": [f"expected {INSTALLATION}: accounts, keys and roles belong to the installation"]})
    return do.find(Directory, INSTALLATION)
