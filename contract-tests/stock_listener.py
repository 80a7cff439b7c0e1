"""A service of some other system: plain nameko, nothing of ours; it prints what it hears."""

import json

from nameko.events import event_handler


class StockListener:
    """Hears of work performed."""

    name = "stock_listener"

    @event_handler("work_orders", "work_performed")
    def hear(self, payload: object) -> None:
        """Print the event, one line of JSON."""
        print(json.dumps(payload), flush=True)  # noqa: T201  its one purpose
