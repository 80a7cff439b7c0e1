"""What access publishes, made by its own aggregates: accounts and keys, their roles, and who came in or was refused."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.access.aggregate import Binding, Directory, Occasion, Visit
from shared.aggregate import Aggregate
from shared.contracts.access import (
    AccessRefused,
    AccountCreated,
    IdentityLinked,
    KeyIssued,
    PasswordChanged,
    RoleGranted,
    RoleRevoked,
    SignedIn,
    SignedOut,
    SignInRefused,
)

AT = datetime(2021, 1, 4, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
HOUR = timedelta(hours=1)
ADDRESS = "192.0.2.7"
SESSION = "01a20541-32ea-74e0-8d90-4f1bd1fa8113"


def access() -> Iterable[Aggregate]:
    """An installation's first day: its admin, an inspector, a machine's key, and those who were let in or were not."""
    return _directory(), *_visits(), *_occasions()


def _directory() -> Aggregate:
    directory = Directory()
    directory.open_first("zhao", "赵主任", AT)
    directory.create(AccountCreated(username="li", kind="person", display_name="李工", origin="admin"), AT)
    directory.link(IdentityLinked(username="li", issuer="https://id.example.org", subject="10017"), AT)
    inspector = {"holder": "user:li", "facility_id": "chenggong"}
    directory.grant(RoleGranted(**inspector, role="inspector"), "user:zhao", AT)
    directory.revoke(RoleRevoked(**inspector, role="inspector"), "user:zhao", AT + HOUR)
    directory.disable("li", "调离", "user:zhao", AT + HOUR)
    directory.enable("li", "调回", AT + 2 * HOUR)
    key = KeyIssued(key_id="ratings-feed", description="好差评接口", expires_on=date(2021, 12, 31))
    directory.issue_key(key, (Binding("chenggong", "integrator"),), AT.date(), AT)
    directory.revoke_key("ratings-feed", "更换系统", AT + 3 * HOUR)
    return directory


def _visits() -> Iterable[Aggregate]:
    visit = Visit(SESSION)
    signed_in = SignedIn(username="li", session_id=SESSION, way="password", address=ADDRESS, expires_at=AT + 12 * HOUR)
    visit.record(signed_in, AT)
    visit.record(SignedOut(username="li", session_id=SESSION), AT + HOUR)
    yield visit


def _occasions() -> Iterable[Aggregate]:
    changed, refused, stranger, foreign = (Occasion(f"occasion-{number}") for number in range(1, 5))
    changed.record(PasswordChanged(username="li", by_means_of="old"), AT)
    refused.record(SignInRefused(shown="password", why="wrong_password", address=ADDRESS, holder="user:li"), AT)
    stranger.record(SignInRefused(shown="unknown", why="unknown", address=ADDRESS), AT)
    what = "GET /v1/facilities/chenggong/plans"
    foreign.record(AccessRefused(what=what, why="role", address=ADDRESS, facility_id="chenggong"), AT)
    return changed, refused, stranger, foreign
