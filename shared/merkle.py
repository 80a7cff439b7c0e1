"""Merkle trees of RFC 6962 (section 2.1) over the events of one ledger: a proof for one event needs no other event.

The leaf of an event is its canonical body, the same bytes that the chain hashes. Tree hashes are written `sha256:` and 64
hexadecimal digits.
"""

import hashlib
from collections.abc import Iterable, Sequence

_LEAF, _NODE = b"\0", b"\1"


class Tree:
    """The tree hash of a ledger that grows; it keeps one hash for each bit of its size, whatever that is."""

    def __init__(self, entries: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._peaks: list[bytes] = []
        for entry in entries:
            self.append(entry)

    def append(self, entry: bytes) -> None:
        """Take in the next entry."""
        peak, size = leaf(entry), self.size
        while size & 1:
            peak = _node(self._peaks.pop(), peak)
            size >>= 1
        self._peaks.append(peak)
        self.size += 1

    @property
    def root(self) -> str:
        """The tree hash of all entries so far; of none, the hash of nothing."""
        if not self._peaks:
            return _named(hashlib.sha256().digest())
        *rest, root = self._peaks
        for peak in reversed(rest):
            root = _node(peak, root)
        return _named(root)


def leaf(entry: bytes) -> bytes:
    """The hash of one entry."""
    return hashlib.sha256(_LEAF + entry).digest()


def audit_path(leaves: Sequence[bytes], index: int) -> list[str]:
    """The hashes that lead from the leaf at an index (from 0) to the root, nearest first (RFC 6962, 2.1.1)."""
    if len(leaves) == 1:
        return []
    half = _half(len(leaves))
    if index < half:
        return [*audit_path(leaves[:half], index), _named(_root(leaves[half:]))]
    return [*audit_path(leaves[half:], index - half), _named(_root(leaves[:half]))]


def root_by(entry: bytes, index: int, size: int, path: Sequence[str]) -> str | None:
    """The root to which a path leads from an entry at an index of a tree of a size; None where it cannot be its path."""
    found = _climb(leaf(entry), index, size, [bytes.fromhex(name.removeprefix("sha256:")) for name in path])
    return None if found is None else _named(found)


def _climb(node: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    if not 0 <= index < size or bool(path) != (size > 1):
        return None
    if size == 1:
        return node
    half, *below = _half(size), *path[:-1]
    if index < half:
        left = _climb(node, index, half, below)
        return None if left is None else _node(left, path[-1])
    right = _climb(node, index - half, size - half, below)
    return None if right is None else _node(path[-1], right)


def _root(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    half = _half(len(leaves))
    return _node(_root(leaves[:half]), _root(leaves[half:]))


def _half(size: int) -> int:
    """The largest power of two below a size of 2 or more."""
    return 1 << ((size - 1).bit_length() - 1)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


def _named(digest: bytes) -> str:
    return f"sha256:{digest.hex()}"
