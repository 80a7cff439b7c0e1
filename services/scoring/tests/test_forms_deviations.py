"""Drafts of 偏差原因: what is said of each kind of deduction, and that nothing is said where there is nothing to say."""

import pytest

from services.scoring.tests import forms_data as year
from services.scoring.tests import histories as h
from shared.event import Recorded


def drafts(*history: Recorded, rulebook: object = h.CHENGGONG) -> dict[str, str]:
    """By indicator, those that say something."""
    return {name: said for name, said in year.form(*history, rulebook=rulebook).deviations.items() if said}


def test_a_good_year_needs_no_explanation() -> None:
    assert drafts(*year.good_year()) == {}


@pytest.mark.parametrize(
    ("indicator", "said"),
    [
        # Four of five points left out, 5 each; more than the weight of 5 cannot be lost.
        ("gas-suppression", "2021-06 漏检点位4个（喷嘴 1、喷嘴 2、喷嘴 3等）。共扣20分，以分值5分为限。"),
        ("water", "2021-03 漏检1次；2021-05 未安排检查1次。共扣10分，以分值5分为限。"),
        ("quality", "2021-11 验收退回1次（hvac）。共扣10分。"),
        ("incidents", "2021-08 涉及办事群众生命或财产安全的事故1起。共扣15分。"),
        ("satisfaction", "群众满意度80.00%，低于85%。共扣20分。"),
    ],
)
def test_deductions_are_told_by_month_and_reason(indicator: str, said: str) -> None:
    assert drafts(*year.bad_year())[indicator] == f"【草稿】{said}改进措施：（请填写）"


def test_costs_are_told_beside_their_limit() -> None:
    said = drafts(*year.good_year(), h.cost("c", "1180.00"))

    assert said == {
        "cost": "【草稿】固定设备维修维护支出为上年度的118.00%，增幅高于10%。共扣20分。改进措施：（请填写）"
    }


def test_a_month_without_any_inspection_is_told() -> None:
    said = drafts(*year.hall())["timeliness"]

    assert said.startswith("【草稿】2021-01 全月无安全检查；2021-02 全月无安全检查；")
    assert said.endswith("共扣120分，以分值10分为限。改进措施：（请填写）")


def test_waived_deductions_are_told_by_their_number() -> None:
    waived = h.waiver(occurrence_id="water:2021-03")
    also = h.waiver(period="2021-05", system_id="water")

    assert drafts(*year.bad_year(), waived)["water"] == (
        "【草稿】2021-05 未安排检查1次。共扣5分。另有1项扣分已豁免。改进措施：（请填写）"
    )
    assert drafts(*year.bad_year(), waived, also)["water"] == "【草稿】2项扣分已豁免，不扣分。"


def test_what_cannot_be_assessed_says_what_is_lacking() -> None:
    said = drafts(rulebook=h.MOF)

    assert said["hvac"] == "【草稿】无法评定：未登记该系统，或该系统本年度未投用。"
    assert said["cost"] == "【草稿】无法评定：缺上年度固定设备维修维护支出。"
    assert said["satisfaction"] == "【草稿】无法评定：尚无有效评价。"
    assert said["budget_execution"] == "【草稿】无法评定：缺预算执行数。"


def test_a_pro_rata_indicator_tells_how_far_it_came() -> None:
    said = drafts(*year.bad_year(), rulebook=h.MOF)

    # 10 of 12 visits: 5 × 10 ÷ 12 = 4.1666…
    assert said["water"] == "【草稿】完成值10次，不符合指标值>=12次，得4.17分。改进措施：（请填写）"
    assert said["incidents"] == "【草稿】完成值1起，不符合指标值=0%，得0分。改进措施：（请填写）"
