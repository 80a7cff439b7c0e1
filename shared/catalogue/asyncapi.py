"""The AsyncAPI 3.0 document of the published language: a channel per publishing service, a message per event."""

from collections.abc import Mapping
from typing import Any

from shared.broker import PERSISTENT, events_of, stream_of
from shared.catalogue.json_schema import Json, envelope_schema, event_schema
from shared.config import FED
from shared.event import Event

BINDING_VERSION = "0.3.0"
"""Of AsyncAPI's AMQP bindings."""
_ABOUT = """\
Xunjian 巡检 publishes every fact that leaves one of its services as an event: a CloudEvents 1.0 envelope in structured JSON.

Each service has a durable topic exchange. The routing key is the event's bare name, so a queue bound with `#` receives all
of a service's events, and one bound with `work_performed` only those. Delivery is at least once, in order within a
facility as long as a queue has one consumer; `position` tells what came before and what is missing.

A field may be added to an event, so a reader passes over members that it does not know. Anything else is a new version
of the event, under a type of its own.
"""


def asyncapi(types: Mapping[str, type[Event]]) -> Json:
    """The document of events by their types; it stands alone, without references to other files."""
    services = sorted({type_.partition(".")[0] for type_ in types})
    published = {service: [name for name in sorted(types) if name.startswith(f"{service}.")] for service in services}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:xunjian",
        "info": {"title": "Xunjian 巡检: the published language", "version": "1", "description": _ABOUT},
        "defaultContentType": "application/json",
        "channels": {service: _channel(service, names, types) for service, names in published.items()},
        "operations": {service: _operation(service, names) for service, names in published.items()},
        "components": {
            "messages": {name: _message(types[name]) for name in sorted(types)},
            "schemas": {
                "envelope": _inner(envelope_schema()),
                **{name: _inner(event_schema(types[name])) for name in sorted(types)},
            },
        },
    }


def _channel(service: str, names: list[str], types: Mapping[str, type[Event]]) -> Json:
    exchange = events_of(service)
    events = sorted({types[name].event_name for name in names})
    return {
        "address": "{event}",
        "title": exchange.name,
        "summary": f"What {service} publishes.",
        "description": f"The topic exchange `{exchange.name}`; the address is the routing key, the event's bare name. "
        + _replay(service),
        "parameters": {"event": {"enum": events, "description": "the event's bare name"}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": exchange.name,
                    "type": exchange.type,
                    "durable": exchange.durable,
                    "autoDelete": exchange.auto_delete,
                },
                "bindingVersion": BINDING_VERSION,
            }
        },
    }


def _replay(service: str) -> str:
    if service not in FED:
        return "Its events are handed on to no other system."
    stream = stream_of(service)
    kind = stream.queue_arguments["x-queue-type"]
    return (
        f"A new consumer replays what was published before from the queue `{stream.name}` (`x-queue-type: {kind}`), "
        "beginning with `x-stream-offset: first`."
    )


def _operation(service: str, names: list[str]) -> Json:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{service}"},
        "title": f"{service} publishes",
        "summary": f"{service} tells what has happened.",
        "messages": [{"$ref": f"#/channels/{service}/messages/{name}"} for name in names],
        "bindings": {"amqp": {"deliveryMode": PERSISTENT, "bindingVersion": BINDING_VERSION}},
    }


def _message(event: type[Event]) -> Json:
    facts: Json = {
        "type": "object",
        "properties": {
            "source": {"const": f"/{event.type.partition('.')[0]}"},
            "type": {"const": event.type},
            "data": {"$ref": f"#/components/schemas/{event.type}"},
        },
    }
    return {
        "name": event.type,
        "title": event.event_name,
        "summary": event_schema(event)["description"].partition("\n")[0],
        "contentType": "application/json",
        "correlationId": {"location": "$message.payload#/correlationid"},
        "headers": _HEADERS,
        "payload": {"allOf": [{"$ref": "#/components/schemas/envelope"}, facts]},
        "bindings": {"amqp": {"contentEncoding": "utf-8", "bindingVersion": BINDING_VERSION}},
    }


_HEADERS: Json = {
    "type": "object",
    "properties": {
        "facility": {"type": "string", "description": "as in the envelope"},
        "position": {"type": "integer", "description": "as in the envelope"},
    },
    "required": ["facility", "position"],
}


def _inner(schema: dict[str, Any]) -> Json:
    """A schema as a part of another document: what only a document of its own has is left out."""
    return {name: value for name, value in schema.items() if not name.startswith("$")}
