"""The wiring of what other systems tell us."""

from shared import service


class Inbound(service.LedgerService):
    """Receives what other systems tell."""
