"""Points of a round without a result (漏点): whoever reports the round performed confirms exactly these, by name."""

from collections.abc import Collection, Iterator, Sequence


def omitted(point_ids: Sequence[str], inspected: Collection[str]) -> tuple[str, ...]:
    """The points of an order without a result, in the order's order."""
    return tuple(point for point in point_ids if point not in inspected)


def faults(named: Sequence[str], point_ids: Sequence[str], inspected: Collection[str]) -> list[str]:
    """What is wrong with the points that are named as omitted, each of them with why."""
    missing, known = omitted(point_ids, inspected), frozenset(point_ids)
    found = list(_each(named, known, inspected))
    if found or set(named) != set(missing):
        whole = f"expected every point without a result: {', '.join(missing)}" if missing else "expected none"
        return [whole, *found]
    return []


def _each(named: Sequence[str], known: Collection[str], inspected: Collection[str]) -> Iterator[str]:
    seen: set[str] = set()
    for point in named:
        if point not in known:
            yield f"{point} is not of this work order"
        elif point in inspected:
            yield f"{point} has a result"
        elif point in seen:
            yield f"{point} is twice"
        seen.add(point)
