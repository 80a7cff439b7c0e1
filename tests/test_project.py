"""The seed's project as data, and what is said of a project that is not right."""

import shutil
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from services.project.files import Project, read_project
from shared.errors import Invalid
from shared.rrule import days

PROJECT = Path(__file__).parent.parent / "projects" / "chenggong-2021"

MONTHLY = {
    "gas-suppression",
    "hvac",
    "fire-shutters",
    "lighting",
    "water",
    "sprinklers",
    "fire-alarm",
    "smoke-control",
    "power-distribution",
}
OTHERS = {
    "parking",
    "guarding",
    "ground",
    "greening",
    "elevators",
    "fire-maintenance",
    "lift-pumps",
    "emergency-repair",
}
QUARTERS = {
    1: {"gas-suppression", "hvac", "fire-shutters", "water", "sprinklers", "fire-alarm"},
    2: {"smoke-control", "lighting", "power-distribution"},
    3: {"parking", "guarding", "ground", "greening", "elevators"},
    4: {"fire-maintenance", "lift-pumps"},
}


@pytest.fixture(scope="module")
def project() -> Project:
    return read_project(PROJECT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the project to break."""
    return Path(shutil.copytree(PROJECT, tmp_path / "project"))


def mistakes(folder: Path) -> dict[str, list[str]]:
    """What reading the folder finds wrong."""
    with pytest.raises(Invalid) as refused:
        read_project(folder)
    return {place: list(whys) for place, whys in refused.value.errors.items()}


def replace(folder: Path, name: str, old: str, new: str) -> None:
    """Edit a file, once."""
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))


# --- the seed's facts ---------------------------------------------------------------------------------------------


def test_it_has_the_seventeen_systems(project: Project) -> None:
    assert {system.system_id for system in project.systems.systems} == MONTHLY | OTHERS


def test_it_has_the_980_points_that_the_seed_counts(project: Project) -> None:
    counted = {
        system.system_id: sum(group.count or 0 for group in system.equipment if not group.assumption)
        for system in project.systems.systems
    }

    assert +Counter(counted) == {"gas-suppression": 67, "hvac": 667, "fire-shutters": 42, "lighting": 204}
    assert sum(counted.values()) == 980


def test_each_counted_group_stands_in_the_seeds_words(project: Project) -> None:
    counters = ("个", "台", "套", "道")
    groups = [(system, group) for system in project.systems.systems for group in system.equipment]

    said = [any(f"{g.count}{c}{g.equipment}" in s.source for c in counters) for s, g in groups if not g.assumption]

    assert said == [True] * 10


def test_the_agent_is_a_measured_quantity_and_no_point(project: Project) -> None:
    (agent,) = (measured for system in project.systems.systems for measured in system.measured)

    assert (agent.quantity, agent.amount, agent.unit) == ("七氟丙烷", 3060, "kg")


def test_points_are_made_from_groups_the_same_each_time(project: Project) -> None:
    groups = {group.key: group for system in project.systems.systems for group in system.equipment}

    nozzles = groups["gas-nozzle"].each()

    assert [point.point_id for point in nozzles[:2]] == ["gas-nozzle-001", "gas-nozzle-002"]
    assert nozzles[-1].point_id == "gas-nozzle-027"
    assert nozzles[0].label == "气体喷嘴001"
    ids = [point.point_id for group in groups.values() for point in group.each()]
    assert len(ids) == len(set(ids)) == 980 + 32


def test_made_up_points_are_only_where_the_seed_counts_none_and_say_so(project: Project) -> None:
    assumed = [(system, group) for system in project.systems.systems for group in system.equipment if group.assumption]

    assert {s.system_id for s, _ in assumed} == MONTHLY - {"gas-suppression", "hvac", "fire-shutters", "lighting"}
    assert all(group.reason and system.uncounted for system, group in assumed)
    assert all("假定" in point.label for _, group in assumed for point in group.each())


def test_what_the_seed_names_without_a_number_is_unknown_and_not_zero(project: Project) -> None:
    (lighting,) = (system for system in project.systems.systems if system.system_id == "lighting")

    assert lighting.uncounted == ("普通灯具", "疏散指示灯", "安全出口灯", "应急照明装置")


def test_the_facility_and_the_money_are_the_seeds(project: Project) -> None:
    facility, terms = project.facility.facility, project.terms

    assert facility.uscc == "11530121MB198972XH"
    assert (facility.region_code, facility.floor_area_m2, facility.timezone) == ("530114", 12629, "Asia/Shanghai")
    assert str(terms.budget.initial) == str(terms.budget.annual) == "900000.00"
    assert (terms.starts_on, terms.ends_on) == (date(2021, 1, 1), date(2021, 12, 31))
    assert terms.cost_baseline is not None
    assert terms.cost_baseline.assumption
    assert terms.rulebooks.official == "chenggong-2021"


def test_the_person_and_the_telephone_of_the_seed_stay_out() -> None:
    texts = [path.read_text() for path in PROJECT.rglob("*.yaml")]

    assert not any("陈勇" in text or "67481242" in text for text in texts)


def test_each_of_nine_systems_is_inspected_in_every_month(project: Project) -> None:
    inspections = [item for item in project.plan.items if item.activity == "inspection"]

    assert {item.system_id for item in inspections} == MONTHLY
    for item in inspections:
        assert [day.month for day in days(item.rrule, 2021)] == list(range(1, 13))


def test_every_campaign_is_in_its_quarter(project: Project) -> None:
    campaigns = [item for item in project.plan.items if item.plan_item_id.endswith(("-campaign", "-test"))]

    found = {q: {c.system_id for c in campaigns if (days(c.rrule, 2021)[0].month - 1) // 3 == q - 1} for q in QUARTERS}

    assert found == QUARTERS


def test_elevators_are_maintained_every_15_days(project: Project) -> None:
    (item,) = (item for item in project.plan.items if item.plan_item_id == "elevators-maintenance")

    fired = days(item.rrule, 2021)

    assert {(later - earlier).days for earlier, later in pairwise(fired)} == {15}
    assert item.assumption
    assert "TSG T5002" in (item.reason or "")


def test_on_demand_work_has_no_plan(project: Project) -> None:
    assert {system.system_id for system in project.systems.systems} - {
        item.system_id for item in project.plan.items
    } == {"emergency-repair"}


# --- what is said of mistakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "old", "new", "place", "expected"),
    [
        (
            "systems.yaml",
            "commissioned_on: 2021-01-01",
            "commissioned_on: 1 Jan",
            "systems[0].commissioned_on",
            "a date YYYY-MM-DD",
        ),
        (
            "systems.yaml",
            "commissioned_on: 2021-01-01",
            "commissioned_on: 2021-02-30",
            "systems[0].commissioned_on",
            "a date",
        ),
        ("systems.yaml", "system_id: hvac", "system_id: gas-suppression", "systems[1].system_id", "stands twice"),
        ("systems.yaml", "system_id: hvac", "system_id: air con", "systems[1].system_id", "expected an id"),
        ("systems.yaml", "system_id: hvac", "sytem_id: hvac", "systems[1].system_id", "missing"),
        (
            "systems.yaml",
            "system_id: hvac",
            "sytem_id: hvac",
            "systems[1].sytem_id",
            "unknown key, expected one of system_id",
        ),
        ("systems.yaml", "count: 4,", "count: 4.0,", "systems[0].equipment[0].count", "expected an integer"),
        ("systems.yaml", "count: 4,", "count: 0,", "systems[0].equipment[0].count", "expected at least 1"),
        ("systems.yaml", "count: 4,", "count: 40000,", "systems[0].equipment[0].count", "expected at most 5000"),
        ("systems.yaml", "prefix: gas-nozzle", "prefix: gas-button", "systems[0].equipment[1].prefix", "stands twice"),
        (
            "systems.yaml",
            "prefix: gas-button, label: 紧急启停按钮,",
            "label: 紧急启停按钮,",
            "systems[0].equipment[0].prefix",
            "expected count, prefix and label, or the points one by one",
        ),
        (
            "systems.yaml",
            "prefix: gas-button, label: 紧急启停按钮,",
            "points: [{point_id: b, label: b}],",
            "systems[0].equipment[0].count",
            "expected either this or the points one by one",
        ),
        (
            "systems.yaml",
            "count: 4, prefix: gas-button, label: 紧急启停按钮, location: 档案区",
            "points: [{point_id: gas-nozzle-001, label: b}]",
            "systems[0].equipment[0].points[0].point_id",
            "is a counted point already",
        ),
        (
            "systems.yaml",
            "count: 4, prefix: gas-button, label: 紧急启停按钮, location: 档案区",
            "points: [{point_id: b, label: b}, {point_id: b, label: c}]",
            "systems[0].equipment[0].points[1].point_id",
            "stands twice",
        ),
        (
            "systems.yaml",
            "prefix: gas-button,",
            "prefix: gas-button, nameplate: {maker: a, installed_on: may},",
            "systems[0].equipment[0].nameplate.installed_on",
            "a date YYYY-MM-DD",
        ),
        (
            "systems.yaml",
            "equipment: 气体喷嘴, count: 27,",
            "equipment: 紧急启停按钮, nameplate: {maker: a}}\n      - {equipment: 紧急启停按钮, nameplate: {maker: b}, count: 27,",
            "systems[0].equipment[2].nameplate",
            "stands at equipment[1] already",
        ),
        (
            "systems.yaml",
            "prefix: gas-button,",
            "prefix: gas-button, expected: {unit: MPa, low: some},",
            "systems[0].equipment[0].expected.low",
            "expected a number",
        ),
        ("project.yaml", 'annual: "900000.00"', "annual: TODO", "budget.annual", "still TODO"),
        (
            "project.yaml",
            "does: books costs and the execution of the budget",
            "does: TODO",
            "roles[4].does",
            "still TODO",
        ),
        ("systems.yaml", "amount: 3060", "amount: many", "systems[0].measured[0].amount", "expected a number"),
        (
            "systems.yaml",
            "assumption: true, reason: one supply to one hall",
            "assumption: true",
            "systems[4].equipment[1].reason",
            "why",
        ),
        ("systems.yaml", "uncounted: [给排水]", "uncounted: 给排水", "systems[4].uncounted", "expected a list"),
        (
            "plan.yaml",
            "system_id: hvac",
            "system_id: heating",
            "items[1].system_id",
            "expected a system of systems.yaml",
        ),
        (
            "plan.yaml",
            "id: hvac-inspection",
            "id: water-inspection",
            "items[4].plan_item_id",
            "stands twice, first at items[1]",
        ),
        ("plan.yaml", "id: hvac-inspection", f"id: hvac{'-' * 60}", "items[1].plan_item_id", "at most 60"),
        ("plan.yaml", "FREQ=MONTHLY;BYMONTHDAY=1", "monthly", "items[0].rrule", "expected an RFC 5545 RRULE"),
        (
            "plan.yaml",
            "FREQ=MONTHLY;BYMONTHDAY=1",
            "FREQ=MONTHLY;BYDAY=X",
            "items[0].rrule",
            "expected an RFC 5545 RRULE",
        ),
        ("plan.yaml", "FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=HOURLY", "items[0].rrule", "never more often than daily"),
        (
            "plan.yaml",
            "FREQ=MONTHLY;BYMONTHDAY=1",
            "FREQ=DAILY;BYHOUR=8",
            "items[0].rrule",
            "each part once and of",
        ),
        ("plan.yaml", "FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=MONTHLY;INTERVAL=0", "items[0].rrule", "an INTERVAL from 1"),
        (
            "plan.yaml",
            "FREQ=MONTHLY;BYMONTHDAY=1",
            "FREQ=YEARLY;UNTIL=20200101",
            "items[0].rrule",
            "names a day of 2021",
        ),
        (
            "plan.yaml",
            "workdays: ignore}",
            "workdays: never}",
            "items[0].workdays",
            "expected one of ignore, skip, move",
        ),
        ("plan.yaml", "window_days: 3", "window_days: 6", "items[23].window_days", "expected at most 5"),
        ("plan.yaml", "year: 2021", "year: 2022", "year", "expected 2021, the year of project.yaml"),
        (
            "project.yaml",
            'annual: "900000.00"',
            "annual: 900000",
            "budget.annual",
            "money as a string with two decimals",
        ),
        ("project.yaml", 'annual: "900000.00"', 'annual: "-1.00"', "budget.annual", "0.00 or more"),
        ("project.yaml", "year: 2020", "year: 2019", "cost_baseline.year", "expected 2020"),
        ("project.yaml", "ends_on: 2021-12-31", "ends_on: 2022-01-31", "ends_on", "expected a day from"),
        (
            "project.yaml",
            "official: chenggong-2021",
            "official: other",
            "rulebooks.official",
            "expected the id of one of the files",
        ),
        ("project.yaml", "rulebooks/mof-2020.yaml", "../mof-2020.yaml", "rulebooks.files", "inside the folder"),
        (
            "project.yaml",
            "rulebooks/mof-2020.yaml",
            "rulebooks/chenggong-2021.yaml",
            "rulebooks.files[1]",
            "stands twice",
        ),
        ("facility.yaml", "198972XH", "198972XJ", "facility.uscc", "GB 32100"),
        ("facility.yaml", '"530114"', '"5301"', "facility.region_code", "6 or 12 digits"),
        ("facility.yaml", '"530114"', "530114", "facility.region_code", "expected a string"),
        ("facility.yaml", "Asia/Shanghai", "China/Kunming", "facility.timezone", "IANA"),
    ],
)
def test_a_mistake_is_named_with_file_path_and_what_was_expected(
    folder: Path, name: str, old: str, new: str, *, place: str, expected: str
) -> None:
    replace(folder, name, old, new)

    found = mistakes(folder)

    assert expected in "; ".join(found[f"{name}: {place}"])


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("plan.yaml", b"plan_id: a\nplan_id: b\n", "line 2, column 1"),
        ("plan.yaml", b"plan_id:\n\tyear: 2021\n", "line 2, column 1: "),
        ("plan.yaml", "plan_id: 计划\n".encode("gb18030"), "expected UTF-8, see line 1"),
        ("plan.yaml", b"[1, 2]\n", "expected a mapping"),
        ("plan.yaml", b"", "expected a mapping"),
        ("facility.yaml", b"facility: {name: [unclosed\n", "line 2, column 1"),
        ("rulebooks/mof-2020.yaml", b"\xff", "expected UTF-8"),
    ],
)
def test_a_file_that_is_no_yaml_is_named_with_the_line(folder: Path, name: str, content: bytes, expected: str) -> None:
    (folder / name).write_bytes(content)

    assert expected in "; ".join(mistakes(folder)[name])


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "plan.yaml").unlink()
    (folder / "rulebooks" / "mof-2020.yaml").unlink()

    found = mistakes(folder)

    assert found == {name: [f"expected this file in {folder}"] for name in ("plan.yaml", "rulebooks/mof-2020.yaml")}


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert mistakes(tmp_path / "nowhere") == {str(tmp_path / "nowhere"): ["expected the folder of a project"]}


def test_a_broken_rulebook_is_named_by_file_and_path(folder: Path) -> None:
    replace(folder, "rulebooks/chenggong-2021.yaml", "weight: 20", "weight: twenty")

    assert [place for place in mistakes(folder) if place.startswith("rulebooks/chenggong-2021.yaml: indicators[")]


def test_the_mistakes_of_all_files_are_told_together(folder: Path) -> None:
    replace(folder, "systems.yaml", "count: 4,", "count: four,")
    replace(folder, "facility.yaml", "198972XH", "198972XJ")
    replace(folder, "project.yaml", "year: 2020", "year: 2019")
    (folder / "plan.yaml").write_text("plan_id: [\n")

    assert {place.partition(":")[0] for place in mistakes(folder)} == {
        "systems.yaml",
        "facility.yaml",
        "project.yaml",
        "plan.yaml",
    }


def test_a_12_digit_region_and_another_region_in_the_uscc_are_right(folder: Path) -> None:
    replace(folder, "facility.yaml", '"530114"', '"530114000000"')

    assert read_project(folder).facility.facility.region_code == "530114000000"
