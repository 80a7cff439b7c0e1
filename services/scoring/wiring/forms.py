"""The wiring of the official forms: a year's sheets, report and charts as files, and its matrix of inspections as JSON."""

import base64
from typing import Any

from services.scoring.answers.questions import InspectionMatrix
from services.scoring.finding import Span
from services.scoring.forms.files import FILES
from services.scoring.forms.form import Form, as_published, form_of
from services.scoring.questions.matrix import inspection_matrix
from services.scoring.wiring import questions
from shared.service import answers, query


class Paperwork(questions.Questions):
    """Fills in the forms of a year.

    They answer the same question as the assessment does (`asked`); where none of `as_of`, `known_at` and `rulebook` is given and a
    result stands published, they show that one. A file is {media_type, body: base64, filename}.
    """

    @query
    def goal_sheet(self, facility: str, year: int, **asked: str | None) -> dict[str, str]:
        """The 项目绩效目标表 as xlsx."""
        return _file("goal_sheet", self._form(facility, year, **asked))

    @query
    def self_assessment_sheet(self, facility: str, year: int, **asked: str | None) -> dict[str, str]:
        """The 项目支出绩效自评表 as xlsx."""
        return _file("self_assessment_sheet", self._form(facility, year, **asked))

    @query
    def self_assessment_pdf(self, facility: str, year: int, **asked: str | None) -> dict[str, str]:
        """Both forms and the charts as PDF."""
        return _file("self_assessment_pdf", self._form(facility, year, **asked))

    @query
    def budget_import(self, facility: str, year: int, **asked: str | None) -> dict[str, str]:
        """The import of the budget system as xlsx."""
        return _file("budget_import", self._form(facility, year, **asked))

    @query
    def inspections_chart(self, facility: str, year: int, **asked: str | None) -> dict[str, str]:
        """Month × system as PNG."""
        return _file("inspections_chart", self._form(facility, year, **asked))

    @query
    def score_chart(self, facility: str, year: int, **asked: str | None) -> dict[str, str]:
        """The score over the year as PNG."""
        return _file("score_chart", self._form(facility, year, **asked))

    @answers(InspectionMatrix)
    @query
    def inspection_matrix(
        self,
        facility: str,
        year: int,
        as_of: str | None = None,
        known_at: str | None = None,
        rulebook: str | None = None,
    ) -> dict[str, Any]:
        """What became of the inspections of each system in each month: {year, as_of, known_at, rulebook, simulated, systems}.

        A system: {system_id, name, backfill_days, months}; see services/scoring/questions/matrix.py for the statuses of a month.
        """
        asked = self._question(facility, year, as_of, known_at, rulebook)
        with self.live.facts(facility) as (facts, _):
            rows = inspection_matrix(facts.known(asked.known_at), Span(year, asked.as_of), asked.rulebook)
        return {
            "year": year,
            "as_of": asked.as_of.isoformat(),
            "known_at": asked.known_at_given,
            "rulebook": asked.rulebook.id,
            "simulated": self.ledger.clock.simulated,
            "systems": [row.as_json() for row in rows],
        }

    def _form(
        self,
        facility: str,
        year: int,
        as_of: str | None = None,
        known_at: str | None = None,
        rulebook: str | None = None,
    ) -> Form:
        asked = self._question(facility, year, as_of, known_at, rulebook)
        with self.live.facts(facility) as (facts, _):
            if as_of is known_at is rulebook is None:
                asked = as_published(facts, asked)
            return form_of(facts, asked, simulated=self.ledger.clock.simulated)


def _file(name: str, form: Form) -> dict[str, str]:
    file = FILES[name]
    body = base64.b64encode(file.make(form)).decode()
    return {"media_type": file.media_type, "body": body, "filename": file.filename(form)}
