"""Answers to questions as lines for the terminal: what differs and why, what a score rests on."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.scoring.language import Language
from services.scoring.questions.words import NAMES, WORDS
from services.scoring.rulebooks.rulebook import Rulebook

Json = Mapping[str, Any]


def difference_lines(
    difference: Json, rulebooks: tuple[Rulebook, Rulebook], language: Language, *, simulated: bool = False
) -> Iterator[str]:
    """The lines that say what `xunjian diff --json` says."""
    words = WORDS[language]
    names = {one.id: one.level_3 for rulebook in rulebooks[::-1] for one in rulebook.indicators}
    if simulated:
        yield words["simulated"]
    for side in ("first", "second"):
        yield _asked(difference[side], words, words[side])
    if not difference["differ"]:
        yield words["same"]
    for row in difference["indicators"]:
        yield ""
        yield _row(row, names[row["id"]], words)
        for explanation in row["explanations"]:
            yield f"  {_cause(explanation['cause'], words)} [{explanation['score_change']}]"
            for change in explanation["changes"]:
                yield f"    {_change(change, words)}"


def why_lines(answer: Json, language: Language, *, simulated: bool = False) -> Iterator[str]:
    """The lines that say what `xunjian why --json` says, without the hashes and data of the events."""
    words = WORDS[language]
    if simulated:
        yield words["simulated"]
    yield _asked(answer, words, str(answer["year"]))
    for row in answer["indicators"]:
        yield ""
        shown = {name: _shown(row[name]) for name in ("actual", "score", "weight")}
        yield words["why_row"].format(name=row["words"]["level_3"], **shown)
        yield from _read_as(row, words)
        for deduction in row["deductions"]:
            yield words["deduction"].format(words=deduction[language])
            for event in deduction["events"]:
                yield words["evidence_event"].format_map(_event(event, words))
            for photo in deduction["photos"]:
                yield words["photo"].format_map(photo)


def _read_as(row: Json, words: Mapping[str, str]) -> Iterator[str]:
    yield words["standard"].format(words=row["words"]["standard"])
    yield words["content"].format(words=row["words"]["content"])
    parameters = " ".join(f"{name}={_joined(value)}" for name, value in row["rule"]["parameters"].items())
    kind = f"proportional/{row['rule']['type']}" if row["rule"]["proportional"] else row["rule"]["type"]
    yield words["rule"].format(type=kind, parameters=parameters).rstrip()
    for reading in row["readings"]:
        yield words["reading"].format(words=reading)
    figures = (f"{name}={_joined(value)}" for name, value in row["counted"]["figures"].items())
    yield words["figures"].format(words=" ".join(figures) or "–")
    yield words["counted"].format(number=len(row["counted"]["events"]))


def _asked(side: Json, words: Mapping[str, str], name: str) -> str:
    if side["total"] is None:
        total = words["provisional"].format(total=side["provisional_total"], weight=side["assessable_weight"])
    else:
        total = words["total"].format(total=side["total"], grade=side["grade"])
    known_at = side["known_at"] or words["everything"]
    asked = {"rulebook": side["rulebook"], "as_of": side["as_of"], "known_at": known_at}
    return words["asked"].format(side=name, total=total, **asked)


def _row(row: Json, name: str, words: Mapping[str, str]) -> str:
    one, other = row["first"] or {}, row["second"] or {}
    return words["row"].format(
        name=name,
        one=_shown(one.get("actual")),
        other=_shown(other.get("actual")),
        score_one=_shown(one.get("score")),
        score_other=_shown(other.get("score")),
        change=_signed(row["score_change"]),
    )


def _cause(cause: Json, words: Mapping[str, str]) -> str:
    if cause["kind"] == "event":
        event = cause["event"]
        return words["known" if cause["known"] else "unknown"].format_map(_event(event, words))
    if cause["kind"] == "day":
        told = words["and"].join(words["event"].format_map(_event(event, words)) for event in cause["events"])
        events = words["events"].format(events=told) if told else ""
        return words["come" if cause["come"] else "not_come"].format(day=cause["day"], events=events)
    pairs = (
        words["differs"].format(
            what=_named(one["what"], words), first=_joined(one["first"]), second=_joined(one["second"])
        )
        for one in cause["differs"]
    )
    return words["rulebook"].format(differs=words["and"].join(pairs))


def _change(change: Json, words: Mapping[str, str]) -> str:
    kind, before, after = change["what"], _shown(change["before"]), _shown(change["after"])
    if kind not in ("appeared", "disappeared", "points", "evidence"):
        before, after = _named(change["before"], words), _named(change["after"], words)
        return words["head"].format(what=words[kind], before=before, after=after)
    names = ("reason", "system_id", "period", "occurrence_id", "point_id")
    of = " ".join(_named(change[name], words) for name in names if change[name] is not None)
    return words[kind].format(before=before, after=after, of=of)


def _signed(change: str) -> str:
    return change if change.startswith("-") else f"+{change}"


def _named(name: Any, words: Mapping[str, str]) -> str:
    """In Chinese with its JSON name behind it; in English the JSON name alone."""
    chinese = NAMES.get(str(name)) if words is WORDS["zh"] else None
    return f"{chinese} {name}" if chinese else _shown(name)


def _event(event: Json, words: Mapping[str, str]) -> Json:
    return {**event, "type": _named(event["type"], words)}


def _joined(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{one}" for name, one in value.items())
    return ",".join(value) if isinstance(value, list) else _shown(value)


def _shown(value: Any) -> str:
    return "–" if value is None else str(value)
