"""What work orders need: what work is about, which visits it is due for, the days that are worked, and the budget."""

from kinds import DATE, ID, INTEGER, MONEY, NUMBER, TEXT, Maybe, holding, many, one_of

from consumers import Consumer

CONSUMER = Consumer(
    "work_orders",
    {
        "asset_registry.facility_registered.v1": holding(name=TEXT, timezone=TEXT),
        "asset_registry.system_registered.v1": holding(system_id=ID, name=TEXT),
        "asset_registry.system_decommissioned.v1": holding(system_id=ID, decommissioned_on=DATE),
        "asset_registry.points_added.v1": holding(
            system_id=ID,
            equipment=TEXT,
            points=many(
                holding(
                    point_id=ID,
                    label=TEXT,
                    location=Maybe(TEXT),
                    expected=Maybe(holding(unit=TEXT, low=Maybe(NUMBER), high=Maybe(NUMBER))),
                )
            ),
        ),
        "asset_registry.points_retired.v1": holding(point_ids=many(ID)),
        "asset_registry.point_relocated.v1": holding(point_id=ID, location=TEXT),
        "scheduling.occurrence_scheduled.v1": holding(
            occurrence_id=ID,
            system_id=ID,
            activity=one_of("inspection", "maintenance", "service", "test"),
            window_start=DATE,
            window_end=DATE,
            point_ids=many(ID),
            assignee=Maybe(TEXT),
        ),
        "scheduling.occurrence_withdrawn.v1": holding(occurrence_id=ID, reason=TEXT),
        "scheduling.workday_calendar_adopted.v1": holding(
            year=INTEGER, holidays=many(DATE), make_up_workdays=many(DATE)
        ),
        "scoring.budget_recorded.v1": holding(year=INTEGER, initial=MONEY, annual=MONEY, as_of=DATE),
    },
    knows_own=False,
)
