"""Holds what was published against every pact with pact's own verifier; in a process of its own.

    contract-tests/verifying.py ENVELOPES    a JSON file: type → envelopes that were published of it

Prints a JSON object: pact → a line for each thing that its consumer can no longer read. The verifier blocks its thread
while it asks a server beside it, which eventlet's threads would never answer.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from pact import Verifier
from pacts import ANY, CONTENT_TYPE, PACTS, WITH, holders

Envelopes = Mapping[str, list[dict[str, Any]]]
"""Type → what was published of it."""


def main(file: str) -> None:
    """Verify all pacts, those with one source at once."""
    envelopes = orjson.loads(Path(file).read_bytes())
    found: dict[str, list[str]] = {}
    for source in sorted({pact.stem.partition("-")[2] for pact in PACTS.glob("*.json")}):
        results = verified(source, envelopes)
        found |= {f"{one['consumer']}-{source}": [] for one in results["interactionResults"]}
        for one in results["interactionResults"]:
            found[f"{one['consumer']}-{source}"] += told(one)
    json.dump(found, sys.stdout)


def verified(source: str, envelopes: Envelopes) -> dict[str, Any]:
    """The results of the verifier for all pacts with a source."""
    verifier = Verifier(source).message_handler(partial(_publish, source=source, envelopes=envelopes))
    for pact in sorted(PACTS.glob(f"*-{source}.json")):
        verifier.add_source(pact)
    with suppress(RuntimeError):  # something does not match: that is among the results
        verifier.verify()
    return verifier.results


def told(result: dict[str, Any]) -> Iterator[str]:
    """A line for each thing in an interaction that does not match."""
    if result["result"] == "OK":
        return
    found = result.get("mismatch", {})
    for mismatch in found.get("mismatches") or [{"mismatch": found or "failed"}]:
        place = f"{mismatch.get('path', '')} {mismatch['mismatch']}".strip()
        yield f"{result['consumer']} reads {result['description']}, and cannot any more: {place}"


def asked(what: str, source: str, envelopes: Envelopes) -> dict[str, Any]:
    """What a publisher sends when a pact asks for it: with a field, one that has it; else the one that says least."""
    type_, _, field = what.partition(WITH)
    if what == ANY:
        type_ = next(name for name in sorted(envelopes) if name.startswith(f"{source}."))
    sent = sorted(envelopes.get(type_, []), key=lambda envelope: len(orjson.dumps(envelope["data"])))
    having = [envelope for envelope in sent if holders(envelope["data"], field)] if field else sent
    return next(iter(having or sent), {"type": f"{type_} is not published"})


def _publish(name: str, source: str, envelopes: Envelopes) -> Any:
    return {"contents": orjson.dumps(asked(name, source, envelopes)), "content_type": CONTENT_TYPE}


if __name__ == "__main__":
    main(sys.argv[1])
