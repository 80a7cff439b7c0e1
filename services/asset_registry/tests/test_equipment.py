"""What is said of equipment: nameplates and documents of groups and points, and what is found by them."""

import base64
import hashlib
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from services.asset_registry.tests.hall import MARCH_1, add, describe, ids_of, listed, on
from shared.contracts.asset_registry import EquipmentDescribed, Nameplate, PointReplaced, PointsAdded
from shared.contracts.work_orders import EquipmentReplaced
from shared.errors import Forbidden, Invalid, NotFound, Rejected
from shared.tests.alone import Alone

PDF = b"%PDF-1.7\nmanual"
KNOWN = {
    "maker": "某消防设备厂",
    "model": "QMP70/4.2",
    "serial": "20190311",
    "supplier": "某消防工程公司",
    "installed_on": "2019-05-20",
    "warranty_until": "2024-05-19",
}
UNKNOWN = dict.fromkeys(KNOWN)


def keep(registry: Alone, content: bytes = PDF) -> dict[str, Any]:
    """Send a document."""
    sent = {"file": base64.b64encode(content).decode(), "media_type": "application/pdf"}
    kept: dict[str, Any] = registry.ask("keep_document", **sent)
    return kept


def said_of(registry: Alone, point_id: str) -> dict[str, Any]:
    """The nameplate of a point."""
    shown = registry.service.point(registry.hall, point_id)
    return {name: shown[name] for name in KNOWN}


def replaced(registry: Alone, point_id: str, **members: Any) -> None:
    """Let work orders report a replacement, and the registry hear of it."""
    event = EquipmentReplaced(
        work_order_id="wo-1", point_id=point_id, requested_on=date(2021, 3, 1), replaced_on=date(2021, 3, 9), **members
    )
    registry.tell("work-order/wo-1", event)
    registry.follow()


def test_a_point_is_what_its_group_is_unless_something_is_said_of_it_alone(registry: Alone) -> None:
    add(registry, "P-1", "P-2", "P-3")
    add(registry, "P-4", nameplate={"serial": "4"})
    describe(registry, **KNOWN)
    describe(registry, "P-2", "P-3", maker="乙")

    assert said_of(registry, "P-1") == KNOWN
    assert said_of(registry, "P-2") == said_of(registry, "P-3") == {**UNKNOWN, "maker": "乙"}
    assert said_of(registry, "P-4") == {**UNKNOWN, "serial": "4"}


def test_the_last_word_holds_whole(registry: Alone) -> None:
    add(registry, "P-1")
    describe(registry, **KNOWN)

    describe(registry, maker="乙")

    assert said_of(registry, "P-1") == {**UNKNOWN, "maker": "乙"}


def test_groups_are_shown_with_what_is_said_of_them_and_how_many_points_are_in_use(registry: Alone) -> None:
    add(registry, "P-1", "P-2", "P-3")
    add(registry, "D-1", equipment="风口")
    add(registry, "T-1", system="water", equipment="室内机")
    paper = {"sha256": keep(registry)["sha256"], "title": "说明书"}
    describe(registry, documents=[paper], **KNOWN)
    on(registry, "2021-03-05")
    registry.ask("retire_points", system_id="hvac", point_ids=["P-3"], reason="拆除")

    shown = listed(registry, "equipment")

    assert [(one["system_id"], one["equipment"], one["points"]) for one in shown] == [
        ("hvac", "室内机", 2),
        ("hvac", "风口", 1),
        ("water", "室内机", 1),
    ]
    assert shown[0] == {"system_id": "hvac", "equipment": "室内机", "points": 2, "documents": [paper], **KNOWN}
    assert shown[1] == {"system_id": "hvac", "equipment": "风口", "points": 1, "documents": [], **UNKNOWN}
    assert listed(registry, "equipment", as_of="2021-03-04", q="qmp70")[0]["points"] == 3
    assert ids_of(registry, "equipment", "equipment", system_id="water") == ["室内机"]
    assert listed(registry, "equipment", as_of="2021-02-28") == []


def test_a_document_is_kept_and_given_back_as_it_was(registry: Alone) -> None:
    kept = keep(registry)

    sha256 = hashlib.sha256(PDF).hexdigest()
    assert kept == {"sha256": sha256, "media_type": "application/pdf", "size": len(PDF)} == keep(registry)
    given = registry.service.document(registry.hall, sha256)
    assert (given["media_type"], base64.b64decode(given["body"])) == ("application/pdf", PDF)
    with pytest.raises(NotFound):
        registry.service.document("elsewhere", sha256)


def test_a_picture_is_a_document_too_whatever_its_sender_calls_it(registry: Alone) -> None:
    picture = BytesIO()
    Image.new("RGB", (2, 2)).save(picture, "PNG")

    assert keep(registry, picture.getvalue())["media_type"] == "image/png"


def test_what_is_no_document_is_refused(registry: Alone) -> None:
    for content in (b"MZ program", b"", b"\x89PNG\r\n\x1a\nbroken", b"%PDF-" + bytes(20 * 2**20)):
        with pytest.raises(Invalid) as refused:
            keep(registry, content)
        assert list(refused.value.errors) == ["file"]
    with pytest.raises(Invalid):
        registry.ask("keep_document", file="no base64!", media_type="application/pdf")
    registry.hall = "elsewhere"
    with pytest.raises(NotFound):
        keep(registry)


def test_only_documents_that_were_kept_before_are_named(registry: Alone) -> None:
    add(registry, "P-1")
    known, unknown = keep(registry)["sha256"], 64 * "0"

    with pytest.raises(Invalid) as refused:
        describe(registry, documents=[{"sha256": known, "title": "a"}, {"sha256": unknown, "title": "b"}])

    assert list(refused.value.errors) == ["documents[1].sha256"]
    assert registry.events(EquipmentDescribed) == []
    describe(registry, "P-1", documents=[{"sha256": known, "title": "说明书"}])
    assert registry.service.point(registry.hall, "P-1")["documents"] == [{"sha256": known, "title": "说明书"}]


def test_limits_are_shown_with_the_low_one_filled_in(registry: Alone) -> None:
    add(registry, "P-1", expected={"unit": "MPa", "design": "4.2", "low_percent": 90})
    add(registry, "P-2", expected={"unit": "℃", "high": 30})
    add(registry, "P-3")

    shown = listed(registry, "points")

    assert [point["expected"] for point in shown] == [
        {"unit": "MPa", "low": "3.78", "high": None, "design": "4.2", "low_percent": "90"},
        {"unit": "℃", "low": None, "high": "30"},
        None,
    ]
    assert registry.service.point(registry.hall, "P-1")["expected"] == shown[0]["expected"]


def test_work_that_replaced_equipment_is_followed(registry: Alone) -> None:
    add(registry, "P-1")
    describe(registry, maker="甲")
    on(registry, "2021-03-10")

    replaced(registry, "P-1", nameplate=Nameplate(maker="乙"))

    (recorded,) = registry.recorded(PointReplaced)
    assert recorded.event.data() == {
        "point_id": "P-1",
        "replaced_on": "2021-03-09",
        "nameplate": {"maker": "乙"},
        "work_order_id": "wo-1",
    }
    assert (recorded.subject, recorded.actor) == ("system/hvac", "service:asset_registry")
    assert said_of(registry, "P-1") == {**UNKNOWN, "maker": "乙"}


def test_work_that_does_not_say_what_stands_there_now_leaves_it_unknown(registry: Alone) -> None:
    add(registry, "P-1")
    describe(registry, **KNOWN)
    on(registry, "2021-03-10")

    replaced(registry, "P-1")

    assert said_of(registry, "P-1") == UNKNOWN


def test_work_at_points_that_are_not_in_use_is_passed_over(registry: Alone) -> None:
    add(registry, "P-1")
    on(registry, "2021-03-10")
    registry.ask("retire_points", system_id="hvac", point_ids=["P-1"], reason="拆除")

    replaced(registry, "P-1")
    replaced(registry, "P-9")

    assert registry.events(PointReplaced) == []


def test_what_is_wrong_with_what_is_said_of_equipment_is_named(registry: Alone) -> None:
    add(registry, "P-1")
    describing: dict[str, Any] = {"system_id": "hvac", "equipment": "室内机", "nameplate": {"maker": "甲"}}
    replacing: dict[str, Any] = {"point_id": "P-1", "replaced_on": "2021-03-01"}
    paper = {"sha256": 64 * "0", "title": "说明书"}
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("describe_equipment", {**describing, "nameplate": {}}, "nameplate"),
        ("describe_equipment", {**describing, "nameplate": {"maker": " "}}, "nameplate.maker"),
        ("describe_equipment", {**describing, "nameplate": {"colour": "red"}}, "nameplate.colour"),
        ("describe_equipment", {**describing, "nameplate": {"installed_on": "2021-03-03"}}, "nameplate.installed_on"),
        (
            "describe_equipment",
            {**describing, "nameplate": {"installed_on": "2021-02-02", "warranty_until": "2021-02-01"}},
            "nameplate.warranty_until",
        ),
        ("describe_equipment", {**describing, "documents": [paper, paper]}, "documents[1].sha256"),
        ("describe_equipment", {**describing, "documents": [{**paper, "title": " "}]}, "documents[0].title"),
        ("describe_equipment", {**describing, "documents": [{**paper, "sha256": "x"}]}, "documents[0].sha256"),
        ("describe_equipment", {**describing, "point_ids": []}, "point_ids"),
        ("describe_equipment", {**describing, "point_ids": ["P-1", "P-1"]}, "point_ids"),
        ("replace_equipment", {**replacing, "replaced_on": "2021-03-03"}, "replaced_on"),
        ("replace_equipment", {**replacing, "nameplate": {"supplier": ""}}, "nameplate.supplier"),
        ("keep_document", {"media_type": "application/pdf"}, "file"),
    ]
    for command, asked, field in wrong:
        with pytest.raises(Invalid) as refused:
            registry.ask(command, **asked)
        assert list(refused.value.errors) == [field]

    assert registry.events(EquipmentDescribed, PointReplaced) == []


def test_only_equipment_that_is_there_is_described_or_replaced(registry: Alone) -> None:
    add(registry, "P-1", "P-2")
    add(registry, "D-1", equipment="风口")
    registry.ask("retire_points", system_id="hvac", point_ids=["P-2"], reason="拆除")

    for what, ids in (("阀", ()), ("室内机", ("D-1",)), ("室内机", ("P-2",)), ("室内机", ("P-9",))):
        with pytest.raises(Rejected):
            describe(registry, *ids, equipment=what, maker="甲")
    with pytest.raises(Rejected):
        registry.ask("replace_equipment", point_id="P-2", replaced_on="2021-03-01")
    with pytest.raises(NotFound):
        registry.ask("replace_equipment", point_id="P-9", replaced_on="2021-03-01")

    assert registry.events(EquipmentDescribed, PointReplaced) == []


def test_assets_are_kept_by_managers_and_administrators_alone(registry: Alone) -> None:
    add(registry, "P-1")

    for role in ("inspector", "supervisor", "finance", "auditor", "integrator"):
        with pytest.raises(Forbidden):
            registry.ask("replace_equipment", roles=[role], point_id="P-1", replaced_on="2021-03-01")
    for role in ("manager", "admin"):
        registry.ask("replace_equipment", roles=[role], point_id="P-1", replaced_on="2021-03-01")

    assert len(registry.events(PointReplaced)) == 2


def test_time_zones_ahead_of_the_halls_may_have_begun_the_day(registry: Alone) -> None:
    registry.set_time(MARCH_1.replace(hour=10))  # March 2 in UTC+14, March 1 in the hall

    add(registry, "P-1", nameplate={"installed_on": "2021-03-02"})

    assert len(registry.events(PointsAdded)) == 1
