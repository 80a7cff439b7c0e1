"""What is really published holds every pact: envelopes from ledgers, with events that the services' aggregates recorded."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pacts import PACTS
from publishers import published

from shared.catalogue.documents import published_types
from shared.catalogue.json_schema import envelope_schema, event_schema
from shared.ledger import Draft, Entry
from shared.tests.given import ledger_at

HERE = Path(__file__).parent
VERIFY_SECONDS = 60
Envelopes = Mapping[str, list[dict[str, Any]]]
"""Type → what was published of it."""


def test_every_event_has_been_published_by_its_aggregate() -> None:
    assert {event.type for _, event, _ in published()} == set(published_types())


@pytest.mark.parametrize("pact", sorted(file.stem for file in PACTS.glob("*.json")))
def test_what_is_really_published_holds_a_pact(pact: str, verified: Mapping[str, list[str]]) -> None:
    assert not verified[pact], "\n".join(verified[pact])


def test_what_is_published_is_as_its_schema_says(envelopes: Envelopes) -> None:
    of_envelope = Draft202012Validator(envelope_schema(), format_checker=FormatChecker())
    of_data = {
        name: Draft202012Validator(event_schema(cls), format_checker=FormatChecker())
        for name, cls in published_types().items()
    }

    for type_, sent in envelopes.items():
        for envelope in sent:
            of_envelope.validate(envelope)
            of_data[type_].validate(envelope["data"])


@pytest.fixture(scope="module")
def verified(envelopes: Envelopes, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """What the verifier found wrong, by pact."""
    file = tmp_path_factory.mktemp("published") / "envelopes.json"
    file.write_bytes(orjson.dumps(envelopes))
    command = [sys.executable, "-W", "ignore", str(HERE / "verifying.py"), str(file)]
    finished = subprocess.run(
        command, cwd=HERE.parent, capture_output=True, text=True, check=False, timeout=VERIFY_SECONDS
    )
    assert finished.returncode == 0, finished.stderr
    found: dict[str, list[str]] = json.loads(finished.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def envelopes(tmp_path_factory: pytest.TempPathFactory) -> Envelopes:
    """All that is published, from ledgers of the services."""
    folder = tmp_path_factory.mktemp("ledgers")
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for service, drafts in _drafts().items():
        with ledger_at(f"sqlite:///{folder / service}.db", service) as ledger:
            entry = Entry(facility="chenggong", drafts=drafts, actor="user:li", correlation_id="c", causation_id="c")
            ledger.append(entry)
            for text in ledger.raw("chenggong"):
                envelope = orjson.loads(text)
                found[envelope["type"]].append(envelope)
    return found


def _drafts() -> Mapping[str, list[Draft]]:
    found: dict[str, list[Draft]] = defaultdict(list)
    for recorder, event, at in published():
        drafts = found[event.type.partition(".")[0]]
        version = 1 + sum(draft.stream == recorder.stream for draft in drafts)
        drafts.append(Draft(stream=recorder.stream, version=version, event=event, time=at))
    return found
