"""An xlsx workbook as the archive that it is: opened with bounds, looked through, and packed anew for its reader.

Whoever sends a workbook may have made it to fill the memory: an archive that grows a thousandfold, a cell at the far end
of the sheet, one name twice. The reader is therefore given only what was looked at here.
"""

import posixpath
import zipfile
import zlib
from io import BytesIO
from typing import NoReturn
from xml.parsers import expat

from shared.errors import Invalid
from shared.sheets.scan import Scan, attributes_of

MOST_BYTES = 200 * 1024 * 1024
"""How large a workbook's parts may be together once they are unpacked."""
MOST_PARTS = 1000
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
"""What an xlsx workbook says of itself; one with macros or a template says something else."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORKBOOK, _RELATIONS, _STRINGS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedstrings.xml"


class Archive:
    """The parts of a workbook, and what a scan found in each that could be a sheet; raises Invalid."""

    def __init__(self, content: bytes) -> None:
        self._parts = _unpacked(content)
        kinds = self._parts.get("[Content_Types].xml", b"")
        if _WORKBOOK not in self._parts or _RELATIONS not in self._parts or SHEET.encode() not in kinds:
            _refuse("this archive is no workbook, or one of another kind")
        self._scans = {name: self._scan(name) for name in self._parts if _may_be_a_sheet(name)}

    def sheets(self) -> list[tuple[str, Scan]]:
        """The sheets by name, in their order."""
        targets = {one.get("Id"): one.get("Target", "") for one in self._elements(_RELATIONS, "Relationship")}
        found = []
        for sheet in self._elements(_WORKBOOK, "sheet"):
            relation = next((value for name, value in sheet.items() if name.endswith(":id")), None)
            part = posixpath.normpath(posixpath.join("/xl", targets.get(relation, ""))).lstrip("/")
            found.append((sheet.get("name", ""), self._scans.get(part) or Scan(b"<none/>")))
        return found

    def repacked(self) -> BytesIO:
        """The parts that were looked at, as an archive again."""
        target = BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for name, content in self._parts.items():
                archive.writestr(name, content)
        target.seek(0)
        return target

    def _scan(self, part: str) -> Scan:
        try:
            return Scan(self._parts[part])
        except (expat.ExpatError, ValueError) as fault:
            _refuse(f"its part {part} cannot be read: {fault}")

    def _elements(self, part: str, element: str) -> list[dict[str, str]]:
        try:
            return attributes_of(element, self._parts[part])
        except (expat.ExpatError, ValueError) as fault:
            _refuse(f"its part {part} cannot be read: {fault}")


def _refuse(why: str) -> NoReturn:
    raise Invalid({"file": [f"expected an xlsx workbook; {why}"]})


def _may_be_a_sheet(part: str) -> bool:
    return part.endswith(".xml") and part.lower() != _STRINGS


def _unpacked(content: bytes) -> dict[str, bytes]:
    """The XML parts of an archive by name; whatever else is in it is left out."""
    if content.startswith(_OLE):
        locked = "EncryptedPackage".encode("utf-16-le") in content
        _refuse("this one is encrypted, save it without a password" if locked else "this one is of an older kind (xls)")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return {info.filename: archive.read(info) for info in _bounded(archive)}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError, ValueError, zlib.error) as fault:
        _refuse(f"this file cannot be unpacked: {fault}")


def _bounded(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    infos = archive.infolist()
    if any(info.flag_bits & 1 for info in infos):
        _refuse("this one is encrypted, save it without a password")
    if len(infos) > MOST_PARTS or len({info.filename.lower() for info in infos}) < len(infos):
        _refuse(f"this archive has more than {MOST_PARTS} parts, or one of them twice")
    if sum(info.file_size for info in infos) > MOST_BYTES:
        _refuse(f"unpacked, this one would be larger than {MOST_BYTES // 1024 // 1024} MiB")
    return [info for info in infos if info.filename.endswith((".xml", ".rels"))]
