"""Scoring: what the year's work is worth under a rulebook, and why.

Owns: the journal of every event consumed, satisfaction reports, cost baselines, budgets, waivers, rulebooks,
assessments, the results that were signed, and who looked at what.
Accepts: report_satisfaction, record_cost_baseline, record_budget, waive_deduction, add_rulebook, open_assessment,
choose_official_rulebook, sign_assessment, publish_assessment, withdraw_assessment, record_reading, record_export.
Publishes: satisfaction_reported, cost_baseline_recorded, budget_recorded, deduction_waived, assessment_opened,
official_rulebook_chosen, assessment_signed, assessment_published, assessment_withdrawn, evidence_read, evidence_exported.
Listens to: every event of asset_registry, scheduling, work_orders, and its own.

From facts.py to evaluation.py is the score, pure. Around it: rulebooks/ (how a year is scored, as data), questions/ (why,
what differs, what is at risk or missing), forms/ (the official sheets), publishing/ (seal, evidence, bundle), and
wiring/, the service class in parts.
"""
