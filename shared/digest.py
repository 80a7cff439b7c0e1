"""A digest of a row that no chain covers: whoever changes the row, and not the digest too, is found out."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

COLUMN = "digest"


def digest(row: Mapping[str, Any]) -> str:
    """SHA-256 in hexadecimal over the JSON of a row's other columns, by name: bytes as their own SHA-256, truth as 0 or 1.

    Raises TypeError for a value that no such row holds.
    """
    plain = {str(name): _plain(value) for name, value in row.items() if name != COLUMN}
    return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def digested(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its digest."""
    return {**row, COLUMN: digest(row)}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return [hashlib.sha256(value).hexdigest()]
    return int(value) if isinstance(value, bool) else value
