"""What the official forms of a year are filled in with; gathered from facts once, so that every file says the same. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.scoring.evaluation import Assessed, Result, half_up, result_sha256
from services.scoring.facts import Fact, Facts, Known
from services.scoring.finding import Span, percent
from services.scoring.forms.deviations import Seen, deviation
from services.scoring.questions.difference import Question
from services.scoring.questions.matrix import Row, inspection_matrix
from services.scoring.questions.places import places
from services.scoring.rulebooks.rulebook import Rulebook
from services.scoring.rules import newest_budget
from shared.contracts.asset_registry import FacilityRegistered
from shared.contracts.scoring import (
    AssessmentOpened,
    AssessmentPublished,
    AssessmentWithdrawn,
    BudgetRecorded,
)

BUDGET_EXECUTION = "budget_execution"
"""The rule type whose indicator stands in the rows of money (资金) of the national form, not among the others."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a year stood at the end of a month, or on the last day asked for."""

    as_of: date
    total: Decimal | None
    subtotal: Decimal
    """The sum of what could be assessed; the total where everything could."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """A year of one facility as its forms show it; what nobody told is None and stays blank on paper."""

    facility: str
    """Its name as registered, or its id where it is not."""
    zone: ZoneInfo
    result: Result
    known_at: datetime | None
    result_sha256: str
    budget: BudgetRecorded | None
    deviations: Mapping[str, str]
    """Drafts of 偏差原因分析及改进措施, by indicator."""
    course: Sequence[Standing]
    matrix: Sequence[Row]
    publication: AssessmentPublished | None
    """The publication of just this result, if it was published and not withdrawn."""
    simulated: bool

    @property
    def rulebook(self) -> Rulebook:
        """By which it is scored."""
        return self.result.rulebook

    @property
    def indicators(self) -> Sequence[Assessed]:
        """The rows of indicators: all but the execution of the budget."""
        return [one for one in self.result.indicators if one.indicator.rule.type != BUDGET_EXECUTION]

    @property
    def execution(self) -> Assessed | None:
        """The execution of the budget as an indicator, where the rulebook scores it."""
        return next((one for one in self.result.indicators if one.indicator.rule.type == BUDGET_EXECUTION), None)

    @property
    def execution_percent(self) -> Decimal | None:
        """执行率: executed of the year's budget, to two decimals, half up; None where there is no budget."""
        if self.budget is None or self.budget.annual <= 0:
            return None
        return half_up(percent(self.budget.executed, self.budget.annual))


def form_of(facts: Facts, asked: Question, *, simulated: bool) -> Form:
    """Fill in the forms of the rulebook's year as a question asks for them.

    Whether the result is published is asked of everything that was recorded, as that comes after `known_at`.
    """
    known, span = facts.known(asked.known_at), Span(asked.rulebook.year, asked.as_of)
    result, budget = asked.answer(facts), newest_budget(known, span)
    publication = _publication_of(facts, asked)
    seen = Seen(
        points={point_id: place.label or point_id for point_id, place in places(known).items()},
        systems={system_id: system.registered.event.name for system_id, system in known.systems.items()},
        waivers=frozenset(waiver.id for waiver in known.waivers),
    )
    return Form(
        facility=_facility_name(known, facts.facility),
        zone=known.timezone,
        result=result,
        known_at=asked.known_at,
        result_sha256=publication.result_sha256 if publication else result_sha256(result),
        budget=budget.event if budget else None,
        deviations={one.indicator.id: deviation(one, seen) for one in result.indicators},
        course=_course(facts, asked, span),
        matrix=inspection_matrix(known, span, asked.rulebook),
        publication=publication,
        simulated=simulated,
    )


def as_published(facts: Facts, asked: Question) -> Question:
    """The question that was published of this rulebook's year, if one stands; else the same question."""
    publication = _standing(facts, asked.rulebook)
    if publication is None:
        return asked
    return replace(asked, as_of=publication.as_of, known_at=publication.known_at, known_at_given=None)


def _standing(facts: Facts, rulebook: Rulebook) -> AssessmentPublished | None:
    """What was published last of a rulebook's year, and by it, and not withdrawn since."""
    years = {fact.event.assessment_id: fact.event.year for fact in facts.all(AssessmentOpened)}
    told: list[Fact[AssessmentPublished] | Fact[AssessmentWithdrawn]]
    told = [*facts.all(AssessmentPublished), *facts.all(AssessmentWithdrawn)]
    mine = [fact for fact in told if years.get(fact.event.assessment_id) == rulebook.year]
    last = max(mine, key=lambda fact: fact.rank).event if mine else None
    return last if isinstance(last, AssessmentPublished) and last.rulebook_sha256 == rulebook.sha256 else None


def _publication_of(facts: Facts, asked: Question) -> AssessmentPublished | None:
    """The publication that stands, if it answers just this question and its bytes are the same, however it was written."""
    found = _standing(facts, asked.rulebook)
    if found is None or (found.as_of, found.known_at) != (asked.as_of, asked.known_at):
        return None
    plain = replace(asked, known_at_given=None).answer(facts)
    return found if found.result_sha256 == result_sha256(plain) else None


def _course(facts: Facts, asked: Question, span: Span) -> list[Standing]:
    days = [span.months[period] for period in span.months_over]
    if span.as_of in span and span.as_of not in days:
        days.append(span.as_of)
    results = [replace(asked, as_of=day).answer(facts) for day in days]
    return [Standing(as_of=one.as_of, total=one.total, subtotal=one.subtotal) for one in results]


def _facility_name(known: Known, facility: str) -> str:
    registered = max(known.all(FacilityRegistered), key=lambda fact: fact.rank, default=None)
    return registered.event.name if registered else facility
