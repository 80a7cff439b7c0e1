"""Work orders: who does what, what was found, what it cost, and what went wrong.

Owns        work orders (工单) with their rounds (巡查) and verdicts (验收, 退回), requests, costs, incidents; photos of what
            was found, by SHA-256
Accepts     open_work_order, assign, start, hold, resume, inspect, keep_photo, perform, accept, accept_many,
            return_work, close, cancel, record_replacement, request_work, approve_work_request, reject_work_request,
            record_cost, reverse_cost, report_incident, confirm_incident, dismiss_incident, adopt_service_levels
Publishes   shared.contracts.work_orders
Answers     work_orders, work_order, round, history, photo; work_requests, costs, cost_summary, replacements, incidents,
            service_levels; record, record_sheet, fault_sheet
Listens to  scheduling (an occurrence opens a work order; one that is withdrawn cancels it; which days are worked),
            asset_registry (what systems and points there are, what a gauge is expected to show),
            scoring (the budget of a year)

A round is inspected in parts (部分保存): the last word on a point (点位) holds. Points left without a result (漏点) are named
when it is reported performed. A fault (故障) that is not fixed on site (当场处理) opens a corrective order (维修工单), unless one
is open at its point already.

A request (报修申请) is approved by an order or rejected. Work that no plan asked for is due by service levels (响应时限), in
working hours; when it is late, the clock escalates it (催办升级) to a supervisor, then to a manager. Costs (费用) stand
against the annual budget (全年预算数); an incident (安全事故) is reported, then confirmed or dismissed; a replacement
(设备更换) has its lead time. The forms 巡查记录 and 建筑消防设施故障维修记录 (GB 25201) are filled in from events.
"""
