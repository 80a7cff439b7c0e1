"""Scheduling: what is due when, and what was not done in time.

Owns        plans, the occurrences made from them (应检周期), and the verdict of the clock on each
Accepts     adopt_plan, change_plan_item, withdraw_plan_item, excuse_occurrence, withdraw_occurrence
Publishes   shared.contracts.scheduling
Listens to  asset_registry (which systems and points there are), work_orders (what was performed)
"""
