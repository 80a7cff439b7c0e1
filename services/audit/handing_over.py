"""What `xunjian audit` hands over and takes back as files: bundles, proofs and seals. Each that leaves is recorded."""

import functools
import getpass
import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, ParamSpec
from urllib.parse import unquote

import click
from sqlalchemy.exc import DBAPIError
from uuid_utils import uuid7

from services.audit.check import check_bundle
from services.audit.events import event_lines, last_positions
from services.audit.proof import Proof, check_proof, read_proof, write_proof
from services.audit.report import SHOWN, content_of, counted, given_up, opened, read_key_file
from services.audit.snapshot import Unreadable, distinct, snapshot
from services.audit.verify import KEEPER, is_text
from services.scoring.publishing.bundle import LARGEST, Bundle, Changed, read_bundle, write_bundle
from services.scoring.publishing.evidence import Publication, gather, published
from services.scoring.publishing.seal import Statement
from services.scoring.publishing.seal_code import seal_code
from services.work_orders.tables import attachments
from shared.attachments import Attachments
from shared.contracts.scoring import EvidenceExported
from shared.database import Database
from shared.errors import Invalid, Refused, Unavailable
from shared.installation import clock_of
from shared.ledger import Done, Draft, Entry, Ledger
from shared.signing import PublicKey
from shared.unit import fingerprint

PHOTOS_OF = "work_orders"
_READ_ONLY = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
_NOT_PERMITTED = ("42501", "25006")
"""PostgreSQL: insufficient privilege, read-only transaction."""

Given = ParamSpec("Given")


def _told(task: Callable[Given, int]) -> Callable[Given, int]:
    """Say in one line what was refused, with exit status 2."""

    @functools.wraps(task)
    def carried_out(*args: Given.args, **kwargs: Given.kwargs) -> int:
        try:
            return task(*args, **kwargs)
        except (OSError, Refused) as fault:
            return given_up(fault)

    return carried_out


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which year of which facility of which installation; `by` is who takes it along."""

    data: Path
    config: Path | None
    facility: str | None
    year: int
    by: str | None


@dataclass(frozen=True, kw_only=True)
class _Found:
    databases: Mapping[str, Database]
    publication: Publication

    @property
    def facility(self) -> str:
        return self.publication.recorded.facility

    def bundle(self) -> Bundle:
        """The evidence, with the photos that deductions rest on where they are at hand."""
        bare = gather(self.databases[KEEPER], self.publication)
        return replace(bare, photos=dict(self._photos(bare.opened().photos())))

    def _photos(self, named: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        if PHOTOS_OF in self.databases:
            kept = Attachments(self.databases[PHOTOS_OF], attachments)
            found = ((sha256, kept.content(self.facility, sha256)) for sha256 in named)
            yield from ((sha256, content) for sha256, content in found if content is not None)


@_told
def export(asked: Asked, out: Path) -> int:
    """Write the bundle of what stands published; returns the exit status, 1 where it would not hold."""
    _must_have_a_folder(out)
    with _found(asked) as found:
        bundle = found.bundle()
        content = write_bundle(bundle)
        if faults := list(check_bundle(content, bundle, bundle.opened(), None)):
            return _print_faults(faults)
        _recorded(found.databases, found.facility, asked.by, f"bundle {asked.year}", content)
    out.write_bytes(content)
    click.echo(f"{out}: {len(content):,} bytes, {_what(found.publication.seal.statement)}")
    return 0


@_told
def events(data: Path, config: Path | None, facility: str | None, by: str | None) -> int:
    """Print every event of a facility, as far as each ledger goes now; returns the exit status."""
    with opened(data, config) as databases:
        home = _one_of(databases[KEEPER if KEEPER in databases else next(iter(databases))], facility)
        lasts = last_positions(databases, home)
        if KEEPER in databases:
            upto = ", ".join(f"{service} {last}" for service, last in lasts.items())
            _recorded(databases, home, by, f"events up to {upto}")
        for line in event_lines(databases, home, lasts):
            click.echo(line)
    return 0


@_told
def prove(asked: Asked, indicator: str, number: int, out: Path) -> int:
    """Write the proof of one deduction of what stands published; returns the exit status."""
    _must_have_a_folder(out)
    with _found(asked) as found:
        content = write_proof(gather(found.databases[KEEPER], found.publication), indicator, number)
        _recorded(found.databases, found.facility, asked.by, f"proof {asked.year} {indicator} {number}", content)
    out.write_bytes(content)
    click.echo(f"{out}: {len(content):,} bytes, deduction {number} of {indicator}")
    return 0


@_told
def seal(asked: Asked, out: Path | None, code: Path | None) -> int:
    """Print the seal of what stands published, or write it, and its QR code; returns the exit status."""
    picture = None if code is None else (code, _kind(code))
    with _found(asked) as found:
        sealed = found.publication.seal
    if picture is not None:
        picture[0].write_bytes(seal_code(sealed, picture[1]))
    if out is None:
        click.echo(sealed.as_bytes())
    else:
        out.write_bytes(sealed.as_bytes())
    return 0


@_told
def check(file: Path, key_files: tuple[Path, ...]) -> int:
    """Check a bundle or a proof offline, and print what was found; returns the exit status."""
    keys = [read_key_file(key) for key in key_files]
    try:
        content = content_of(file, LARGEST)
        return _check_bundle(content, keys) if content.startswith(b"PK") else _check_proof(content, keys)
    except Invalid as fault:
        raise Invalid(f"{file}: {fault}") from fault


def _check_bundle(content: bytes, keys: list[PublicKey]) -> int:
    try:
        bundle = read_bundle(content)
    except Changed as fault:
        return _print_faults([str(fault)])
    opened_ = bundle.opened()
    faults = list(check_bundle(content, bundle, opened_, keys))
    if faults:
        return _print_faults(faults)
    events = sum(map(len, bundle.events.values()))
    by = opened_.seal.signature
    said = f"{counted(events, 'event')}, {counted(len(bundle.photos), 'photo')}"
    click.echo(f"held: {_what(opened_.seal.statement)}, {said}")
    click.echo(f"sealed by {by.algorithm} key {by.key_id}")
    return 0


def _check_proof(content: bytes, keys: list[PublicKey]) -> int:
    proof = read_proof(content)
    if faults := list(check_proof(content, proof, keys)):
        return _print_faults(faults)
    click.echo(f"held: {_what(proof.seal.statement)}, deduction {proof.deduction} of {proof.indicator}")
    for line in _proven(proof):
        click.echo(f"  {line}")
    by = proof.seal.signature
    click.echo(f"sealed by {by.algorithm} key {by.key_id}")
    return 0


def _proven(proof: Proof) -> Iterator[str]:
    words = next((one for one in proof.rulebook.indicators if one.id == proof.indicator), None)
    if words is not None:
        yield f"{words.level_3}：{words.standard}"
    said = proof.proven or {}
    names = ("period", "system_id", "occurrence_id", "point_id")
    yield f"−{said['points']} {said['reason']} " + " ".join(str(said[name]) for name in names if said[name])
    for _, recorded, _ in proof.events:
        yield f"{recorded.type} {recorded.id}, {recorded.source} position {recorded.position}, by {recorded.actor}"


def _what(statement: Statement) -> str:
    total = "no total" if statement.total is None else f"total {statement.total}"
    mark = ", simulated" * statement.simulated
    return f"{statement.facility} {statement.assessment_id} as of {statement.as_of}, {total}{mark}"


def _print_faults(faults: list[str]) -> int:
    for fault in faults[:SHOWN]:
        click.echo(f"differs: {fault}")
    if len(faults) > SHOWN:
        click.echo(f"… and {len(faults) - SHOWN:,} more")
    return 1


@contextmanager
def _found(asked: Asked) -> Iterator[_Found]:
    """What stands published of the year that is asked for; raises Refused."""
    with opened(asked.data, asked.config) as databases:
        if KEEPER not in databases:
            raise Unreadable(f"the database of {KEEPER} is needed")
        facility = _one_of(databases[KEEPER], asked.facility)
        yield _Found(databases=databases, publication=published(databases[KEEPER], facility, asked.year))


def _one_of(database: Database, facility: str | None) -> str:
    """The facility that was asked for, or the only one there is."""
    with snapshot(database) as connection:
        known = [name for name in distinct(connection, "ledger", "facility") if is_text(name)]
    if facility is not None and facility not in known:
        raise Invalid(f"--facility: expected one of {', '.join(known) or 'none'}, not {facility}")
    if facility is None and len(known) != 1:
        raise Invalid(f"--facility: expected one of {', '.join(known) or 'none'}")
    return facility or known[0]


def _recorded(
    databases: Mapping[str, Database], facility: str, by: str | None, what: str, content: bytes | None = None
) -> None:
    """Record what is about to leave; of a copy that is only to be read, it is said that it was not."""
    sha256 = None if content is None else hashlib.sha256(content).hexdigest()
    by = by or f"user:{re.sub('[^A-Za-z0-9._-]', '-', getpass.getuser())[:80]}"
    try:
        _record(databases[KEEPER], facility, EvidenceExported(what=what, sha256=sha256, exported_by=by))
    except (DBAPIError, Unavailable) as raised:
        fault = raised.__cause__ if isinstance(raised, Unavailable) else raised  # a disk without room says why
        reason = " ".join(str(getattr(fault, "orig", None) or fault).split())
        if not isinstance(fault, DBAPIError) or not _is_read_only(fault):
            raise Unreadable(f"the export cannot be recorded, so nothing was handed over: {reason}") from fault
        click.echo(f"xunjian: this export is not recorded, since the database may only be read: {reason}", err=True)


def _is_read_only(fault: DBAPIError) -> bool:
    code = getattr(fault.orig, "sqlite_errorcode", None)
    return (code is not None and code & 0xFF in _READ_ONLY) or getattr(fault.orig, "sqlstate", "") in _NOT_PERMITTED


def _record(read_only: Database, facility: str, taken: EvidenceExported) -> None:
    by, cause, database = taken.exported_by, str(uuid7()), _writable(read_only)
    try:
        clock = clock_of(database, None)
        draft = Draft(stream=f"audit-access/{uuid7()}", version=1, event=taken, time=clock.now())
        done = Done(command_id=cause, fingerprint=fingerprint("export", facility, taken.data()), outcome=b"null")
        entry = Entry(facility=facility, drafts=[draft], actor=by, correlation_id=cause, causation_id=cause, done=done)
        Ledger(database, KEEPER, clock).append(entry)
    finally:
        database.close()


def _writable(database: Database) -> Database:
    if not database.sqlite:
        return Database(database.url.render_as_string(hide_password=False))
    return Database(f"sqlite:///{unquote(str(database.url.database).removeprefix('file:'))}")


def _must_have_a_folder(out: Path) -> None:
    """Refuse a place that cannot be written to, before it is recorded that something left."""
    if not out.parent.is_dir():
        raise Invalid(f"--out {out}: expected a folder that is there, not {out.parent}")


def _kind(code: Path) -> Literal["png", "svg"]:
    match code.suffix:
        case ".png":
            return "png"
        case ".svg":
            return "svg"
        case _:
            raise Invalid(f"--code {code}: expected a file that ends in .png or .svg")
