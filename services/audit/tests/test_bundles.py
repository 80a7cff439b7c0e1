"""A bundle holds by itself and a public key alone, and with any byte of it changed it does not."""

import hashlib
import random
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.audit.check import check_bundle
from services.audit.tests.installation import HALL
from services.audit.tests.originals import PUBLISHED, Originals
from services.scoring.evaluation import result_bytes
from services.scoring.offline import score_file
from services.scoring.publishing.bundle import Bundle, read_bundle, write_bundle
from services.scoring.publishing.evidence import gather
from services.scoring.publishing.evidence import published as publication
from services.scoring.publishing.seal import Seal, read_seal, sealed
from services.scoring.tests.sealing import KEY
from shared.contracts.scoring import AssessmentPublished
from shared.errors import Invalid
from shared.event import canonical
from shared.ledger import chained, envelope, stripped
from shared.signing import new_key


@dataclass(frozen=True)
class Made:
    """A bundle, and what was published in it."""

    bundle: Bundle
    content: bytes
    event: AssessmentPublished


@pytest.fixture(scope="module")
def made(originals: Originals, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """The bundle of a small hall's year, with a photo beside it."""
    folder = tmp_path_factory.mktemp("bundle")
    with originals.copy(PUBLISHED, "sqlite", folder) as hall:
        found = publication(hall.databases["scoring"], HALL, 2021)
        photo = b"a photo"
        bare = gather(hall.databases["scoring"], found)
        bundle = replace(bare, photos={hashlib.sha256(photo).hexdigest(): photo})
        yield Made(bundle, write_bundle(bundle), found.event)


def faults(content: bytes) -> list[str]:
    """What is wrong with a zip; what cannot even be read counts as one fault."""
    try:
        bundle = read_bundle(content)
        return list(check_bundle(content, bundle, bundle.opened(), [KEY.public]))
    except Invalid as refused:
        return [str(refused)]


def written(files: Mapping[str, bytes]) -> bytes:
    """A zip of files, as `write_bundle` makes one."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, files[name])
    return made.getvalue()


def files_of(content: bytes) -> dict[str, bytes]:
    """The files of a zip by name."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def test_a_bundle_holds_by_itself_and_its_key(made: Made) -> None:
    assert faults(made.content) == []
    assert read_bundle(made.content) == made.bundle
    assert sorted(files_of(made.content)) == [
        "events/asset_registry.jsonl", "events/scheduling.jsonl", "events/scoring.jsonl", "events/work_orders.jsonl",
        "index.html", f"photos/{next(iter(made.bundle.photos))}", "result.json", "rulebook.yaml", "seal.json",
    ]  # fmt: skip


def test_with_any_byte_changed_it_does_not(made: Made) -> None:
    draw, size = random.Random(4), len(made.content)
    directory = made.content.index(b"PK\x01\x02")
    places = {*draw.sample(range(size), 400), *range(directory, size, 3), *range(60)}

    for at in sorted(places):
        changed = bytearray(made.content)
        changed[at] ^= 1 << draw.randrange(8)
        assert faults(bytes(changed)), f"byte {at}"


@pytest.mark.parametrize("change", ["cut", "longer", "before", "empty"])
def test_a_shorter_or_longer_one_does_not(made: Made, change: str) -> None:
    whole = made.content
    changed = {"cut": whole[:-1], "longer": whole + b"\0", "before": b"\0" + whole, "empty": b""}[change]

    assert faults(changed)


def test_each_forgery_is_named(made: Made, subtests: pytest.Subtests) -> None:
    files = files_of(made.content)
    result = orjson.loads(files["result.json"])
    better = canonical({**result, "total": "100.00"})
    lines = made.bundle.events["work_orders"]
    forgeries: dict[str, tuple[dict[str, bytes], str]] = {
        "a better result": ({"result.json": better}, "result.json: its sha256 is"),
        "another rulebook": ({"rulebook.yaml": files["rulebook.yaml"] + b"\n"}, "rulebook.yaml: its sha256 is"),
        "a page that lies": (
            {"index.html": files["index.html"].replace("扣分".encode(), "加分".encode())},
            "the zip is not what its files make: byte",
        ),
        "an event less": (
            {"events/work_orders.jsonl": b"".join(line + b"\n" for line in lines[:-1])},
            "events/work_orders.jsonl: ends at position 5",
        ),
        "an event changed": (
            {"events/work_orders.jsonl": files["events/work_orders.jsonl"].replace(b"2021-11-09", b"2021-11-10", 1)},
            "events/work_orders.jsonl:1: hash is",
        ),
        "events computed anew": (
            {"events/work_orders.jsonl": b"".join(line + b"\n" for line in _anew(lines))},
            "events/work_orders.jsonl: ends at position 6",
        ),
        "an event of another facility": (
            {
                "events/work_orders.jsonl": files["events/work_orders.jsonl"].replace(
                    b'"facility":"hall"', b'"facility":"mall"', 1
                )
            },
            "events/work_orders.jsonl:1: is of facility mall, expected hall",
        ),
        "a result without weights": (
            {"result.json": files["result.json"].replace(b'"weight"', b'"height"')},
            "index.html: ",
        ),
        "a source less": ({"events/scheduling.jsonl": b""}, "events/scheduling.jsonl: ends at position 0"),
        "another photo": ({f"photos/{64 * '0'}": b"x"}, f"photos/{64 * '0'}: its sha256 is"),
    }
    for forgery, (changed, what) in forgeries.items():
        with subtests.test(forgery):
            found = faults(written({**files, **changed}))

            assert any(one.startswith(what) for one in found), found


def _anew(lines: Any) -> Iterator[bytes]:
    """The events of a ledger with another date, every hash computed anew."""
    hash_ = ""
    for line in lines:
        members = orjson.loads(stripped(line)[0])
        members["prevhash"] = hash_ or members["prevhash"]
        if "performed_at" in members["data"]:
            members["data"]["performed_at"] = "2021-10-09T12:00:00+08:00"
        body = canonical(members)
        hash_ = chained(members["prevhash"], body)
        yield envelope(body, hash_)


def test_a_seal_of_ones_own_making_is_by_a_key_that_is_not_known(made: Made) -> None:
    own, seal = new_key(), read_seal(made.bundle.seal)
    said = seal.statement
    publication_ = sealed(
        replace(made.event, published_by="user:x"), said.facility, said.sealed_at, own, simulated=True
    )
    assert publication_.seal is not None
    forged = replace(seal, statement=replace(said, published_by="user:x"), signature=publication_.seal)
    content = write_bundle(replace(made.bundle, seal=forged.as_bytes()))
    named = replace(forged, signature=replace(publication_.seal, key_id=seal.signature.key_id))

    (refused,) = faults(content)
    differs = faults(write_bundle(replace(made.bundle, seal=named.as_bytes())))

    assert refused.startswith("sealed by key ")
    assert differs == ["seal.json: the signature does not hold"]


def test_a_tree_hash_that_the_ledger_does_not_give_is_named(made: Made) -> None:
    said = read_seal(made.bundle.seal).statement
    other = replace(said.heads["work_orders"], root=f"sha256:{64 * '0'}")
    wrong = replace(made.event, heads={**said.heads, "work_orders": other})
    publication_ = sealed(wrong, said.facility, said.sealed_at, KEY, simulated=True)
    assert publication_.seal is not None
    seal = Seal(statement=replace(said, heads=publication_.heads), signature=publication_.seal)

    (found,) = faults(write_bundle(replace(made.bundle, seal=seal.as_bytes())))

    assert found.startswith("events/work_orders.jsonl: its tree hash is sha256:")


def test_a_result_that_was_never_signed_by_two_is_named(made: Made) -> None:
    files = files_of(made.content)
    once = made.bundle.events["scoring"][:-1]

    found = faults(written({**files, "events/scoring.jsonl": b"".join(line + b"\n" for line in once)}))

    assert "the result was signed by 1, expected 2 different people" in found


def _zip(*entries: tuple[str, bytes], compress: int = zipfile.ZIP_STORED) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", compress) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return made.getvalue()


def test_what_is_no_bundle_is_refused_with_the_reason(made: Made, subtests: pytest.Subtests) -> None:
    files = files_of(made.content)
    bomb = _zip(("result.json", bytes(50_000_000)), compress=zipfile.ZIP_DEFLATED)
    refused = {
        "text": (b"no zip", "expected a zip"),
        "an empty zip": (_zip(), "expected the file seal.json in it"),
        "a bomb": (bomb, "expected the file result.json stored as it is, not compressed from 50000000 bytes"),
        "a way out": (_zip(("../../etc/passwd", b"x")), "expected no file '../../etc/passwd' in it"),
        "an absolute name": (_zip(("/etc/passwd", b"x")), "expected no file '/etc/passwd' in it"),
        "a name of a photo that leads out": (_zip(("photos/../x", b"x")), "expected no file 'photos/../x' in it"),
        "half of it": (made.content[: len(made.content) // 2], "expected a zip"),
        "a result that is none": (written({**files, "result.json": b"[]"}), "result.json: expected a JSON object"),
        "a result without rows": (written({**files, "result.json": b"{}"}), "index.html"),
        "a seal that is none": (written({**files, "seal.json": b"{}"}), "seal.json: expected a seal"),
        "a rulebook that is none": (written({**files, "rulebook.yaml": b"- x"}), "rulebook.yaml: expected a mapping"),
        "events that are none": (written({**files, "events/scoring.jsonl": b"{}\n"}), "events/scoring.jsonl:1: "),
        "no line break": (written({**files, "events/scoring.jsonl": b"x"}), "expected a line break at its end"),
    }
    for name, (content, why) in refused.items():
        with subtests.test(name):
            found = faults(content)

            assert why in " | ".join(found)


def test_a_file_that_is_there_twice_is_refused(made: Made) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = _zip(("seal.json", made.bundle.seal), ("seal.json", b"{}"))

    assert faults(content) == ["expected the file seal.json once"]


def test_the_same_parts_make_the_same_bytes(made: Made) -> None:
    again = read_bundle(made.content)

    assert write_bundle(replace(again, photos=dict(reversed(list(again.photos.items()))))) == made.content


def test_the_page_says_what_the_result_says(made: Made) -> None:
    page, result = files_of(made.content)["index.html"].decode(), orjson.loads(made.bundle.result)

    assert "模拟数据" in page
    assert f"总分 total {result['total']}" in page
    for row in result["indicators"]:
        assert f'id="{row["id"]}"' in page
        for deduction in row["deductions"]:
            assert all(id_ in page for id_ in deduction["evidence"])


def test_scripts_in_words_stay_words(made: Made) -> None:
    text = made.bundle.rulebook.replace("政务大厅档案区气体灭火系统".encode(), b"<script>alert(1)</script>")

    page = files_of(write_bundle(replace(made.bundle, rulebook=text)))["index.html"].decode()

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_events_of_a_bundle_are_those_that_score_reads(made: Made, tmp_path: Path) -> None:
    result = orjson.loads(made.bundle.result)
    (tmp_path / "all.jsonl").write_bytes(
        b"".join(line + b"\n" for lines in made.bundle.events.values() for line in lines)
    )
    (tmp_path / "rulebook.yaml").write_bytes(made.bundle.rulebook)

    scored = score_file(tmp_path / "all.jsonl", str(tmp_path / "rulebook.yaml"), result["as_of"], result["known_at"])

    assert result_bytes(scored) == made.bundle.result
