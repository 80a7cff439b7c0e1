"""The asset registry: which facilities, systems and points there are.

Owns        facilities, building systems, inspection points, and since when and until when each counts
Accepts     register_facility, register_system, decommission_system, add_points, retire_points, relocate_point
Publishes   shared.contracts.asset_registry
Listens to  nobody
"""
