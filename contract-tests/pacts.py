"""Pact message contracts: what each consumer needs, as messages that the real publishers are held against.

A consumer's pact with a source has an interaction for each event that it reads, with what is always there, and one for
each field that it makes use of but can do without: Pact has no optional fields. Examples come from the frozen samples.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

os.environ["PACT_DO_NOT_TRACK"] = "true"  # before the library is loaded, which would tell its makers of each run

from consumers import Consumer
from kinds import ENVELOPE, bare_type
from pact import Pact, match

HERE = Path(__file__).parent
PACTS = HERE / "pacts"
SAMPLES = HERE / "samples"
CONTENT_TYPE = "application/json"
ANY, WITH = "any event", " with "

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """One interaction of a pact, with an event of a type as its example; `what` the publisher is asked for."""

    what: str
    type: str
    body: dict[str, Any]


def pact(consumer: Consumer, source: str) -> Pact:
    """The pact of a consumer with a source."""
    contract = Pact(consumer.name, source).with_specification("V4")
    for message in messages(consumer, source):
        asked = contract.upon_receiving(message.what, "Async")
        asked.with_body(message.body, CONTENT_TYPE)
    return contract


def messages(consumer: Consumer, source: str) -> Iterator[Message]:
    """The interactions of a pact: any event in its envelope, and what is read of each."""
    sample = _sample(min(file.stem for file in SAMPLES.glob(f"{source}.*.json")))
    type_of_source = match.regex(sample["type"], regex=f"^{source}[.][a-z0-9_]+[.]v[0-9]+$")
    fixed = {"specversion": "1.0", "source": f"/{source}", "datacontenttype": CONTENT_TYPE, "type": type_of_source}
    yield Message(ANY, sample["type"], {**_matching(ENVELOPE, sample, ""), **fixed})
    for type_, need in consumer.needs_of(source).items():
        example = _sample(type_)["data"]
        for field in ("", *optional(need)):
            what = f"{type_}{WITH}{field}" if field else type_
            yield Message(what, type_, {"type": type_, "data": _matching(need, example, field)})


def optional(need: Schema, path: str = "") -> Iterator[str]:
    """The paths of fields that a consumer can do without; those within an optional object come each for itself."""
    for name, kind in need["properties"].items():
        here = f"{path}.{name}".lstrip(".")
        if name not in need["required"]:
            yield here
        inner = kind.get("items", kind)
        if "properties" in inner:
            yield from optional(inner, here + ("[]" if "items" in kind else ""))


def holders(data: Any, path: str) -> list[Any]:
    """The values at a path like `points[].expected.low`; none where it is absent."""
    name, _, rest = path.partition(".")
    value = data.get(name.removesuffix("[]")) if isinstance(data, dict) else None
    found = value if name.endswith("[]") and isinstance(value, list) else [value]
    return [one for member in found if member is not None for one in (holders(member, rest) if rest else [member])]


def written(consumer: Consumer, source: str) -> bytes:
    """The file of a pact, without the versions of the library that wrote it."""
    with TemporaryDirectory() as folder:
        pact(consumer, source).write_file(folder, overwrite=True)
        content = orjson.loads((Path(folder) / file_of(consumer.name, source)).read_bytes())
    content["metadata"] = {"pactSpecification": content["metadata"]["pactSpecification"]}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def file_of(consumer: str, source: str) -> str:
    """The name of a pact's file."""
    return f"{consumer}-{source}.json"


def _sample(type_: str) -> dict[str, Any]:
    whole: dict[str, Any] = orjson.loads((SAMPLES / f"{type_}.json").read_bytes())
    return whole


def _matching(need: Schema, example: Mapping[str, Any], field: str) -> dict[str, Any]:
    """An object that matches what is always there and, if named, one field that may be."""
    name, _, rest = field.partition(".")
    asked = name.removesuffix("[]")
    return {
        key: _matcher(kind, example.get(key), rest if key == asked else "")
        for key, kind in need["properties"].items()
        if key in need["required"] or key == asked
    }


def _matcher(kind: Schema, example: Any, field: str) -> Any:
    if bare_type(kind) == "object":
        return _matching(kind, example or {}, field)
    if bare_type(kind) == "array":
        return _list(kind["items"], example or [], field)
    value = kind["examples"][0] if example is None else example
    if "enum" in kind:
        return match.regex(value, regex=f"^({'|'.join(word for word in kind['enum'] if word is not None)})$")
    if "pattern" in kind:
        return match.regex(value, regex=kind["pattern"])
    return match.integer(value) if bare_type(kind) == "integer" else match.type(value)


def _list(kind: Schema, examples: list[Any], field: str) -> Any:
    """Every member is such; where it is about a field that may be absent, at least one has it."""
    if field:
        having: Any = next((one for one in examples if holders(one, field)), {})
        return match.array_containing([_matcher(kind, having, field)])
    return match.each_like(_matcher(kind, examples[0] if examples else None, ""))
