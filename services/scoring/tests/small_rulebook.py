"""A rulebook of ten short rows in which every rule type occurs, as a tree to be changed and written again."""

import json
from typing import Any

from services.scoring.rulebooks.rulebook import Rulebook, read_rulebook

RULES: dict[str, dict[str, Any]] = {
    "missed": {
        "type": "missed_inspections",
        "systems": ["pumps", "lifts"],
        "backfill_days": 3,
        "per_missed_inspection": 4,
        "per_missed_point": "1.50",
    },
    "returned": {"type": "substandard_work", "kinds": ["inspection", "service"], "per_return": 2},
    "months": {"type": "periods_without_inspection", "per_period": 6},
    "costs": {"type": "cost_growth", "category": "consumables", "limit_percent": "7.25", "points": 10},
    "accidents": {"type": "incidents", "per_incident": 9},
    "satisfied": {"type": "satisfaction_rate", "minimum_percent": 88, "points": 10},
    "rated-missed": {
        "type": "proportional",
        "of": {"type": "missed_inspections", "systems": ["fans"], "backfill_days": 0},
    },
    "rated-returned": {"type": "proportional", "of": {"type": "substandard_work", "kinds": ["emergency"]}},
    "rated-costs": {"type": "proportional", "of": {"type": "cost_growth", "category": "other", "limit_percent": 5}},
    "budget": {"type": "budget_execution"},
}
TARGETS: dict[str, int | str] = {
    "budget": 100,
    "accidents": 0,
    "satisfied": 88,
    "returned": "90.5",
    "rated-returned": 95,
}


def tree() -> dict[str, Any]:
    """The rulebook's mapping, anew."""
    words = {name: name for name in ("level_1", "level_2", "level_3", "standard", "content", "basis")}
    rows = [
        {
            "id": id_,
            **words,
            "comparator": ">=",
            "target": TARGETS.get(id_, 12),
            "unit": "%",
            "attribute": "定量指标",
            "weight": 10,
            "weight_is_assumed": False,
            "rule": rule,
        }
        for id_, rule in RULES.items()
    ]
    grades = [{"name": "优", "minimum": 90}, {"name": "差", "minimum": 0}]
    head = {"id": "small", "title": "2030年", "year": 2030, "source": "nobody", "readings": ["one", "two"]}
    project = {"name": "p", "unit": "u", "goals": [{"label": "l", "words": "w"}]}
    copied: dict[str, Any] = json.loads(json.dumps({**head, "project": project, "grades": grades, "indicators": rows}))
    return copied


def written(rulebook: dict[str, Any]) -> bytes:
    """A rulebook's file: JSON is YAML too."""
    return json.dumps(rulebook).encode()


def with_row(id_: str, **changed: Any) -> dict[str, Any]:
    """The rulebook with keys of one indicator changed; those of its rule as `rule__…`."""
    changed_tree = tree()
    row = next(row for row in changed_tree["indicators"] if row["id"] == id_)
    for name, value in changed.items():
        if name.startswith("rule__"):
            rule = row["rule"].get("of", row["rule"])
            rule[name.removeprefix("rule__")] = value
        else:
            row[name] = value
    return changed_tree


def read(rulebook: dict[str, Any]) -> Rulebook:
    """The rulebook of a tree."""
    return read_rulebook(written(rulebook))
