"""Scoring's wiring."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select, text

from services.scoring import commands, views
from services.scoring.aggregate import Assessment, Budget, CostBaseline, SatisfactionReport, Waiver
from services.scoring.evaluation import result_sha256
from services.scoring.live import LiveFacts, LiveFactsProvider
from services.scoring.rulebook import Rulebook, read_rulebook
from shared import service
from shared.contracts.scoring import (
    AssessmentOpened,
    AssessmentPublished,
    BudgetRecorded,
    CostBaselineRecorded,
    DeductionWaived,
    SatisfactionReported,
)
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Recorded, flat, timestamp
from shared.schema import schema_of
from shared.service import command, query
from shared.subscription import subscribe
from shared.unit import Unit


class Scoring(service.LedgerService):
    """Follows everything, and answers what the year is worth."""

    name = "scoring"
    fold = staticmethod(views.fold)
    live: LiveFacts = LiveFactsProvider()

    @command(commands.ReportSatisfaction, by=("manager", "integrator"))
    def report_satisfaction(self, do: Unit, asked: commands.ReportSatisfaction) -> None:
        """Report visitors' ratings."""
        report = SatisfactionReported(**vars(asked))
        do.find(SatisfactionReport, asked.report_id).report(report, self.live.today(do.facility, do.now), do.now)

    @command(commands.RecordCostBaseline, by=("finance", "manager"))
    def record_cost_baseline(self, do: Unit, asked: commands.RecordCostBaseline) -> None:
        """Record what a year's repair cost."""
        _not_negative(amount=asked.amount)
        do.find(CostBaseline, str(asked.year)).tell(CostBaselineRecorded(**vars(asked)), do.now)

    @command(commands.RecordBudget, by=("finance", "manager", "integrator"))
    def record_budget(self, do: Unit, asked: commands.RecordBudget) -> None:
        """Record how the budget stands."""
        _not_negative(initial=asked.initial, annual=asked.annual, executed=asked.executed)
        do.find(Budget, str(asked.year)).tell(BudgetRecorded(**vars(asked)), do.now)

    @command(commands.WaiveDeduction, by=("manager",))
    def waive_deduction(self, do: Unit, asked: commands.WaiveDeduction) -> None:
        """Waive a deduction."""
        do.find(Waiver, asked.waiver_id).waive(DeductionWaived(**vars(asked), approved_by=do.actor), do.now)

    @command(commands.OpenAssessment, by=("manager",))
    def open_assessment(self, do: Unit, asked: commands.OpenAssessment) -> None:
        """Open a year's assessment, the only one of its year, by rulebooks of that year that are known here."""
        if self._assessments(do.facility, asked.year):
            raise Rejected(f"the assessment of {asked.year} is open already")
        for number, book in enumerate(asked.rulebooks):
            known = self._rulebook(book.sha256)
            if known is None or known.id != book.rulebook_id or known.year != asked.year:
                expected = f"expected a rulebook of {asked.year} that was added, with its id"
                raise Invalid({f"rulebooks[{number}]": [expected]})
        do.find(Assessment, asked.assessment_id).open(AssessmentOpened(**vars(asked)), do.now)

    @command(commands.PublishAssessment, by=("manager",))
    def publish_assessment(self, do: Unit, asked: commands.PublishAssessment) -> dict[str, Any]:
        """Freeze the official result; answers {result_sha256, total}."""
        assessment = do.edit(Assessment, asked.assessment_id)
        if asked.as_of > self.live.today(do.facility, do.now):
            raise Rejected(f"as_of {asked.as_of} lies in the future")
        known_at = asked.known_at or do.now
        if known_at > do.now:
            raise Rejected(f"known_at {timestamp(known_at)} lies in the future")
        rulebook = self._must_have(assessment.official_sha256)
        result, heads = self.live.score(do.facility, rulebook, asked.as_of, known_at, timestamp(known_at))
        publication = AssessmentPublished(
            assessment_id=assessment.id,
            as_of=asked.as_of,
            known_at=known_at,
            rulebook_sha256=rulebook.sha256,
            heads=heads,
            result_sha256=result_sha256(result),
            published_by=do.actor,
            total=result.total,
        )
        assessment.publish(publication, do.now)
        return {"result_sha256": publication.result_sha256, "total": result.as_json()["total"]}

    @command(commands.WithdrawAssessment, by=("manager",))
    def withdraw_assessment(self, do: Unit, asked: commands.WithdrawAssessment) -> None:
        """Withdraw a published result."""
        do.edit(Assessment, asked.assessment_id).withdraw(asked.reason, do.now)

    @subscribe("asset_registry")
    def on_asset_registry(self, do: Unit, recorded: Recorded) -> None:
        """Keep it in the journal."""
        _keep(do, recorded)

    @subscribe("scheduling")
    def on_scheduling(self, do: Unit, recorded: Recorded) -> None:
        """Keep it in the journal."""
        _keep(do, recorded)

    @subscribe("work_orders")
    def on_work_orders(self, do: Unit, recorded: Recorded) -> None:
        """Keep it in the journal."""
        _keep(do, recorded)

    @query
    def add_rulebook(self, facility: str, data: dict[str, Any], context: dict[str, Any]) -> dict[str, str]:
        """Keep a rulebook under the SHA-256 of its bytes, which makes adding it again the same; answers both names."""
        if errors := flat(schema_of(commands.AddRulebook, strict=True).validate(data)):
            raise Invalid(errors)
        content = data["text"].encode()
        rulebook = read_rulebook(content)
        with self.ledger.database.write() as connection:
            connection.execute(
                text("INSERT INTO rulebook VALUES (:sha256, :rulebook_id, :text) ON CONFLICT DO NOTHING"),
                {"sha256": rulebook.sha256, "rulebook_id": rulebook.id, "text": content},
            )
        return {"rulebook_id": rulebook.id, "sha256": rulebook.sha256}

    @query
    def rulebooks(self) -> list[dict[str, str]]:
        """The rulebooks that are known: rulebook_id and sha256."""
        table = views.rulebooks.c
        return self.ledger.database.mappings(
            select(table.rulebook_id, table.sha256).order_by(table.rulebook_id, table.sha256)
        )

    @query
    def rulebook(self, sha256: str) -> dict[str, str]:
        """One rulebook by the SHA-256 of its bytes: rulebook_id, sha256, and its text; raises NotFound."""
        table = views.rulebooks.c
        found = self.ledger.database.mappings(select(views.rulebooks).where(table.sha256 == sha256))
        if not found:
            raise NotFound(f"no rulebook {sha256}")
        return {**found[0], "text": found[0]["text"].decode()}

    @query
    def assessment(
        self,
        facility: str,
        year: str,
        as_of: str | None = None,
        known_at: str | None = None,
        rulebook: str | None = None,
    ) -> dict[str, Any]:
        """The score of a year, as `xunjian score --json` prints it; by the official rulebook unless one is named.

        `as_of` is a local date, by default today but no later than the year's last day; `known_at` RFC 3339.
        """
        opened = self._assessments(facility, int(year))
        if not opened:
            raise NotFound(f"no assessment of {year} is open in {facility}")
        book = self._must_have(opened[0]["official"]) if rulebook is None else self._named(rulebook, int(year))
        today = min(self.live.today(facility, self.ledger.clock.now()), date(int(year), 12, 31))
        day = date.fromisoformat(as_of) if as_of else today
        moment = datetime.fromisoformat(known_at) if known_at else None
        result, _ = self.live.score(facility, book, day, moment, known_at)
        return result.as_json()

    def _assessments(self, facility: str, year: int) -> list[dict[str, Any]]:
        table = views.assessments.c
        return self.ledger.database.mappings(
            select(views.assessments).where(table.facility == facility, table.year == year)
        )

    def _rulebook(self, sha256: str) -> Rulebook | None:
        table = views.rulebooks.c
        rows = self.ledger.database.rows(select(table.text).where(table.sha256 == sha256))
        return read_rulebook(rows[0].text) if rows else None

    def _must_have(self, sha256: str) -> Rulebook:
        rulebook = self._rulebook(sha256)
        if rulebook is None:
            raise NotFound(f"no rulebook {sha256}")
        return rulebook

    def _named(self, name: str, year: int) -> Rulebook:
        """A rulebook of a year by its id or hash; where several have the id, the hash must be given."""
        table = views.rulebooks.c
        rows = self.ledger.database.rows(
            select(table.sha256).where((table.rulebook_id == name) | (table.sha256 == name))
        )
        books = [book for row in rows if (book := self._must_have(row.sha256)).year == year]
        if len(books) != 1:
            raise NotFound(f"{len(books)} rulebooks {name} of {year}; name one by its id, or by its sha256")
        return books[0]


def _keep(do: Unit, recorded: Recorded) -> None:
    row = {"source": recorded.source.lstrip("/"), "facility": recorded.facility, "position": recorded.position}
    do.execute(insert(views.journal).values(**row, body=do.cause, hash=recorded.hash))


def _not_negative(**amounts: Any) -> None:
    if faults := {name: ["expected an amount of 0.00 or more"] for name, amount in amounts.items() if amount < 0}:
        raise Invalid(faults)
