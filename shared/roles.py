"""Who may do what: every command names the roles that may give it, right beside it in the service's wiring."""

from collections.abc import Collection
from typing import Literal, get_args

from shared.errors import Forbidden

Role = Literal["inspector", "supervisor", "manager", "finance", "auditor", "integrator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
STAFF: tuple[Role, ...] = ("inspector", "supervisor", "manager", "finance", "integrator", "admin")
"""Everyone but the auditor, who only reads."""
KEEPERS: tuple[Role, ...] = ("manager", "admin")
"""Those who keep what work follows from: assets, plans, calendars, service levels."""
WORKERS: tuple[Role, ...] = ("inspector", "supervisor", "manager")
LEADERS: tuple[Role, ...] = ("supervisor", "manager")
ACCOUNTANTS: tuple[Role, ...] = ("finance", "integrator")
"""Those who book money; it never changes the state of work."""


def must_have_one(held: Collection[str], needed: Collection[Role]) -> None:
    """Raise Forbidden unless one of the roles needed is held."""
    if not set(needed).intersection(held):
        raise Forbidden(f"expected the role {' or '.join(needed)}, not {', '.join(held) or 'none'}")
