"""The catalogue in docs/ is what the event classes say, is valid AsyncAPI, and its schemas take just what a reader takes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker

from services.catalogue import catalogue_command
from shared.catalogue.documents import documents, published_types
from shared.catalogue.json_schema import event_schema

HERE = Path(__file__).parent
ROOT = HERE.parent
CATALOGUE = ROOT / "docs" / "catalogue"
SAMPLES = sorted((HERE / "samples").glob("*.json"))
FETCH_SECONDS = 300

_GONE = object()
ODD: list[Any] = [
    _GONE,
    None,
    True,
    0,
    -1,
    1,
    3000,
    2**53,
    "",
    " ",
    "a\0b",
    "呈贡",
    "a:b",
    "x" * 81,
    "120.00",
    "120.0",
    "120",
    "0120.00",
    "1.5e300",
    "-1.5e3",
    "2021-03",
    "2021-13",
    "2021-03-09",
    "2021-02-30",
    "1850-01-01",
    "2021-03-09T10:40:00+08:00",
    "2021-03-09T10:40:00",
    "2021-03-09T10:40:00.1234567Z",
    "a" * 64,
    "inspection",
    "life",
    [],
    ["a"],
    [None],
    {},
]
"""Values that are right in one place and wrong in another; the first takes out what is there."""


def test_the_catalogue_is_what_the_event_classes_say() -> None:
    made = documents()

    kept = {file.relative_to(CATALOGUE).as_posix(): file.read_bytes() for file in CATALOGUE.rglob("*.*")}

    stale = sorted(name for name in made if kept.get(name) != made[name])
    assert not stale, f"make catalogue writes {', '.join(stale)}"
    assert not sorted(set(kept) - set(made)), "files that are made no longer: remove them"


def test_the_command_writes_the_catalogue_to_a_folder(tmp_path: Path) -> None:
    finished = CliRunner().invoke(catalogue_command, [str(tmp_path / "new")])

    written = {file.relative_to(tmp_path / "new").as_posix(): file.read_bytes() for file in tmp_path.rglob("*.*")}
    assert (finished.exit_code, finished.output) == (0, f"{tmp_path / 'new'}: {len(published_types())} events\n")
    assert written == documents()


def test_the_command_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "events").touch()

    finished = CliRunner().invoke(catalogue_command, [str(tmp_path / "taken")])

    assert finished.exit_code == 2
    assert "expected a folder to write to" in finished.output


def test_the_asyncapi_document_is_valid(official: Draft7Validator) -> None:
    document = yaml.safe_load(documents()["asyncapi.yaml"])

    faults = [f"{fault.json_path}: {fault.message[:200]}" for fault in official.iter_errors(document)]

    assert not faults
    assert set(document["components"]["messages"]) == set(published_types())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("channels", "work_orders", "bindings", "amqp", "is"), "topic"),
        (("operations", "work_orders", "action"), "publish"),
        (("components", "schemas", "work_orders.work_performed.v1", "properties", "kind", "type"), "text"),
    ],
    ids=["a binding", "an operation", "a schema"],
)
def test_the_official_schema_refuses_what_is_wrong(
    place: tuple[str, ...], value: str, official: Draft7Validator
) -> None:
    document = yaml.safe_load(documents()["asyncapi.yaml"])
    inner = document
    for name in place[:-1]:
        inner = inner[name]

    inner[place[-1]] = value

    assert not official.is_valid(document)


def test_every_schema_is_one_of_draft_2020_12() -> None:
    schemas = {name: json.loads(content) for name, content in documents().items() if name.endswith(".json")}

    of_schemas = Draft202012Validator(Draft202012Validator.META_SCHEMA)

    assert {schema["$schema"] for schema in schemas.values()} == {Draft202012Validator.META_SCHEMA["$id"]}
    assert not [name for name, schema in schemas.items() if not of_schemas.is_valid(schema)]


def test_a_schema_takes_just_what_the_gate_takes() -> None:
    tried: set[str] = set()
    for file in SAMPLES:
        sample = orjson.loads(file.read_bytes())
        cls = published_types()[sample["type"]]
        schema = event_schema(cls)
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        for place, kind in _places(sample["data"], schema):
            if kind in tried:  # the same kind of field was tried out elsewhere
                continue
            tried.add(kind)
            for odd in ODD:
                told = deepcopy(sample["data"])
                _put(told, place, odd)

                refused = bool(cls.schema.validate(told))

                # A measured quantity that came as a number is published as a string.
                published = told if refused else msgspec.convert(told, cls).data()
                assert validator.is_valid(published) == (not refused), (sample["type"], place, odd)
    assert tried


def _places(told: Any, schema: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """The paths of all that is within a JSON value, each with what its schema says of it."""
    members = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for key, value in members:
        kind = schema.get("properties", {}).get(key) or schema.get("items") or schema["additionalProperties"]
        yield (key,), json.dumps([kind, key in schema.get("required", ())])
        yield from (((key, *inner), below) for inner, below in _places(value, kind))


def _put(told: Any, place: tuple[Any, ...], value: Any) -> None:
    for key in place[:-1]:
        told = told[key]
    if value is _GONE:
        del told[place[-1]]
    else:
        told[place[-1]] = deepcopy(value)


@pytest.fixture(scope="module")
def official() -> Draft7Validator:
    """AsyncAPI's own schema of its documents."""
    command = [sys.executable, str(ROOT / "infra" / "asyncapi-schema")]
    fetched = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS)
    assert fetched.returncode == 0, fetched.stderr
    return Draft7Validator(json.loads(Path(fetched.stdout.strip()).read_bytes()))
