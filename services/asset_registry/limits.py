"""The limits within which readings of a point are normal, set outright or as a share of what it was designed for."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact

from shared.contracts.asset_registry import Expected

DIGITS = 30
"""How many digits a reading has at most before its point, and behind it (shared/schema.py)."""

_EXACT = Context(prec=400, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])


def filled(expected: Expected) -> Expected:
    """Limits with `low` set to `low_percent` of `design`, to the last digit; for limits without faults."""
    if expected.low is not None or expected.low_percent is None or expected.design is None:
        return expected
    return replace(expected, low=share(expected.design, expected.low_percent))


def share(design: Decimal, percent: Decimal) -> Decimal:
    """So many percent of a quantity, exactly, without an exponent and without zeros that say nothing."""
    exact = _EXACT.normalize(_EXACT.scaleb(_EXACT.multiply(design, percent), Decimal(-2)))
    return Decimal(format(exact, "f"))


def faults(expected: Expected) -> Iterator[tuple[str, str]]:
    """What limits say against themselves, as (field, what was expected)."""
    if not expected.unit.strip():
        yield "unit", "expected words, not blank"
    if expected.low_percent is None:
        yield from _crossed(expected)
        return
    unfit = list(_unfit_share(expected, expected.low_percent))
    yield from unfit or _crossed(filled(expected))


def _crossed(expected: Expected) -> Iterator[tuple[str, str]]:
    if expected.low is not None and expected.high is not None and expected.low > expected.high:
        yield "high", f"expected at least low, {expected.low}"


def _unfit_share(expected: Expected, percent: Decimal) -> Iterator[tuple[str, str]]:
    if not 0 < percent <= 100:
        yield "low_percent", "expected more than 0 and at most 100"
    elif expected.design is None:
        yield "design", "missing: low_percent is a share of it"
    elif expected.design <= 0:
        yield "design", "expected more than 0, since low_percent is a share of it"
    else:
        low = share(expected.design, percent)
        if low.adjusted() >= DIGITS or -int(low.as_tuple().exponent) > DIGITS:
            yield "low_percent", f"expected a share of design with at most {DIGITS} digits before and behind its point"
        elif expected.low not in (None, low):
            yield "low", f"expected {low}, which is {percent} % of design, or nothing"
