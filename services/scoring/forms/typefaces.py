"""The two faces that everything is printed in (Noto Serif SC, Noto Sans SC): their files, and how wide text is in them."""

from functools import cache
from pathlib import Path

import pylopdf_fonts_zh_cn

SERIF: Path = pylopdf_fonts_zh_cn.serif_path()
SANS: Path = pylopdf_fonts_zh_cn.sans_path()


@cache
def characters(face: Path) -> frozenset[int]:
    """The code points that a face has."""
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # noqa: PLC0415  # half a second that only printing needs

    with TTFont(face) as font:
        return frozenset(font.getBestCmap())


def printable(text: str, face: Path) -> str:
    """A text with 〓, the printer's mark of a missing type, for what a face has not; line ends stay."""
    known = characters(face)
    return "".join(character if character == "\n" or ord(character) in known else "〓" for character in text)
