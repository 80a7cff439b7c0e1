"""The wiring of what other systems are told."""

from shared import service


class Outbound(service.LedgerService):
    """Tells other systems what happened."""
