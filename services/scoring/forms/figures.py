"""Numbers as the forms write them: no more digits than say something, and exactly."""

from decimal import Decimal

from services.scoring.evaluation import Assessed
from services.scoring.rulebooks.rulebook import COUNTED, Indicator

NOT_ASSESSABLE = "无法评定"
TEN_THOUSAND = Decimal(10_000)


def points(value: int | Decimal) -> str:
    """Points or percent without a tail of zeros: 5, 12.5, 91.79."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def wan(amount: Decimal) -> Decimal:
    """CNY in 万元, exactly and with at least two decimals: 900000.00 is 90.00, 853801.37 is 85.380137."""
    exact = (amount / TEN_THOUSAND).normalize()
    return exact.quantize(Decimal("0.01")) if exact.as_tuple().exponent > -2 else exact  # type: ignore[operator]


def target_words(indicator: Indicator) -> str:
    """年度指标值 in one cell: >=12次."""
    return f"{indicator.comparator}{points(indicator.target)}{indicator.unit}"


def actual_unit(indicator: Indicator) -> str:
    """What an actual value is counted in: the sheet's unit, but 起 for incidents, which it states in percent, and
    次 for inspections a month."""
    if indicator.rule.type == "incidents":
        return "起"
    return "次" if indicator.rule.type in COUNTED else indicator.unit


def actual_words(assessed: Assessed) -> str:
    """实际完成值 in one cell: 11次, 99.34%; 无法评定 where there is none to assess, and nothing where none was counted."""
    if assessed.actual is None:
        return NOT_ASSESSABLE if assessed.status == "not_assessable" else ""
    shown = f"{assessed.actual:.2f}" if isinstance(assessed.actual, Decimal) else str(assessed.actual)
    return f"{shown}{actual_unit(assessed.indicator)}"
