"""What a source's messages mean: a YAML file that says by which expression each of our fields is found in an event.

It is data, not code: JMESPath (jmespath.org) looks into the event, a few declared conversions make our values of what
is found. One mapping and one event always give the same fact, or the same faults.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from services.integration.inbound.conversions import Conversion, Unusable, shown, words_of
from services.integration.inbound.facts import FACTS
from shared.contracts.integration import FactName
from shared.errors import Invalid

Envelope = Mapping[str, Any]
"""A CloudEvent as JSON: its attributes, and `data`."""

NOTHING = object()
"""What stands in place of a value where there is none."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """How one of our fields is found: by an expression and, of what that finds, by a table and a conversion.

    Without an expression it is `constant`. `otherwise` is what stands for a value that the table does not know.
    """

    expression: str | None = None
    constant: Any = NOTHING
    values: Mapping[str, Any] | None = None
    otherwise: Any = NOTHING
    conversion: Conversion = field(default_factory=Conversion)

    @cached_property
    def parsed(self) -> ParsedResult:
        """The expression, ready to be asked."""
        return jmespath.compile(str(self.expression))

    def read(self, envelope: Envelope) -> Any:
        """The value in an event, None where it says nothing of it; raises Unusable."""
        if self.expression is None:
            return self.constant
        try:
            found = self.parsed.search(envelope)
            if self.values is None:
                return None if found is None else self.conversion(found)
            return self._looked_up(found)
        except (
            JMESPathError,
            RecursionError,
            ArithmeticError,
            TypeError,
        ) as fault:  # what functions make of their arguments
            raise Unusable(f"the expression {self.expression} fails: {' '.join(str(fault).split())}") from fault
        except Unusable as fault:
            raise Unusable(f"{fault} at {self.expression}") from fault

    def _looked_up(self, found: Any) -> Any:
        table = self.values or {}
        words = words_of(found)
        if words is not None and words in table:
            return table[words]
        if self.otherwise is NOTHING:
            raise Unusable(f"expected one of {', '.join(table)}, found {shown(found)}")
        return self.otherwise


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What one type of event tells: which fact, and how its fields are found."""

    fact: FactName
    fields: Mapping[str, Field]


@dataclass(frozen=True, kw_only=True)
class FileRows:
    """What the rows of a file of the source are: events of a type; the column of their ids, and how their time is found."""

    type: str
    id: str | None = None
    time: Field | None = None


@dataclass(frozen=True, kw_only=True)
class SourceMapping:
    """A whole mapping file; `sha256` is that of its bytes."""

    sha256: str
    source: str
    facility: str | None
    events: Mapping[str, Meaning]
    file: FileRows | None

    def fact_of(self, type_: str) -> FactName | None:
        """The fact that events of a type tell, None where the file does not say."""
        meaning = self.events.get(type_)
        return None if meaning is None else meaning.fact


def fact_in(mapping: SourceMapping, envelope: Envelope) -> tuple[FactName, dict[str, Any]]:
    """The fact that an event tells, with its fields as JSON values.

    Raises Invalid naming each of our fields that cannot be had, with the expression that was asked and what it found.
    """
    type_ = envelope["type"]
    meaning = mapping.events.get(type_)
    if meaning is None:
        raise Invalid({"type": [f"expected one of {', '.join(mapping.events)}, found {type_}"]})
    data: dict[str, Any] = {}
    faults: dict[str, list[str]] = {}
    for name, one in meaning.fields.items():
        try:
            if (value := one.read(envelope)) is not None:
                data[name] = value
        except Unusable as fault:
            faults[name] = [f"{fault} ({type_})"]
    for name, whys in FACTS[meaning.fact].faults(data).items():
        if name not in faults:
            faults[name] = [f"{why}, found {_found(meaning, name, data)} ({type_})" for why in whys]
    if faults:
        raise Invalid(faults)
    return meaning.fact, data


def _found(meaning: Meaning, name: str, data: Mapping[str, Any]) -> str:
    """What stands at a field after all, and where it came from."""
    value = shown(data[name]) if name in data else "nothing"
    one = meaning.fields.get(name)
    return value if one is None or one.expression is None else f"{value} at {one.expression}"
