"""What a setting may be: each kind says what it takes, and whether a variable's text is taken as it stands."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

import yaml


@dataclass(frozen=True)
class Kind:
    """One kind of value: `expected` in words, and whether a value is one."""

    expected: str
    takes: Callable[[Any], bool]
    verbatim: bool = False
    """A text as it stands; every other kind is written as YAML."""

    def read(self, words: str) -> Any:
        """The value that a text means; raises yaml.YAMLError."""
        return words if self.verbatim else yaml.safe_load(words)


def text(expected: str = "a text", shortest: int = 1) -> Kind:
    """A text of at least so many characters."""
    return Kind(expected, lambda value: isinstance(value, str) and len(value) >= shortest, verbatim=True)


def whole(least: int, most: int) -> Kind:
    """A whole number within limits."""
    return Kind(
        f"a whole number from {least} to {most}",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most,
    )


def url(*schemes: str) -> Kind:
    """An address of one of these schemes, with a host."""

    def takes(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        try:
            parts = urlsplit(value)
            return parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:  # a port that is no number
            return False

    return Kind(f"an address {' or '.join(f'{scheme}://…' for scheme in schemes)}", takes, verbatim=True)


def one_of(*words: str) -> Kind:
    """One of a few words."""
    return Kind(f"one of {', '.join(words)}", lambda value: value in words, verbatim=True)


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value > 0


def _is_address(value: Any) -> bool:
    found = re.fullmatch(r"(?:[^:/\s]+:)?(\d{1,5})", value) if isinstance(value, str) else None
    return found is not None and int(found[1]) < 65536


def _are_hosts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(host, str) for host in value))


SECONDS = Kind("a number of seconds above 0", _is_positive)
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
ADDRESS = Kind("[host:]port", _is_address, verbatim=True)
HOSTS = Kind("a list of hosts, [one, another]", _are_hosts)
MAPPING = Kind("a mapping, {one: …}", lambda value: isinstance(value, dict))
