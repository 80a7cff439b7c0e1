"""How an event is shown beside a score: by its place in its ledger, and with the data that matter there."""

from collections import Counter
from typing import Any

from shared.contracts.work_orders import PointResult, PointsInspected
from shared.event import Recorded, timestamp

_LISTS = {"point_ids": "points", "omitted_point_ids": "omitted_points"}
"""Lists of points that are told by how many they are; hundreds of ids explain nothing."""


def named(recorded: Recorded) -> dict[str, Any]:
    """An event by its id and its place in its ledger."""
    return {
        "id": recorded.id,
        "type": recorded.type,
        "source": recorded.source,
        "position": recorded.position,
        "subject": recorded.subject,
        "time": recorded.time.isoformat(),
        "recordedat": timestamp(recorded.recordedat),
        "actor": recorded.actor,
        **({"simulated": True} if recorded.simulated else {}),
    }


def shown(recorded: Recorded, point_id: str | None = None) -> dict[str, Any]:
    """An event with its hashes and its data; of results only those of one point, or how many there are of each outcome."""
    data = recorded.event.data()
    if isinstance(recorded.event, PointsInspected):
        results = data.pop("results")
        if point_id is None:
            data["outcomes"] = dict(sorted(Counter(result["outcome"] for result in results).items()))
        else:
            data["results"] = [result for result in results if result["point_id"] == point_id]
    for name, number in _LISTS.items():
        if name in data:
            data[number] = len(data.pop(name))
    return {**named(recorded), "prevhash": recorded.prevhash, "hash": recorded.hash, "data": data}


def results_of(recorded: Recorded, point_id: str | None = None) -> list[PointResult]:
    """The results in an event, of one point or of all."""
    if not isinstance(recorded.event, PointsInspected):
        return []
    return [result for result in recorded.event.results if point_id in (None, result.point_id)]
