"""Scoring: what the year's work is worth under a rulebook, and why.

Owns: the journal of every event consumed, satisfaction reports, cost baselines, budgets, waivers, rulebooks,
assessments.
Accepts: report_satisfaction, record_cost_baseline, record_budget, waive_deduction, add_rulebook, open_assessment,
publish_assessment, withdraw_assessment.
Publishes: satisfaction_reported, cost_baseline_recorded, budget_recorded, deduction_waived, assessment_opened,
assessment_published, assessment_withdrawn.
Listens to: every event of asset_registry, scheduling, work_orders, and its own.
"""
