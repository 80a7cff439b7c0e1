"""What can be said of all services together: their health, their clocks, and whether all has reached everyone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from eventlet.greenpool import GreenPool

from shared.errors import Unavailable
from shared.rpc import Failed

HEALTH_SECONDS = 2.0
CLOCK_SECONDS = 30.0
"""Moving a clock is work: what became due meanwhile is decided before the answer."""


class Service(Protocol):
    """One that can be called; see `shared.rpc.Calls`."""

    def call(self, method: str, /, deadline: float | None = None, **kwargs: Any) -> Any:
        """Call one of its methods."""


Peers = Mapping[str, Service]


def health(peers: Peers) -> dict[str, Any]:
    """`status` is ok, degraded (all answer, some report a fault) or unavailable; `services` has what each one says."""
    services = _ask_all(peers, _health)
    states = {answer["status"] for answer in services.values()}
    status = "ok" if states <= {"ok"} else "unavailable" if "unavailable" in states else "degraded"
    return {"status": status, "services": services}


def state(peers: Peers, facility: str | None = None) -> dict[str, Any]:
    """Whether the installation is simulated, the time on its slowest clock, and whether all events are applied.

    The last may be asked of one facility: where others are busy, not all is applied at any moment.
    """
    clocks = _ask_all(peers, lambda peer: peer.call("clock"))
    return {
        "simulated": any(clock["simulated"] for clock in clocks.values()),
        "now": min((clock["now"] for clock in clocks.values()), key=datetime.fromisoformat),
        "settled": settled(peers, facility),
    }


def move_clocks(peers: Peers, now: str) -> dict[str, str]:
    """Move every service's clock on, in the order in which events flow; raises Rejected in a real installation."""
    for peer in peers.values():
        peer.call("set_clock", deadline=CLOCK_SECONDS, now=now)
    return {"now": now}


def settled(peers: Peers, only: str | None = None) -> bool:
    """Whether every reader has applied all that its sources have recorded, and nothing was recorded meanwhile."""
    before = _heads(peers, only)
    checkpoints = _ask_all(peers, lambda peer: peer.call("checkpoints"))
    reached = all(
        followed.get(facility, 0) == position
        for sources in checkpoints.values()
        for source, followed in sources.items()
        for facility, position in before.get(source, {}).items()
    )
    return reached and before == _heads(peers, only)


def _heads(peers: Peers, only: str | None) -> dict[str, dict[str, int]]:
    answers = _ask_all(peers, lambda peer: peer.call("heads"))
    return {
        source: {facility: head["position"] for facility, head in heads.items() if only in {None, facility}}
        for source, heads in answers.items()
    }


def _health(peer: Service) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = peer.call("health", deadline=HEALTH_SECONDS)
    except (Unavailable, Failed) as fault:
        return {"status": "unavailable", "detail": str(fault)}
    return answer


def _ask_all(peers: Peers, ask: Any) -> dict[str, Any]:
    """Every service's answer to the same question, asked of all at once."""
    pool = GreenPool(len(peers))
    return dict(zip(peers, pool.imap(ask, peers.values()), strict=True))
