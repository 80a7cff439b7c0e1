"""domain.md, Readings taken where the seed is open: a test a sentence."""

from click.testing import CliRunner

from services.scoring.cli import rulebook_group
from services.scoring.rulebooks.rulebook import Indicator
from services.scoring.tests import histories as h

READINGS = [
    "表中未列分值：以一次扣分的分数为该指标的分值",
    "给排水系统的指标内容列举了全部九个系统，本指标只评给排水",
    "漏检一次不再另计该次的点位",
    "定性指标给出数值的，按数值评分",
    "安全事故计入社会效益指标，不计入质量指标",
    "质量指标“= 90 %”读作不低于 90 %",
    "“月/次”读作每月一次",
]


def indicator(name: str) -> Indicator:
    """An indicator of the default rulebook."""
    return next(one for one in h.CHENGGONG.indicators if one.id == name)


def test_readings_taken_where_the_seed_is_open_keep_this_list_in_the_rulebook_shown_to_the_user() -> None:
    """**Readings taken where the seed is open** (keep this list in the rulebook, shown to the user):"""
    kept = {book.id: "\n".join(book.readings) for book in (h.CHENGGONG, h.MOF)}

    shown = CliRunner().invoke(rulebook_group, ["check", "chenggong-2021"]).stdout

    assert [reading for reading in READINGS if reading not in kept["chenggong-2021"]] == []
    assert [reading for reading in READINGS[1:] if reading not in kept["mof-2020"]] == []  # it has weights of its own
    assert [reading for reading in h.CHENGGONG.readings if reading not in shown] == []


def test_weights_are_the_deduction_amounts() -> None:
    """weights are the deduction amounts;"""

    def amounts(one: Indicator) -> list[object]:
        deducting = ("per_missed_inspection", "per_missed_point", "per_return", "per_period", "per_incident", "points")
        return [amount for name, amount in one.rule.parameters.items() if name in deducting]

    rows = h.CHENGGONG.indicators

    assert [set(amounts(row)) for row in rows] == [{row.weight} for row in rows]
    assert [int(row.weight) for row in rows] == [5, 5, 5, 5, 5, 10, 10, 20, 15, 20]
    assert sum(row.weight for row in rows) == 100


def test_water_supply_s_content_names_all_nine_systems_but_scores_water_alone() -> None:
    """给排水's 指标内容 names all nine systems but scores `water` alone;"""
    named = ("灭火", "空调", "防火卷帘", "给排水", "喷淋", "火灾自动报警", "防排烟", "电器照明", "配电")
    eight = ("gas-suppression", "hvac", "fire-shutters", "sprinklers", "fire-alarm", "smoke-control", "lighting")
    others = [h.system(name, since="2021-01-01") for name in (*eight, "power-distribution")]

    assert all(word in indicator("water").content for word in named)
    assert h.row("water", *others)["status"] == "not_assessable"
    assert h.row("water", *others, h.system("water", since="2021-12-31"))["deducted"] == "5.00"


def test_a_missed_visit_is_one_event_and_does_not_also_count_its_points() -> None:
    """a missed visit is one event and does not also count its points;"""
    points = [f"P{number}" for number in range(67)]

    found = h.march(h.visit(points=points))

    assert (len(found["deductions"]), found["deducted"]) == (1, "5.00")


def test_qualitative_indicators_with_numbers_are_scored_as_numbers() -> None:
    """定性 indicators with numbers are scored as numbers;"""
    qualitative = [one.id for one in h.CHENGGONG.indicators if one.attribute == "定性指标"]
    history = [h.accepted("a"), h.returned("b"), h.baseline(), h.cost("c", "10.00"), h.report(good=1, bad=3)]

    rows = {row["id"]: row["actual"] for row in h.score(*history)["indicators"]}

    assert {name: rows[name] for name in qualitative} == {"quality": "50.00", "cost": "1.00", "satisfaction": "25.00"}


def test_accidents_count_under_social_benefit_not_quality() -> None:
    """accidents count under social benefit, not quality;"""
    accident = h.incident()

    quality, incidents = h.row("quality", accident), h.row("incidents", accident)

    assert indicator("incidents").level_2 == "社会效益指标"
    assert "杜绝安全事故" in indicator("quality").level_3
    assert (quality["status"], quality["deducted"], incidents["deducted"]) == ("met", "0.00", "15.00")


def test_the_quality_target_is_90_percent_is_read_as_at_least() -> None:
    """the quality target "= 90 %" is read as at least;"""

    def status(accepted: int, returned: int) -> object:
        verdicts = [h.accepted(f"a{order}") for order in range(accepted)]
        verdicts += [h.returned(f"r{order}") for order in range(returned)]
        return h.row("quality", *verdicts, rulebook=h.MOF)["status"]

    assert (indicator("quality").comparator, indicator("quality").target) == ("=", 90)
    assert (status(10, 0), status(9, 1), status(8, 1)) == ("met", "met", "unmet")


def test_month_per_time_as_once_a_month() -> None:
    """ "月/次" as once a month."""
    once_a_month = [h.performed(on=f"2021-{month:02}-28") for month in range(1, 13)]

    every_month, but_one = h.row("timeliness", *once_a_month), h.row("timeliness", *once_a_month[:-1])

    assert (indicator("timeliness").target, indicator("timeliness").unit) == (1, "月/次")
    assert (every_month["actual"], every_month["status"]) == (1, "met")
    assert (but_one["actual"], but_one["deducted"]) == (0, "10.00")
