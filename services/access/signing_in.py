"""The part of the service that lets people in: by password, by a one-time code, by an OpenID provider; and out."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection
from uuid_utils import uuid7

from services.access import identifying, passwords
from services.access.aggregate import Directory, Occasion, Visit, actor_of
from services.access.commands import CreateAccount
from services.access.one_time import Code, Purpose
from services.access.openid import Known, must_be_configured, safe_return
from services.access.recording import OURSELVES
from services.access.refusal import NotLetIn
from services.access.sessions import Session
from services.access.words import line
from shared.contracts.access import PasswordChanged, SignedIn, SignedOut, SignInWay
from shared.errors import Conflict, Invalid
from shared.event import flat, timestamp
from shared.rights import INSTALLATION
from shared.schema import schema_of
from shared.service import ATTEMPTS, query
from shared.unit import Unit

WRONG = "unknown username or wrong password"
"""The same words for both: whether there is such a one is nobody's business."""
SPENT = "the code is unknown, was used, has expired, or was replaced by a newer one"

_NAMES = schema_of(CreateAccount)

Beside = Callable[[Connection], None]
"""What is changed in the same transaction, or raises NotLetIn."""


class SigningIn(identifying.Identifying):
    """Lets people in, and out."""

    @query
    def sign_in(
        self, username: str, password: str, address: str, context: Mapping[str, Any] | None = None
    ) -> dict[str, str]:
        """Begin a session: {token, actor, expires_at}.

        Raises Unauthenticated, TooMany after five failures under one name or twenty from one address.
        """
        name = username.strip().lower()
        attempt = self.lockout.attempt(name, address)
        account = self.account_of(name)
        kept = None if account is None else self.kept("password", name)
        fits = self.doors.passwords.fits(password, kept)
        try:
            if not fits or account is None or kept is None:
                why = "unknown" if account is None else "wrong_password"
                raise NotLetIn(why, WRONG, None if account is None else account["actor"])
            if account["status"] != "active":
                raise NotLetIn("disabled", "the account is disabled", account["actor"])
            let_in = self._let_in(
                self.unit(account["actor"]), name, "password", address, self._still(name, kept, password)
            )
        except NotLetIn as refusal:
            raise self.refused("password", refusal, address, bounded=True) from refusal
        attempt.succeeded()
        return let_in

    @query
    def sign_out(self, credential: str) -> None:
        """End a session; one that has ended already is none of our business."""
        try:
            session = self.sessions.find(credential)
        except NotLetIn:
            return
        do = self.unit(session.actor)
        told = SignedOut(username=session.username, session_id=session.session_id)
        do.find(Visit, session.session_id).record(told, do.now)
        with self.ledger.database.write() as connection:
            if self.sessions.end(connection, session):
                self.append_within(connection, do)
        self.wake()

    @query
    def oidc_begin(self, return_to: str | None = None) -> dict[str, str]:
        """Begin to sign in at the OpenID provider: {redirect_to, state}; raises Rejected where there is none."""
        provider = must_be_configured(self.doors.provider)
        address, state = provider.begin(self.codes, safe_return(return_to))
        return {"redirect_to": address, "state": state}

    @query
    def oidc_finish(self, code: str, state: str, address: str) -> dict[str, str]:
        """Begin the session of whom the provider sent back: {token, actor, expires_at, return_to}.

        Whom nobody knows here yet gets an account without any role. Raises Unauthenticated, Unavailable.
        """
        provider = must_be_configured(self.doors.provider)
        try:
            known, return_to = provider.finish(self.codes, self.ledger.database, code, state)
            return {**decided_anew(lambda: self._let_known_in(known, address)), "return_to": return_to}
        except NotLetIn as refusal:
            raise self.refused("oidc", refusal, address) from refusal

    @query
    def first_link(self) -> str | None:
        """A fresh code for whoever opens the first account, the only one that is good; None where somebody administers."""
        if self.unit(OURSELVES).find(Directory, INSTALLATION).admins:
            return None
        return self.codes.make_only("first_account", self.codes.expiry())

    @query
    def first_account(self, code: str, username: str, display_name: str, password: str, address: str) -> dict[str, str]:
        """Open the account that administers all others, and begin its session: {token, actor, expires_at}.

        Raises Invalid by field; Unauthenticated where the code is spent; Rejected where somebody administers already.
        """
        try:
            self._must_be_unspent(code, "first_account")
            must_be_good(password, username, display_name=display_name)
            hash_ = self.doors.passwords.hashed(password)
            return decided_anew(lambda: self._open_first(code, username, display_name.strip(), hash_, address))
        except NotLetIn as refusal:
            raise self.refused("code", refusal, address) from refusal

    @query
    def set_password(self, code: str, password: str, address: str) -> dict[str, str]:
        """Set a password by a code that an admin handed over, and begin a session: {token, actor, expires_at}.

        All other sessions of the account end. Raises Invalid, Unauthenticated where the code is spent.
        """
        try:
            username = str(self._must_be_unspent(code, "set_password").details["username"])
            must_be_good(password, username)
            do = self.unit(actor_of(username, "person"))
            _change(do, username)
            hash_ = self.doors.passwords.hashed(password)
            return self._let_in(do, username, "code", address, self._spending(code, "set_password", username, hash_))
        except NotLetIn as refusal:
            raise self.refused("code", refusal, address) from refusal

    @query
    def change_password(self, credential: str, old: str, new: str, address: str = "") -> None:
        """Change one's own password, knowing the old one; all other sessions end. Raises Invalid, Unauthenticated, TooMany."""
        try:
            session = self.sessions.find(credential)
        except NotLetIn as refusal:
            raise self.refused("session", refusal, address) from refusal
        attempt, kept = self.lockout.attempt(session.username, address), self.kept("password", session.username)
        if not self.doors.passwords.fits(old, kept):
            wrong = NotLetIn("wrong_password", "expected the password that you have now", session.actor)
            self.refused("password", wrong, address, bounded=True)
            raise Invalid({"old": [str(wrong)]})
        attempt.succeeded()
        must_be_good(new, session.username, member="new")
        self._replace_password(session, self.doors.passwords.hashed(new))

    def _let_known_in(self, known: Known, address: str) -> dict[str, str]:
        do = self.unit(OURSELVES)
        directory = do.find(Directory, INSTALLATION)
        name = directory.welcome(known.issuer, known.subject, known.username, known.display_name, do.now)
        if directory.accounts[name].kind != "person":
            raise NotLetIn("machine", "the account is a machine's", actor_of(name, "machine"))
        do.actor = actor_of(name, "person")
        return self._let_in(do, name, "oidc", address, _nothing)

    def _open_first(self, code: str, username: str, display_name: str, hash_: str, address: str) -> dict[str, str]:
        self._must_be_unspent(code, "first_account")
        do = self.unit(actor_of(username, "person"))
        do.find(Directory, INSTALLATION).open_first(username, display_name, do.now)
        _change(do, username)
        return self._let_in(do, username, "code", address, self._spending(code, "first_account", username, hash_))

    def _must_be_unspent(self, code: str, purpose: Purpose) -> Code:
        found = self.codes.find(code, purpose)
        if found is None:
            raise NotLetIn("code", SPENT)
        return found

    def _replace_password(self, session: Session, hash_: str) -> None:
        do = self.unit(session.actor)
        change = PasswordChanged(username=session.username, by_means_of="old")
        do.find(Occasion, str(uuid7())).record(change, do.now)
        with self.ledger.database.write() as connection:
            (changed,) = self.append_within(connection, do)
            self.keep_password(connection, session.username, hash_)
            self.sessions.go_on(connection, session, changed.position)
        self.wake()

    def _let_in(self, do: Unit, username: str, way: SignInWay, address: str, beside: Beside) -> dict[str, str]:
        """Record what was decided and the sign-in, and begin the session, all in one transaction."""
        session_id, ends_at = str(uuid7()), self.sessions.ends()
        signed_in = SignedIn(
            username=username,
            session_id=session_id,
            way=way,
            address=line(address),
            expires_at=ends_at,
        )
        do.find(Visit, session_id).record(signed_in, do.now)
        with self.ledger.database.write() as connection:
            position = self.append_within(connection, do)[-1].position
            account = self.account_of(username, connection)  # as it is now that nobody else can append
            if account is None or account["status"] != "active":
                raise NotLetIn("disabled", "the account is disabled", do.actor)
            beside(connection)
            token = self.sessions.begin(connection, session_id, username, position, ends_at)
        self.wake()
        return {"token": token, "actor": do.actor, "expires_at": timestamp(ends_at)}

    def _still(self, username: str, kept: str, password: str) -> Beside:
        """That the password is still the one that was looked at; an outdated hash is made anew."""
        anew = self.doors.passwords.hashed(password) if self.doors.passwords.is_outdated(kept) else None

        def check(connection: Connection) -> None:
            if self.kept("password", username, connection) != kept:
                raise NotLetIn("wrong_password", WRONG, actor_of(username, "person"))
            if anew is not None:
                self.keep_password(connection, username, anew)

        return check

    def _spending(self, code: str, purpose: Purpose, username: str, hash_: str) -> Beside:
        """That the code is used up, by us."""

        def spend(connection: Connection) -> None:
            if not self.codes.use(connection, code, purpose):
                raise NotLetIn("code", SPENT)
            self.keep_password(connection, username, hash_)

        return spend


def must_be_good(password: str, username: str, display_name: str | None = None, member: str = "password") -> None:
    """Raise Invalid, by field, for a name or a password that nobody can have; `member` is what the password is called."""
    faults = flat(_NAMES.validate({"username": username, "display_name": display_name or username}))
    if display_name is not None and not display_name.strip():
        faults["display_name"] = ["expected words, not blank"]
    if wrong := list(passwords.faults_of(password, username)):
        faults[member] = wrong
    if faults:
        raise Invalid(faults)


def decided_anew(decide: Callable[[], dict[str, str]]) -> dict[str, str]:
    """What is decided, looked at again where others changed the directory meanwhile; raises Conflict if that goes on."""
    for _ in range(ATTEMPTS - 1):
        try:
            return decide()
        except Conflict:
            continue
    return decide()


def _nothing(_: Connection) -> None:
    """Change nothing beside."""


def _change(do: Unit, username: str) -> None:
    do.find(Occasion, str(uuid7())).record(PasswordChanged(username=username, by_means_of="code"), do.now)
