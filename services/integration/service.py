"""Integration's wiring."""

from services.integration import views
from services.integration.inbound import wiring as inbound
from services.integration.outbound import wiring as outbound
from services.integration.outbound.gauges import GAUGES


class Integration(inbound.Inbound, outbound.Outbound):
    """Hears other systems, and tells them."""

    name = "integration"
    views = views.VIEWS
    gauges = GAUGES
