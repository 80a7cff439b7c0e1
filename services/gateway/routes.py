"""The JSON API under `/v1`: which service answers what. Everything else about a request follows from its line here."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from werkzeug.routing import Map, Rule

from services.gateway.route import (
    Flag,
    Route,
    Year,
    administer,
    ask,
    ask_for_evidence,
    ask_for_feed,
    ask_for_file,
    ask_for_list,
    receive,
    send_file,
    tell,
)
from shared.schema import Id, Period, Text

MIB = 1024 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEETS = (XLSX, "text/csv")
EVENTS = ("application/cloudevents+json", "application/cloudevents-batch+json", "application/json")
"""In which forms events are sent; the last with their attributes in headers."""
FORM = "application/x-www-form-urlencoded"
PICTURES = ("image/jpeg", "image/png", "image/webp")
CALL_SECONDS = 20.0
"""How long a call to a receiver, which has ten seconds for it, may take with all that is around it."""


POINTS: Mapping[str, Any] = {
    "equipment": Text,
    "q": Text,
    "location": Text,
    "retired": Flag,
    "warranty_before": date,
    "as_of": date,
}
OCCURRENCES: Mapping[str, Any] = {
    "period": Period,
    "system_id": Id,
    "status": Id,
    "assignee": Text,
    "since": date,
    "until": date,
    "excused": Flag,
}
WORK_ORDERS: Mapping[str, Any] = {
    "status": Id,
    "kind": Id,
    "system_id": Id,
    "occurrence_id": Id,
    "assignee": Text,
    "priority": Id,
    "caused_by": Id,
    "point_id": Id,
    "due_before": datetime,
    "overdue": Flag,
}
COSTS: Mapping[str, Any] = {
    "year": Year,
    "category": Id,
    "supplier": Text,
    "invoice": Text,
    "status": Id,
    "work_order_id": Id,
}
MESSAGES: Mapping[str, Any] = {"status": Id, "source": Text, "day": date}
RECONCILED: Mapping[str, Any] = {"since": date, "until": date, "source": Text}
"""What the longer lists are filtered by."""

QUESTION: Mapping[str, Any] = {"as_of": date, "known_at": datetime, "rulebook": Id}
SECOND_QUESTION: Mapping[str, Any] = {"to_as_of": date, "to_known_at": datetime, "to_rulebook": Id}
"""What is asked of a year's score; parts of a second question that are left out are the first one's."""

ROUTES: tuple[Route, ...] = (
    ask("/health", "gateway.health"),
    ask("/installation", "gateway.installation", facility=Id),
    tell("/simulation/clock", "gateway.set_clock", everywhere=True),
    ask("/openapi.json", "gateway.openapi"),
    ask("/docs", "gateway.api_page"),
    ask_for_file("/catalogue/{document}", "gateway.catalogue"),
    ask_for_file("/catalogue/events/{event_document}", "gateway.catalogue_of_event"),
    # signing in
    tell("/session", "gateway.sign_in"),
    ask("/session", "gateway.session"),
    Route("command", "/v1/session", "gateway.sign_out", verb="DELETE"),
    ask("/session/oidc", "gateway.begin_oidc", return_to=Text),
    ask("/session/oidc/callback", "gateway.finish_oidc", code=Text, state=Text, error=Text, error_description=Text),
    tell("/password", "gateway.change_password"),
    tell("/password/set", "gateway.set_password"),
    tell("/accounts/first", "gateway.first_account"),
    # access
    administer("/accounts", "access.create_account"),
    ask_for_list("/accounts", "access.accounts", everywhere=True),
    ask("/accounts/{username}", "access.account", everywhere=True),
    administer("/accounts/{username}/disable", "access.disable_account"),
    administer("/accounts/{username}/enable", "access.enable_account"),
    administer("/accounts/{username}/reset-password", "access.reset_password"),
    administer("/accounts/{username}/identities", "access.link_identity"),
    administer("/roles/grant", "access.grant_role"),
    administer("/roles/revoke", "access.revoke_role"),
    administer("/facilities/{facility_id}/roles/grant", "access.grant_role", everywhere=False),
    administer("/facilities/{facility_id}/roles/revoke", "access.revoke_role", everywhere=False),
    administer("/keys", "access.issue_key"),
    ask_for_list("/keys", "access.keys", everywhere=True),
    administer("/keys/{key_id}/revoke", "access.revoke_key"),
    ask_for_list("/access-log", "access.access_log", everywhere=True, event=Id, actor=Text, about=Text),
    # asset_registry
    tell("/facilities", "asset_registry.register_facility", names_facility="facility_id", everywhere=True),
    ask_for_list("/facilities", "asset_registry.facilities", narrowed=True, q=Text),
    ask("/facilities/{facility}", "asset_registry.facility"),
    tell("/facilities/{facility}/systems", "asset_registry.register_system"),
    ask_for_list("/facilities/{facility}/systems", "asset_registry.systems", as_of=date, category=Text, q=Text),
    tell("/facilities/{facility}/systems/{system_id}/decommission", "asset_registry.decommission_system"),
    tell("/facilities/{facility}/systems/{system_id}/points", "asset_registry.add_points"),
    ask_for_list("/facilities/{facility}/systems/{system_id}/points", "asset_registry.points", **POINTS),
    tell("/facilities/{facility}/systems/{system_id}/points/retire", "asset_registry.retire_points"),
    tell("/facilities/{facility}/systems/{system_id}/equipment/describe", "asset_registry.describe_equipment"),
    ask_for_list("/facilities/{facility}/equipment", "asset_registry.equipment", system_id=Id, q=Text, as_of=date),
    ask_for_list("/facilities/{facility}/points", "asset_registry.points", system_id=Id, **POINTS),
    ask("/facilities/{facility}/points/{point_id}", "asset_registry.point", as_of=date),
    tell("/facilities/{facility}/points/{point_id}/relocate", "asset_registry.relocate_point"),
    tell("/facilities/{facility}/points/{point_id}/replace", "asset_registry.replace_equipment"),
    send_file(
        "/facilities/{facility}/documents", "asset_registry.keep_document", ("application/pdf", *PICTURES), 20 * MIB
    ),
    ask_for_file("/facilities/{facility}/documents/{sha256}", "asset_registry.document"),
    send_file(
        "/facilities/{facility}/assets/import",
        "asset_registry.import_assets",
        (XLSX, "text/csv"),
        20 * MIB,
        dry_run=Flag,
    ),
    ask_for_file(
        "/facilities/{facility}/assets/export",
        "asset_registry.export_assets",
        format=Literal["xlsx", "csv"],
        as_of=date,
    ),
    ask_for_file("/facilities/{facility}/labels", "asset_registry.labels", system_id=Id, equipment=Text, base=Text),
    # scheduling
    tell("/facilities/{facility}/plans", "scheduling.adopt_plan"),
    ask_for_list("/facilities/{facility}/plans", "scheduling.plans", year=Year),
    ask("/facilities/{facility}/plans/{plan_id}", "scheduling.plan"),
    tell("/facilities/{facility}/plans/{plan_id}/items/{plan_item_id}/change", "scheduling.change_plan_item"),
    tell("/facilities/{facility}/plans/{plan_id}/items/{plan_item_id}/withdraw", "scheduling.withdraw_plan_item"),
    ask("/facilities/{facility}/workdays/{year}", "scheduling.workdays"),
    tell("/facilities/{facility}/workdays/{year}", "scheduling.amend_workdays"),
    ask_for_list("/facilities/{facility}/occurrences", "scheduling.occurrences", **OCCURRENCES),
    ask("/facilities/{facility}/occurrences/{occurrence_id}", "scheduling.occurrence"),
    tell("/facilities/{facility}/occurrences/{occurrence_id}/excuse", "scheduling.excuse_occurrence"),
    tell("/facilities/{facility}/occurrences/{occurrence_id}/withdraw", "scheduling.withdraw_occurrence"),
    ask("/facilities/{facility}/years/{year}", "scheduling.year_view"),
    ask_for_file("/facilities/{facility}/calendar.ics", "scheduling.calendar", assignee=Text),
    # work_orders
    ask_for_list("/facilities/{facility}/work-orders", "work_orders.work_orders", **WORK_ORDERS),
    tell("/facilities/{facility}/work-orders", "work_orders.open_work_order"),
    tell("/facilities/{facility}/work-orders/accept", "work_orders.accept_many"),
    ask("/facilities/{facility}/work-orders/{work_order_id}", "work_orders.work_order"),
    ask("/facilities/{facility}/work-orders/{work_order_id}/round", "work_orders.round"),
    ask("/facilities/{facility}/work-orders/{work_order_id}/history", "work_orders.history"),
    ask("/facilities/{facility}/work-orders/{work_order_id}/record", "work_orders.record"),
    ask_for_file("/facilities/{facility}/work-orders/{work_order_id}/record.xlsx", "work_orders.record_sheet"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/assign", "work_orders.assign"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/start", "work_orders.start"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/hold", "work_orders.hold"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/resume", "work_orders.resume"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/inspect", "work_orders.inspect"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/perform", "work_orders.perform"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/accept", "work_orders.accept"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/return", "work_orders.return_work"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/close", "work_orders.close"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/cancel", "work_orders.cancel"),
    tell("/facilities/{facility}/work-orders/{work_order_id}/replacements", "work_orders.record_replacement"),
    ask_for_list("/facilities/{facility}/replacements", "work_orders.replacements", year=Year),
    ask_for_file("/facilities/{facility}/fault-records/{year}.xlsx", "work_orders.fault_sheet", system_id=Id),
    send_file("/facilities/{facility}/photos", "work_orders.keep_photo", PICTURES, 10 * MIB),
    ask_for_file("/facilities/{facility}/photos/{sha256}", "work_orders.photo"),
    tell("/facilities/{facility}/service-levels", "work_orders.adopt_service_levels"),
    ask("/facilities/{facility}/service-levels", "work_orders.service_levels"),
    tell("/facilities/{facility}/costs", "work_orders.record_cost"),
    ask_for_list("/facilities/{facility}/costs", "work_orders.costs", **COSTS),
    ask("/facilities/{facility}/costs/summary/{year}", "work_orders.cost_summary"),
    tell("/facilities/{facility}/costs/{cost_id}/reverse", "work_orders.reverse_cost"),
    tell("/facilities/{facility}/incidents", "work_orders.report_incident"),
    ask_for_list("/facilities/{facility}/incidents", "work_orders.incidents", status=Id),
    tell("/facilities/{facility}/incidents/{incident_id}/confirm", "work_orders.confirm_incident"),
    tell("/facilities/{facility}/incidents/{incident_id}/dismiss", "work_orders.dismiss_incident"),
    tell("/facilities/{facility}/work-requests", "work_orders.request_work"),
    ask_for_list("/facilities/{facility}/work-requests", "work_orders.work_requests", status=Id),
    tell("/facilities/{facility}/work-requests/{request_id}/approve", "work_orders.approve_work_request"),
    tell("/facilities/{facility}/work-requests/{request_id}/reject", "work_orders.reject_work_request"),
    # scoring
    tell("/rulebooks", "scoring.add_rulebook"),
    ask("/rulebooks", "scoring.rulebooks"),
    ask("/rulebooks/{sha256}", "scoring.rulebook"),
    tell("/facilities/{facility}/satisfaction-reports", "scoring.report_satisfaction"),
    tell("/facilities/{facility}/cost-baselines", "scoring.record_cost_baseline"),
    tell("/facilities/{facility}/budgets", "scoring.record_budget"),
    tell("/facilities/{facility}/waivers", "scoring.waive_deduction"),
    tell("/facilities/{facility}/assessments", "scoring.open_assessment"),
    ask("/facilities/{facility}/assessments/{year}", "scoring.assessment", as_of=date, known_at=datetime, rulebook=Id),
    ask("/facilities/{facility}/assessments/{year}/results", "scoring.results", as_of=date, known_at=datetime),
    ask("/facilities/{facility}/assessments/{year}/missing", "scoring.missing", **QUESTION),
    ask("/facilities/{facility}/assessments/{year}/at-risk", "scoring.at_risk", **QUESTION),
    ask("/facilities/{facility}/assessments/{year}/why", "scoring.why", indicator=Id, **QUESTION),
    ask("/facilities/{facility}/assessments/{year}/diff", "scoring.diff", **QUESTION, **SECOND_QUESTION),
    ask("/facilities/{facility}/assessments/{year}/status", "scoring.assessment_status"),
    ask_for_file("/facilities/{facility}/assessments/{year}/goal-sheet.xlsx", "scoring.goal_sheet", **QUESTION),
    ask_for_file(
        "/facilities/{facility}/assessments/{year}/self-assessment.xlsx", "scoring.self_assessment_sheet", **QUESTION
    ),
    ask_for_file(
        "/facilities/{facility}/assessments/{year}/self-assessment.pdf", "scoring.self_assessment_pdf", **QUESTION
    ),
    ask_for_file("/facilities/{facility}/assessments/{year}/budget-import.xlsx", "scoring.budget_import", **QUESTION),
    ask_for_file(
        "/facilities/{facility}/assessments/{year}/charts/inspections.png", "scoring.inspections_chart", **QUESTION
    ),
    ask_for_file("/facilities/{facility}/assessments/{year}/charts/score.png", "scoring.score_chart", **QUESTION),
    ask("/facilities/{facility}/inspection-matrix/{year}", "scoring.inspection_matrix", **QUESTION),
    ask_for_file("/facilities/{facility}/assessments/{year}/seal.json", "scoring.seal"),
    ask_for_file("/facilities/{facility}/assessments/{year}/seal.png", "scoring.seal_code"),
    ask_for_evidence("/facilities/{facility}/assessments/{year}/bundle.zip", "scoring.bundle"),
    ask_for_file("/seal-key.pem", "scoring.seal_key"),
    tell("/facilities/{facility}/assessments/{assessment_id}/official", "scoring.choose_official_rulebook"),
    tell("/facilities/{facility}/assessments/{assessment_id}/sign", "scoring.sign_assessment"),
    tell("/facilities/{facility}/assessments/{assessment_id}/publish", "scoring.publish_assessment"),
    tell("/facilities/{facility}/assessments/{assessment_id}/withdraw", "scoring.withdraw_assessment"),
    # integration
    receive("/integration/events", "integration.receive_events", EVENTS),
    send_file("/facilities/{facility}/integration/files", "integration.receive_file", SHEETS, 20 * MIB, source_id=Id),
    tell("/facilities/{facility}/integration/sources", "integration.map_source"),
    ask_for_list("/facilities/{facility}/integration/sources", "integration.sources_of"),
    ask("/facilities/{facility}/integration/sources/{source_id}", "integration.source"),
    ask_for_list("/facilities/{facility}/integration/messages", "integration.messages", **MESSAGES),
    ask("/facilities/{facility}/integration/messages/{message}", "integration.message"),
    tell("/facilities/{facility}/integration/messages/{message}/retry", "integration.retry_message"),
    ask("/facilities/{facility}/integration/reconciliation", "integration.reconciliation", **RECONCILED),
    ask_for_feed("/events", "integration.feed", types=Text, sources=Text),
    tell("/facilities/{facility}/webhooks", "integration.subscribe_webhook"),
    ask_for_list("/facilities/{facility}/webhooks", "integration.webhooks"),
    tell("/facilities/{facility}/webhooks/{webhook_id}/pause", "integration.pause_webhook"),
    tell("/facilities/{facility}/webhooks/{webhook_id}/resume", "integration.resume_webhook"),
    tell("/facilities/{facility}/webhooks/{webhook_id}/replay", "integration.replay_webhook"),
    tell("/facilities/{facility}/webhooks/{webhook_id}/secret", "integration.rotate_webhook_secret"),
    tell("/facilities/{facility}/webhooks/{webhook_id}/remove", "integration.remove_webhook"),
    Route(
        "command",
        "/v1/facilities/{facility}/webhooks/{webhook_id}/test",
        "integration.test_webhook",
        seconds=CALL_SECONDS,
    ),
    ask_for_list("/facilities/{facility}/webhooks/{webhook_id}/deliveries", "integration.deliveries"),
    ask_for_file("/webhook-key.pem", "integration.webhook_key"),
)

PAGES: tuple[Route, ...] = (
    Route("page", "/welcome", "gateway.welcome", query={"code": Text}),
    Route("form", "/welcome", "gateway.accept_welcome", media_types=(FORM,)),
    Route("page", "/password", "gateway.password_page", query={"code": Text}),
    Route("form", "/password", "gateway.accept_password", media_types=(FORM,)),
    Route("page", "/healthz", "gateway.healthz"),
    Route("page", "/readyz", "gateway.readyz"),
)
"""What is for browsers, and for what keeps the process running; no part of the API."""

_TABLE = Map(
    [
        Rule(route.path.replace("{", "<").replace("}", ">"), methods=[route.method], endpoint=route)
        for route in (*ROUTES, *PAGES)
    ],
    strict_slashes=True,
    merge_slashes=False,
    redirect_defaults=False,
).bind("gateway")


def find(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The line for a request, and the parameters in its path, not checked yet.

    Raises werkzeug's NotFound, or MethodNotAllowed with the methods that there are.
    """
    route, parameters = _TABLE.match(path, method)
    return route, dict(parameters)
