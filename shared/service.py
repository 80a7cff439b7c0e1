"""What makes a nameko class one of our services: its ledger, its commands and queries, and what every service answers.

A service class derives from `LedgerService`; its `@command`, `@query` and `@subscribe` methods are its wiring diagram.
"""

import functools
import inspect
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Any, ClassVar, TypeVar

import msgspec
import orjson
import structlog
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared.checkpoints import checkpoints
from shared.errors import Conflict, Invalid, Refused, Unavailable
from shared.event import flat, timestamp
from shared.installation import remember_now
from shared.ledger import Done, Ledger, events
from shared.monitor import Monitor
from shared.provider import LedgerProvider
from shared.rights import RIGHTS, Role, must_have_one
from shared.rpc import Calls, Correlation, offered
from shared.schema import schema_of
from shared.standing import Gauge
from shared.subscription import Subscription
from shared.unit import Unit, fingerprint
from shared.views import Views

log = structlog.get_logger()
C = TypeVar("C")
Method = TypeVar("Method", bound=Callable[..., Any])

ATTEMPTS = 10
"""How often a command is decided anew when others change its streams meanwhile."""


def command(schema: type[C]) -> Callable[[Callable[[Any, Unit, C], Any]], Any]:
    """Offer a method as a command: `facility`, `data` (validated to `schema`, a dataclass), and `context` over RPC.

    Only a caller who holds one of the roles that `shared.rights` names for it (`context["roles"]`) may give it; others
    get Forbidden.

    The method gets a Unit and the command, decides, and may answer a JSON value; its events and its answer are
    committed in one transaction, once per `context["command_id"]`.
    """
    validator = schema_of(schema, strict=True)

    def decorate(method: Callable[[Any, Unit, C], Any]) -> Any:
        @functools.wraps(method)
        def carry_out(self: "LedgerService", facility: str, data: dict[str, Any], context: dict[str, Any]) -> Any:
            with structlog.contextvars.bound_contextvars(correlation_id=context["correlation_id"]):
                must_have_one(context.get("roles", ()), self.rights[f"{self.name}.{method.__name__}"])
                if errors := flat(validator.validate(data)):
                    raise Invalid(errors)
                try:
                    asked = msgspec.convert(data, schema)
                except msgspec.ValidationError as fault:
                    raise Invalid(str(fault)) from fault
                if context.get("time"):
                    self.ledger.clock.advance(_moment(context["time"]))
                try:
                    return _once(self, method, facility, data, context, asked)
                except DBAPIError as fault:
                    if not fault.connection_invalidated:
                        raise
                    raise Unavailable(
                        "the database went away; whether the command was carried out is not known"
                    ) from fault

        carry_out.asks = schema  # type: ignore[attr-defined]  # what the API's document says of its body
        return offered(expected_exceptions=Refused)(carry_out)  # given both at once, nameko drops the option

    return decorate


def answers(form: Any) -> Callable[[Method], Method]:
    """Say of what form a command's or a question's answer is, for the API's document: a dataclass or a list of one.

    Of a list in pages it is the dataclass of a row. Stands above `@command` or `@query`; what says nothing answers null.
    """

    def say(method: Method) -> Method:
        method.answers = form  # type: ignore[attr-defined]  # read by the API's document
        return method

    return say


def query(method: Method) -> Method:
    """Offer a method as a question over RPC; it changes nothing."""
    return offered(expected_exceptions=Refused)(method)  # type: ignore[no-any-return]  # nameko is untyped


def _once(  # noqa: PLR0917  the words of a call
    service: "LedgerService",
    method: Callable[[Any, Unit, C], Any],
    facility: str,
    data: dict[str, Any],
    context: dict[str, Any],
    asked: C,
) -> Any:
    print_ = fingerprint(method.__name__, facility, data)
    for attempt in range(1, ATTEMPTS + 1):
        if before := service.ledger.remembered(context["command_id"]):
            return _first_answer(before, print_)
        unit = Unit(
            service.ledger,
            facility,
            actor=context["actor"],
            correlation_id=context["correlation_id"],
            causation_id=context["command_id"],
            expected=_expected(context.get("if_match")),
        )
        try:
            outcome = method(service, unit, asked)
        except Refused:  # perhaps because the same request was carried out since we looked
            if before := service.ledger.remembered(context["command_id"]):
                return _first_answer(before, print_)
            raise
        try:
            service.ledger.append(
                unit.entry(Done(command_id=context["command_id"], fingerprint=print_, outcome=orjson.dumps(outcome)))
            )
        except (Conflict, IntegrityError):  # somebody was faster on a stream, or took a key that a view keeps once
            if attempt == ATTEMPTS:
                raise
            log.info("decided anew", command=method.__name__, facility=facility, attempt=attempt)
        else:
            return outcome
    raise AssertionError("unreachable")


def _expected(if_match: dict[str, Any] | None) -> tuple[str, int] | None:
    return None if if_match is None else (if_match["stream"], if_match["version"])


def _first_answer(before: Done, print_: str) -> Any:
    if before.fingerprint != print_:
        raise Conflict("this idempotency key was used for another command")
    return orjson.loads(before.outcome)


def _moment(words: str) -> datetime:
    try:
        return datetime.fromisoformat(words)
    except ValueError as fault:
        raise Invalid({"time": ["expected a timestamp with offset (RFC 3339)"]}) from fault


class LedgerService:
    """The part of a service that is the same in all of them; a subclass names itself and its views.

    A service module refers to it as `service.LedgerService`: a class with entrypoints that stands in a module under its
    own name is one that nameko's command line would host.
    """

    name: ClassVar[str]
    views: ClassVar[Views | None] = None
    rights: ClassVar[Mapping[str, Collection[Role]]] = RIGHTS
    gauges: ClassVar[Sequence[Gauge]] = ()
    ledger: Ledger = LedgerProvider()  # nameko puts the ledger itself into each instance
    correlation = Correlation()
    monitor = Monitor()

    @query
    def health(self) -> dict[str, Any]:
        """Whether the service works, and what it has parked: {service, status, parked: [{source, facility, reason}]}."""
        parked = [
            {"source": row.source, "facility": row.facility, "reason": row.parked}
            for row in self.ledger.database.rows(select(checkpoints).where(checkpoints.c.parked.is_not(None)))
        ]
        return {"service": self.name, "status": "parked" if parked else "ok", "parked": parked}

    @query
    def heads(self) -> dict[str, Any]:
        """Where each facility's ledger stands: facility → {position, hash}."""
        return self.ledger.tips()

    @query
    def stream_version(self, facility: str, stream: str) -> int:
        """How many events a stream of a facility has; 0 where there is none."""
        wanted = select(func.max(events.c.version)).where(events.c.facility == facility, events.c.stream == stream)
        return self.ledger.database.rows(wanted)[0][0] or 0

    @query
    def checkpoints(self) -> dict[str, dict[str, int]]:
        """How far this service has followed others: source → facility → position."""
        reached: dict[str, dict[str, int]] = {source: {} for source in self.sources()}
        for row in self.ledger.database.rows(select(checkpoints)):
            reached.setdefault(row.source, {})[row.facility] = row.position
        return reached

    @query
    def read_ledger(self, facility: str, after: int = 0, limit: int = 1000) -> list[str]:
        """Whole envelopes as JSON text, by position above `after`, at most `limit` (1,000 at most)."""
        return self.ledger.raw(facility, after, min(limit, 1000))

    @query
    def clock(self) -> dict[str, Any]:
        """The service's clock: {simulated, now}."""
        return {"simulated": self.ledger.clock.simulated, "now": timestamp(self.ledger.clock.now())}

    @query
    def set_clock(self, now: str) -> None:
        """Move a simulated clock on; raises Rejected in a real installation."""
        self.ledger.clock.advance(_moment(now))
        remember_now(self.ledger.database, self.ledger.clock.now())
        self.on_clock()

    def on_clock(self) -> None:
        """What the service does because time went on; nothing, unless a subclass says so."""

    def must_have_heard(self, source: Calls, facility: str) -> None:
        """Wait until everything that `source` has recorded of a facility until now is applied here.

        Raises Unavailable if that takes longer than the deadline of a call.
        """
        reached = select(checkpoints.c.position).where(
            checkpoints.c.source == source.service, checkpoints.c.facility == facility
        )
        after = max((row.position for row in self.ledger.database.rows(reached)), default=0)
        # Mostly there is nothing more; the heads of all facilities would be much to ask for that.
        if not source.call("read_ledger", facility=facility, after=after, limit=1):
            return
        head = source.call("heads").get(facility, {"position": 0})["position"]
        give_up, pause = monotonic() + source.deadline, threading.Event()
        while head and not any(row.position >= head for row in self.ledger.database.rows(reached)):
            if monotonic() > give_up:
                raise Unavailable(f"{self.name} has not yet heard all that {source.service} knows of {facility}")
            pause.wait(0.005)

    @classmethod
    def sources(cls) -> list[str]:
        """The services that this one follows."""
        methods = (method for _, method in inspect.getmembers(cls, inspect.isfunction))
        entrypoints = (
            entrypoint for method in methods for entrypoint in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ())
        )
        return sorted({point.feed.source for point in entrypoints if isinstance(point, Subscription)})
