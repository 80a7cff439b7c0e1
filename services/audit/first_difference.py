"""Where two results part, in words: the first place at which their JSON differs."""

from collections.abc import Mapping
from typing import Any

import orjson


def first_difference(expected: bytes, found: bytes) -> str:
    """The first place, by path, at which two JSON texts differ, and what stands there; that they are not the same bytes else."""
    try:
        place = _differ(orjson.loads(expected), orjson.loads(found), "")
    except orjson.JSONDecodeError as fault:
        return f"what was kept is no JSON: {fault.msg}"
    return place or "the bytes differ, though the values do not: it is not canonical JSON"


def _differ(expected: Any, found: Any, path: str) -> str | None:
    match expected, found:
        case dict(), dict():
            return _members(expected, found, path)
        case list(), list():
            places = (
                _differ(one, other, f"{path}[{number}]")
                for number, (one, other) in enumerate(zip(expected, found, strict=False))
            )
            longer = f"{path}: {len(expected)} expected, {len(found)} found" if len(expected) != len(found) else None
            return next((place for place in places if place), longer)
        case _:
            same = type(expected) is type(found) and expected == found
            return None if same else f"{path}: {_shown(expected)} expected, {_shown(found)} found"


def _members(expected: Mapping[str, Any], found: Mapping[str, Any], path: str) -> str | None:
    for name in sorted(expected.keys() | found.keys()):
        below = f"{path}.{name}" if path else name
        if name not in found:
            return f"{below}: {_shown(expected[name])} expected, nothing found"
        if name not in expected:
            return f"{below}: nothing expected, {_shown(found[name])} found"
        if place := _differ(expected[name], found[name], below):
            return place
    return None


def _shown(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 80 else f"{text[:79]}…"
