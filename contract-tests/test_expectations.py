"""What each consumer expects of the events that it follows holds: as they are declared, sampled, and really published."""

import inspect
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest
from consumers import Expectation, Kind, broken_promises, consumers, declared, expectations, faults
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR
from publishers import published

from shared.event import event_types, read
from shared.service import LedgerService
from shared.subscription import Subscription

HERE = Path(__file__).parent
ROOT = HERE.parent
EXPECTATIONS = expectations()

each_expectation = pytest.mark.parametrize("expected", EXPECTATIONS, ids=str)


def test_services_subscribe_to_just_what_they_said_they_expect() -> None:
    said = {
        consumer.name: {
            source: None if source in consumer.follows_all_of else types
            for source, types in _by_source(consumer.expectations).items()
            if source != consumer.name
        }
        for consumer in consumers()
    }

    assert {name: subscribed for name, subscribed in _subscriptions() if subscribed} == said


def test_every_event_has_been_published_by_its_aggregate() -> None:
    assert {event.type for _, event, _ in published()} == set(event_types())


@each_expectation
def test_an_event_declares_what_its_consumer_expects(expected: Expectation) -> None:
    broken = list(broken_promises(expected.fields, declared(event_types()[expected.type])))

    assert not broken, _told(expected, broken)


@each_expectation
def test_the_sample_of_an_event_holds_what_its_consumer_expects(expected: Expectation) -> None:
    recorded = read((HERE / "samples" / f"{expected.type}.json").read_bytes())

    broken = list(faults(expected.fields, recorded.event.data()))

    assert not broken, _told(expected, broken)


@each_expectation
def test_what_is_really_published_holds_what_its_consumer_expects(expected: Expectation) -> None:
    sent = [event.data() for _, event, _ in published() if event.type == expected.type]

    broken = [fault for data in sent for fault in faults(expected.fields, data)]

    assert sent
    assert not broken, _told(expected, broken)


@each_expectation
def test_no_field_can_go_or_change_its_kind_unnoticed(expected: Expectation) -> None:
    promised = declared(event_types()[expected.type])
    sample = orjson.loads((HERE / "samples" / f"{expected.type}.json").read_bytes())["data"]

    for name in (name.removesuffix("?") for name in expected.fields):
        without = {key: kind for key, kind in promised.items() if key.removesuffix("?") != name}
        retyped: Mapping[str, Kind] = {**without, name: "another kind"}
        assert any(name in fault for fault in broken_promises(expected.fields, without))
        assert any(name in fault for fault in broken_promises(expected.fields, retyped))
        assert any(name in fault for fault in faults(expected.fields, {**sample, name: [{}, None]}))
        if name in expected.fields:
            absent = {key: value for key, value in sample.items() if key != name}
            assert any(name in fault for fault in faults(expected.fields, absent))


@pytest.mark.parametrize(
    ("declaration", "change"),
    [
        ("class OccurrenceWithdrawn(Event):", "    reason: str\n"),
        ("class WorkPerformed(Event):", "    occurrence_id: Id | None = None\n"),
    ],
    ids=["a field that is needed", "a field that may be missing"],
)
def test_a_field_taken_out_of_a_contract_is_told_with_its_consumers(
    declaration: str, change: str, tmp_path: Path
) -> None:
    scratch = _scratch_copy(tmp_path)
    contract = next(file for file in scratch.glob("shared/contracts/*.py") if declaration in file.read_text())
    before, _, after = contract.read_text().partition(declaration)
    contract.write_text(before + declaration + after.replace(change, "", 1))
    field = change.partition(":")[0].strip()

    command = [sys.executable, "-m", "pytest", "-q", "contract-tests/test_expectations.py"]
    finished = subprocess.run([*command, "-k", "declares"], cwd=scratch, capture_output=True, text=True, check=False)

    assert finished.returncode == 1, finished.stdout + finished.stderr
    type_ = f"{contract.stem}.{_snake(declaration)}.v1"
    for expected in EXPECTATIONS:
        if expected.type == type_ and {field, f"{field}?"} & set(expected.fields):
            assert f"{expected.consumer} reads {type_}, and cannot any more: {field}" in finished.stdout


def _told(expected: Expectation, broken: list[str]) -> str:
    return f"{expected}, and cannot any more: {'; '.join(broken)}"


def _by_source(expected: tuple[Expectation, ...]) -> dict[str, set[str]]:
    sources = {one.type.partition(".")[0] for one in expected}
    return {source: {one.type for one in expected if one.type.partition(".")[0] == source} for source in sources}


def _subscriptions() -> Iterator[tuple[str, dict[str, set[str] | None]]]:
    """Each service's subscriptions: source → event types, None for all of them."""
    for file in sorted(ROOT.glob("services/*/service.py")):
        module = import_module(f"services.{file.parent.name}.service")
        for cls in vars(module).values():
            if isinstance(cls, type) and issubclass(cls, LedgerService) and cls is not LedgerService:
                yield cls.name, _subscribed(cls)


def _subscribed(cls: type) -> dict[str, set[str] | None]:
    found: dict[str, set[str] | None] = {}
    for _, method in inspect.getmembers(cls, inspect.isfunction):
        for entrypoint in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ()):
            if isinstance(entrypoint, Subscription):
                types = {kind.type for kind in entrypoint.kinds}
                before = found.get(entrypoint.feed.source, set())
                found[entrypoint.feed.source] = (before or set()) | types if types else None
    return found


def _scratch_copy(folder: Path) -> Path:
    ignored: Any = shutil.ignore_patterns("__pycache__")
    for name in ("shared", "services", "contract-tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def _snake(declaration: str) -> str:
    name = declaration.removeprefix("class ").partition("(")[0]
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
