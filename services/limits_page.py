"""The table of all limits in docs/limits.md, its numbers read from the code: `python -m services.limits_page docs/limits.md`."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from services.gateway.routes import ROUTES
from shared.config import DEFAULTS, SETTINGS

BEGIN, END = "<!-- Made from the code by make catalogue; do not edit. -->", "<!-- The end of what is made. -->"
INVALID, REJECTED, TOO_LARGE, TOO_MANY = "422, the field named", "409, `rejected`", "413", "429, `Retry-After`"
NOT_READ = "the sheet is refused whole, 422, the place named"
MORE = "the rest comes next"


@dataclass(frozen=True)
class Limit:
    """One limit: of what, where its number stands, in what it is counted, and what happens to what is beyond.

    A number stands in a constant (`module:NAME`, or `module:NAME.member` of a mapping), in a setting (`setting:NAME`), or
    in the line of the API by which a file is sent (`route:target`).
    """

    what: str
    where: str
    unit: str
    beyond: str

    @property
    def constant(self) -> str:
        """Where it stands, without the member of a mapping."""
        place, _, name = self.where.partition(":")
        return f"{place}:{name if place == 'route' else name.partition('.')[0]}"

    @property
    def value(self) -> Any:
        """The number, as the code has it now; raises AttributeError, KeyError or ValueError where it is no more."""
        place, _, name = self.where.partition(":")
        if place == "setting":
            return DEFAULTS[name]
        if place == "route":
            (found,) = {route.max_bytes for route in ROUTES if route.target == name}
            return found
        name, _, member = name.partition(".")
        found = getattr(import_module(place), name)
        return found[member] if member else found


LIMITS: Mapping[str, tuple[Limit, ...]] = {
    "Facilities and assets": (
        Limit("an id (facility, system, point, order, …)", "shared.schema:Id", "", INVALID),
        Limit("points that one command adds, retires or describes", "services.asset_registry.aggregate:MOST_POINTS", "points", INVALID),
        Limit("points of one group in a project's file", "services.project.checks:MOST_POINTS", "points", "`xunjian load` refuses the file and sends nothing"),
        Limit("the name of a group of equipment", "services.asset_registry.aggregate:LONGEST_NAME", "characters", INVALID),
        Limit("documents that one description names", "services.asset_registry.nameplates:MOST_DOCUMENTS", "documents", INVALID),
        Limit("labels on one sheet", "services.asset_registry.labels:MOST_LABELS", "labels", INVALID),
    ),
    "Plans": (
        Limit("a recurrence rule", "shared.rrule:LONGEST", "characters", INVALID),
        Limit("the id of a plan's item", "services.scheduling.aggregate:LONGEST_ITEM_ID", "characters", INVALID),
        Limit("the same in a project's file", "services.project.checks:LONGEST_ITEM_ID", "characters", "`xunjian load` refuses the file and sends nothing"),
        Limit("changes of one item in a year", "services.scheduling.aggregate:MOST_CHANGES", "changes", REJECTED),
        Limit("how far ahead visits are made", "services.scheduling.making:HORIZON_DAYS", "days", "made when it is their time"),
        Limit("a year", "shared.schema:Year", "", INVALID),
    ),
    "Files": (
        Limit("a photo", "services.work_orders.service:LARGEST_PHOTO", "bytes", TOO_LARGE),
        Limit("a picture's width times its height", "shared.attachments:MOST_PIXELS", "pixels", INVALID),
        Limit("a document", "services.asset_registry.service:MOST_BYTES", "bytes", TOO_LARGE),
        Limit("a sheet of assets", "route:asset_registry.import_assets", "bytes", TOO_LARGE),
        Limit("a sheet of another system's events", "services.integration.inbound.file_drop:LARGEST_FILE", "bytes", TOO_LARGE),
        Limit("rows of such a sheet", "services.integration.inbound.rows:MOST_ROWS", "rows", INVALID),
        Limit("rows of any sheet", "shared.sheets.tables:MOST_ROWS", "rows", NOT_READ),
        Limit("columns of a workbook's sheet", "shared.sheets.tables:MOST_COLUMNS", "columns", NOT_READ),
        Limit("merged ranges of a workbook's sheet that are looked at", "shared.sheets.scan:MOST_MERGED", "ranges", "not looked at"),
        Limit("a workbook, unpacked", "shared.sheets.archive:MOST_BYTES", "bytes", INVALID),
        Limit("parts of a workbook", "shared.sheets.archive:MOST_PARTS", "parts", INVALID),
        Limit("mistakes in a sheet that are told", "shared.sheets.mistakes:MOST_TOLD", "places", "how many more there are is said"),
        Limit("a cell of the assets' form, written", "services.asset_registry.form.exporting:LONGEST", "characters", REJECTED),
        Limit("a cell of a form of work, written", "services.work_orders.forms.workbook:MOST_CHARACTERS", "characters", "cut, and says so"),
    ),
    "Scores": (
        Limit("a rulebook", "services.scoring.rulebooks.rulebook:LARGEST", "bytes", "422"),
        Limit("a bundle of evidence that is read", "services.scoring.publishing.bundle:LARGEST", "bytes", "exit status 2"),
        Limit("points that the draft of a deviation names", "services.scoring.forms.deviations:MOST_POINTS", "points", "等, how many is said"),
    ),
    "Requests": (
        Limit("the body of a request that is no file", "setting:MAX_BODY_BYTES", "bytes", TOO_LARGE),
        Limit("levels of a body", "services.gateway.reading:MAX_DEPTH", "levels", INVALID),
        Limit("an idempotency key", "services.gateway.reading:Key", "", INVALID),
        Limit("rows of a page", "shared.pages:MOST_ROWS", "rows", f"422; {MORE} (`Link`)"),
        Limit("requests of one caller in a minute", "setting:REQUESTS_PER_MINUTE", "requests", TOO_MANY),
        Limit("requests from an address where nobody signed in", "setting:ANONYMOUS_REQUESTS_PER_MINUTE", "requests", TOO_MANY),
        Limit("requests and calls that a process works on at once", "setting:max_workers", "at once", "the rest waits"),
        Limit("questions to the address of `/metrics` at once", "shared.monitor:MOST_AT_ONCE", "at once", "the rest waits"),
        Limit("a call between services", "setting:RPC_DEADLINE_SECONDS", "seconds", "503"),
        Limit("a pause of `xunjian load` and others, until a service is back", "services.project.client:LONGEST_PAUSE", "seconds", "it asks again"),
        Limit("callers that a gateway remembers for two seconds", "services.gateway.callers:MOST_REMEMBERED", "callers", "all are looked up anew"),
    ),
    "People and programs": (
        Limit("a password, at most", "services.access.passwords:LONGEST", "characters", INVALID),
        Limit("a password, at least", "services.access.passwords:SHORTEST", "characters", INVALID),
        Limit("a username made from an OpenID account", "services.access.aggregate:LONGEST_NAME", "characters", "cut"),
        Limit("the subject of a token", "services.access.bearer:LONGEST_SUBJECT", "characters", "401"),
        Limit("words of a provider or a caller that are recorded", "services.access.words:LONGEST", "characters", "cut"),
        Limit("what an OpenID provider answers", "services.access.outbound:LARGEST", "bytes", "503"),
        Limit("failures to sign in under one name", "services.access.lockout:MOST.username", "failures", TOO_MANY),
        Limit("failures to sign in from one address", "services.access.lockout:MOST.address", "failures", TOO_MANY),
        Limit("within how long they count, and lock out", "services.access.lockout:WITHIN", "seconds", "forgotten"),
    ),
    "Events from others": (
        Limit("events of one request", "services.integration.inbound.envelopes:MOST_EVENTS", "events", INVALID),
        Limit("id, source and type of an event", "services.integration.inbound.envelopes:LONGEST.id", "characters", "that event is refused"),
        Limit("levels of an event's data", "services.integration.inbound.envelopes:MOST_DEPTH", "levels", "that event is refused"),
        Limit("a mapping", "services.integration.inbound.mapping_file:MOST_BYTES", "bytes", INVALID),
        Limit("days that are reconciled at once", "services.integration.inbound.wiring:MOST_DAYS", "days", INVALID),
    ),
    "Events to others": (
        Limit("webhooks of a facility", "services.integration.outbound.wiring:MOST_WEBHOOKS", "webhooks", REJECTED),
        Limit("events of a page of the feed", "services.integration.outbound.feed:MOST_ROWS", "events", f"422; {MORE} (`Link`)"),
        Limit("envelopes of a page, together", "services.integration.outbound.feed:MOST_BYTES", "bytes", MORE),
        Limit("what a receiver answers", "services.integration.outbound.calling:MOST_ANSWER_BYTES", "bytes", "a failed call"),
        Limit("the longest pause between two calls", "services.integration.outbound.backoff:LONGEST_SECONDS", "seconds", "the next call"),
        Limit("the longest pause that a receiver may ask for", "services.integration.outbound.backoff:MOST_ASKED_SECONDS", "seconds", "the next call"),
        Limit("how long a receiver may fail without a break", "services.integration.outbound.backoff:GIVE_UP_AFTER", "", "the webhook is paused"),
        Limit("calls of a webhook that are remembered", "services.integration.outbound.book:KEPT_CALLS", "calls", "the oldest is forgotten"),
        Limit("how long a service's stream on the broker keeps an event", "shared.broker:STREAM_AGE", "", "it leaves the stream; the ledger keeps it"),
    ),
    "Inside": (
        Limit("commands that are committed together", "shared.commit_queue:BATCH", "commands", MORE),
        Limit("events that are applied together", "shared.subscription:BATCH", "events", MORE),
        Limit("events on their way to the broker unconfirmed", "shared.relay:WINDOW", "events", "the relay waits"),
        Limit("how often a command is decided anew", "shared.service:ATTEMPTS", "times", "409, `conflict`"),
        Limit("partitions of a subscription", "setting:PARTITIONS", "partitions", "further replicas answer calls only"),
        Limit("how often each service looks at its clock", "shared.clockwork:TICK_SECONDS", "seconds", "judged at the next look, as of when it was due"),
        Limit("whole numbers in commands and events", "shared.schema:SAFE", "", INVALID),
        Limit("spans that wait to be delivered", "shared.span_export:QUEUE", "spans", "dropped and counted"),
    ),
}  # fmt: skip  # a table
"""Every limit, by what it concerns."""


def table() -> str:
    """The table, between its marks."""
    return "\n".join([BEGIN, "", "| What | At most | Beyond | Set in |", "|---|---|---|---|", *_lines(), "", END])


def page(before: str) -> str:
    """The page with its table made anew; raises ValueError where the marks are not there."""
    head, _, rest = before.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not end:
        raise ValueError(f"expected {BEGIN} and {END}")
    return f"{head}{table()}{tail}"


def _lines() -> Iterator[str]:
    for heading, limits in LIMITS.items():
        yield f"| **{heading}** | | | |"
        for limit in limits:
            yield f"| {limit.what} | {_written(limit)} | {limit.beyond} | {_place(limit)} |"


def _written(limit: Limit) -> str:
    value = limit.value
    match value:
        case int() if limit.unit == "bytes" and value % 1024 == 0:
            words = f"{value // 2**20} MiB" if value % 2**20 == 0 else f"{value // 1024} KiB"
        case int() | float():
            words = f"{value:,.16g} {limit.unit}".strip()
        case timedelta():
            words = f"{value.days} days"
        case str():  # as RabbitMQ says it: 10Y
            words = value.replace("Y", " years")
        case _:
            words = _said(get_args(value)[1])
    return words


def _said(meta: Any) -> str:
    """What the mark of an annotated type says."""
    return str(meta.description or f"{meta.ge} to {meta.le}").removeprefix("an id: ")


def _place(limit: Limit) -> str:
    place, _, name = limit.constant.partition(":")
    if place == "setting":
        return f"`{next(one.variable for one in SETTINGS if one.name == name)}`"
    module = "services.gateway.routes" if place == "route" else place
    return f"`{module.replace('.', '/')}.py`, `{name.rpartition('.')[2]}`"


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(page(file.read_text()))
