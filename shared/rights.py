"""Who may do what: one table, which the gateway asks before it passes a request on, and each service before it decides.

A line is `<service>.<method>` and the roles of which a caller must hold one, in the facility that is meant. Rules that
need the past of a stream (the doer does not accept, who should have come does not excuse) stay in the aggregates.
"""

from collections.abc import Collection, Mapping
from typing import Literal, get_args

from shared.errors import Forbidden

Role = Literal["inspector", "supervisor", "manager", "finance", "auditor", "integrator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

EVERYWHERE = "*"
"""Stands for all facilities, those to come too, where a role is bound."""

INSTALLATION = "-"
"""Stands in place of a facility for what belongs to none: accounts, keys, sign-ins."""

STAFF: tuple[Role, ...] = ("inspector", "supervisor", "manager", "finance", "integrator", "admin")
"""Everyone but the auditor, who only reads."""
OFFICE: tuple[Role, ...] = ("supervisor", "manager", "finance", "auditor", "admin")
"""Those who answer for the year, and who audits them."""
KEEPERS: tuple[Role, ...] = ("manager", "admin")
"""Those who keep what work follows from: assets, plans, calendars, service levels."""
WORKERS: tuple[Role, ...] = ("inspector", "supervisor", "manager")
LEADERS: tuple[Role, ...] = ("supervisor", "manager")
MANAGER: tuple[Role, ...] = ("manager",)
ACCOUNTANTS: tuple[Role, ...] = ("finance", "integrator")
"""Those who book money; it never changes the state of work."""
BOOKKEEPING: tuple[Role, ...] = ("finance", "integrator", "supervisor", "manager", "auditor", "admin")
"""Those who see money."""
SETTERS: tuple[Role, ...] = ("finance", "manager", "admin")
"""Those who set a year up: what it may cost and by which rules it is scored."""
EVIDENCE: tuple[Role, ...] = ("manager", "auditor", "admin")
"""Those who may take the evidence of a year along."""
CONNECTORS: tuple[Role, ...] = ("integrator", "admin")
"""Those who connect other systems."""
FOLLOWERS: tuple[Role, ...] = ("integrator", "manager", "auditor", "admin")
"""Those who see everything that happened, event by event, and what other systems were told of it."""
ADMIN: tuple[Role, ...] = ("admin",)
WATCHERS: tuple[Role, ...] = ("auditor", "admin")
"""Those who see who signed in."""

RIGHTS: Mapping[str, tuple[Role, ...]] = {
    "gateway.set_clock": ADMIN,
    "gateway.installation": ROLES,
    # access
    "access.create_account": ADMIN,
    "access.accounts": WATCHERS,
    "access.account": WATCHERS,
    "access.disable_account": ADMIN,
    "access.enable_account": ADMIN,
    "access.reset_password": ADMIN,
    "access.link_identity": ADMIN,
    "access.grant_role": ADMIN,
    "access.revoke_role": ADMIN,
    "access.issue_key": ADMIN,
    "access.keys": WATCHERS,
    "access.revoke_key": ADMIN,
    "access.access_log": WATCHERS,
    # asset_registry
    "asset_registry.register_facility": ADMIN,
    "asset_registry.facilities": ROLES,
    "asset_registry.facility": ROLES,
    "asset_registry.register_system": KEEPERS,
    "asset_registry.systems": ROLES,
    "asset_registry.decommission_system": KEEPERS,
    "asset_registry.add_points": KEEPERS,
    "asset_registry.points": ROLES,
    "asset_registry.point": ROLES,
    "asset_registry.retire_points": KEEPERS,
    "asset_registry.relocate_point": KEEPERS,
    "asset_registry.describe_equipment": KEEPERS,
    "asset_registry.replace_equipment": KEEPERS,
    "asset_registry.equipment": ROLES,
    "asset_registry.import_assets": KEEPERS,
    "asset_registry.export_assets": ROLES,
    "asset_registry.keep_document": KEEPERS,
    "asset_registry.document": ROLES,
    "asset_registry.labels": ROLES,
    # scheduling
    "scheduling.adopt_plan": KEEPERS,
    "scheduling.plans": ROLES,
    "scheduling.plan": ROLES,
    "scheduling.change_plan_item": KEEPERS,
    "scheduling.withdraw_plan_item": KEEPERS,
    "scheduling.workdays": ROLES,
    "scheduling.amend_workdays": KEEPERS,
    "scheduling.occurrences": ROLES,
    "scheduling.occurrence": ROLES,
    "scheduling.excuse_occurrence": MANAGER,
    "scheduling.withdraw_occurrence": KEEPERS,
    "scheduling.year_view": ROLES,
    "scheduling.calendar": ROLES,
    # work_orders
    "work_orders.work_orders": ROLES,
    "work_orders.work_order": ROLES,
    "work_orders.round": ROLES,
    "work_orders.history": ROLES,
    "work_orders.record": ROLES,
    "work_orders.record_sheet": ROLES,
    "work_orders.open_work_order": WORKERS,
    "work_orders.assign": LEADERS,
    "work_orders.start": WORKERS,
    "work_orders.hold": WORKERS,
    "work_orders.resume": WORKERS,
    "work_orders.inspect": WORKERS,
    "work_orders.perform": WORKERS,
    "work_orders.keep_photo": WORKERS,
    "work_orders.photo": ROLES,
    "work_orders.accept": LEADERS,
    "work_orders.accept_many": LEADERS,
    "work_orders.return_work": LEADERS,
    "work_orders.close": LEADERS,
    "work_orders.cancel": LEADERS,
    "work_orders.request_work": STAFF,
    "work_orders.work_requests": ROLES,
    "work_orders.approve_work_request": LEADERS,
    "work_orders.reject_work_request": LEADERS,
    "work_orders.adopt_service_levels": KEEPERS,
    "work_orders.service_levels": ROLES,
    "work_orders.record_replacement": WORKERS,
    "work_orders.replacements": ROLES,
    "work_orders.fault_sheet": ROLES,
    "work_orders.record_cost": ACCOUNTANTS,
    "work_orders.reverse_cost": ACCOUNTANTS,
    "work_orders.costs": BOOKKEEPING,
    "work_orders.cost_summary": BOOKKEEPING,
    "work_orders.report_incident": STAFF,
    "work_orders.incidents": ROLES,
    "work_orders.confirm_incident": MANAGER,
    "work_orders.dismiss_incident": MANAGER,
    # scoring
    "scoring.add_rulebook": KEEPERS,
    "scoring.rulebooks": ROLES,
    "scoring.rulebook": ROLES,
    "scoring.report_satisfaction": ("manager", "integrator"),
    "scoring.record_cost_baseline": SETTERS,
    "scoring.record_budget": (*SETTERS, "integrator"),
    "scoring.waive_deduction": MANAGER,
    "scoring.open_assessment": KEEPERS,
    "scoring.choose_official_rulebook": MANAGER,
    "scoring.sign_assessment": ("supervisor", "finance", "manager"),
    "scoring.publish_assessment": MANAGER,
    "scoring.withdraw_assessment": MANAGER,
    "scoring.assessment": ROLES,
    "scoring.results": ROLES,
    "scoring.missing": ROLES,
    "scoring.at_risk": ROLES,
    "scoring.why": ROLES,
    "scoring.diff": ROLES,
    "scoring.assessment_status": ROLES,
    "scoring.inspection_matrix": ROLES,
    "scoring.inspections_chart": ROLES,
    "scoring.score_chart": ROLES,
    "scoring.goal_sheet": OFFICE,
    "scoring.self_assessment_sheet": OFFICE,
    "scoring.self_assessment_pdf": OFFICE,
    "scoring.budget_import": OFFICE,
    "scoring.seal": ROLES,
    "scoring.seal_code": ROLES,
    "scoring.bundle": EVIDENCE,
    "scoring.record_reading": ROLES,
    "scoring.record_export": ROLES,
    # integration
    "integration.receive_events": CONNECTORS,
    "integration.receive_file": CONNECTORS,
    "integration.map_source": CONNECTORS,
    "integration.sources_of": FOLLOWERS,
    "integration.source": FOLLOWERS,
    "integration.messages": FOLLOWERS,
    "integration.message": FOLLOWERS,
    "integration.retry_message": CONNECTORS,
    "integration.reconciliation": FOLLOWERS,
    "integration.feed": FOLLOWERS,
    "integration.subscribe_webhook": CONNECTORS,
    "integration.webhooks": FOLLOWERS,
    "integration.pause_webhook": CONNECTORS,
    "integration.resume_webhook": CONNECTORS,
    "integration.replay_webhook": CONNECTORS,
    "integration.rotate_webhook_secret": CONNECTORS,
    "integration.remove_webhook": CONNECTORS,
    "integration.test_webhook": CONNECTORS,
    "integration.deliveries": FOLLOWERS,
}
"""Every command and every question of the API."""

PUBLIC = frozenset(
    {
        "gateway.health",
        "gateway.healthz",
        "gateway.readyz",
        "gateway.openapi",
        "gateway.api_page",
        "gateway.catalogue",
        "gateway.catalogue_of_event",
        "gateway.sign_in",
        "gateway.first_account",
        "gateway.set_password",
        "gateway.welcome",
        "gateway.accept_welcome",
        "gateway.password_page",
        "gateway.accept_password",
        "gateway.begin_oidc",
        "gateway.finish_oidc",
        "scoring.seal_key",
        "integration.webhook_key",
    }
)
"""What is answered without a sign-in: whether the platform works, the way in, and the public key that checks seals."""
SIGNED_IN = frozenset({"gateway.session", "gateway.sign_out", "gateway.change_password"})
"""What anybody who signed in may do, with or without a role."""


def must_have_one(held: Collection[str], needed: Collection[Role]) -> None:
    """Raise Forbidden unless one of the roles needed is held."""
    if not set(needed).intersection(held):
        raise Forbidden(f"expected the role {' or '.join(needed)}, not {', '.join(held) or 'none'}")
