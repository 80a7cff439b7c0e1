"""Questions as the service answers them, and as the command line does from a file."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.scoring.evaluation import evaluate
from services.scoring.facts import Facts
from services.scoring.live import LiveFacts
from services.scoring.questions.cli import diff_command, why_command
from services.scoring.questions.difference import Question, diff
from services.scoring.questions.missing import missing
from services.scoring.questions.why import why
from services.scoring.service import Scoring
from services.scoring.tests import histories as h
from shared.contracts.work_orders import WorkPerformed
from shared.errors import Invalid, NotFound
from shared.event import Recorded, canonical, read, timestamp
from shared.tests.alone import Alone, alone

BOOKS = [{"rulebook_id": book.id, "sha256": book.sha256} for book in (h.MOF, h.CHENGGONG)]
BEFORE, AFTER = "2021-04-05T12:00:00+08:00", "2021-04-10T12:00:00+08:00"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """A hall in April 2021: February's visit was not made, March's was told on April 5th, an incident on the 10th."""
    folder = tmp_path_factory.mktemp("questions")
    with alone(Scoring, f"sqlite:///{folder / 'alone.db'}", folder) as service:
        service.service.live = LiveFacts(service.ledger.database, "scoring")
        service.set_time(h.local("2021-01-02"))
        for name in ("chenggong-2021", "mof-2020"):
            service.ask("add_rulebook", text=(h.RULEBOOKS / f"{name}.yaml").read_text())
        service.ask("open_assessment", assessment_id="a", year=2021, rulebooks=BOOKS, official="chenggong-2021")
        _tell(service, h.facility("Asia/Shanghai"), h.system("hvac", "2021-01-01"))
        for month in (1, 2, 3):
            _tell(
                service,
                h.visit(f"v{month}", period=f"2021-0{month}", start=f"2021-0{month}-01", end=f"2021-0{month}-28"),
            )
        for day, event in (
            ("2021-01-09", h.performed("v1", "2021-01-09")),
            ("2021-03-29", h.performed("v3", "2021-03-09")),
            ("2021-04-10", h.incident("slip", "2021-02-05")),
        ):
            service.set_time(h.local(day))
            _tell(service, event)
        service.follow()
        yield service


def _tell(office: Alone, *history: Recorded) -> None:
    for recorded in history:
        office.tell(f"any/{recorded.id}", recorded.event)


def _facts(office: Alone) -> Facts:
    texts = [text for ledger in office.ledgers.values() for text in ledger.raw(office.hall, limit=1000)]
    return Facts(office.hall).extend(read(text.encode()) for text in texts)


def ask(office: Alone, question: str, **asked: Any) -> Any:
    """An answer, as it goes over the wire."""
    answer = getattr(office.service, question)(office.hall, 2021, **asked)
    return json.loads(json.dumps(answer))


def test_why_is_answered_of_the_official_rulebook_or_the_one_that_is_named(office: Alone) -> None:
    official, named = (
        ask(office, "why", as_of="2021-03-31"),
        ask(office, "why", as_of="2021-03-31", rulebook="mof-2020"),
    )

    facts = _facts(office)
    assert official == why(facts, evaluate(facts, h.CHENGGONG, date(2021, 3, 31)))
    assert named["rulebook"] == "mof-2020"
    (hvac,) = ask(office, "why", as_of="2021-03-31", indicator="hvac")["indicators"]
    assert [one["occurrence_id"] for one in hvac["deductions"]] == ["v2"]


def test_why_names_the_event_by_its_place_in_the_ledger_with_its_hashes(office: Alone) -> None:
    (hvac,) = ask(office, "why", as_of="2021-03-31", indicator="hvac")["indicators"]

    (scheduled,) = hvac["deductions"][0]["events"]
    (recorded,) = [
        one for one in map(read, (text.encode() for text in office.ledgers["scheduling"].raw(office.hall)))
        if one.id == scheduled["id"]
    ]  # fmt: skip
    assert (scheduled["position"], scheduled["hash"], scheduled["prevhash"]) == (
        recorded.position, recorded.hash, recorded.prevhash,
    )  # fmt: skip
    assert scheduled["hash"].startswith("sha256:")


def test_diff_defaults_to_the_first_questions_parts(office: Alone) -> None:
    same = ask(office, "diff", as_of="2021-03-31", known_at=BEFORE)
    other = ask(office, "diff", as_of="2021-03-31", known_at=BEFORE, to_known_at=AFTER)

    assert (same["differ"], same["indicators"]) == (False, [])
    assert [one["id"] for one in other["indicators"]] == ["incidents"]
    (explanation,) = other["indicators"][0]["explanations"]
    assert explanation["cause"]["event"]["type"] == "work_orders.incident_confirmed.v1"
    assert (other["first"]["known_at"], other["second"]["known_at"]) == (BEFORE, AFTER)


def test_diff_reaches_from_one_day_knowledge_and_rulebook_to_others(office: Alone) -> None:
    found = ask(
        office, "diff", as_of="2021-01-31", known_at=BEFORE,
        to_as_of="2021-03-31", to_known_at=AFTER, to_rulebook="mof-2020",
    )  # fmt: skip

    first = Question(rulebook=h.CHENGGONG, as_of=date(2021, 1, 31), known_at=_moment(BEFORE), known_at_given=BEFORE)
    second = Question(rulebook=h.MOF, as_of=date(2021, 3, 31), known_at=_moment(AFTER), known_at_given=AFTER)
    assert found == diff(_facts(office), first, second).as_json()
    assert {step["leg"] for one in found["indicators"] for step in one["explanations"]} == {"time", "rulebook"}


def _moment(words: str) -> datetime:
    return datetime.fromisoformat(words)


def test_at_risk_and_missing_are_asked_today_unless_said_otherwise(office: Alone) -> None:
    found = ask(office, "at_risk")
    hvac = next(one for one in found["indicators"] if one["id"] == "hvac")

    assert (found["as_of"], found["until"], found["known_at"]) == ("2021-04-10", "2021-04-30", None)
    assert [one["reason"] for one in hvac["added"]] == ["not_scheduled"]
    assert ask(office, "at_risk", as_of="2021-03-31", known_at=BEFORE)["known_at"] == BEFORE


def test_missing_answers_the_codes_with_sentences_and_where_they_belong(office: Alone) -> None:
    found = ask(office, "missing", as_of="2021-03-31")

    expected = missing(_facts(office), h.CHENGGONG, date(2021, 3, 31), h.local("2021-04-10"))
    assert found == [one.as_json() for one in expected]
    by_code = {one["code"]: one for one in found}
    assert {"not_over", "no_budget", "not_registered:water", "no_baseline", "no_ratings:2021-03"} <= by_code.keys()
    assert by_code["no_baseline"]["where"] == "/cost-baselines"


def test_results_by_every_rulebook_stand_side_by_side_the_official_one_first(office: Alone) -> None:
    found = ask(office, "results", as_of="2021-03-31", known_at=AFTER)

    assert [(one["official"], one["result"]["rulebook"]) for one in found] == [
        (True, "chenggong-2021"), (False, "mof-2020"),
    ]  # fmt: skip
    for one in found:
        asked = {"as_of": "2021-03-31", "known_at": AFTER, "rulebook": one["result"]["rulebook"]}
        assert one["result"] == ask(office, "assessment", **asked)


def test_what_is_not_there_is_not_found(office: Alone) -> None:
    for question in ("why", "diff", "at_risk", "missing", "results"):
        with pytest.raises(NotFound, match="no assessment of 2022"):
            getattr(office.service, question)(office.hall, 2022)
    with pytest.raises(NotFound, match="0 rulebooks nowhere"):
        ask(office, "diff", to_rulebook="nowhere")
    with pytest.raises(Invalid, match="indicator: expected one of gas-suppression"):
        ask(office, "why", indicator="nowhere")


# --- the command line --------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """March's visit, made and told late; and the point that was left out."""
    history = [
        h.system(id_="system"),
        h.visit(points=["P1"], id_="plan"),
        h.performed(on="2021-03-09", recorded="2021-04-02", id_="done"),
    ]
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(canonical(_envelope(recorded)) + b"\n" for recorded in history))
    return path


def _envelope(recorded: Recorded) -> dict[str, Any]:
    placed = (
        {"position": 7, "actor": "user:li", "hash": "sha256:b"} if isinstance(recorded.event, WorkPerformed) else {}
    )
    return {
        "specversion": "1.0",
        "id": recorded.id,
        "source": recorded.source,
        "type": recorded.type,
        "time": timestamp(recorded.time),
        "recordedat": timestamp(recorded.recordedat),
        "facility": recorded.facility,
        "data": recorded.event.data(),
        **placed,
    }


def run(command: Any, *words: object) -> Result:
    """A command's outcome."""
    return CliRunner().invoke(command, [str(word) for word in words])


ASKED = ("--as-of", "2021-03-31", "--known-at", "2021-04-01T00:00:00+08:00")


def test_the_command_explains_a_difference_and_its_status_says_that_there_is_one(file: Path) -> None:
    outcome = run(diff_command, file, *ASKED, "--to-known-at", "all", "--json")

    assert outcome.exit_code == 1
    hvac, timeliness = json.loads(outcome.stdout)["indicators"]
    assert (hvac["id"], timeliness["id"]) == ("hvac", "timeliness")
    (step,) = hvac["explanations"]
    event = step["cause"]["event"]
    assert (event["id"], event["position"], event["actor"], event["source"]) == ("done", 7, "user:li", "/work_orders")
    assert canonical(json.loads(outcome.stdout)) + b"\n" == outcome.stdout_bytes


def test_the_command_says_where_nothing_differs(file: Path) -> None:
    outcome = run(diff_command, file, *ASKED)

    assert outcome.exit_code == 0
    assert "没有差别" in outcome.stdout


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "被知悉（/work_orders 第 7 条"), ("en", "became known (/work_orders position 7")]
)
def test_a_difference_is_told_in_the_language_that_is_asked_for(
    file: Path, language: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XUNJIAN_LANG", language)

    outcome = run(diff_command, file, *ASKED, "--to-known-at", "2021-04-03T00:00:00+08:00", "--to-as-of", "2021-04-30",
                  "--to-rulebook", "mof-2020")  # fmt: skip

    assert outcome.exit_code == 1
    assert words in outcome.stdout
    assert ("因为到了 2021-04-30" if language == "zh" else "because 2021-04-30 has come") in outcome.stdout
    assert ("评分标准不同" if language == "zh" else "the rulebooks differ") in outcome.stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--as-of", "2021-03"), "as_of: expected a date YYYY-MM-DD"),
        (("--as-of", "2021-03-31", "--to-as-of", "x"), "to_as_of: expected a date YYYY-MM-DD"),
        (("--as-of", "2021-03-31", "--to-known-at", "x"), "to_known_at: expected"),
        (("--as-of", "2021-03-31", "--to-rulebook", "nowhere"), "nowhere: expected a rulebook's file or one of"),
    ],
)
def test_a_wrong_question_is_refused_in_one_line(file: Path, words: tuple[str, ...], complaint: str) -> None:
    outcome = run(diff_command, file, *words)

    assert (outcome.exit_code, outcome.stdout, outcome.stderr.count("\n")) == (2, "", 1)
    assert outcome.stderr.startswith(complaint)


def test_why_prints_the_rules_words_and_the_evidence(file: Path) -> None:
    outcome = run(why_command, file, "--as-of", "2021-03-31", "--indicator", "hvac")

    assert outcome.exit_code == 0
    for words in (
        "每漏检1次或1个点位该项扣5分。",
        "per_missed_point=5.00",
        "在 2021-03-01 至 2021-03-31 的窗口内完成，但点位 P1（P1）截至 2021-04-05 无结果，扣 5.00 分",
        "/work_orders 第 7 条 · user:li · done",
    ):
        assert words in outcome.stdout


def test_why_as_json_is_canonical_and_of_an_indicator_that_there_is(file: Path) -> None:
    outcome = run(why_command, file, "--as-of", "2021-03-31", "--json")
    refused = run(why_command, file, "--as-of", "2021-03-31", "--indicator", "nowhere")

    found = json.loads(outcome.stdout)
    assert canonical(found) + b"\n" == outcome.stdout_bytes
    assert len(found["indicators"]) == len(h.CHENGGONG.indicators)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("indicator: expected one of gas-suppression, hvac")


def test_envelopes_need_no_place_and_a_wrong_one_is_not_shown(file: Path) -> None:
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps({**line, "position": "7", "actor": 7}) + "\n" for line in lines))

    outcome = run(why_command, file, "--as-of", "2021-03-31", "--indicator", "hvac", "--json")

    (hvac,) = json.loads(outcome.stdout)["indicators"]
    assert {(event["position"], event["actor"]) for event in hvac["deductions"][0]["events"]} == {(0, "")}
