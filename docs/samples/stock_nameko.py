"""Hears of work as it is performed: a service of plain nameko, and nothing of ours.

    nameko run --broker amqp://USER:PASSWORD@HOST:5672/xunjian stock_nameko

nameko declares the exchange, which the read-only user may not: its user needs the right to configure work_orders.events.
An event may arrive twice, and one that was sent while this queue did not exist does not arrive: (facility, position)
tells both, and the feed or the stream has what is missing.
"""

from nameko.events import event_handler


class StockNameko:
    """Keeps, per facility, the position of the last event that it heard of."""

    name = "stock_nameko"

    @event_handler("work_orders", "work_performed")
    def on_work_performed(self, event: dict) -> None:
        """Print who did which work order."""
        work = event["data"]
        print(event["facility"], event["position"], work["work_order_id"], work["performed_by"], flush=True)
