"""`why`: an actual value can be followed from what was counted, and a deduction down to the point and the photo."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.evaluation import evaluate, half_up
from services.scoring.facts import Facts
from services.scoring.questions.why import readings_of, why, why_bytes
from services.scoring.rulebooks.rulebook import Rulebook
from services.scoring.tests import histories as h
from services.scoring.tests.strategies import MOMENTS, histories
from shared.contracts.asset_registry import Point, PointRelocated, PointsAdded
from shared.contracts.work_orders import PointResult, PointsInspected
from shared.event import Recorded

PHOTO = 64 * "a"
OTHER_PHOTO = 64 * "b"


def answer(*history: Recorded, as_of: str = "2021-03-31", indicator: str = "hvac", **question: Any) -> dict[str, Any]:
    """What is said of one indicator."""
    rulebook: Rulebook = question.get("rulebook", h.CHENGGONG)
    known_at = h.local(question["known_at"]) if "known_at" in question else None
    facts = Facts().extend(history)
    result = evaluate(facts, rulebook, date.fromisoformat(as_of), known_at)
    (found,) = why(facts, result, known_at, indicator)["indicators"]
    return dict(found)


def photographed(**results: tuple[str, str | None]) -> PointsInspected:
    """Results for points: outcome, and the photo's hash."""
    return PointsInspected(
        work_order_id="wo",
        occurrence_id="v",
        system_id="hvac",
        results=tuple(
            PointResult(point_id=point, outcome=outcome, photos=(photo,) if photo else None)  # type: ignore[arg-type]
            for point, (outcome, photo) in results.items()
        ),
    )


POINTS = h.told(
    PointsAdded(
        system_id="hvac",
        equipment="线控器",
        points=(Point(point_id="P1", label="线控器001", location="一楼"), Point(point_id="P2", label="线控器002")),
    )
)
VISIT = h.visit(start="2021-03-03", end="2021-03-20", points=["P1", "P2", "P3"], id_="plan")


def test_a_missed_point_reads_as_a_sentence_with_the_window_the_point_and_the_limit() -> None:
    moved = h.told(PointRelocated(point_id="P2", location="二楼"), "2021-02-01")
    history = [h.system(), POINTS, moved, VISIT, h.performed(on="2021-03-09"), h.inspected("P1", "P3")]

    (deduction,) = answer(*history)["deductions"]

    assert deduction["zh"] == (
        "hvac（hvac） 2021-03：在 2021-03-03 至 2021-03-20 的窗口内完成，"
        "但点位 线控器002（P2，二楼）截至 2021-03-25 无结果，扣 5.00 分"
    )
    assert deduction["expected"] == {
        "window_start": "2021-03-03",
        "window_end": "2021-03-20",
        "record_until": "2021-03-25",
        "points": 3,
    }
    assert deduction["points_concerned"] == [
        {"point_id": "P2", "label": "线控器002", "location": "二楼", "equipment": "线控器", "system_id": "hvac"}
    ]


def test_of_a_missed_point_only_its_own_results_and_photos_are_shown() -> None:
    told = photographed(P1=("normal", PHOTO), P2=("not_applicable", OTHER_PHOTO), P3=("normal", None))
    history = [h.system(), VISIT, h.performed(on="2021-03-09"), h.told(told, "2021-03-09", id_="results")]

    (deduction,) = answer(*history)["deductions"]

    assert deduction["photos"] == [{"sha256": OTHER_PHOTO, "point_id": "P2", "event_id": "results"}]
    (results,) = [one["data"] for one in deduction["events"] if one["id"] == "results"]
    assert [one["point_id"] for one in results["results"]] == ["P2"]
    assert "没有说明" in deduction["zh"]


def test_of_a_whole_missed_visit_results_are_counted_and_all_photos_shown() -> None:
    told = photographed(P1=("normal", PHOTO), P2=("fault", OTHER_PHOTO), P3=("normal", None))
    history = [h.system(), VISIT, h.told(told, "2021-03-09", id_="results")]

    (deduction,) = answer(*history)["deductions"]

    assert [photo["sha256"] for photo in deduction["photos"]] == [PHOTO, OTHER_PHOTO]
    (results,) = [one["data"] for one in deduction["events"] if one["id"] == "results"]
    assert (results["outcomes"], "results" in results) == ({"fault": 1, "normal": 2}, False)
    assert next(one["data"]["points"] for one in deduction["events"] if one["id"] == "plan") == 3


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (h.performed(on="2021-03-21"), "2021-03-21 的作业在窗口之外"),
        (
            h.performed(on="2021-03-09", recorded="2021-03-26"),
            "2021-03-09 的作业 2021-03-26 才记录，补录截至 2021-03-25",
        ),
    ],
)
def test_work_that_did_not_count_is_told_with_its_reason(work: Recorded, words: str) -> None:
    (deduction,) = answer(h.system(), VISIT, work)["deductions"]

    assert words in deduction["zh"]


def test_an_event_stands_with_its_place_its_hashes_and_its_data() -> None:
    told = h.performed(on="2021-03-21", id_="late")
    placed = msgspec.structs.replace(
        told, position=7, subject="work-order/wo", actor="user:li", prevhash="sha256:a", hash="sha256:b"
    )

    (deduction,) = answer(h.system(), VISIT, placed)["deductions"]

    assert deduction["events"][-1] == {
        "id": "late",
        "type": "work_orders.work_performed.v1",
        "source": "/work_orders",
        "position": 7,
        "subject": "work-order/wo",
        "time": "2021-03-21T12:00:00+08:00",
        "recordedat": "2021-03-21T04:00:00Z",
        "actor": "user:li",
        "prevhash": "sha256:a",
        "hash": "sha256:b",
        "data": {
            "work_order_id": "wo",
            "kind": "inspection",
            "system_id": "hvac",
            "performed_at": "2021-03-21T12:00:00+08:00",
            "performed_by": "user:li",
            "occurrence_id": "v",
        },
    }


def test_a_waived_deduction_names_the_waiver_its_reason_and_who_approved_it() -> None:
    history = [h.system(), VISIT, h.waiver(id_="waived", occurrence_id="v")]

    (deduction,) = answer(*history)["deductions"]

    assert deduction["points"] == "0.00"
    assert [(one["id"], one["data"]["reason"], one["data"]["approved_by"]) for one in deduction["waived_by"]] == [
        ("waived", "不可抗力", "user:chen")
    ]
    assert "waived" not in [event["id"] for event in deduction["events"]]
    assert "user:chen 以“不可抗力”豁免" in deduction["zh"]


@pytest.mark.parametrize(
    ("indicator", "history", "words"),
    [
        ("hvac", [h.system()], "2021-03：整月没有安排检查"),
        ("hvac", [h.system(), VISIT, h.withdrawn()], "原有安排已撤回，1 次"),
        ("quality", [h.returned("wo", on="2021-03-04")], "工单 wo 于 2021-03-04 被 user:wang 退回，“未按质按量”"),
        (
            "timeliness",
            [h.system(), h.performed(on="2021-01-04"), h.performed(on="2021-02-04")],
            "2021-03：整月没有一次",
        ),
        ("incidents", [h.incident(on="2021-03-04")], "2021-03-04 发生安全事故 i，涉及办事群众生命安全：“滑倒”"),
        ("cost", [h.baseline(), h.cost("c", "1100.01", on="2021-03-04")], "支出 1100.01 元，高于上年度 1000.00 元 10"),
        (
            "satisfaction",
            [h.report(good=84, bad=20, overturned=4, end="2021-03-31")],
            "100 条有效评价中满意 84 条，低于 85",
        ),
    ],
)
def test_each_kind_of_deduction_reads_as_a_sentence(indicator: str, history: Sequence[Recorded], words: str) -> None:
    (deduction,) = answer(*history, indicator=indicator)["deductions"]

    assert words in deduction["zh"]
    assert deduction["en"].endswith(f"{deduction['points']} points")


def test_a_visit_that_was_made_is_counted_by_its_schedule_and_the_first_work_in_time() -> None:
    works = [h.performed(on=on, id_=id_) for on, id_ in (("2021-03-02", "early"), ("2021-03-09", "first"),
                                                          ("2021-03-10", "second"))]  # fmt: skip

    counted = answer(h.system(), VISIT, *works)["counted"]

    assert [(event["id"], event["day"]) for event in counted["events"]] == [
        ("plan", "2021-03-20"),
        ("first", "2021-03-09"),
    ]
    assert counted["figures"] == {"judged": 1, "performed": 1, "by_period": {"2021-03": 1}}


def test_the_rules_words_stand_verbatim_beside_how_they_are_read() -> None:
    found = answer(h.system(), indicator="water", as_of="2021-01-31")

    (water,) = [one for one in h.CHENGGONG.indicators if one.id == "water"]
    assert (found["words"]["standard"], found["words"]["content"]) == (water.standard, water.content)
    assert found["rule"] == {
        "type": "missed_inspections",
        "proportional": False,
        "parameters": {
            "systems": ["water"],
            "backfill_days": 5,
            "per_missed_inspection": "5.00",
            "per_missed_point": "5.00",
        },
    }


def test_of_the_readings_those_about_an_indicator_stand_beside_it() -> None:
    of = {one.id: readings_of(h.CHENGGONG, one) for one in h.CHENGGONG.indicators}

    (about_water,) = [reading for reading in h.CHENGGONG.readings if "water" in reading]
    assert [id_ for id_, readings in of.items() if about_water in readings] == ["water"]
    assert {reading for readings in of.values() for reading in readings} == set(h.CHENGGONG.readings)


def test_only_what_was_known_then_is_named() -> None:
    moved = h.told(PointRelocated(point_id="P2", location="二楼"), "2021-06-01")
    history = [h.system(), POINTS, moved, VISIT, h.performed(on="2021-03-09"), h.inspected("P1", "P3")]

    (deduction,) = answer(*history, known_at="2021-05-01")["deductions"]

    assert deduction["points_concerned"][0]["location"] is None


as_ofs = st.sampled_from(["2021-02-28", "2021-03-15", "2021-04-20", "2021-12-31"]).map(date.fromisoformat)
known_ats = st.none() | st.sampled_from(MOMENTS).map(h.local)


@settings(deadline=None, max_examples=150)
@given(history=histories(), as_of=as_ofs, known_at=known_ats, book=st.sampled_from([h.CHENGGONG, h.MOF]))
def test_the_actual_value_follows_from_the_figures_that_were_counted(
    history: Sequence[Recorded], as_of: date, known_at: datetime | None, book: Rulebook
) -> None:
    facts = Facts().extend(history)

    result = evaluate(facts, book, as_of, known_at)

    for row in why(facts, result, known_at)["indicators"]:
        if row["status"] != "not_assessable":
            assert row["actual"] == _redone(row["rule"]["type"], row["counted"]["figures"])


def _redone(type_: str, figures: Mapping[str, Any]) -> int | str | None:
    """An actual value by hand, as docs/questions.md says."""
    match type_:
        case "missed_inspections":
            return int(figures["performed"])
        case "incidents":
            return int(figures["incidents"])
        case "periods_without_inspection":
            return min(figures["by_period"].values(), default=None)
        case "substandard_work":
            return _percent(figures["accepted_at_first_verdict"], figures["orders_with_a_verdict"])
        case "cost_growth":
            return _percent(figures["spent"], figures["baseline"])
        case "budget_execution":
            return _percent(figures["executed"], figures["annual"])
    good = sum(figures[name] for name in ("very_satisfied", "satisfied", "basically_satisfied"))
    bad = figures["dissatisfied"] + figures["very_dissatisfied"] - figures["overturned"]
    return _percent(good, good + bad)


def _percent(part: Any, whole: Any) -> str | None:
    if not Decimal(whole):
        return None
    return f"{half_up(100 * Fraction(part) / Fraction(whole)):.2f}"


@settings(deadline=None, max_examples=60)
@given(history=histories(), as_of=as_ofs, known_at=known_ats)
def test_each_deduction_is_told_with_just_its_evidence(
    history: Sequence[Recorded], as_of: date, known_at: datetime | None
) -> None:
    facts = Facts().extend(history)
    result = evaluate(facts, h.CHENGGONG, as_of, known_at)

    rows = why(facts, result, known_at)["indicators"]

    for row, assessed in zip(rows, result.indicators, strict=True):
        told = [sorted(event["id"] for event in [*one["events"], *one["waived_by"]]) for one in row["deductions"]]
        assert told == [list(deduction.evidence) for deduction in assessed.deductions]


@settings(deadline=None, max_examples=50)
@given(data=st.data(), history=histories(), as_of=as_ofs, known_at=known_ats)
def test_any_order_and_any_duplicate_gives_the_same_bytes(
    data: st.DataObject, history: list[Recorded], as_of: date, known_at: datetime | None
) -> None:
    shuffled = data.draw(st.permutations([*history, *history]))

    in_order, otherwise = (
        why_bytes(why(facts, evaluate(facts, h.CHENGGONG, as_of, known_at), known_at))
        for facts in (Facts().extend(history), Facts().extend(shuffled))
    )

    assert in_order == otherwise
