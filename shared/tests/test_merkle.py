"""Merkle trees as RFC 6962 defines them, and proofs that hold for one entry and no other."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.merkle import Tree, audit_path, leaf, root_by

# The eight entries and the roots of their trees, as the log clients of RFC 6962 test themselves with.
ENTRIES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
           "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

entries = st.lists(st.binary(max_size=8), min_size=1, max_size=40)


def defined_root(hashes: Sequence[bytes]) -> bytes:
    """The tree hash by the recursive definition of section 2.1, word for word."""
    if len(hashes) == 1:
        return hashlib.sha256(b"\0" + hashes[0]).digest()
    half = max(1 << power for power in range(len(hashes).bit_length()) if 1 << power < len(hashes))
    return hashlib.sha256(b"\1" + defined_root(hashes[:half]) + defined_root(hashes[half:])).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_the_root_of_a_growing_tree_is_the_published_one(size: int) -> None:
    assert Tree(ENTRIES[:size]).root == f"sha256:{ROOTS[size - 1]}"


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert Tree().root == f"sha256:{hashlib.sha256().hexdigest()}"


@given(entries)
def test_a_tree_that_grows_has_the_root_of_the_definition(found: list[bytes]) -> None:
    assert Tree(found).root == f"sha256:{defined_root(found).hex()}"


@given(entries, st.data())
def test_a_path_leads_from_its_entry_to_the_root(found: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(found) - 1))

    path = audit_path([leaf(entry) for entry in found], index)

    assert root_by(found[index], index, len(found), path) == Tree(found).root


@given(entries, st.data())
def test_no_other_entry_place_or_path_leads_there(found: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(found) - 1))
    path, root = audit_path([leaf(entry) for entry in found], index), Tree(found).root
    other = data.draw(st.binary(max_size=8).filter(lambda entry: entry != found[index]))

    assert root_by(other, index, len(found), path) != root
    assert root_by(found[index], index, len(found), [*path, root]) != root
    assert root_by(found[index], len(found), len(found), path) is None
    if path:
        assert root_by(found[index], index, len(found), path[1:]) != root
        step = data.draw(st.integers(0, len(path) - 1))
        assert (
            root_by(found[index], index, len(found), [*path[:step], other_hash(path[step]), *path[step + 1 :]]) != root
        )


def other_hash(name: str) -> str:
    """A hash that differs in one bit."""
    digest = bytearray.fromhex(name.removeprefix("sha256:"))
    digest[0] ^= 1
    return f"sha256:{digest.hex()}"
