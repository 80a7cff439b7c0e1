"""One facility's ledger, followed link by link: what a row says against its own content and against the row before."""

import hashlib
from typing import Any

import orjson

import shared.contracts  # noqa: F401  # makes every event type known
from shared.errors import Refused
from shared.event import Recorded, canonical, read
from shared.ledger import GENESIS, chained

Found = tuple[int, str]
"""A position, and what is wrong there."""

_COLUMNS = ("position", "facility", "event_id", "stream", "version", "type", "source")
_MEMBERS = ("position", "facility", "id", "subject", "streamversion", "type", "source")


class Chain:
    """Follows events from the first one on.

    After each, `position` and `hash` are as stored, `members` is its JSON object, and `recorded` the event, or None
    where it cannot be read.
    """

    def __init__(self, position: int = 0, hash_: str = GENESIS) -> None:
        self.position = position
        self.hash = hash_
        self.recorded: Recorded | None = None
        self.members: dict[str, Any] = {}
        self._computed = hash_

    def follow(self, position: Any, body: Any, hash_: Any) -> list[Found]:
        """Take in the next row, whose values may be anything; returns what is wrong with it."""
        faults = self._step(position)
        before = () if faults else (self.hash, self._computed)
        self.recorded, self.members, self.hash, self._computed = None, {}, hash_, ""
        if type(body) is not bytes or type(hash_) is not str:
            return [*faults, (self.position, "body or hash is not of the type that was written")]
        whats = self._read(body, hash_)
        prevhash = str(self.members.get("prevhash", GENESIS))
        # Where the hash alone was changed, the next event still names the true one; where events are missing, any.
        if before and prevhash not in before and self.members:
            whats.append(f"prevhash is {prevhash}, but the hash of the event before is {shown(before[0])}")
        self._computed = chained(prevhash, body)
        if self._computed != hash_:
            whats.append(f"hash is {shown(hash_)}, but the content gives {self._computed}")
        return [*faults, *((self.position, what) for what in whats)] if whats or faults else faults

    def _step(self, position: Any) -> list[Found]:
        expected, self.position = self.position + 1, position
        if position == expected and type(position) is int:
            return []
        if type(position) is not int:
            self.position = expected
            return [(expected, f"the position is {shown(position)}")]
        if position < expected:
            return [(position, f"is out of order, expected {expected}")]
        return [(expected, "is missing" if position == expected + 1 else f"is missing, with all up to {position - 1}")]

    def _read(self, body: bytes, hash_: str) -> list[str]:
        try:
            members = orjson.loads(body)
            whats = [] if canonical(members) == body else ["the body is not in canonical form (RFC 8785)"]
        except (
            AttributeError,
            RecursionError,
            TypeError,
            ValueError,
        ) as fault:  # no object, too deep, a float, no JSON
            return [f"the body is no canonical JSON object: {fault}"]
        self.members = members
        try:
            self.recorded = read(body, hash_)
        except Refused as fault:
            whats.append(f"the event cannot be read: {fault}")
        return whats


class LedgerChain(Chain):
    """A chain whose rows say the same in columns, and whose streams have no gaps.

    Memory grows with the number of streams, not with that of events.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self._source = f"/{service}"
        self._versions: dict[str, Any] = {}

    def compare(self, facility: Any, event_id: Any, stream: Any, version: Any, type_: Any) -> list[Found]:
        """Hold the columns of the row that was followed last against its body, and its place against its stream."""
        columns = (self.position, facility, event_id, stream, version, type_, self._source)
        members = tuple(map(self.members.get, _MEMBERS))
        faults: list[Found] = []
        if columns != members and self.members:
            rows = zip(_COLUMNS, columns, _MEMBERS, members, strict=True)
            faults = [
                (self.position, f"{column} is {shown(stands)}, but {member} in the body is {shown(told)}")
                for column, stands, member, told in rows
                if stands != told
            ]
            stream, version = str(members[3]), members[4]
        expected = self._versions.get(stream, 0) + 1
        if version != expected:
            faults.append((self.position, f"is number {shown(version)} of {shown(stream)}, expected {expected}"))
        self._versions[stream] = version if type(version) is int else expected
        return faults


def shown(value: Any) -> str:
    """A value in a line of text: as it is if it is an ordinary word, else as Python writes it."""
    return value if isinstance(value, str) and value.isprintable() and value else repr(value)


def sha256_of(content: Any) -> str:
    """SHA-256 in hexadecimal of bytes as a database gives them, or of what else somebody put there."""
    return hashlib.sha256(content if isinstance(content, bytes) else repr(content).encode()).hexdigest()
