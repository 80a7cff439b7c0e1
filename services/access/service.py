"""Access's wiring."""

from services.access import views
from shared import service


class Access(service.LedgerService):
    """Knows who comes in, and what they may do."""

    name = "access"
    views = views.VIEWS
