"""Runs a program of ours that dies at a chosen moment: `python -m tests.mischief SERVICE/MOMENT:N PROGRAM …`.

At the N-th such moment in that service the process kills itself as `kill -9` would; the program knows nothing of it.
Other mischief: `scoring/poison:FACILITY` makes scoring unable to apply an event of that facility,
`SERVICE/disorder:SEED` has the relays of the process lose, repeat and shuffle what they publish, and `gateway/unlimited`
lets everybody ask as often as they like.
"""

import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from random import Random
from typing import Any

import eventlet

from shared.config import DEFAULTS

Happens = Callable[[str, Any, tuple[Any, ...], Any], bool]
"""Whether a call is the moment: (service, self, arguments, result)."""


def _ledger_of_self(service: str, self: Any, arguments: tuple[Any, ...], result: Any) -> bool:
    return bool(getattr(self, "ledger", self).service == service)


def _page_with_events(service: str, self: Any, arguments: tuple[Any, ...], result: Any) -> bool:
    return bool(self.ledger.service == service and result)


def _all_confirmed(service: str, self: Any, arguments: tuple[Any, ...], result: Any) -> bool:
    return bool(self.ledger.service == service and arguments == (0,))


def _always(service: str, self: Any, arguments: tuple[Any, ...], result: Any) -> bool:
    return True


MOMENTS: dict[str, tuple[str, str, str, Happens]] = {
    "append.inside": ("shared.ledger:Ledger", "_write", "after", _ledger_of_self),
    "append.committed": ("shared.ledger:Ledger", "_commit_together", "after", _ledger_of_self),
    "relay.read": ("shared.relay:Publisher", "_page", "after", _page_with_events),
    "relay.sent": ("shared.relay:Publisher", "_publish", "after", _ledger_of_self),
    "relay.published": ("shared.relay:Publisher", "_await_confirms", "after", _all_confirmed),
    "apply.received": ("shared.subscription:Reader", "_apply", "before", _ledger_of_self),
    "apply.inside": ("shared.subscription:Reader", "_handle", "after", _ledger_of_self),
    "apply.committed": ("shared.subscription:Reader", "_apply", "after", _ledger_of_self),
    "clock.decided": ("services.scheduling.making:Making", "make", "after", _always),
    "clock.done": ("services.scheduling.service:Scheduling", "look_at_the_clock", "after", _ledger_of_self),
    "journal": ("services.scoring.service:", "_keep", "after", _always),
    "hand_over.asking": ("services.integration.inbound.accepting:Accepting", "_asked", "before", _always),
    "hand_over.answered": ("services.integration.inbound.accepting:Accepting", "_asked", "after", _always),
    "answer": ("services.gateway.service:", "answered", "after", _always),
}
"""Where each moment is: module and class, method, whether before or after it, and for which of its calls."""


def kill_at(service: str, moment: str, number: int) -> None:
    """Arm the process."""
    place, name, when, happens = MOMENTS[moment]
    module, _, owner = place.partition(":")
    target = getattr(import_module(module), owner) if owner else import_module(module)
    original = getattr(target, name)
    seen = 0

    def armed(*arguments: Any, **named: Any) -> Any:
        nonlocal seen
        result = original(*arguments, **named) if when == "after" else None
        seen += happens(service, arguments[0], arguments[1:], result)
        if seen == number:
            os.write(2, f"killed at {service}/{moment}:{number}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
        return result if when == "after" else original(*arguments, **named)

    setattr(target, name, armed)


def poison(facility: str) -> None:
    """Make scoring's handler fail on one facility."""
    scoring = import_module("services.scoring.service")
    original = scoring._keep

    def poisoned(do: Any, recorded: Any) -> None:
        if recorded.facility == facility:
            raise ValueError("this event cannot be applied here")
        original(do, recorded)

    scoring._keep = poisoned  # type: ignore[attr-defined]


def disorder(seed: int) -> None:
    """Publish everything twice and something old once more, all in random order, and lose a third of that."""
    random = Random(seed)
    publisher = import_module("shared.relay").Publisher
    publish, await_confirms = publisher._publish, publisher._await_confirms

    def hold(self: Any, *message: Any) -> None:
        self.held = [*getattr(self, "held", ()), message]

    def release(self: Any, allowed: int) -> None:
        fresh, self.held = getattr(self, "held", []), []
        self.old = [*getattr(self, "old", ()), *fresh]
        mixed = [*fresh, *fresh, *random.choices(self.old, k=len(fresh))] if fresh else []
        for message in random.sample(mixed, k=len(mixed)):
            if random.random() < 0.67:
                publish(self, *message)
        await_confirms(self, allowed)

    publisher._publish, publisher._await_confirms = hold, release


def unlimited() -> None:
    """Let nobody be told that they ask too often."""
    for name in ("REQUESTS_PER_MINUTE", "ANONYMOUS_REQUESTS_PER_MINUTE"):
        DEFAULTS[name] = 10**9


def main(mischief: str, program: str, *arguments: str) -> None:
    """Arm the process, and become the program."""
    eventlet.monkey_patch()
    service, _, deed = mischief.partition("/")
    name, _, detail = deed.partition(":")
    if name == "poison":
        poison(detail)
    elif name == "disorder":
        disorder(int(detail))
    elif name == "unlimited":
        unlimited()
    else:
        kill_at(service, name, int(detail))
    sys.argv[:] = [program, *arguments]
    import_module({"xunjian": "services.cli"}[program]).main()


if __name__ == "__main__":
    main(*sys.argv[1:])
