"""The JSON API under `/v1`: which service answers what. Everything else about a request follows from its line here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
from marshmallow import Schema
from werkzeug.routing import Map, Rule

from shared.schema import Id, Period, schema_of

Kind = Literal["command", "query"]
Year = Annotated[str, msgspec.Meta(pattern=r"^[12][0-9]{3}$", description="a year, YYYY")]

_KINDS: Mapping[str, Any] = {"year": Year}
"""What path parameters are that are not ids."""


@dataclass(frozen=True, eq=False)
class Route:
    """One line of the API.

    A query's path and query parameters are the keyword arguments of `service.rpc`. A command's path parameters and
    body together are its `data`, except `facility`, which is an argument of its own.
    """

    kind: Kind
    path: str
    service: str
    rpc: str
    query: Mapping[str, Any] = field(default_factory=dict)
    names_facility: str | None = None
    """The member of the body that names the facility, where the path does not."""

    @property
    def method(self) -> str:
        """The HTTP method."""
        return "POST" if self.kind == "command" else "GET"

    @cached_property
    def path_schema(self) -> Schema:
        """What the parameters in the path must be."""
        names = re.findall(r"\{(\w+)\}", self.path)
        return schema_of(make_dataclass("Path", [(name, _KINDS.get(name, Id)) for name in names]))

    @cached_property
    def query_schema(self) -> Schema:
        """What the query parameters must be; all are optional, no others are known."""
        members = [(name, kind | None, field(default=None)) for name, kind in self.query.items()]
        return schema_of(make_dataclass("Query", members), strict=True)


def ask(path: str, target: str, **query: Any) -> Route:
    """A question: GET, answered with what is so."""
    service, _, rpc = target.partition(".")
    return Route("query", f"/v1{path}", service, rpc, query)


def tell(path: str, target: str, names_facility: str | None = None) -> Route:
    """A command: POST, answered with its outcome."""
    service, _, rpc = target.partition(".")
    return Route("command", f"/v1{path}", service, rpc, names_facility=names_facility)


ROUTES: tuple[Route, ...] = (
    ask("/health", "gateway.health"),
    ask("/installation", "gateway.installation"),
    tell("/simulation/clock", "gateway.set_clock"),
    # asset_registry
    tell("/facilities", "asset_registry.register_facility", names_facility="facility_id"),
    ask("/facilities", "asset_registry.facilities"),
    ask("/facilities/{facility}", "asset_registry.facility"),
    tell("/facilities/{facility}/systems", "asset_registry.register_system"),
    ask("/facilities/{facility}/systems", "asset_registry.systems"),
    tell("/facilities/{facility}/systems/{system_id}/decommission", "asset_registry.decommission_system"),
    tell("/facilities/{facility}/systems/{system_id}/points", "asset_registry.add_points"),
    ask("/facilities/{facility}/systems/{system_id}/points", "asset_registry.points"),
    tell("/facilities/{facility}/systems/{system_id}/points/retire", "asset_registry.retire_points"),
    tell("/facilities/{facility}/points/{point_id}/relocate", "asset_registry.relocate_point"),
    # scheduling
    tell("/facilities/{facility}/plans", "scheduling.adopt_plan"),
    ask("/facilities/{facility}/plans", "scheduling.plans"),
    tell("/facilities/{facility}/plans/{plan_id}/items/{plan_item_id}/change", "scheduling.change_plan_item"),
    tell("/facilities/{facility}/plans/{plan_id}/items/{plan_item_id}/withdraw", "scheduling.withdraw_plan_item"),
    ask("/facilities/{facility}/occurrences", "scheduling.occurrences", period=Period, system_id=Id, status=Id),
    tell("/facilities/{facility}/occurrences/{occurrence_id}/excuse", "scheduling.excuse_occurrence"),
    tell("/facilities/{facility}/occurrences/{occurrence_id}/withdraw", "scheduling.withdraw_occurrence"),
    # work_orders
    ask("/facilities/{facility}/work-orders", "work_orders.work_orders", status=Id, occurrence_id=Id, system_id=Id),
    ask("/facilities/{facility}/work-orders/{work_order_id}", "work_orders.work_order"),
    tell("/facilities/{facility}/work-orders", "work_orders.open_work_order"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/assign", "work_orders.assign"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/start", "work_orders.start"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/hold", "work_orders.hold"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/resume", "work_orders.resume"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/inspect", "work_orders.inspect"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/perform", "work_orders.perform"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/accept", "work_orders.accept"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/return", "work_orders.return_work"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/close", "work_orders.close"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/cancel", "work_orders.cancel"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/replacements", "work_orders.record_replacement"),
    tell("/facilities/{facility}/costs", "work_orders.record_cost"),
    tell("/facilities/{facility}/costs/{cost_id}/reverse", "work_orders.reverse_cost"),
    tell("/facilities/{facility}/incidents", "work_orders.report_incident"),
    tell("/facilities/{facility}/incidents/{incident_id}/confirm", "work_orders.confirm_incident"),
    tell("/facilities/{facility}/incidents/{incident_id}/dismiss", "work_orders.dismiss_incident"),
    tell("/facilities/{facility}/work-requests", "work_orders.request_work"),
    tell("/facilities/{facility}/work-requests/{request_id}/reject", "work_orders.reject_work_request"),
    # scoring
    tell("/rulebooks", "scoring.add_rulebook"),
    ask("/rulebooks", "scoring.rulebooks"),
    ask("/rulebooks/{sha256}", "scoring.rulebook"),
    tell("/facilities/{facility}/satisfaction-reports", "scoring.report_satisfaction"),
    tell("/facilities/{facility}/cost-baselines", "scoring.record_cost_baseline"),
    tell("/facilities/{facility}/budgets", "scoring.record_budget"),
    tell("/facilities/{facility}/waivers", "scoring.waive_deduction"),
    tell("/facilities/{facility}/assessments", "scoring.open_assessment"),
    ask("/facilities/{facility}/assessments/{year}", "scoring.assessment", as_of=date, known_at=datetime, rulebook=Id),
    tell("/facilities/{facility}/assessments/{assessment_id}/publish", "scoring.publish_assessment"),
    tell("/facilities/{facility}/assessments/{assessment_id}/withdraw", "scoring.withdraw_assessment"),
)

_TABLE = Map(
    [Rule(route.path.replace("{", "<").replace("}", ">"), methods=[route.method], endpoint=route) for route in ROUTES],
    strict_slashes=True,
    merge_slashes=False,
    redirect_defaults=False,
).bind("gateway")


def find(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The line for a request, and the parameters in its path, not checked yet.

    Raises werkzeug's NotFound, or MethodNotAllowed with the methods that there are.
    """
    route, parameters = _TABLE.match(path, method)
    return route, dict(parameters)
