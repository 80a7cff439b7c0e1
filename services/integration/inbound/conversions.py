"""From what stands in another system's message to a value of ours: the few conversions that a mapping may declare.

Each says what it expected and what it found. Nothing is rounded: what cannot be had exactly is refused.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

import orjson

Kind = Literal["text", "integer", "money", "date", "timestamp"]
Unit = Literal["yuan", "fen", "wanyuan"]

YUAN: Mapping[Unit, Decimal] = {"yuan": Decimal(1), "fen": Decimal("0.01"), "wanyuan": Decimal(10_000)}
"""What a unit of money is in CNY: 元, 分, 万元."""
RFC_3339 = "rfc3339"
"""The format of a timestamp with its offset, like 2021-03-09T10:40:00+08:00; of a file's, unless it names another."""
DAY = "%Y-%m-%d"

_EXACT_DIGITS = 15
"""More digits of a number with a fraction than these may have been lost on the way (IEEE 754)."""
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,10})?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,15}", re.ASCII)
_MOMENT = re.compile(r"(19|2\d)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)


class Unusable(ValueError):
    """What was expected of a value, and what was found."""


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """How a value is read: as which kind, of money in which unit, of dates and times in which format and time zone."""

    kind: Kind | None = None
    unit: Unit = "yuan"
    format: str | None = None
    timezone: str | None = None

    def __call__(self, found: Any) -> Any:
        """The value as JSON holds it; as it is where no kind was declared. Raises Unusable."""
        return found if self.kind is None else _READ[self.kind](self, found)


def shown(found: Any) -> str:
    """A value as it is told in one line."""
    words = orjson.dumps(found).decode()
    return words if len(words) <= 80 else f"{words[:77]}…"


def words_of(found: Any) -> str | None:
    """A text, a number or a truth value as the words that a table of values knows it by; None for all else."""
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, float) and found.is_integer():
        return str(int(found))
    return str(found) if isinstance(found, str | int | float) else None


def _text(_: Conversion, found: Any) -> str:
    if isinstance(found, str) or (isinstance(found, int) and not isinstance(found, bool)):
        return str(found)
    raise Unusable(f"expected text or a whole number, found {shown(found)}")


def _integer(_: Conversion, found: Any) -> int:
    words = words_of(found)
    if words is None or isinstance(found, bool) or not _INTEGER.fullmatch(words.strip()):
        raise Unusable(f"expected a whole number, found {shown(found)}")
    return int(words)


def _money(to: Conversion, found: Any) -> str:
    """An amount with two decimals, in CNY."""
    told = _decimal(found)
    amount = told * YUAN[to.unit]
    if to.unit == "fen" and told != told.to_integral_value():
        raise Unusable(f"expected whole fen, found {shown(found)}")
    exact = amount.quantize(Decimal("0.01"))
    if exact != amount:
        raise Unusable(f"expected an amount of whole fen, found {shown(found)} {to.unit}")
    return f"{exact:f}"


def _decimal(found: Any) -> Decimal:
    expected = "expected an amount as a number, or as text of digits like 1280.50"
    words = found.strip() if isinstance(found, str) else repr(found)
    if isinstance(found, bool) or not isinstance(found, str | int | float) or not _DECIMAL.fullmatch(words):
        raise Unusable(f"{expected}, found {shown(found)}")
    if isinstance(found, float) and len(words.strip("-0.").replace(".", "")) > _EXACT_DIGITS:
        raise Unusable(f"{expected}, found {words}: a number of that many digits is not exact, send it as text")
    return Decimal(words)


def _date(to: Conversion, found: Any) -> str:
    if to.format == RFC_3339:
        return _moment(to, found).astimezone(_zone(to)).date().isoformat()
    told = _parsed(found, to.format or DAY)
    return (told if told.tzinfo is None else told.astimezone(_zone(to))).date().isoformat()


def _timestamp(to: Conversion, found: Any) -> str:
    return _moment(to, found).isoformat()


def _moment(to: Conversion, found: Any) -> datetime:
    if to.format in (None, RFC_3339):
        if not isinstance(found, str) or not _MOMENT.fullmatch(found):
            raise Unusable(f"expected a timestamp with offset (RFC 3339), found {shown(found)}")
        try:
            return datetime.fromisoformat(found)
        except ValueError as fault:
            raise Unusable(f"expected a timestamp with offset (RFC 3339), found {shown(found)}: {fault}") from fault
    told = _parsed(found, str(to.format))
    return told.replace(tzinfo=_zone(to)) if told.tzinfo is None else told


def _parsed(found: Any, format_: str) -> datetime:
    expected = f"expected a time like {datetime(2021, 3, 9, 10, 40, tzinfo=UTC).strftime(format_)} ({format_})"
    try:
        told = datetime.strptime(words_of(found) or "", format_)  # noqa: DTZ007  the caller gives it its zone
    except ValueError as fault:
        raise Unusable(f"{expected}, found {shown(found)}") from fault
    if not 1900 <= told.year <= 2999:  # years near 0 and 10000 cannot be brought to another time zone
        raise Unusable(f"{expected}, in a year from 1900 to 2999, found {shown(found)}")
    return told


def _zone(to: Conversion) -> ZoneInfo:
    return ZoneInfo(str(to.timezone))


_READ: Mapping[Kind, Callable[[Conversion, Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "money": _money,
    "date": _date,
    "timestamp": _timestamp,
}
