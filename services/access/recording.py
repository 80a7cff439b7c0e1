"""What every part of access works with: its doors, its tables, and entries that it records by itself."""

import re
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, select
from uuid_utils import uuid7

from services.access.aggregate import Occasion
from services.access.doors import Doors, DoorsProvider
from services.access.lockout import Lockout
from services.access.one_time import OneTimeCodes
from services.access.refusal import NotLetIn
from services.access.sessions import Sessions
from services.access.tables import credentials
from services.access.views import accounts
from services.access.words import line
from shared import service
from shared.contracts.access import Shown, SignInRefused
from shared.digest import digested
from shared.errors import Unauthenticated
from shared.event import Event, Recorded
from shared.ledger import Done, Entry, Ledger
from shared.measures import SIGN_INS_REFUSED
from shared.rights import INSTALLATION
from shared.rpc import CORRELATION_ID
from shared.unit import Unit, fingerprint

log = structlog.get_logger()

OURSELVES = "service:access"
"""Who acts where nobody was let in."""
_NAME = re.compile("[a-z0-9._-]{1,50}", re.ASCII)
SIGN_INS_REFUSED.labels("access")  # told as 0 before there is one (shared/measures.py)


class Deed(Unit):
    """What is decided beside the commands. It is remembered as if it were one: an audit asks for what each event answers.

    Of what was said to do it nothing is remembered, not even as a hash: it was a secret.
    """

    def __init__(self, ledger: Ledger, actor: str) -> None:
        self._id = str(uuid7())
        correlation_id = structlog.contextvars.get_contextvars().get(CORRELATION_ID) or self._id
        super().__init__(ledger, INSTALLATION, actor=actor, correlation_id=correlation_id, causation_id=self._id)

    def entry(self, done: Done | None = None) -> Entry:
        """Everything that was recorded."""
        print_ = fingerprint("beside the commands", INSTALLATION, {})
        deed = Done(command_id=self._id, fingerprint=print_, outcome=b"null")
        return super().entry(done if self.actor == OURSELVES else deed)


class Recording(service.LedgerService):
    """A part of the service; what it records belongs to the installation."""

    doors: Doors = DoorsProvider()

    def unit(self, actor: str) -> Unit:
        """What is decided in somebody's name, beside the commands: sign-ins and refusals."""
        return Deed(self.ledger, actor)

    def append_within(self, connection: Connection, do: Unit) -> Sequence[Recorded]:
        """Record what was decided in a transaction with what is kept beside; raises Conflict where others were faster."""
        return self.ledger.append_within(connection, do.entry())

    def wake(self) -> None:
        """Have published what `append_within` recorded, once it is committed."""
        for wake in self.ledger.on_commit:
            wake()

    def note(self, actor: str, event: Event) -> None:
        """Record one event that nothing is decided by."""
        do = self.unit(actor)
        do.find(Occasion, str(uuid7())).record(event, do.now)
        self.ledger.append(do.entry())

    def refused(self, shown: Shown, refusal: NotLetIn, address: str, *, bounded: bool = False) -> Unauthenticated:
        """Record that somebody was not let in, and make it the error that they get.

        Nobody fills the ledger by it: of an address that goes on so, what follows is logged only. What is `bounded` by
        the lockout already is recorded always.
        """
        SIGN_INS_REFUSED.labels(self.name).inc()
        log.info("not let in", shown=shown, why=refusal.why, holder=refusal.holder, address=address)
        if bounded or self.lockout.may_record(address):
            told = SignInRefused(shown=shown, why=refusal.why, address=line(address), holder=refusal.holder)
            self.note(OURSELVES, told)
        return Unauthenticated(str(refusal))

    def account_of(self, username: str, connection: Connection | None = None) -> dict[str, Any] | None:
        """The row of an account; None where there is none, whatever words the name is."""
        if not _NAME.fullmatch(username):
            return None
        wanted = select(accounts).where(accounts.c.facility == INSTALLATION, accounts.c.username == username)
        if connection is not None:
            row = connection.execute(wanted).mappings().one_or_none()
            return None if row is None else dict(row)
        found = self.ledger.database.mappings(wanted)
        return found[0] if found else None

    def kept(self, kind: str, name: str, connection: Connection | None = None) -> str | None:
        """The hash of a password, or of a key's secret."""
        wanted = select(credentials.c.hash).where(credentials.c.kind == kind, credentials.c.name == name)
        rows = self.ledger.database.rows(wanted) if connection is None else connection.execute(wanted).all()
        return str(rows[0].hash) if rows else None

    @staticmethod
    def keep_password(connection: Connection, username: str, hash_: str) -> None:
        """Let a password be somebody's from now on."""
        whose = (credentials.c.kind == "password", credentials.c.name == username)
        connection.execute(credentials.delete().where(*whose))
        connection.execute(credentials.insert().values(digested({"kind": "password", "name": username, "hash": hash_})))

    @property
    def sessions(self) -> Sessions:
        """The sessions."""
        return Sessions(self.ledger.database, self.doors.clock)

    @property
    def codes(self) -> OneTimeCodes:
        """The one-time codes."""
        return OneTimeCodes(self.ledger.database, self.doors.clock)

    @property
    def lockout(self) -> Lockout:
        """Who failed too often."""
        return Lockout(self.ledger.database, self.doors.clock)
