"""The asset registry: which facilities, systems, equipment and points there are (设备台账).

    facility      单位        the hall, with its time zone
    system        系统        a building system, in commission (投用) since a day, until it is decommissioned (停用)
    equipment     设备组      like equipment of a system, by its name: 室内机, 七氟丙烷瓶组
    point         点位        what an inspector looks at; its id is its own for ever, also once it is retired (停用)
    nameplate     铭牌        maker 厂家, model 型号, serial 编号, supplier 供应商, installed_on, warranty_until 质保期
    expected      限值        between which readings are normal; low_percent sets `low` as a share of `design`
    document      文档        a manual or certificate, by the SHA-256 of its bytes

A point's nameplate is its own where something is said of it alone, else that of its equipment; who replaces what stands
at a point begins it anew. Lists answer for any day (`as_of`), and without one for all that is known.

Owns        facilities, building systems, equipment, inspection points, documents, and since when and until when each counts
Accepts     register_facility, register_system, decommission_system, add_points, retire_points, relocate_point,
            describe_equipment, replace_equipment, keep_document, import_assets
Answers     facilities, facility, systems, equipment, points, point, document, export_assets, labels
Publishes   shared.contracts.asset_registry
Listens to  work_orders (which equipment was replaced)
"""
