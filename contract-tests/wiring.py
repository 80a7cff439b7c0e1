"""Who subscribes to what, taken from the service classes themselves."""

import inspect
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from shared.service import LedgerService
from shared.subscription import Subscription

SERVICES = Path(__file__).parent.parent / "services"

Subscribed = Mapping[str, frozenset[str] | None]
"""Source → event types, None for all of them."""


def services() -> dict[str, type[LedgerService]]:
    """The service classes by name, of every `services/<name>/service.py` that has one."""
    names = sorted(file.parent.name for file in SERVICES.glob("*/service.py"))
    return {cls.name: cls for name in names for cls in _classes(name)}


def service(name: str) -> type[LedgerService]:
    """One service's class."""
    (found,) = _classes(name)
    return found


def _classes(folder: str) -> list[type[LedgerService]]:
    module = import_module(f"services.{folder}.service")
    classes = (cls for _, cls in inspect.getmembers(module, inspect.isclass) if cls.__module__ == module.__name__)
    return [cls for cls in classes if issubclass(cls, LedgerService)]


def subscribed(cls: type[LedgerService]) -> Subscribed:
    """What a service follows: by its `@subscribe` methods, and of that what its views fold."""
    found: dict[str, frozenset[str] | None] = {}
    for _, method in inspect.getmembers(cls, inspect.isfunction):
        for entrypoint in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ()):
            if isinstance(entrypoint, Subscription):
                source, types = entrypoint.feed.source, frozenset(kind.type for kind in entrypoint.kinds)
                before = found.get(source, frozenset())
                found[source] = before | types if types and before is not None else None
    return found


def folded(cls: type[LedgerService]) -> frozenset[str]:
    """The types of others' events that a service's views fold."""
    heard = cls.views.hears if cls.views is not None else ()
    return frozenset(kind.type for kind in heard)
