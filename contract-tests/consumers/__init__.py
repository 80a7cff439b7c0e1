"""Who follows whom, and what each needs of the events that it follows: a module for each consuming service."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from shared.event import Recorded


@dataclass(frozen=True)
class Consumer:
    """A service, and what it needs of the `data` of each event type (an object, `kinds.holding`).

    Of a service that it follows all of, it keeps every event as it came; what is said here is what it reads of them.
    `rules` are what it reads events by beside the folds and handlers of its wiring; `knows_own` says that handlers only
    react to what goes with something that it has recorded itself before.
    """

    name: str
    needs: Mapping[str, Mapping[str, Any]]
    follows_all_of: Sequence[str] = ()
    rules: Callable[[Sequence[Recorded]], object] | None = field(default=None, compare=False)
    knows_own: bool = True

    @property
    def sources(self) -> list[str]:
        """The services whose events it reads, by name; its own name among them where its rules read its own events."""
        return sorted({type_.partition(".")[0] for type_ in self.needs} | set(self.follows_all_of))

    def needs_of(self, source: str) -> dict[str, Mapping[str, Any]]:
        """What it needs of the events of one service, by type."""
        return {type_: kind for type_, kind in sorted(self.needs.items()) if type_.startswith(f"{source}.")}


def consumers() -> list[Consumer]:
    """Every consumer, by name: the `CONSUMER` of each module here."""
    names = sorted(module.name for module in iter_modules(__path__))
    return [import_module(f"{__name__}.{name}").CONSUMER for name in names]
