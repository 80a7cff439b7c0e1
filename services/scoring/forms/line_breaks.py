"""Where lines of Chinese text break: between any two characters, but not inside a word or number of Latin letters, not
before what closes and not after what opens (避头尾). Pure."""

import re
from collections.abc import Callable, Iterator
from unicodedata import east_asian_width

_NEVER_FIRST = "，。、；：！？）》】〕﹞”’％%)]},.;:!?…"
_NEVER_LAST = "（《【〔﹝“‘([{"
_UNIT = re.compile(rf"[{re.escape(_NEVER_LAST)}]*(?:[A-Za-z0-9_.:+/=<>≥-]+|\s|.)[{re.escape(_NEVER_FIRST)}]*")


def broken(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """The lines of a text that are at most `width` wide, as `measure` has it; its own line ends stay. At least one line."""
    return [line for paragraph in text.split("\n") for line in _lines(paragraph, width, measure)]


def half_widths(text: str) -> int:
    """How wide a text is in a font of fixed width, in halves of a Chinese character."""
    return sum(2 if east_asian_width(character) in "WFA" else 1 for character in text)


def _lines(paragraph: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    line = ""
    for unit in _units(paragraph, width, measure):
        if line and measure(line + unit.rstrip()) > width:
            yield line.rstrip()
            line = unit.lstrip()
        else:
            line += unit
    yield line.rstrip()


def _units(paragraph: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    """What stays together; a word that is wider than a line is cut."""
    for unit in _UNIT.findall(paragraph):
        if measure(unit) > width:
            yield from unit
        else:
            yield unit
