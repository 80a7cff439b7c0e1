"""The score of a file of events: read, check and evaluate, with no service, broker or database."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
from marshmallow import ValidationError

import shared.contracts  # noqa: F401  # makes every event type known
from services.scoring.evaluation import Result, evaluate
from services.scoring.facts import Facts
from services.scoring.rulebooks.rulebook import LARGEST, Rulebook, read_rulebook
from shared.errors import Invalid, Refused
from shared.event import Moment, Recorded, check, flat
from shared.schema import Id, schema_of

PROJECTS = Path(__file__).resolve().parents[2] / "projects"
"""Where a rulebook is looked for that is asked for by its bare name."""


@dataclass(frozen=True, kw_only=True)
class _Envelope:
    """What the score needs of an envelope, beside `data`."""

    id: Id
    source: str
    type: str
    time: Moment
    recordedat: Moment
    facility: Id


@dataclass(frozen=True, kw_only=True)
class _Question:
    """What is asked of the facts."""

    as_of: date
    known_at: Moment | None = None


_NEEDED = (*_Envelope.__dataclass_fields__, "data", "simulated")
_SHOWN: Mapping[str, type] = {"subject": str, "position": int, "actor": str, "prevhash": str, "hash": str}
"""What is shown of an event beside a score, where it is there and of its type; the score itself does without."""
_ENVELOPE = schema_of(_Envelope)


def score_file(events: Path, rulebook: str, as_of: str, known_at: str | None = None) -> Result:
    """Score the events of a JSON Lines file by a rulebook's file or bare name.

    `as_of` is YYYY-MM-DD, `known_at` RFC 3339 with offset. Raises Invalid that says what is wrong and where: file,
    line and field, and what was expected.
    """
    (result,) = score_file_by_each(events, [rulebook], as_of, known_at)
    return result


def score_file_by_each(
    events: Path, rulebooks: Sequence[str], as_of: str, known_at: str | None = None
) -> Sequence[Result]:
    """As `score_file`, by each of some rulebooks; the events are read once."""
    day, moment = read_question(as_of, known_at)
    books = [load_rulebook(rulebook) for rulebook in rulebooks]
    facts = load_events(events)
    return [evaluate(facts, book, day, moment, known_at_given=known_at) for book in books]


def read_question(as_of: str, known_at: str | None, prefix: str = "") -> tuple[date, datetime | None]:
    """The day and the moment of a question; raises Invalid that names the field, after `prefix`, and what was expected."""
    try:
        asked = schema_of(_Question).load({"as_of": as_of, "known_at": known_at})
    except ValidationError as fault:
        raise Invalid({f"{prefix}{field}": whys for field, whys in flat(fault.messages_dict).items()}) from fault
    return asked["as_of"], asked["known_at"]


def load_rulebook(path_or_name: str) -> Rulebook:
    """Read the rulebook of a file, or one of the projects' by its bare name (`mof-2020`)."""
    path = rulebook_path(path_or_name)
    text = rulebook_text(path)
    try:
        return read_rulebook(text)
    except Invalid as fault:
        raise Invalid(_placed(str(path), fault)) from fault


def rulebook_path(path_or_name: str) -> Path:
    """Where a rulebook lies that is asked for by its file or its bare name; raises Invalid."""
    path = Path(path_or_name)
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,80}", path_or_name) or path.exists():
        return path
    named = sorted(PROJECTS.glob(f"*/rulebooks/{path_or_name}.yaml"))
    known = ", ".join(sorted(file.stem for file in PROJECTS.glob("*/rulebooks/*.yaml")))
    if len(named) != 1:
        raise Invalid(f"{path_or_name}: expected a rulebook's file or one of {known}")
    return named[0]


def rulebook_text(path: Path) -> bytes:
    """The bytes of a rulebook's file, no more than `read_rulebook` would refuse; raises Invalid."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as fault:
        raise Invalid(f"{path}: expected a file that can be read: {fault.strerror}") from fault


def load_events(path: Path) -> Facts:
    """Read the events of one facility from a JSON Lines file, an envelope a line."""
    facts = Facts()
    seen: dict[str, tuple[int, bytes]] = {}
    for number, line in _lines(path):
        try:
            envelope = _parsed(line)
            recorded = _recorded(envelope)
            # What the score does not need of an envelope may not differ either.
            content = orjson.dumps(envelope, option=orjson.OPT_SORT_KEYS)
            first, known = seen.setdefault(recorded.id, (number, content))
            if known != content:
                raise Invalid({"id": [f"{recorded.id} differs from line {first}, expected the same envelope"]})
            facts.add(recorded)
        except Refused as fault:
            raise Invalid(_placed(f"{path}:{number}", fault)) from fault
    if not seen:
        raise Invalid(f"{path}: expected at least one event")
    return facts


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The numbered lines of a file, of which only the last may be blank."""
    lines = _read(path).rstrip().split(b"\n")
    return enumerate(lines if lines != [b""] else [], start=1)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise Invalid(f"{path}: expected a file that can be read: {fault.strerror}") from fault


def _parsed(line: bytes) -> Any:
    """One line's JSON value, strictly: UTF-8, no NaN, no member told twice."""
    if not line.strip():
        raise Invalid("expected an event, not a blank line")
    try:
        value = orjson.loads(line)
        json.loads(line, object_pairs_hook=_distinct)
    except orjson.JSONDecodeError as fault:
        raise Invalid(f"column {fault.colno}: expected JSON: {fault.msg}") from fault
    except RecursionError as fault:
        raise Invalid("expected JSON of a few levels") from fault
    return value


def _distinct(members: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in members]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Invalid({twice: ["expected each member only once"]})


def _recorded(envelope: Any) -> Recorded:
    if not isinstance(envelope, dict):
        raise Invalid("expected an event, a JSON object")
    if faults := flat(_ENVELOPE.validate(envelope)):
        raise Invalid(faults)
    shown = {name: envelope[name] for name, kind in _SHOWN.items() if type(envelope.get(name)) is kind}
    return check(shown | {name: envelope[name] for name in _NEEDED if name in envelope})


def _placed(place: str, fault: Refused) -> str:
    """One line: where, then what."""
    return " ".join(f"{place}: {fault}".split())
