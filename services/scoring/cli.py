"""`xunjian score`: a file of events in, ten rows out."""

import sys
from pathlib import Path

import click

from services.scoring.evaluation import Assessed, Result, result_bytes
from services.scoring.offline import score_file
from shared.errors import Invalid

_STATUS = {"met": "达标", "unmet": "未达标", "not_assessable": "无法评定"}


@click.command("score")
@click.argument("events", type=click.Path(path_type=Path))
@click.option("--rulebook", metavar="FILE", default="chenggong-2021", show_default=True, help="A file, or a bare name.")
@click.option("--as-of", metavar="DATE", required=True, help="Local date, inclusive: YYYY-MM-DD.")
@click.option("--known-at", metavar="TS", help="See only what was recorded by then (RFC 3339). Default: everything.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as canonical JSON.")
def score_command(events: Path, rulebook: str, as_of: str, known_at: str | None, as_json: bool) -> None:
    """Score the EVENTS of a JSON Lines file by a rulebook, offline."""
    try:
        result = score_file(events, rulebook, as_of, known_at)
    except Invalid as fault:
        click.echo(str(fault), err=True)
        sys.exit(2)
    if as_json:
        click.echo(result_bytes(result))
    else:
        print_table(result)


def print_table(result: Result) -> None:
    """Print a row an indicator, and the total, or the provisional total while one cannot be assessed."""
    from rich.console import Console  # noqa: PLC0415  # a tenth of a second that --json does without
    from rich.table import Table  # noqa: PLC0415

    shown = result.as_json()
    table = Table(title=f"{result.rulebook.title}\n{result.facility} · {result.rulebook.id} · {result.as_of}")
    table.add_column("指标", overflow="fold")
    for heading in ("指标值", "完成值", "状态", "分值", "扣分", "得分"):
        table.add_column(heading, justify="right", no_wrap=True)
    for assessed, row in zip(result.indicators, shown["indicators"], strict=True):
        table.add_row(assessed.indicator.level_3, *_cells(assessed, row["actual"]))
    table.add_section()
    if result.total is None:
        table.add_row(
            "暂计（可评定部分）", "", "", "", str(result.assessable_weight), "", str(result.subtotal), style="bold"
        )
    else:
        table.add_row("总分", "", "", result.grade, str(result.assessable_weight), "", str(result.total), style="bold")
    Console().print(table)


def _cells(assessed: Assessed, actual: int | str | None) -> list[str]:
    indicator = assessed.indicator
    numbers = (indicator.weight, assessed.deducted, assessed.score)
    return [
        f"{indicator.comparator} {str(indicator.target).removesuffix('.00')} {indicator.unit}",
        "–" if actual is None else str(actual),
        _STATUS[assessed.status],
        *("–" if number is None else str(number) for number in numbers),
    ]


_print_table = print_table  # the name by which services.project still knows it
