"""What may be said of points (检查结果): every fault of a list of results is named by its place."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.contracts.asset_registry import Expected
from shared.contracts.work_orders import PointResult

Fault = tuple[str, str]
"""A field of a result, and what was expected there."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What results are held against: the expected readings of points that have one, and photos that nobody uploaded."""

    expected: Mapping[str, Expected | None] = field(default_factory=dict)
    missing_photos: Collection[str] = ()


def faults(results: Sequence[PointResult], point_ids: Collection[str], known: Known) -> dict[str, list[str]]:
    """Everything that is wrong in results for an order with these points, by field: `results[3].unit` → messages."""
    if not results:
        return {"results": ["expected at least one result"]}
    found: dict[str, list[str]] = {}
    of_order, seen = frozenset(point_ids), set[str]()
    for number, result in enumerate(results):
        for name, why in (
            *_point(result, of_order, seen),
            *_reading(result, known),
            *_words(result),
            *_photos(result, known),
        ):
            found.setdefault(f"results[{number}].{name}", []).append(why)
        seen.add(result.point_id)
    return found


def _point(result: PointResult, of_order: Collection[str], seen: Collection[str]) -> Iterator[Fault]:
    if result.point_id not in of_order:
        yield "point_id", f"{result.point_id} is not of this work order"
    elif result.point_id in seen:
        yield "point_id", f"{result.point_id} is twice"


def _reading(result: PointResult, known: Known) -> Iterator[Fault]:
    expected = known.expected.get(result.point_id)
    if result.reading is None:
        if result.unit is not None:
            yield "reading", "expected a reading beside the unit"
    elif expected is None:
        if not (result.unit or "").strip():
            yield "unit", "expected the unit of the reading"
    elif result.unit != expected.unit:
        yield "unit", f"expected the unit {expected.unit}, not {result.unit or 'none'}"
    elif result.outcome == "normal" and (why := _beyond(result, expected)):
        yield "outcome", f"expected the outcome fault: {why}"


def _beyond(result: PointResult, expected: Expected) -> str | None:
    """How a reading lies outside the limits, both of which are normal still."""
    if result.reading is None:
        return None
    if expected.low is not None and result.reading < expected.low:
        return f"{result.reading} {expected.unit} is below {expected.low}"
    if expected.high is not None and result.reading > expected.high:
        return f"{result.reading} {expected.unit} is above {expected.high}"
    return None


def _words(result: PointResult) -> Iterator[Fault]:
    if result.outcome == "not_applicable" and not (result.note or "").strip():
        yield "note", "expected words on why the point is not applicable"
    if result.fixed_on_site and result.outcome != "fault":
        yield "fixed_on_site", "expected only with the outcome fault"


def _photos(result: PointResult, known: Known) -> Iterator[Fault]:
    photos = result.photos or ()
    for number, photo in enumerate(photos):
        if photo in known.missing_photos:
            yield f"photos[{number}]", f"expected a photo that was uploaded before, not {photo}"
        if photo in photos[:number]:
            yield f"photos[{number}]", f"{photo} is twice"
