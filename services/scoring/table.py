"""A result as a table for the terminal, Chinese first, English by `XUNJIAN_LANG=en`."""

import os
from typing import Any

from services.scoring.rulebook import Indicator, Rulebook

_WORDS = {
    "zh": {
        "columns": ("指标", "指标值", "完成值", "状态", "分值", "扣分", "得分"),
        "met": "达标",
        "unmet": "未达标",
        "not_assessable": "无法评定",
        "provisional": "暂计（可评定部分）",
        "total": "总分",
    },
    "en": {
        "columns": ("indicator", "target", "actual", "status", "weight", "deducted", "score"),
        "met": "met",
        "unmet": "unmet",
        "not_assessable": "not assessable",
        "provisional": "provisional (what can be assessed)",
        "total": "total",
    },
}


def print_table(rulebook: Rulebook, result: dict[str, Any]) -> None:
    """Print a row an indicator of `score --json`'s object, and the total, provisional while one cannot be assessed."""
    from rich.console import Console  # noqa: PLC0415  # a tenth of a second that --json does without
    from rich.table import Table  # noqa: PLC0415

    words: dict[str, Any] = _WORDS["en" if os.environ.get("XUNJIAN_LANG", "").startswith("en") else "zh"]
    table = Table(title=f"{rulebook.title}\n{result['facility']} · {result['rulebook']} · {result['as_of']}")
    table.add_column(words["columns"][0], overflow="fold")
    for heading in words["columns"][1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for indicator, row in zip(rulebook.indicators, result["indicators"], strict=True):
        table.add_row(indicator.level_3, *_cells(indicator, row, words[row["status"]]))
    table.add_section()
    final = result["total"] is not None
    total = result["total"] if final else result["provisional_total"]
    label = words["total" if final else "provisional"]
    table.add_row(label, "", "", result["grade"] or "", result["assessable_weight"], "", total, style="bold")
    Console().print(table)


def _cells(indicator: Indicator, row: dict[str, Any], status: str) -> list[str]:
    target = f"{indicator.comparator} {str(indicator.target).removesuffix('.00')} {indicator.unit}"
    return [target, _shown(row["actual"]), status, *(_shown(row[name]) for name in ("weight", "deducted", "score"))]


def _shown(value: int | str | None) -> str:
    return "–" if value is None else str(value)
