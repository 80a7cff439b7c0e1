"""Scoring's wiring."""

from typing import Any

from sqlalchemy import insert
from uuid_utils import uuid7

from services.scoring import commands, views
from services.scoring.aggregate import AuditAccess, Budget, CostBaseline, SatisfactionReport, Waiver
from services.scoring.wiring import forms, publications
from shared.contracts.scoring import (
    BudgetRecorded,
    CostBaselineRecorded,
    DeductionWaived,
    EvidenceExported,
    EvidenceRead,
    SatisfactionReported,
)
from shared.errors import Invalid
from shared.event import Recorded
from shared.service import command
from shared.subscription import subscribe
from shared.unit import Unit


class Scoring(publications.Publications, forms.Paperwork):
    """Follows everything, and answers what the year is worth."""

    name = "scoring"
    views = views.VIEWS

    @command(commands.ReportSatisfaction)
    def report_satisfaction(self, do: Unit, asked: commands.ReportSatisfaction) -> None:
        """Report visitors' ratings."""
        report = SatisfactionReported(**vars(asked))
        do.find(SatisfactionReport, asked.report_id).report(report, self.live.today(do.facility, do.now), do.now)

    @command(commands.RecordCostBaseline)
    def record_cost_baseline(self, do: Unit, asked: commands.RecordCostBaseline) -> None:
        """Record what a year's repair cost."""
        _not_negative(amount=asked.amount)
        do.find(CostBaseline, str(asked.year)).tell(CostBaselineRecorded(**vars(asked)), do.now)

    @command(commands.RecordBudget)
    def record_budget(self, do: Unit, asked: commands.RecordBudget) -> None:
        """Record how the budget stands."""
        _not_negative(initial=asked.initial, annual=asked.annual, executed=asked.executed)
        do.find(Budget, str(asked.year)).tell(BudgetRecorded(**vars(asked)), do.now)

    @command(commands.WaiveDeduction)
    def waive_deduction(self, do: Unit, asked: commands.WaiveDeduction) -> None:
        """Waive a deduction."""
        do.find(Waiver, asked.waiver_id).waive(DeductionWaived(**vars(asked), approved_by=do.actor), do.now)

    @command(commands.RecordReading)
    def record_reading(self, do: Unit, asked: commands.RecordReading) -> None:
        """Keep who was shown what, before it is shown."""
        do.find(AuditAccess, str(uuid7())).tell(EvidenceRead(what=asked.what, read_by=do.actor), do.now)

    @command(commands.RecordExport)
    def record_export(self, do: Unit, asked: commands.RecordExport) -> None:
        """Keep who took which file of evidence along, before it leaves."""
        taken = EvidenceExported(what=asked.what, sha256=asked.sha256, exported_by=do.actor)
        do.find(AuditAccess, str(uuid7())).tell(taken, do.now)

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


def _keep(do: Unit, recorded: Recorded) -> None:
    row = {"source": recorded.source.lstrip("/"), "facility": recorded.facility, "position": recorded.position}
    do.execute(insert(views.journal).values(**row, body=do.cause, hash=recorded.hash))


def _not_negative(**amounts: Any) -> None:
    if faults := {name: ["expected an amount of 0.00 or more"] for name, amount in amounts.items() if amount < 0}:
        raise Invalid(faults)
