"""Every file of the catalogue, as bytes that are the same wherever they are made."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

import shared.contracts
from shared.catalogue.asyncapi import asyncapi
from shared.catalogue.json_schema import Json, envelope_schema, event_schema
from shared.catalogue.page import page
from shared.event import Event, event_types

MEDIA_TYPES = {"html": "text/html", "json": "application/schema+json", "yaml": "application/yaml"}
"""By the ending of a file's name."""


def published_types() -> Mapping[str, type[Event]]:
    """The events of all modules of the published language by type; what a test declares beside them is left out."""
    modules = {f"{shared.contracts.__name__}.{name}" for name in shared.contracts.__all__}
    return {name: event for name, event in sorted(event_types().items()) if event.__module__ in modules}


def documents(types: Mapping[str, type[Event]] | None = None) -> dict[str, bytes]:
    """The catalogue of events (by default of all that are published): path → UTF-8 content, with `/` in paths.

    `asyncapi.yaml`, `envelope.json`, `events/<type>.json`, and `index.html` for those who read.
    """
    known = published_types() if types is None else types
    schemas = {name: event_schema(event) for name, event in known.items()}
    return {
        "asyncapi.yaml": _yaml(asyncapi(known)),
        "envelope.json": _json(envelope_schema()),
        **{f"events/{name}.json": _json(schema) for name, schema in schemas.items()},
        "index.html": page(schemas, envelope_schema()),
    }


def _json(value: Json) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


class _Plain(yaml.SafeDumper):
    """YAML without anchors, and with texts of several lines as they read."""

    def ignore_aliases(self, data: Any) -> bool:
        """What is said twice is written twice."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Plain.add_representer(str, _text)


def _yaml(value: Json) -> bytes:
    return yaml.dump(value, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120, encoding="utf-8")
