"""A result as a table for the terminal, Chinese first, English by `XUNJIAN_LANG=en`."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from services.scoring.language import language
from services.scoring.rulebooks.rulebook import Indicator, Rulebook

_WORDS = {
    "zh": {
        "columns": ("指标", "指标值", "完成值", "状态", "分值", "扣分", "得分"),
        "met": "达标",
        "unmet": "未达标",
        "not_assessable": "无法评定",
        "provisional": "暂计（可评定部分）",
        "total": "总分",
        "side_by_side": ("指标", "差"),
        "only": "仅一方",
        "differs": "不同",
    },
    "en": {
        "columns": ("indicator", "target", "actual", "status", "weight", "deducted", "score"),
        "met": "met",
        "unmet": "unmet",
        "not_assessable": "not assessable",
        "provisional": "provisional (what can be assessed)",
        "total": "total",
        "side_by_side": ("indicator", "difference"),
        "only": "in one",
        "differs": "differs",
    },
}


def print_table(rulebook: Rulebook, result: dict[str, Any]) -> None:
    """Print a row an indicator of `score --json`'s object, and the total, provisional while one cannot be assessed."""
    from rich.table import Table  # noqa: PLC0415  # a tenth of a second that --json does without

    words = _words()
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
    _print(table)


def print_side_by_side(scored: Sequence[tuple[Rulebook, dict[str, Any]]]) -> None:
    """Print the results of several rulebooks beside each other, their indicators matched by id.

    A cell says score of weight, then the actual value and the status; with two rulebooks a last column says by how much
    the second scores more or less.
    """
    from rich.table import Table  # noqa: PLC0415

    words = _words()
    name, difference = words["side_by_side"]
    table = Table(title=f"{scored[0][1]['facility']} · {scored[0][1]['as_of']}", show_lines=True)
    table.add_column(name, overflow="fold")
    for rulebook, _ in scored:
        table.add_column(f"{rulebook.id}\n{rulebook.sha256[:12]}", justify="right", overflow="fold")
    if len(scored) == 2:
        table.add_column(difference, justify="right", no_wrap=True)
    rows = [_rows_by_id(rulebook, result) for rulebook, result in scored]
    for id_ in dict.fromkeys(id_ for by_id in rows for id_ in by_id):
        indicator = next(by_id[id_][0] for by_id in rows if id_ in by_id)
        beside = [by_id[id_][1] if id_ in by_id else None for by_id in rows]
        label = f"{indicator.level_3}\n{_target(indicator)}"
        table.add_row(label, *(_beside(row, words) for row in beside), *_difference(beside, words))
    table.add_row(*_totals([result for _, result in scored], words), style="bold")
    _print(table)


def _words() -> dict[str, Any]:
    return _WORDS[language()]


def _print(table: Any) -> None:
    """A table on the terminal; what a rulebook says is text, not markup."""
    from rich.console import Console  # noqa: PLC0415

    Console(markup=False, emoji=False).print(table)


def _rows_by_id(rulebook: Rulebook, result: dict[str, Any]) -> dict[str, tuple[Indicator, dict[str, Any]]]:
    rows = zip(rulebook.indicators, result["indicators"], strict=True)
    return {indicator.id: (indicator, row) for indicator, row in rows}


def _beside(row: dict[str, Any] | None, words: dict[str, Any]) -> str:
    if row is None:
        return "–"
    return f"{_shown(row['score'])} / {row['weight']}\n{_shown(row['actual'])} {words[row['status']]}"


def _difference(beside: Sequence[dict[str, Any] | None], words: dict[str, Any]) -> Iterator[str]:
    """Of two rows, how much more the second scores; nothing to say where there are more than two."""
    if len(beside) != 2:
        return
    first, second = beside
    if first is None or second is None:
        yield words["only"]
    else:
        shown = ("target", "actual", "status", "weight", "score")
        differs = any(first[name] != second[name] for name in shown)
        yield _more(first["score"], second["score"]) or (words["differs"] if differs else "")


def _more(first: str | None, second: str | None) -> str:
    """By how much a score is more than another; nothing where that cannot be said, or where they are the same."""
    more = Decimal(second) - Decimal(first) if first and second else Decimal(0)
    return f"{more:+.2f}" if more else ""


def _totals(results: Sequence[dict[str, Any]], words: dict[str, Any]) -> Iterator[str]:
    """The last row: totals and grades; provisional for whichever cannot be assessed as a whole."""
    yield words["total"]
    for result in results:
        if result["total"] is None:
            yield f"{words['provisional']} {result['provisional_total']} / {result['assessable_weight']}"
        else:
            yield f"{result['total']} / {result['assessable_weight']}\n{result['grade']}"
    if len(results) == 2:
        yield _more(results[0]["total"], results[1]["total"])


def _cells(indicator: Indicator, row: dict[str, Any], status: str) -> list[str]:
    return [
        _target(indicator),
        _shown(row["actual"]),
        status,
        *(_shown(row[name]) for name in ("weight", "deducted", "score")),
    ]


def _target(indicator: Indicator) -> str:
    return f"{indicator.comparator} {str(indicator.target).removesuffix('.00')} {indicator.unit}"


def _shown(value: int | str | None) -> str:
    return "–" if value is None else str(value)
