"""Scoring's own commands, its journal, and its live answers, on both databases."""

import hashlib
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from io import BytesIO
from typing import Any

import orjson
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select

from services.scoring.evaluation import evaluate, result_bytes, result_sha256
from services.scoring.facts import Facts
from services.scoring.live import SOURCES, LiveFacts
from services.scoring.publishing.seal import read_seal, seal_of
from services.scoring.service import Scoring
from services.scoring.tests import histories as h
from services.scoring.tests.sealing import KEY, Sealing
from services.scoring.tests.strategies import histories
from services.scoring.views import journal
from shared.contracts.scoring import (
    AssessmentOpened,
    AssessmentPublished,
    AssessmentSigned,
    AssessmentWithdrawn,
    DeductionWaived,
    Head,
    OfficialRulebookChosen,
    SatisfactionReported,
)
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Recorded, read
from shared.ledger import stripped
from shared.merkle import Tree
from shared.signing import new_key
from shared.tests.alone import Alone, alone, on_each_database
from shared.tests.given import assert_chain

CHENGGONG = (h.RULEBOOKS / "chenggong-2021.yaml").read_text()
MOF = (h.RULEBOOKS / "mof-2020.yaml").read_text()
RATINGS: dict[str, Any] = {
    "report_id": "r",
    "period_start": "2021-01-01",
    "period_end": "2021-03-31",
    "very_satisfied": 60,
    "satisfied": 20,
    "basically_satisfied": 5,
    "dissatisfied": 10,
    "very_dissatisfied": 5,
    "defaulted": 5,
    "overturned": 0,
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service(
    request: pytest.FixtureRequest, test_servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Alone]:
    """The service on each kind of database; it knows both rulebooks."""
    folder = tmp_path_factory.mktemp("scoring")
    with (
        on_each_database(request.param, test_servers["XUNJIAN_TEST_POSTGRES"], folder) as url,
        alone(Scoring, url, folder) as service,
    ):
        service.service.live = LiveFacts(service.ledger.database, "scoring")
        service.service.sealing = Sealing(KEY)
        for text in (CHENGGONG, MOF):
            service.ask("add_rulebook", text=text)
        yield service


@pytest.fixture
def office(service: Alone) -> Iterator[Alone]:
    """A hall of its own in April 2021, with a system and a quarter's visits, none of them done in time."""
    service.new_hall()
    service.set_time(h.local("2021-04-10"))
    told(service, h.facility("Asia/Shanghai"), h.system("hvac", "2021-01-01"), h.incident("slip", "2021-02-05"))
    visits = [
        h.visit(f"v{month}", period=f"2021-0{month}", start=f"2021-0{month}-01", end=f"2021-0{month}-28")
        for month in (1, 2, 3)
    ]
    told(service, *visits, h.performed("v1", "2021-01-09"))
    service.follow()
    yield service
    assert_chain(service.ledger, service.hall)


def told(office: Alone, *history: Recorded) -> None:
    """Events are told, each in a stream of its own, as of now."""
    for recorded in history:
        office.tell(f"any/{recorded.id}", recorded.event)


def book(text: str = CHENGGONG) -> dict[str, str]:
    """A rulebook by both names."""
    rulebook = h.CHENGGONG if text == CHENGGONG else h.MOF
    return {"rulebook_id": rulebook.id, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def open_assessment(office: Alone, assessment_id: str = "a", year: int = 2021, **more: Any) -> None:
    """Open a year's assessment by both rulebooks."""
    asked = {"rulebooks": [book(), book(MOF)], "official": book()["rulebook_id"], **more}
    office.ask("open_assessment", assessment_id=assessment_id, year=year, **asked)


def sign(office: Alone, who: str, as_of: str = "2021-03-31", **more: Any) -> Any:
    """Stand for the result of a day, and for all that is missing then."""
    lacking = [
        one["code"] for one in office.service.missing(office.hall, 2021, as_of=as_of, known_at=more.get("known_at"))
    ]
    asked = {"assessment_id": "a", "as_of": as_of, "acknowledged": lacking}
    return office.ask("sign_assessment", actor=who, **{**asked, **more})


def publish(office: Alone, as_of: str = "2021-03-31", actor: str = "user:chen", **more: Any) -> Any:
    """Let two people sign, and publish."""
    for who in ("user:qian", "user:sun"):
        sign(office, who, as_of, **more)
    return office.ask("publish_assessment", assessment_id="a", actor=actor)


def ledgers(office: Alone) -> dict[str, list[str]]:
    """Every ledger's envelopes of the hall."""
    return {name: ledger.raw(office.hall, limit=100_000) for name, ledger in office.ledgers.items()}


def facts(office: Alone, heads: dict[str, Head]) -> Facts:
    """The facts of the ledgers themselves up to these heads, from scratch."""
    envelopes = [
        text for name, told in ledgers(office).items() if name in heads for text in told[: heads[name].position]
    ]
    return Facts(office.hall).extend(read(text.encode()) for text in envelopes)


def test_the_journal_is_what_its_sources_recorded_byte_for_byte(office: Alone) -> None:
    database, table = office.ledger.database, journal.c

    for source in SOURCES:
        mine = (table.source == source) & (table.facility == office.hall)
        kept = database.rows(select(table.position, table.body, table.hash).where(mine).order_by(table.position))
        expected = [stripped(text.encode()) for text in office.ledgers[source].raw(office.hall)]
        assert expected or source != "work_orders"
        assert [(row.position, bytes(row.body), row.hash) for row in kept] == [
            (number, body, hash_) for number, (body, hash_) in enumerate(expected, start=1)
        ]


def test_publishing_freezes_a_result_that_equals_a_fresh_evaluation_up_to_its_heads(office: Alone) -> None:
    open_assessment(office)
    office.ask("report_satisfaction", **RATINGS)

    answer = publish(office)

    told(office, h.performed("v2", "2021-02-09"), h.incident("fall", "2021-03-05"))
    office.follow()
    (published,) = office.events(AssessmentPublished)
    fresh = evaluate(facts(office, published.heads), h.CHENGGONG, date(2021, 3, 31), published.known_at)
    assert published.result_sha256 == result_sha256(fresh) == answer["result_sha256"]
    assert (published.rulebook_sha256, published.published_by) == (book()["sha256"], "user:chen")
    assert published.heads.keys() == {"asset_registry", "scheduling", "work_orders", "scoring"}
    for name, head in published.heads.items():
        assert read(ledgers(office)[name][head.position - 1].encode()).hash == head.hash
    assert office.service.assessment(office.hall, 2021, as_of="2021-03-31") != fresh.as_json()


def test_what_is_published_is_what_was_answered_at_that_moment(office: Alone) -> None:
    open_assessment(office)
    now = "2021-04-10T12:00:00+08:00"
    asked = office.service.assessment(office.hall, 2021, as_of="2021-03-31", known_at=now)

    publish(office)

    (published,) = office.events(AssessmentPublished)
    fresh = evaluate(
        facts(office, published.heads), h.CHENGGONG, date(2021, 3, 31), published.known_at, known_at_given=now
    )
    assert fresh.as_json() == asked


def test_a_year_has_one_assessment(office: Alone) -> None:
    open_assessment(office)

    with pytest.raises(Rejected, match="2021 is open already"):
        open_assessment(office, "b")
    with pytest.raises(Rejected, match="2021 is open already"):
        open_assessment(office)

    assert len(office.events(AssessmentOpened)) == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"year": 2022}, "rulebooks[0]"),
        ({"rulebooks": [{**book(), "sha256": 64 * "0"}]}, "rulebooks[0]"),
        ({"rulebooks": [book(), {**book(MOF), "rulebook_id": book()["rulebook_id"]}]}, "rulebooks[1]"),
        ({"official": "another"}, "official"),
        ({"rulebooks": []}, "official"),
        ({"rulebooks": [{**book(), "sha256": "abc"}]}, "rulebooks[0].sha256"),
    ],
)
def test_an_assessment_is_by_rulebooks_of_its_year_that_are_known(office: Alone, wrong: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        open_assessment(office, **wrong)

    assert list(refused.value.errors) == [field]
    assert office.events() == []


def test_a_published_assessment_is_withdrawn_before_it_is_signed_or_published_again(office: Alone) -> None:
    open_assessment(office)
    with pytest.raises(Rejected, match="not published"):
        office.ask("withdraw_assessment", assessment_id="a", reason="有误")
    publish(office)
    for again in (
        partial(sign, office, "user:qian", "2021-03-30"),
        partial(office.ask, "publish_assessment", assessment_id="a"),
    ):
        with pytest.raises(Rejected, match="withdraw it before"):
            again()

    office.ask("withdraw_assessment", assessment_id="a", reason="有误")
    with pytest.raises(Rejected, match="0 of the 2 signatures"):
        office.ask("publish_assessment", assessment_id="a")
    publish(office, "2021-03-30")

    kinds = [type(event) for event in office.events()]
    signed_and_published = [AssessmentSigned, AssessmentSigned, AssessmentPublished]
    assert kinds == [AssessmentOpened, *signed_and_published, AssessmentWithdrawn, *signed_and_published]


def test_nothing_is_signed_of_the_future(office: Alone) -> None:
    open_assessment(office)

    with pytest.raises(Rejected, match="as_of 2021-04-11 lies in the future"):
        sign(office, "user:qian", "2021-04-11")
    with pytest.raises(Rejected, match=r"known_at .* lies in the future"):
        sign(office, "user:qian", "2021-04-10", known_at="2021-04-10T12:00:01+08:00")

    sign(office, "user:qian", "2021-04-10", known_at="2021-04-10T12:00:00+08:00")


def test_two_different_people_sign_the_same_result(office: Alone) -> None:
    open_assessment(office)
    sign(office, "user:qian")

    with pytest.raises(Rejected, match="user:qian has signed this result"):
        sign(office, "user:qian")
    with pytest.raises(Rejected, match="1 of the 2 signatures"):
        office.ask("publish_assessment", assessment_id="a")
    answer = sign(office, "user:sun")

    assert answer["signatures"] == 2
    assert office.ask("publish_assessment", assessment_id="a")["result_sha256"] == answer["result_sha256"]


def test_the_second_signature_is_for_what_was_known_at_the_first(office: Alone) -> None:
    open_assessment(office)
    first = sign(office, "user:qian")
    office.set_time(h.local("2021-04-12"))
    told(office, h.incident("late", "2021-03-05"))
    office.follow()

    second = sign(office, "user:sun")

    assert second == {**first, "signatures": 2}
    assert {signature.known_at for signature in office.events(AssessmentSigned)} == {h.local("2021-04-10")}


def test_a_signature_under_another_result_leaves_those_before_it_void(office: Alone) -> None:
    open_assessment(office)
    sign(office, "user:qian")

    assert sign(office, "user:sun", "2021-03-30")["signatures"] == 1
    assert sign(office, "user:qian", "2021-03-30")["signatures"] == 2


def test_who_signs_names_just_what_is_missing(office: Alone) -> None:
    open_assessment(office)
    lacking = [one["code"] for one in office.service.missing(office.hall, 2021, as_of="2021-03-31")]

    for acknowledged in ([], lacking[1:], [*lacking, "more"]):
        with pytest.raises(Invalid) as refused:
            sign(office, "user:qian", acknowledged=acknowledged)
        assert list(refused.value.errors) == ["acknowledged"]
        assert lacking[0] in str(refused.value)

    sign(office, "user:qian", acknowledged=lacking[::-1])
    (signature,) = office.events(AssessmentSigned)
    assert list(signature.acknowledged) == lacking


def test_who_names_a_result_signs_no_other(office: Alone) -> None:
    open_assessment(office)

    with pytest.raises(Rejected, match="not the one that was to be signed"):
        sign(office, "user:qian", result_sha256=64 * "0")
    answer = sign(office, "user:qian")

    assert sign(office, "user:sun", result_sha256=answer["result_sha256"])["signatures"] == 2


def test_what_is_published_is_still_what_was_signed(office: Alone) -> None:
    open_assessment(office)
    signed = h.local("2021-04-10")
    for who in ("user:qian", "user:sun"):
        sign(office, who)
    told(office, h.incident("same-moment", "2021-03-05"))

    with pytest.raises(Rejected, match="has to be signed anew"):
        office.ask("publish_assessment", assessment_id="a")

    assert office.events(AssessmentPublished) == []
    office.set_time(signed + timedelta(minutes=1))
    publish(office, known_at="2021-04-10T12:01:00+08:00")


def test_another_official_rulebook_is_a_decision_that_voids_what_was_signed(office: Alone) -> None:
    open_assessment(office)
    for who in ("user:qian", "user:sun"):
        sign(office, who)

    office.ask(
        "choose_official_rulebook", assessment_id="a", rulebook_id=h.MOF.id, reason="上级要求", actor="user:chen"
    )

    (chosen,) = office.events(OfficialRulebookChosen)
    assert (chosen.rulebook_sha256, chosen.reason, chosen.chosen_by) == (h.MOF.sha256, "上级要求", "user:chen")
    assert office.service.assessment(office.hall, 2021, as_of="2021-03-31")["rulebook"] == h.MOF.id
    with pytest.raises(Rejected, match="0 of the 2 signatures"):
        office.ask("publish_assessment", assessment_id="a")
    with pytest.raises(Rejected, match="official rulebook already"):
        office.ask("choose_official_rulebook", assessment_id="a", rulebook_id=h.MOF.id, reason="再次")
    with pytest.raises(Invalid, match="expected one of the rulebooks"):
        office.ask("choose_official_rulebook", assessment_id="a", rulebook_id="another", reason="再次")
    publish(office)
    assert office.events(AssessmentPublished)[0].rulebook_sha256 == h.MOF.sha256


def test_what_is_published_is_sealed_with_the_heads_of_all_ledgers(office: Alone) -> None:
    open_assessment(office)
    publish(office)

    status = office.service.assessment_status(office.hall, 2021)
    seal = read_seal(b64decode(office.service.seal(office.hall, 2021)["body"]))

    (recorded,) = office.recorded(AssessmentPublished)
    assert seal == seal_of(recorded)
    assert seal.holds([KEY.public])
    assert status["published"]["seal"] == orjson.loads(seal.as_bytes())
    assert isinstance(recorded.event, AssessmentPublished)
    assert seal.statement.heads == recorded.event.heads
    for name, head in seal.statement.heads.items():
        bodies = [stripped(text.encode())[0] for text in ledgers(office)[name][: head.position]]
        assert head.root == Tree(bodies).root
    with pytest.raises(Invalid, match="expected one of the keys given"):
        seal.holds([new_key().public])
    assert not replace(seal, statement=replace(seal.statement, published_by="user:li")).holds([KEY.public])


def test_a_seal_by_sm2_holds_as_well(office: Alone) -> None:
    open_assessment(office)
    key = new_key("SM2")
    office.service.sealing = Sealing(key)

    publish(office)

    office.service.sealing = Sealing(KEY)
    (recorded,) = office.recorded(AssessmentPublished)
    seal = seal_of(recorded)
    assert seal is not None
    assert (seal.signature.algorithm, seal.holds([KEY.public, key.public])) == ("SM2", True)


def test_without_a_key_nothing_is_published(office: Alone) -> None:
    open_assessment(office)
    office.service.sealing = Sealing(None)

    with pytest.raises(Rejected, match="no key to seal with"):
        publish(office)

    office.service.sealing = Sealing(KEY)
    assert office.events(AssessmentPublished) == []


def test_the_code_of_a_seal_holds_its_file(office: Alone) -> None:
    open_assessment(office)
    publish(office)

    picture = Image.open(BytesIO(b64decode(office.service.seal_code(office.hall, 2021)["body"])))

    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text.encode() == b64decode(office.service.seal(office.hall, 2021)["body"])


def test_the_status_of_an_assessment_tells_its_life(office: Alone) -> None:
    states = []
    for step in (
        lambda: open_assessment(office),
        lambda: sign(office, "user:qian"),
        lambda: sign(office, "user:sun"),
        lambda: office.ask("publish_assessment", assessment_id="a"),
        lambda: office.ask("withdraw_assessment", assessment_id="a", reason="有误"),
    ):
        step()
        status = office.service.assessment_status(office.hall, 2021)
        states.append((status["status"], [one["signed_by"] for one in status["signatures"]], bool(status["published"])))

    both = ["user:qian", "user:sun"]
    assert states == [("open", [], False), ("open", ["user:qian"], False), ("signed", both, False),
                      ("published", both, True), ("open", [], False)]  # fmt: skip
    assert "not_over" in status["missing"]
    told_of = [(one["event"], one["by"]) for one in status["history"]]
    assert told_of == [("assessment_opened", "user:chen"), ("assessment_signed", "user:qian"), ("assessment_signed", "user:sun"),
                       ("assessment_published", "user:chen"), ("assessment_withdrawn", "user:chen")]  # fmt: skip


def test_an_assessment_is_ready_when_all_evidence_is_there(office: Alone) -> None:
    open_assessment(office)
    before = office.service.assessment_status(office.hall, 2021)
    office.set_time(h.local("2022-01-20"))
    others = ("gas-suppression", "fire-shutters", "lighting", "water")
    told(office, *(h.system(name, "2021-01-01") for name in others), h.accepted("wo"))
    office.follow()
    office.ask("record_cost_baseline", year=2020, amount="1000.00", basis="决算")
    office.ask("record_budget", year=2021, initial="1.00", annual="1.00", executed="1.00", as_of="2021-12-31")
    office.ask("report_satisfaction", **{**RATINGS, "period_end": "2021-12-31"})

    after = office.service.assessment_status(office.hall, 2021)

    assert (before["status"], after["status"], after["missing"]) == ("open", "ready", [])


def test_what_is_asked_of_an_assessment_or_a_rulebook_that_is_not_there_is_not_found(office: Alone) -> None:
    with pytest.raises(NotFound, match="no assessment of 2021"):
        office.service.assessment(office.hall, 2021)
    for command, asked in (
        ("sign_assessment", {"as_of": "2021-03-31"}),
        ("publish_assessment", {}),
        ("withdraw_assessment", {"reason": "x"}),
        ("choose_official_rulebook", {"rulebook_id": "x", "reason": "x"}),
    ):
        with pytest.raises(NotFound, match="no assessment nowhere"):
            office.ask(command, assessment_id="nowhere", **asked)
    open_assessment(office)
    with pytest.raises(NotFound, match="0 rulebooks nowhere of 2021"):
        office.service.assessment(office.hall, 2021, rulebook="nowhere")
    with pytest.raises(NotFound, match="no rulebook 00"):
        office.service.rulebook("00")
    for hand_out in (office.service.seal, office.service.seal_code, office.service.bundle):
        with pytest.raises(NotFound, match="nothing is published of 2021"):
            hand_out(office.hall, 2021)


def test_a_rulebook_added_twice_is_one(office: Alone) -> None:
    before = office.service.rulebooks()

    answers = [office.ask("add_rulebook", text=CHENGGONG) for _ in range(2)]

    assert answers == [book(), book()]
    assert office.service.rulebooks() == before
    assert office.service.rulebook(book()["sha256"]) == {**book(), "text": CHENGGONG}


@pytest.mark.parametrize(
    "text", ["", "id: x", "[", "a: &a [*a]", "\ud800", CHENGGONG.replace("weight: 5", "weight: -5", 1)]
)
def test_a_broken_rulebook_is_refused(office: Alone, text: str) -> None:
    before = office.service.rulebooks()

    with pytest.raises(Invalid):
        office.service.add_rulebook(office.hall, {"text": text}, {})

    assert office.service.rulebooks() == before


def test_both_rulebooks_are_answered_by_id_or_hash_and_the_official_one_by_none(office: Alone) -> None:
    open_assessment(office)
    ask = office.service.assessment

    official = ask(office.hall, 2021, as_of="2021-03-31")
    by_id = ask(office.hall, 2021, as_of="2021-03-31", rulebook=book(MOF)["rulebook_id"])
    by_hash = ask(office.hall, 2021, as_of="2021-03-31", rulebook=book(MOF)["sha256"])

    assert official["rulebook"] == book()["rulebook_id"]
    assert by_id == by_hash
    assert by_id["rulebook"] == book(MOF)["rulebook_id"]
    assert ask(office.hall, 2021)["as_of"] == "2021-04-10"


def test_a_corrected_satisfaction_report_replaces_the_first(office: Alone) -> None:
    open_assessment(office)
    office.ask("report_satisfaction", **RATINGS)
    before = _satisfaction(office)

    office.ask("report_satisfaction", **{**RATINGS, "satisfied": 19, "dissatisfied": 11})

    assert (before, _satisfaction(office)) == ("85.00", "84.00")
    assert len(office.events(SatisfactionReported)) == 2


def _satisfaction(office: Alone) -> Any:
    return office.service.assessment(office.hall, 2021, as_of="2021-03-31")["indicators"][-1]["actual"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"defaulted": 6}, "defaulted"),
        ({"overturned": 16}, "overturned"),
        ({"period_start": "2021-04-01"}, "period_end"),
        ({"satisfied": -1}, "satisfied"),
        ({"satisfied": 2**53}, "satisfied"),
        ({"satisfied": 1.0}, "satisfied"),
        ({"satisfied": True}, "satisfied"),
    ],
)
def test_ratings_that_contradict_each_other_are_refused(office: Alone, wrong: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        office.ask("report_satisfaction", **{**RATINGS, **wrong})

    assert list(refused.value.errors) == [field]
    assert office.events() == []


def test_ratings_are_reported_once_their_span_is_over(office: Alone) -> None:
    office.ask("report_satisfaction", **{**RATINGS, "period_end": "2021-04-10"})

    with pytest.raises(Rejected, match="period_end 2021-04-11 lies in the future"):
        office.ask("report_satisfaction", **{**RATINGS, "period_end": "2021-04-11"})


def test_baselines_and_budgets_are_not_negative_and_may_be_told_anew(office: Alone) -> None:
    budget: dict[str, Any] = {
        "year": 2021,
        "initial": "900000.00",
        "annual": "900000.00",
        "executed": "0.00",
        "as_of": "2021-03-31",
    }
    for amount in ("1000.00", "1100.00"):
        office.ask("record_cost_baseline", year=2020, amount=amount, basis="决算")
        office.ask("record_budget", **{**budget, "executed": amount})

    with pytest.raises(Invalid) as baseline:
        office.ask("record_cost_baseline", year=2020, amount="-0.01", basis="决算")
    with pytest.raises(Invalid) as both:
        office.ask("record_budget", **{**budget, "initial": "-1.00", "executed": "-1.00"})

    assert (list(baseline.value.errors), list(both.value.errors)) == (["amount"], ["initial", "executed"])
    assert len(office.events()) == 4


def test_a_waiver_is_told_once_by_the_caller_and_names_one_thing(office: Alone) -> None:
    office.ask("waive_deduction", waiver_id="w", reason="停电", occurrence_id="v2", actor="user:qian")

    with pytest.raises(Rejected, match="recorded already"):
        office.ask("waive_deduction", waiver_id="w", reason="停电", occurrence_id="v2")
    for wrong, field in (({}, "event_id"), ({"occurrence_id": "v2", "period": "2021-02"}, "event_id"),
                         ({"period": "2021-02", "point_id": "P"}, "point_id"),
                         ({"event_id": "e", "system_id": "s"}, "system_id")):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            office.ask("waive_deduction", waiver_id="x", reason="停电", **wrong)
        assert field in refused.value.errors

    (waived,) = office.events(DeductionWaived)
    assert waived.approved_by == "user:qian"


def test_a_waived_miss_costs_nothing_from_then_on(office: Alone) -> None:
    open_assessment(office)
    asked = {"as_of": "2021-03-31", "known_at": "2021-04-10T12:00:00+08:00"}
    before = office.service.assessment(office.hall, 2021, **asked)
    office.set_time(h.local("2021-04-11"))

    office.ask("waive_deduction", waiver_id="w", reason="停电", occurrence_id="v2")

    assert office.service.assessment(office.hall, 2021, **asked) == before
    after = office.service.assessment(office.hall, 2021, as_of="2021-03-31")
    points = [[one["points"] for one in result["indicators"][1]["deductions"]] for result in (before, after)]
    assert points == [["5.00", "5.00", "5.00"], ["5.00", "0.00", "5.00"]]


ASKED = st.tuples(
    st.sampled_from(["2021-03-15", "2021-04-20", "2021-12-31"]).map(date.fromisoformat),
    st.none() | st.sampled_from(["2021-03-01 00:00", "2021-04-05 23:59"]).map(h.local),
    st.sets(st.sampled_from(SOURCES)),
)


@settings(max_examples=20, deadline=None)
@given(history=histories(), asked=st.dictionaries(st.integers(0, 30), ASKED, max_size=5))
def test_a_live_answer_is_that_of_an_evaluation_from_scratch_however_events_and_questions_come(
    service: Alone, history: list[Recorded], asked: dict[int, Any]
) -> None:
    service.new_hall()

    last = date(2021, 12, 31), None, SOURCES
    for number, recorded in enumerate(history, start=1):
        service.set_time(recorded.recordedat)
        told(service, recorded)
        if number in asked or number == len(history):
            as_of, known_at, heard = last if number == len(history) else asked[number]
            for source in heard:
                service.follow(source)
            result, heads = service.service.live.score(service.hall, h.CHENGGONG, as_of, known_at)

            fresh = evaluate(facts(service, heads), h.CHENGGONG, as_of, known_at)
            assert result_bytes(result) == result_bytes(fresh)
    assert {name: head.position for name, head in heads.items()} == {
        name: len(envelopes) for name, envelopes in ledgers(service).items() if envelopes
    }
