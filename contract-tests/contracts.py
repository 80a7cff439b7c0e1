"""`make contracts`: who publishes what to whom, and whether anybody can no longer read what they need.

contract-tests/contracts.py                 the matrix and the check; 1 where something breaks, with whom it breaks
contract-tests/contracts.py --write-pacts   write what the consumers say now to contract-tests/pacts/
contract-tests/contracts.py --release       keep the schemas as they are now as those of the last release
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from compatibility import Break, Schema, paths_of, since_release, unmet
from consumers import Consumer, consumers

from shared.catalogue.documents import published_types
from shared.catalogue.json_schema import envelope_schema, event_schema

HERE = Path(__file__).parent
RELEASED = HERE / "released" / "schemas.json"


def main(arguments: Sequence[str]) -> int:
    """Do one of the three; 0 held, 1 something breaks, 2 wrong use."""
    match list(arguments):
        case []:
            return _report()
        case ["--write-pacts"]:
            return _write_pacts()
        case ["--release"]:
            RELEASED.write_text(json.dumps(present(), ensure_ascii=False, indent=1, sort_keys=True) + "\n")
            return 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2


def present() -> dict[str, Schema]:
    """The contract as the classes declare it now: the schema of each event's data by its type, and of the envelope."""
    return {"envelope": envelope_schema(), **{name: event_schema(cls) for name, cls in published_types().items()}}


def released() -> Mapping[str, Schema]:
    """The contract of the last release."""
    known: dict[str, Any] = json.loads(RELEASED.read_text())
    return known


def breaks(now: Mapping[str, Schema], who: Sequence[Consumer]) -> list[Break]:
    """All that breaks, each thing once: against the release, and against what consumers need."""
    found = [*since_release(released(), now, who), *unmet(now, who)]
    return list({(one.type, one.path, one.why): one for one in reversed(found)}.values())[::-1]


def matrix(now: Mapping[str, Schema], who: Sequence[Consumer]) -> Iterator[str]:
    """A line an event: how many fields each consumer reads of it; `keeps` where it only keeps the event as it came."""
    types = sorted(set(now) - {"envelope"})
    width = max(map(len, types))
    yield "  ".join([f"{'event':{width}}", *(one.name for one in who)])
    for type_ in types:
        cells = [f"{_cell(one, type_):>{len(one.name)}}" for one in who]
        yield "  ".join([f"{type_:{width}}", *cells])


def _cell(consumer: Consumer, type_: str) -> str:
    if read := paths_of(consumer, type_):
        return str(len(read))
    return "keeps" if type_.partition(".")[0] in consumer.follows_all_of else "."


def _report() -> int:
    now, who = present(), consumers()
    for line in matrix(now, who):
        print(line)
    found = breaks(now, who)
    for one in found:
        print(one, file=sys.stderr)
    if not found:
        print(f"{len(now) - 1} events, {len(who)} consumers: nothing breaks")
    return 1 if found else 0


def _write_pacts() -> int:
    from pacts import PACTS, file_of, written

    PACTS.mkdir(exist_ok=True)
    made = {file_of(one.name, source): written(one, source) for one in consumers() for source in one.sources}
    for file in PACTS.iterdir():
        if file.name not in made:
            file.unlink()
    for name, content in made.items():
        (PACTS / name).write_bytes(content)
    print(f"{PACTS.name}: {len(made)} pacts")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
