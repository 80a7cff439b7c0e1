"""The published language, version 1: every event that leaves a service, a module per publishing service.

Names and fields are a contract with other systems. A field may be added with a default; anything else is a new
version beside an upcaster from the old one.
"""

from shared.contracts import access, asset_registry, integration, scheduling, scoring, work_orders

__all__ = ["access", "asset_registry", "integration", "scheduling", "scoring", "work_orders"]
