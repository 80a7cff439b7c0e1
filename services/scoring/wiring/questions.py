"""The wiring of questions about a year's score: why it is so, what differs, what is at risk, what is missing."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from services.scoring.answers.questions import AtRisk, Difference, Missing
from services.scoring.answers.result import RulebookResult
from services.scoring.answers.why import Why
from services.scoring.questions.at_risk import at_risk
from services.scoring.questions.difference import Question, diff
from services.scoring.questions.missing import missing
from services.scoring.questions.why import why
from services.scoring.wiring import assessments
from shared.contracts.scoring import AssessmentOpened
from shared.errors import Invalid
from shared.service import answers, query


class Questions(assessments.Assessing):
    """The part of the service that explains results.

    Every question is by the official rulebook unless `rulebook` names one by its id or hash; `as_of` is a local date, by
    default today but no later than the year's last day; `known_at` RFC 3339, by default everything.
    """

    @answers(Why)
    @query
    def why(
        self,
        facility: str,
        year: int,
        *,
        indicator: str | None = None,
        as_of: str | None = None,
        known_at: str | None = None,
        rulebook: str | None = None,
    ) -> dict[str, Any]:
        """What the score of a year rests on, as `xunjian why --json` prints it; of one indicator or of all."""
        asked = self._question(facility, year, as_of, known_at, rulebook)
        known = [one.id for one in asked.rulebook.indicators]
        if indicator is not None and indicator not in known:
            raise Invalid({"indicator": [f"expected one of {', '.join(known)}"]})
        with self.live.facts(facility) as (facts, _):
            return why(facts, asked.answer(facts), asked.known_at, indicator)

    @answers(Difference)
    @query
    def diff(
        self,
        facility: str,
        year: int,
        *,
        as_of: str | None = None,
        known_at: str | None = None,
        rulebook: str | None = None,
        to_as_of: str | None = None,
        to_known_at: str | None = None,
        to_rulebook: str | None = None,
    ) -> dict[str, Any]:
        """What differs between two answers, as `xunjian diff --json` prints it; parts of the second default to the first's."""
        first = self._question(facility, year, as_of, known_at, rulebook)
        second = self._question(facility, year, to_as_of or as_of, to_known_at or known_at, to_rulebook or rulebook)
        with self.live.facts(facility) as (facts, _):
            return diff(facts, first, second).as_json()

    @answers(AtRisk)
    @query
    def at_risk(
        self,
        facility: str,
        year: int,
        as_of: str | None = None,
        known_at: str | None = None,
        rulebook: str | None = None,
    ) -> dict[str, Any]:
        """The score if it were frozen today, and what the rest of the month costs if nothing more is done."""
        asked = self._question(facility, year, as_of, known_at, rulebook)
        today = self._today(facility, asked)
        with self.live.facts(facility) as (facts, _):
            outlook = at_risk(
                facts, asked.rulebook, asked.as_of, asked.known_at, known_at_given=asked.known_at_given, today=today
            )
            return outlook.as_json()

    @answers(list[Missing])
    @query
    def missing(
        self,
        facility: str,
        year: int,
        as_of: str | None = None,
        known_at: str | None = None,
        rulebook: str | None = None,
    ) -> list[dict[str, Any]]:
        """What is missing before the year can be signed: [{code, about, zh, en, where}]; `sign` names just these codes."""
        asked = self._question(facility, year, as_of, known_at, rulebook)
        today = self._today(facility, asked)
        with self.live.facts(facility) as (facts, _):
            return [one.as_json() for one in missing(facts, asked.rulebook, asked.as_of, asked.known_at, today)]

    @answers(list[RulebookResult])
    @query
    def results(
        self, facility: str, year: int, as_of: str | None = None, known_at: str | None = None
    ) -> list[dict[str, Any]]:
        """The results by all rulebooks of the assessment, side by side: [{official, result}], the official one first."""
        asked = self._question(facility, year, as_of, known_at, None)
        with self.live.facts(facility) as (facts, _):
            openings = [fact.event for fact in facts.all(AssessmentOpened) if fact.event.year == year]
            others = {book.sha256 for one in openings for book in one.rulebooks} - {asked.rulebook.sha256}
            books = [asked.rulebook, *sorted(map(self._must_have, others), key=lambda book: book.id)]
            return [
                {
                    "official": book is asked.rulebook,
                    "result": replace(asked, rulebook=book).answer(facts).as_json(),
                }
                for book in books
            ]

    def _question(
        self, facility: str, year: int, as_of: str | None, known_at: str | None, rulebook: str | None
    ) -> Question:
        """A question about an assessment that is open; raises NotFound."""
        opened = self._opened(facility, year)
        book = self._must_have(opened["official"]) if rulebook is None else self._named(rulebook, year)
        if as_of is None:
            day = min(self.live.today(facility, self.ledger.clock.now()), date(year, 12, 31))
        else:
            day = date.fromisoformat(as_of)
        moment = datetime.fromisoformat(known_at) if known_at else None
        return Question(rulebook=book, as_of=day, known_at=moment, known_at_given=known_at)

    def _today(self, facility: str, asked: Question) -> date:
        """The day on which a question is asked: that of its `known_at`, else the clock's."""
        return self.live.today(facility, asked.known_at or self.ledger.clock.now())
