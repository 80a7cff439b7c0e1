"""What integration publishes, made by its own aggregates: messages of other systems, and the webhooks that tell them ours."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.integration.inbound.aggregate import Delivery, Message, Source, message_key
from services.integration.outbound.aggregate import Webhook
from shared.aggregate import Aggregate
from shared.contracts.integration import (
    ClosedDay,
    FactName,
    MessageAccepted,
    MessageReceived,
    MessageRepeated,
    MessageRetried,
    Reason,
    SourceMapped,
    WebhookSubscribed,
)

AT = datetime(2021, 4, 1, 8, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
MINUTE = timedelta(minutes=1)
RATINGS = "urn:kunming:haochaping"
BODY = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
OTHER_BODY = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"
MAPPING = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
MAPPING_2 = "0b5e6f7a5a3d5f3a2a5fd1a5a3b8e0a5cf7a1b0a7d3e6c9f8b2d4e1a0c3f5b7d"
FROM = "system:ratings-feed"


def integration() -> Iterable[Aggregate]:
    """A source of ratings, what it told, and a webhook from its subscription to its end."""
    return _source(), _accepted(), _refused(), _delivery(), _closed_day(), _webhook()


def _source() -> Aggregate:
    source = Source("haochaping")
    mapped = SourceMapped(
        source_id="haochaping", source=RATINGS, mapping_sha256=MAPPING, mapping="source: …\n", mapped_by="user:zhao"
    )
    source.map(mapped, AT)
    return source


def _received(id_: str, fact: FactName = "satisfaction_reported") -> Message:
    message = Message(message_key(RATINGS, id_))
    received = MessageReceived(
        message=message.id,
        source=RATINGS,
        message_id=id_,
        message_type="ratings.daily",
        sha256=BODY,
        received_from=FROM,
        happened_at=AT - MINUTE,
        source_id="haochaping",
        mapping_sha256=MAPPING,
        fact=fact,
    )
    message.receive(received, AT)
    return message


def _accepted() -> Aggregate:
    message = _received("2021-03-31")
    accepted = MessageAccepted(
        message=message.id,
        source=RATINGS,
        fact="satisfaction_reported",
        accepted_by="scoring",
        accepted_as="haochaping-2021-03-31",
        ratings=37,
    )
    message.accept(accepted, AT + MINUTE)
    message.contradict(OTHER_BODY, FROM, AT + 2 * MINUTE)
    return message


def _refused() -> Aggregate:
    message = _received("2021-03-30")
    message.refuse([Reason(field="very_satisfied", expected="expected a number of at least 0")], AT + MINUTE)
    retried = MessageRetried(
        message=message.id,
        source=RATINGS,
        source_id="haochaping",
        mapping_sha256=MAPPING_2,
        fact="satisfaction_reported",
    )
    message.retry(retried, AT + 5 * MINUTE)
    return message


def _delivery() -> Aggregate:
    delivery = Delivery("delivery-1")
    again = MessageRepeated(message=message_key(RATINGS, "2021-03-31"), source=RATINGS, received_from=FROM)
    delivery.note(again, AT + 3 * MINUTE)
    return delivery


def _closed_day() -> Aggregate:
    message = _received("closed-2021-03-31", "day_closed")
    closed = ClosedDay(day=date(2021, 3, 31), count=2, ratings=37, amount=Decimal("0.00"))
    accepted = MessageAccepted(
        message=message.id,
        source=RATINGS,
        fact="day_closed",
        accepted_by="integration",
        accepted_as="2021-03-31",
        closed=closed,
    )
    message.accept(accepted, AT + MINUTE)
    return message


def _webhook() -> Aggregate:
    webhook = Webhook("district-dashboard")
    subscription = WebhookSubscribed(
        webhook_id="district-dashboard",
        url="https://dashboard.example.org/xunjian",
        after=0,
        signature="standard",
        types=("work_orders.work_performed",),
    )
    webhook.subscribe(subscription, AT)
    webhook.pause("系统升级", AT + MINUTE)
    webhook.resume(AT + 2 * MINUTE)
    webhook.tell_again(0, AT + 3 * MINUTE)
    webhook.rotate_secret(AT + 4 * MINUTE)
    webhook.remove(AT + 5 * MINUTE)
    return webhook
