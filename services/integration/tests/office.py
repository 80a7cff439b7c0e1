"""An office that hears other systems: integration with the real services that it hands facts to, without a broker."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from cloudevents.core.bindings.http import HTTPMessage

from services.integration.inbound.envelopes import BATCH, STRUCTURED
from services.integration.inbound.wiring import Inbound
from services.integration.views import VIEWS
from services.scoring.live import LiveFacts
from services.scoring.service import Scoring
from services.work_orders.service import WorkOrders
from shared.contracts.asset_registry import FacilityRegistered
from shared.errors import Unavailable
from shared.tests.alone import Alone, alone

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "projects" / "chenggong-2021" / "sources"
HAOCHAPING = (SOURCES / "haochaping.yaml").read_text()
FINANCE = (SOURCES / "finance.yaml").read_text()
SECURITY = (SOURCES / "security.yaml").read_text()
PLATFORM = "https://haochaping.example.gov.cn/kunming/chenggong"
MONEY = "urn:example:chenggong:finance"
RATING = "cn.gov.haochaping.rating.v1"
NEVER = 10**9

_numbers = count(1)


class Hearing(Inbound):
    """The half of integration that hears."""

    name = "integration"
    views = VIEWS


class Reached:
    """Another service as it is called: its methods are the real ones; it may be away, or go after some answers."""

    deadline = 5.0

    def __init__(self, other: Alone) -> None:
        self.other = other
        self.answers = NEVER
        self.asked: list[str] = []

    def call(self, method: str, **arguments: Any) -> Any:
        """Call it; what it did is done, also where its answer is lost."""
        self.asked.append(method)
        if self.answers <= 0:
            raise Unavailable(f"{self.other.service.name} is not running")
        self.answers -= 1
        answer = getattr(self.other.service, method)(**arguments)
        if self.answers == 0:
            raise Unavailable("the answer was lost")
        return answer


class Office:
    """One hall of an installation on one simulated clock."""

    def __init__(self, integration: Alone, scoring: Alone, work_orders: Alone) -> None:
        self.integration, self.scoring, self.work_orders = integration, scoring, work_orders
        self.service = integration.service
        self.service.scoring, self.service.work_orders = Reached(scoring), Reached(work_orders)
        self.hall = ""

    @property
    def services(self) -> tuple[Alone, Alone, Alone]:
        """All three."""
        return self.integration, self.scoring, self.work_orders

    def open(self, at: str = "2021-03-20T09:00:00+08:00") -> "Office":
        """A hall that nothing is known of but that it is registered."""
        self.hall = f"hall-{next(_numbers)}"
        for reached in (self.service.scoring, self.service.work_orders):
            reached.answers, reached.asked = NEVER, []
        for one in self.services:
            one.hall = self.hall
            one.set_time(datetime.fromisoformat(at))
            one.tell(f"facility/{self.hall}", registered(self.hall))
            one.follow()
        return self

    def map(self, source_id: str, mapping: str, **more: Any) -> Any:
        """Map a source."""
        return self.integration.ask("map_source", source_id=source_id, mapping=mapping, **more)

    def send(
        self, *events: dict[str, Any], facilities: Sequence[str] | None = None, actor: str = "system:key-1"
    ) -> Any:
        """Post events as a batch; what became of each."""
        message = HTTPMessage({"Content-Type": BATCH}, orjson.dumps(events))
        return self.post(message, facilities, actor)["items"]

    def post(self, message: HTTPMessage, facilities: Sequence[str] | None = None, actor: str = "system:key-1") -> Any:
        """Post as the gateway hands it over."""
        context = {"command_id": "k", "actor": actor, "roles": ["integrator"], "correlation_id": "c-9", "time": None}
        body = base64.b64encode(message.body).decode()
        mine = [self.hall] if facilities is None else list(facilities)
        return self.service.receive_events(dict(message.headers), body, mine, context)

    def drop(self, content: bytes, media_type: str, source_id: str = "finance") -> Any:
        """Send a file; what became of each row."""
        data = {"source_id": source_id, "file": base64.b64encode(content).decode(), "media_type": media_type}
        return self.integration.ask("receive_file", **data)["items"]

    def rows(self, **filters: Any) -> list[dict[str, Any]]:
        """The messages as they are listed."""
        return list(self.service.messages(self.hall, **filters)["items"])

    def reconciled(self, **asked: Any) -> list[dict[str, Any]]:
        """The reconciliation, as it is answered."""
        return list(self.service.reconciliation(self.hall, **asked))


def rating(number: Any, level: int, when: str = "2021-03-19 10:00:00", **more: Any) -> dict[str, Any]:
    """An event of the rating platform; members of CloudEvents by name, all others go into its data."""
    named: dict[str, Any] = {
        name: more.pop(name) for name in {"id", "time", "facility", "type", "source"} & more.keys()
    }
    data = {"ratingId": number, "satisfaction": level, "evaluateTime": when, "isDefault": False, **more}
    return event({"id": f"r-{number}", "type": RATING, "source": PLATFORM, **named}, data)


def payment(number: str, amount: Any, **more: Any) -> dict[str, Any]:
    """An event of the finance system."""
    named: dict[str, Any] = {name: more.pop(name) for name in {"id", "time", "facility"} & more.keys()}
    data = {"流水号": number, "金额": amount, "科目": "设备维修", "支付日期": "2021-03-18", **more}
    return event({"id": number, "type": "cn.example.finance.payment.v1", "source": MONEY, **named}, data)


def event(attributes: dict[str, Any], data: Any) -> dict[str, Any]:
    """A CloudEvent, structured."""
    return {"specversion": "1.0", **attributes, "data": data}


def single(sent: dict[str, Any]) -> HTTPMessage:
    """One event, structured."""
    return HTTPMessage({"Content-Type": STRUCTURED}, orjson.dumps(sent))


def registered(facility: str) -> FacilityRegistered:
    """A facility comes under inspection."""
    return FacilityRegistered(
        facility_id=facility, name="大厅", uscc="11530121MB198972XH", region_code="530114", timezone="Asia/Shanghai"
    )


@contextmanager
def office_on(url: str, folder: Path) -> Iterator[Office]:
    """Integration on a database, the others on files."""
    with ExitStack() as stack:
        found = []
        for service, at in ((Hearing, url), (Scoring, ""), (WorkOrders, "")):
            home = folder / service.name
            home.mkdir()
            found.append(stack.enter_context(alone(service, at or f"sqlite:///{home / 'own.db'}", home)))
        scoring = found[1]
        scoring.service.live = LiveFacts(scoring.ledger.database, "scoring")
        yield Office(*found)
