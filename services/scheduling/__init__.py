"""Scheduling: what is due when, and what was not done in time.

Owns        plans, the workday calendars by which they are read, the occurrences made from them (应检周期), and the verdict
            of the clock on each
Accepts     adopt_plan, change_plan_item, withdraw_plan_item, amend_workdays, excuse_occurrence, withdraw_occurrence; the
            first four also as a preview (dry_run), which answers what would change and changes nothing
Publishes   shared.contracts.scheduling
Listens to  asset_registry (which systems and points there are), work_orders (whose work a visit is, what was performed)

Its words:

plan (年度计划), plan item or duty (计划项), activity (inspection 巡检, maintenance 维保, service 服务, test 检验)
nominal date        a day that an item's rule (RRULE) names: its visit belongs to that month (周期) whatever follows
occurrence, visit   one piece of work due in a window (窗口, its first to its last day), made 45 days ahead
reading, term       an item as adopted, or as its k-th change has it read from a day on
workday calendar    节假日 (holidays, Monday to Friday) and 调休 (make-up workdays, on weekends) of a year, in versions
held back           a visit that hangs on a calendar which nobody knows yet
below minimum       a plan that asks less than a standard (最低频次, `cadence`): warned about, adopted all the same
expected (计划中)   a visit that is planned and not made yet, in the year's view and the calendar feed
planned (待执行), performed (已完成), overdue (已逾期), missed (漏检), withdrawn (已撤销); excused (免责) beside any of them
"""
