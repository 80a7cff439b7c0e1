"""Random histories: what was not known is as if never told, and the slow oracle agrees with the score."""

from collections.abc import Sequence
from datetime import date, datetime

from hypothesis import given, settings

from services.scoring.evaluation import evaluate, result_bytes
from services.scoring.facts import Facts
from services.scoring.tests import histories as h
from services.scoring.tests.oracle import Oracle
from services.scoring.tests.strategies import as_ofs, histories, known_ats
from shared.contracts.scoring import DeductionWaived
from shared.event import Recorded


@settings(deadline=None)
@given(history=histories(), as_of=as_ofs, known_at=known_ats)
def test_what_was_not_known_then_is_as_if_never_told(
    history: Sequence[Recorded], as_of: date, known_at: datetime | None
) -> None:
    moment = known_at or h.local("2021-03-15")
    told_by_then = [recorded for recorded in history if recorded.recordedat <= moment]

    asked_then = evaluate(Facts("hall").extend(told_by_then), h.CHENGGONG, as_of, known_at_given="then")
    asked_now = evaluate(Facts("hall").extend(history), h.CHENGGONG, as_of, moment, known_at_given="then")

    assert result_bytes(asked_now) == result_bytes(asked_then)


@settings(deadline=None)
@given(history=histories(), as_of=as_ofs, known_at=known_ats)
def test_missed_inspections_agree_with_the_oracle(
    history: Sequence[Recorded], as_of: date, known_at: datetime | None
) -> None:
    unwaived = [recorded for recorded in history if not isinstance(recorded.event, DeductionWaived)]

    result = evaluate(Facts().extend(unwaived), h.CHENGGONG, as_of, known_at)

    for assessed in result.indicators[:5]:
        expected = Oracle(unwaived, known_at).missed_inspections(assessed.indicator.id, 2021, as_of)
        listed = [
            (one.reason, one.period, one.occurrence_id, one.point_id, list(one.evidence)) for one in assessed.deductions
        ]
        if expected is None:
            assert (assessed.status, assessed.actual, listed) == ("not_assessable", None, [])
        else:
            assert (assessed.actual, sorted(listed, key=str)) == (expected[0], sorted(expected[1], key=str))
