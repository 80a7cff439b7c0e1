"""Which class stands for each service: what hosts them together, or describes them from outside, finds them here."""

from importlib import import_module

HOSTED = {
    "asset_registry": "AssetRegistry",
    "scheduling": "Scheduling",
    "work_orders": "WorkOrders",
    "scoring": "Scoring",
    "integration": "Integration",
    "access": "Access",
    "gateway": "Gateway",
}
"""Each service's class, in `services.<name>.service`."""


def class_of(service: str) -> type:
    """The nameko class of a service; importing it takes its libraries along."""
    found: type = getattr(import_module(f"services.{service}.service"), HOSTED[service])
    return found
