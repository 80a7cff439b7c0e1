"""Labels for points (点位标签): a sheet to print, with a QR code on each that names the point."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shared.errors import Invalid
from shared.sheets.tables import unhurried

MOST_LABELS = 1000
"""How many labels one sheet has; a code takes some milliseconds."""
PER_PAGE = 24

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)


def print_labels(
    facility: Mapping[str, Any], points: Sequence[Mapping[str, Any]], base: str | None, *, simulated: bool
) -> dict[str, str]:
    """An HTML page without script, to be printed on A4, as a download; each of `points` also tells `system` by name.

    Labels of a simulated installation say so. Raises Invalid for a wrong `base`, and for no points or too many.
    """
    prefix = prefix_of(base, facility["facility_id"])
    if not 1 <= len(points) <= MOST_LABELS:
        raise Invalid({"system_id": [f"expected a choice of 1 to {MOST_LABELS} points, found {len(points)}"]})
    labels = [{**point, "code": qr_svg(prefix + point["point_id"])} for point in unhurried(points)]
    pages = [labels[start : start + PER_PAGE] for start in range(0, len(labels), PER_PAGE)]
    page = _templates.get_template("labels.html").render(facility=facility, pages=pages, simulated=simulated)
    return {"media_type": "text/html", "body": b64encode(page.encode()).decode()}


def prefix_of(base: str | None, facility: str) -> str:
    """What stands before the point's id in its code: xunjian:<facility>: or an address below `base`; raises Invalid."""
    if base is None:
        return f"xunjian:{facility}:"
    expected = Invalid({"base": ["expected an address like https://hall.example.org, without query, of at most 200"]})
    if not re.fullmatch(r"https?://[!-~]{1,192}", base) or re.search(r'[?#@"<>\\^`{|}]', base):
        raise expected
    try:
        parts = urlsplit(base)
        usable = parts.hostname and parts.port != 0
    except ValueError as fault:
        raise expected from fault
    if not usable:
        raise expected
    return f"{base.rstrip('/')}/p/{facility}/"


def qr_svg(text: str) -> Markup:
    """A QR code (ISO/IEC 18004) of a text as SVG, with error correction M and its quiet zone of four modules."""
    code = segno.make(text, error="m", micro=False, boost_error=False)
    return Markup(code.svg_inline(border=4, omitsize=True, svgclass=None, lineclass=None))  # noqa: S704  digits and markup of segno's own
