"""Work orders: who does what, what was found, what it cost, and what went wrong.

Owns        work orders (工单) with their rounds and verdicts, requests, costs, incidents
Accepts     open_work_order, assign, start, hold, resume, inspect, perform, accept, return_work, close, cancel,
            record_replacement, request_work, reject_work_request, record_cost, reverse_cost,
            report_incident, confirm_incident, dismiss_incident
Publishes   shared.contracts.work_orders
Listens to  scheduling (an occurrence opens a work order; one that is withdrawn cancels it)
"""
