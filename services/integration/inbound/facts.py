"""The facts that another system may tell: their fields, who keeps each, and what of it is counted."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, make_dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, get_type_hints

from marshmallow import Schema

from shared.contracts.integration import Acceptor, ClosedDay, FactName
from shared.contracts.scoring import BudgetRecorded, SatisfactionReported
from shared.contracts.work_orders import CostRecorded, IncidentReported
from shared.errors import Invalid
from shared.event import Event, check_data, flat
from shared.schema import schema_of

LEVELS = ("very_satisfied", "satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied")
"""The five levels of GB/T 39734, from 非常满意 to 非常不满意."""

Data = Mapping[str, Any]
"""The fields of a fact as JSON values."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One of them: the event class whose fields it has but those `said_by_us`, and the command that keeps it.

    `key` are the fields that name the thing it is about. A thing that may be `retold` is as it was told last.
    """

    form: type[Any]
    service: Acceptor
    command: str
    key: tuple[str, ...]
    retold: bool
    said_by_us: frozenset[str] = frozenset()

    @cached_property
    def schema(self) -> Schema:
        """What its fields must be; no others are known."""
        hints = get_type_hints(self.form, include_extras=True)
        members = [
            (one.name, hints[one.name]) if one.default is MISSING else (one.name, hints[one.name], one)
            for one in fields(self.form)
            if one.name not in self.said_by_us
        ]
        return schema_of(make_dataclass(self.form.__name__, members, kw_only=True), strict=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Its fields."""
        return tuple(self.schema.fields)

    @property
    def required(self) -> tuple[str, ...]:
        """Its fields that are never absent."""
        return tuple(name for name, field in self.schema.fields.items() if field.required)

    def faults(self, data: Data) -> Mapping[str, Sequence[str]]:
        """What of some fields is not as expected, each alone and then against each other."""
        if faults := flat(self.schema.validate(dict(data))):
            return faults
        try:
            if issubclass(self.form, Event):
                check_data(self.form, {**data, **dict.fromkeys(self.said_by_us, "-")})
        except Invalid as fault:
            return fault.errors
        return {}

    def thing(self, data: Data) -> str:
        """The name of what it is about."""
        return ":".join(str(data[name]) for name in self.key)


FACTS: Mapping[FactName, Fact] = {
    "satisfaction_reported": Fact(
        form=SatisfactionReported, service="scoring", command="report_satisfaction", key=("report_id",), retold=True
    ),
    "cost_recorded": Fact(
        form=CostRecorded, service="work_orders", command="record_cost", key=("cost_id",), retold=False
    ),
    "budget_recorded": Fact(
        form=BudgetRecorded, service="scoring", command="record_budget", key=("year", "as_of"), retold=True
    ),
    "incident_reported": Fact(
        form=IncidentReported,
        service="work_orders",
        command="report_incident",
        key=("incident_id",),
        retold=False,
        said_by_us=frozenset({"reported_by"}),
    ),
    "day_closed": Fact(form=ClosedDay, service="integration", command="", key=("day",), retold=True),
}


def ratings(fact: FactName, data: Data) -> int | None:
    """How many ratings a fact tells; None where it is about something else."""
    return sum(data[level] for level in LEVELS) if fact == "satisfaction_reported" else None


def amount(fact: FactName, data: Data) -> Decimal | None:
    """How much money was spent by a fact, in CNY; None where it is about something else."""
    return Decimal(data["amount"]) if fact == "cost_recorded" else None
