"""`xunjian project new`: what a new year's project carries over, what it leaves open, and what it says about both."""

import difflib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from services.project import redate
from services.project.assets import groups_of
from services.project.cli import project_group
from services.project.files import Project, read_project
from services.project.forms import Group
from services.project.renew import renew
from shared.contracts.asset_registry import Expected, Point
from shared.errors import Invalid

PROJECT = Path(__file__).parent.parent / "projects" / "chenggong-2021"
OPEN = ("budget.initial", "budget.annual", "cost_baseline.amount", "cost_baseline.basis")


@pytest.fixture(scope="module")
def last() -> Project:
    return read_project(PROJECT)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The project of 2026, as it is made."""
    assert new(PROJECT, 2026, tmp_path / "2026").exit_code == 0
    return tmp_path / "2026"


def new(last: Path, year: int, folder: Path | None = None) -> Result:
    """What the command answers."""
    to = ["--to", str(folder)] if folder else []
    return CliRunner().invoke(project_group, ["new", "--from", str(last), "--year", str(year), *to])


def filled(folder: Path) -> Path:
    """The folder with the figures of the office."""
    text = (folder / "project.yaml").read_text()
    for name, figure in zip(OPEN, ('"910000.00"', '"920000.00"', '"190000.00"', "决算"), strict=True):
        text = text.replace(f"{name.partition('.')[2]}: TODO", f"{name.partition('.')[2]}: {figure}")
    (folder / "project.yaml").write_text(text)
    return folder


def edited(folder: Path, name: str, old: str, new: str) -> None:
    """Edit a file, once."""
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))


def changed_lines(before: str, after: str) -> list[str]:
    """The lines of a text that are new."""
    return [line[2:] for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line.startswith("+ ")]


# --- what is carried over -------------------------------------------------------------------------------------------


def test_once_the_money_is_filled_in_it_is_the_project_of_the_year(made: Path, last: Project) -> None:
    project = read_project(filled(made))

    assert (project.year, project.plan.plan_id, project.terms.project_id) == (2026, "chenggong-2026", "chenggong-2026")
    assert (project.terms.starts_on, project.terms.ends_on) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (project.terms.name, project.terms.roles) == ("2026年政务中心运行维护经费项目", last.terms.roles)
    assert [(one.rulebook_id, one.year) for one in project.rulebooks] == [
        ("chenggong-2026", 2026),
        ("mof-2020-2026", 2026),
    ]
    assert (project.facility, project.systems) == (last.facility, last.systems)
    assert project.plan.items == last.plan.items
    assert project.plan.assumptions == last.plan.assumptions


def test_of_the_plan_only_what_names_the_year_changes(made: Path) -> None:
    changed = changed_lines((PROJECT / "plan.yaml").read_text(), (made / "plan.yaml").read_text())

    assert changed == [
        "# 2026: re-dated from the plan of 2021. 复核 review: what comments and reasons say is still of 2021.",
        "plan_id: chenggong-2026",
        "year: 2026",
    ]


def test_of_a_rulebook_only_id_year_and_title_change_and_its_top_asks_for_review(made: Path) -> None:
    old = (PROJECT / "rulebooks" / "mof-2020.yaml").read_text()

    mark, *changed = changed_lines(old, (made / "rulebooks" / "mof-2020-2026.yaml").read_text())

    assert mark.startswith("# TODO 复核 review for 2026: a copy of mof-2020 (2021)")
    assert changed == [
        "id: mof-2020-2026",
        'title: "2026年政务中心运行维护经费项目绩效自评（全国统一格式）"',
        "year: 2026",
    ]


@pytest.mark.parametrize(
    ("year", "until", "moved"),
    [(2026, "20211130", "20261130"), (2026, "20200229", "20250228"), (2025, "20200229", "20240229")],
)
def test_the_end_of_a_duty_moves_by_as_many_years(last: Project, year: int, until: str, moved: str) -> None:
    items = tuple(replace(item, rrule=f"FREQ=DAILY;UNTIL={until}") for item in last.plan.items)

    plan = redate.plan_of(replace(last.plan, items=items), year, {item.system_id for item in items})

    assert {item.rrule for item in plan.items} == {f"FREQ=DAILY;UNTIL={moved}"}


def test_duties_of_systems_out_of_commission_become_comments(last: Project) -> None:
    left = {item.system_id for item in last.plan.items} - {"elevators", "hvac"}
    plan = redate.plan_of(last.plan, 2026, left)

    text = redate.plan_text((PROJECT / "plan.yaml").read_text(), last.plan, plan)

    assert {item.system_id for item in plan.items} == left
    assert "#   - {plan_item_id: hvac-inspection, " in text
    assert "#   - plan_item_id: elevators-test\n#     system_id: elevators\n#     activity: test\n" in text


def test_a_plan_whose_duties_share_a_line_is_not_guessed_at(last: Project) -> None:
    two = replace(last.plan, items=last.plan.items[:2])
    duties = ", ".join(str(msgspec.json.encode(item), "utf-8") for item in two.items)
    text = f"plan_id: chenggong-2021\nyear: 2021\nitems: [{duties}]\n"

    with pytest.raises(Invalid, match="each duty on lines of its own"):
        redate.plan_text(text, two, redate.plan_of(two, 2026, {two.items[0].system_id}))


# --- what is left open ----------------------------------------------------------------------------------------------


def test_it_is_refused_field_by_field_until_the_money_is_filled_in(made: Path) -> None:
    with pytest.raises(Invalid) as refused:
        read_project(made)

    assert list(refused.value.errors) == [f"project.yaml: {name}" for name in OPEN]
    assert all("still TODO" in why[-1] for why in refused.value.errors.values())
    text = (made / "project.yaml").read_text()
    assert not any(figure in text for figure in ("900000", "182000", "2020年"))


def test_it_says_what_to_fill_in_and_to_review(tmp_path: Path) -> None:
    said = new(PROJECT, 2026, tmp_path / "new").stdout.splitlines()

    assert said == [
        f"{tmp_path / 'new'}: the project of 2026, made from {PROJECT}; before it can be loaded:",
        *(f"  fill in  project.yaml: {name}" for name in OPEN),
        "  review   rulebooks/chenggong-2026.yaml: a copy of chenggong-2021 of 2021, to hold for 2026",
        "  review   rulebooks/mof-2020-2026.yaml: a copy of mof-2020 of 2021, to hold for 2026",
    ]


def test_it_warns_of_unknown_workdays_and_of_a_plan_below_a_minimum(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(PROJECT, tmp_path / "old"))
    edited(folder, "plan.yaml", "FREQ=DAILY;INTERVAL=15", "FREQ=DAILY;INTERVAL=20")
    edited(folder, "plan.yaml", "FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=MONTHLY;BYMONTHDAY=1;UNTIL=20211130")

    said = new(folder, 2096, tmp_path / "new").stdout

    assert "  warning  no workday calendar is known for 2096; it is needed for elevators-test\n" in said
    assert "(elevators): more than 15 days without maintenance: 2096-01-01 to 2096-01-21, " in said
    assert "(gas-suppression): no inspection is planned in 2096-12; " in said
    assert "items[0].rrule: FREQ=MONTHLY;BYMONTHDAY=1;UNTIL=20211130 became FREQ=MONTHLY;BYMONTHDAY=1;UNTIL=" in said
    assert "items[9].window_days: windows of 90 days ended with a month in 2021, and do not in 2096" in said


def test_what_cannot_be_in_the_new_year_is_named_to_be_mended(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(PROJECT, tmp_path / "old"))
    edited(folder, "plan.yaml", "BYMONTH=10;BYMONTHDAY=1, window_days: 92", "BYMONTH=10;BYDAY=-1MO, window_days: 5")
    edited(folder, "plan.yaml", "YEARLY;BYMONTH=10;BYDAY=-1MO", "MONTHLY;BYDAY=-1MO")

    said = [new(folder, year, tmp_path / str(year)).stdout for year in (2026, 2029)]

    mend = "  mend     plan.yaml: items[24].window_days: expected at most 1: the window of 2029-12-31 ends in 2029\n"
    assert [mend in one for one in said] == [False, True]
    assert "mend" not in new(PROJECT, 2029, tmp_path / "other").stdout


# --- what is refused ------------------------------------------------------------------------------------------------


def test_a_folder_that_is_there_is_never_touched(made: Path) -> None:
    filled(made)
    before = (made / "project.yaml").read_bytes()

    refused = new(PROJECT, 2026, made)

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == f"{made}: is there already, expected a folder to be made\n"
    assert (made / "project.yaml").read_bytes() == before
    assert [path.name for path in made.parent.iterdir()] == [made.name]


def test_it_is_put_beside_the_last_one(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(PROJECT, tmp_path / "hall-2021"))

    assert new(folder, 2026).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hall-2021", "hall-2026"]


@pytest.mark.parametrize(
    ("last", "year", "said"),
    [
        (PROJECT, 2021, f"--year: expected a year after 2021, the year of {PROJECT}\n"),
        (Path("nowhere"), 2026, "nowhere: expected the folder of a project\n"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, last: Path, year: int, said: str) -> None:
    refused = new(last, year, tmp_path / "new")

    assert (refused.exit_code, refused.stderr) == (2, said)
    assert not (tmp_path / "new").exists()


# --- points in groups -----------------------------------------------------------------------------------------------


def rows(equipment: str, points: Sequence[Point]) -> list[dict[str, Any]]:
    """Points as the installation lists them."""
    return [{"equipment": equipment, **msgspec.to_builtins(point), "retired": False} for point in points]


PUMPS = Group(equipment="水泵", count=3, prefix="pump", label="水泵", location="泵房")
ASSUMED = Group(equipment="阀", count=2, prefix="valve", label="阀", assumption=True, reason="a handful")


def test_points_that_a_number_says_exactly_are_counted() -> None:
    limits = Group(equipment="瓶", count=12, prefix="b", label="瓶", expected=Expected(unit="MPa", low=None, high=None))

    assert list(groups_of([*rows("水泵", PUMPS.each()), *rows("瓶", limits.each())], ())) == [PUMPS, limits]


def test_others_are_listed_one_by_one() -> None:
    one, two, three = PUMPS.each()

    (group,) = groups_of(rows("水泵", [one, replace(two, location="屋顶"), three]), [PUMPS])

    assert group == Group(equipment="水泵", points=(one, replace(two, location="屋顶"), three))


def test_a_group_that_still_holds_stays_with_its_reason_and_what_is_left_of_one_too() -> None:
    assert list(groups_of(rows("阀", ASSUMED.each()), [ASSUMED])) == [ASSUMED]
    assert list(groups_of(rows("阀", ASSUMED.each()[1:]), [ASSUMED])) == [
        Group(equipment="阀", points=ASSUMED.each()[1:], assumption=True, reason="a handful")
    ]


@given(
    st.lists(
        st.builds(
            Point,
            point_id=st.sampled_from(["pump-001", "pump-002", "pump-003", "pump-04", "valve-001", "valve-002", "x"]),
            label=st.sampled_from(["水泵001", "水泵002", "水泵003", "阀001（假定）", "阀002（假定）"]),
            location=st.sampled_from([None, "泵房"]),
        ),
        unique_by=lambda point: point.point_id,
    ),
    st.sampled_from(["水泵", "阀"]),
)
def test_groups_say_exactly_the_points_that_there_are(points: list[Point], equipment: str) -> None:
    groups = list(groups_of(rows(equipment, points), [PUMPS, ASSUMED]))

    assert sorted((point for group in groups for point in group.each()), key=lambda point: point.point_id) == sorted(
        points, key=lambda point: point.point_id
    )
    assert all(group.equipment == equipment for group in groups)


def test_renewal_is_the_same_each_time(last: Project) -> None:
    assert renew(last, 2026) == renew(last, 2026)
