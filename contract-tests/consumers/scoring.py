"""What scoring needs: it keeps all that it hears in its journal; of these, rules ask for these fields."""

from collections.abc import Sequence
from datetime import date

from kinds import BOOLEAN, DATE, ID, INTEGER, MONEY, PERIOD, TEXT, TIMESTAMP, Maybe, holding, many, one_of

from consumers import Consumer
from services.scoring.evaluation import evaluate
from services.scoring.facts import Facts
from services.scoring.offline import rulebook_path, rulebook_text
from services.scoring.rulebooks.rulebook import read_rulebook
from shared.event import Recorded

WORK_KIND = one_of("inspection", "maintenance", "corrective", "emergency", "service")
RULEBOOKS = ("chenggong-2021", "mof-2020")


def score(history: Sequence[Recorded]) -> None:
    """Score a year by each rulebook, and write the result down."""
    for name in RULEBOOKS:
        rulebook = read_rulebook(rulebook_text(rulebook_path(name)))
        evaluate(Facts().extend(history), rulebook, date(2021, 12, 31)).as_json()


CONSUMER = Consumer(
    "scoring",
    {
        "asset_registry.facility_registered.v1": holding(timezone=TEXT),
        "asset_registry.system_registered.v1": holding(system_id=ID, commissioned_on=DATE),
        "asset_registry.system_decommissioned.v1": holding(system_id=ID, decommissioned_on=DATE),
        "scheduling.occurrence_scheduled.v1": holding(
            occurrence_id=ID,
            system_id=ID,
            activity=one_of("inspection", "maintenance", "service", "test"),
            period=PERIOD,
            window_start=DATE,
            window_end=DATE,
            point_ids=many(ID),
        ),
        "scheduling.occurrence_withdrawn.v1": holding(occurrence_id=ID),
        "scheduling.occurrence_excused.v1": holding(occurrence_id=ID, point_ids=Maybe(many(ID))),
        "work_orders.work_order_opened.v1": holding(occurrence_id=Maybe(ID)),
        "work_orders.points_inspected.v1": holding(
            occurrence_id=Maybe(ID),
            results=many(holding(point_id=ID, outcome=one_of("normal", "fault", "not_applicable"), note=Maybe(TEXT))),
        ),
        "work_orders.work_performed.v1": holding(kind=WORK_KIND, occurrence_id=Maybe(ID), performed_at=TIMESTAMP),
        "work_orders.work_accepted.v1": holding(work_order_id=ID, kind=WORK_KIND),
        "work_orders.work_returned.v1": holding(work_order_id=ID, kind=WORK_KIND, system_id=ID),
        "work_orders.cost_recorded.v1": holding(
            cost_id=ID,
            amount=MONEY,
            category=one_of("fixed_equipment", "service", "consumables", "other"),
            incurred_on=DATE,
        ),
        "work_orders.cost_reversed.v1": holding(cost_id=ID),
        "work_orders.incident_confirmed.v1": holding(
            incident_id=ID, occurred_at=TIMESTAMP, harms=many(one_of("life", "property")), visitors_affected=BOOLEAN
        ),
        "work_orders.incident_dismissed.v1": holding(incident_id=ID),
        # Its own, which the same rules read from its own ledger.
        "scoring.satisfaction_reported.v1": holding(
            report_id=ID,
            period_end=DATE,
            very_satisfied=INTEGER,
            satisfied=INTEGER,
            basically_satisfied=INTEGER,
            dissatisfied=INTEGER,
            very_dissatisfied=INTEGER,
            defaulted=INTEGER,
            overturned=INTEGER,
        ),
        "scoring.cost_baseline_recorded.v1": holding(year=INTEGER, amount=MONEY),
        "scoring.budget_recorded.v1": holding(year=INTEGER, annual=MONEY, executed=MONEY, as_of=DATE),
        "scoring.deduction_waived.v1": holding(
            event_id=Maybe(ID),
            occurrence_id=Maybe(ID),
            point_id=Maybe(ID),
            period=Maybe(PERIOD),
            system_id=Maybe(ID),
        ),
    },
    follows_all_of=("asset_registry", "scheduling", "work_orders"),
    rules=score,
)
