"""The forms as the service hands them out and as the command line writes them, and what they say of being published."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from services.gateway.routes import find
from services.scoring.facts import Facts
from services.scoring.finding import Span
from services.scoring.forms.cli import forms_command
from services.scoring.forms.files import FILES
from services.scoring.forms.form import as_published, form_of
from services.scoring.live import LiveFacts
from services.scoring.questions.difference import Question
from services.scoring.questions.matrix import inspection_matrix
from services.scoring.service import Scoring
from services.scoring.tests import forms_data as year
from services.scoring.tests import histories as h
from services.scoring.tests.sealing import KEY, Sealing
from shared.contracts.scoring import AssessmentOpened, AssessmentPublished, AssessmentWithdrawn, Head, RulebookRef
from shared.errors import NotFound
from shared.event import Recorded, timestamp
from shared.tests.alone import Alone, alone

BOOKS = [{"rulebook_id": book.id, "sha256": book.sha256} for book in (h.CHENGGONG, h.MOF)]
THEN = "2022-01-08 09:00"
PATHS = {
    "goal_sheet": "assessments/2021/goal-sheet.xlsx",
    "self_assessment_sheet": "assessments/2021/self-assessment.xlsx",
    "self_assessment_pdf": "assessments/2021/self-assessment.pdf",
    "budget_import": "assessments/2021/budget-import.xlsx",
    "inspections_chart": "assessments/2021/charts/inspections.png",
    "score_chart": "assessments/2021/charts/score.png",
}
SIGNATURES = {"xlsx": b"PK\x03\x04", "pdf": b"%PDF-", "png": b"\x89PNG"}


# --- published ---------------------------------------------------------------------------------------------------


def asked(known_at: str | None = THEN, as_of: str = "2021-12-31", rulebook: Any = h.CHENGGONG) -> Question:
    """A question about the year."""
    moment = None if known_at is None else h.local(known_at)
    return Question(rulebook=rulebook, as_of=date.fromisoformat(as_of), known_at=moment)


@pytest.fixture(scope="module")
def published() -> Facts:
    """The bad year, whose result was published in January."""
    books = (RulebookRef(rulebook_id=h.CHENGGONG.id, sha256=h.CHENGGONG.sha256),)
    opening = AssessmentOpened(assessment_id="a", year=2021, rulebooks=books, official=h.CHENGGONG.id)
    facts = Facts().extend([*year.bad_year(), h.told(opening)])
    publication = AssessmentPublished(
        assessment_id="a",
        as_of=date(2021, 12, 31),
        known_at=h.local(THEN),
        rulebook_sha256=h.CHENGGONG.sha256,
        heads={"scoring": Head(position=1, hash="sha256:0")},
        result_sha256=form_of(facts, asked(), simulated=False).result_sha256,
        published_by="user:chen",
    )
    facts.add(h.told(publication, recorded="2022-01-09"))
    return facts


def published_by(facts: Facts, question: Question) -> bool:
    """Whether the form of a question says that it is published."""
    return form_of(facts, question, simulated=False).publication is not None


def test_the_form_of_just_what_was_published_is_marked_published(published: Facts) -> None:
    other_zone = replace(asked(), known_at_given=timestamp(h.local(THEN).astimezone(ZoneInfo("UTC"))))

    assert published_by(published, asked())
    assert published_by(published, other_zone)


@pytest.mark.parametrize(
    "question",
    [asked(known_at=None), asked(known_at="2022-01-08 09:01"), asked(as_of="2021-12-30"), asked(rulebook=h.MOF)],
)
def test_the_form_of_another_question_is_provisional(published: Facts, question: Question) -> None:
    assert not published_by(published, question)


def test_what_was_withdrawn_is_provisional_again(published: Facts) -> None:
    history = [*published.history(), h.told(AssessmentWithdrawn(assessment_id="a", reason="更正"), "2022-02-01")]

    facts = Facts().extend(history)

    assert not published_by(facts, asked())
    assert as_published(facts, asked(known_at=None)) == asked(known_at=None)


def test_late_knowledge_changes_no_published_form(published: Facts) -> None:
    late = Facts().extend([*published.history(), h.incident("late", on="2021-02-02", recorded="2022-03-01")])

    question = as_published(late, asked(known_at=None))

    assert question == asked()
    assert form_of(late, question, simulated=False) == form_of(published, asked(), simulated=False)


# --- the service -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """A simulated hall in January 2022 with a bad year behind it, nothing of it published."""
    folder = tmp_path_factory.mktemp("forms")
    with alone(Scoring, f"sqlite:///{folder / 'alone.db'}", folder) as service:
        service.service.live = LiveFacts(service.ledger.database, "scoring")
        service.service.sealing = Sealing(KEY)
        service.set_time(h.local("2020-12-01"))
        for name in ("chenggong-2021", "mof-2020"):
            service.ask("add_rulebook", text=(h.RULEBOOKS / f"{name}.yaml").read_text())
        service.ask("open_assessment", assessment_id="a", year=2021, rulebooks=BOOKS, official="chenggong-2021")
        for recorded in sorted(year.bad_year(), key=lambda one: one.recordedat):
            service.set_time(recorded.recordedat)
            service.tell(f"any/{recorded.id}", recorded.event)
        service.set_time(h.local("2022-01-08"))
        service.follow()
        yield service


def lines(answer: dict[str, str]) -> list[str]:
    """Every text of a sheet that the service handed out."""
    (sheet,) = load_workbook(BytesIO(base64.b64decode(answer["body"]))).worksheets
    return [value for row in sheet.iter_rows(values_only=True) for value in row if isinstance(value, str)]


@pytest.mark.parametrize("name", FILES)
def test_every_file_has_a_route_and_is_what_its_type_says(office: Alone, name: str) -> None:
    route, _ = find("GET", f"/v1/facilities/hall/{PATHS[name]}")
    assert (route.target, route.kind, set(route.query)) == (
        f"scoring.{name}",
        "download",
        {"as_of", "known_at", "rulebook"},
    )

    answer = getattr(office.service, name)(office.hall, 2021, as_of="2021-12-31")

    ending = answer["filename"].rpartition(".")[2]
    assert base64.b64decode(answer["body"]).startswith(SIGNATURES[ending])
    assert (answer["media_type"], "模拟数据" in answer["filename"]) == (FILES[name].media_type, True)


def test_a_sheet_is_by_the_official_rulebook_unless_one_is_named(office: Alone) -> None:
    official = lines(office.service.self_assessment_sheet(office.hall, 2021))
    national = lines(office.service.self_assessment_sheet(office.hall, 2021, rulebook="mof-2020"))

    assert any(h.CHENGGONG.sha256 in text for text in official)
    assert any(h.MOF.sha256 in text for text in national)


def test_a_year_that_no_assessment_is_open_for_has_no_forms(office: Alone) -> None:
    with pytest.raises(NotFound, match="no assessment of 2020 is open"):
        office.service.goal_sheet(office.hall, 2020)


def test_the_matrix_is_answered_as_json(office: Alone) -> None:
    route, _ = find("GET", "/v1/facilities/hall/inspection-matrix/2021")

    answer = office.service.inspection_matrix(office.hall, 2021, as_of="2021-06-30", rulebook="mof-2020")

    with office.service.live.facts(office.hall) as (facts, _):
        rows = inspection_matrix(facts.known(), Span(2021, date(2021, 6, 30)), h.MOF)
    assert answer["systems"] == [row.as_json() for row in rows]
    assert [system["system_id"] for system in answer["systems"]] == list(year.SCORED)
    assert {name: answer[name] for name in ("year", "as_of", "known_at", "rulebook", "simulated")} == {
        "year": 2021,
        "as_of": "2021-06-30",
        "known_at": None,
        "rulebook": "mof-2020",
        "simulated": True,
    }
    assert route.target == "scoring.inspection_matrix"
    assert orjson.loads(orjson.dumps(answer)) == answer


def test_without_a_question_the_published_result_is_shown_once_there_is_one(office: Alone) -> None:
    before = lines(office.service.self_assessment_sheet(office.hall, 2021))

    for who in ("user:qian", "user:sun"):
        lacking = [one["code"] for one in office.service.missing(office.hall, 2021, as_of="2021-12-31")]
        office.ask("sign_assessment", actor=who, assessment_id="a", as_of="2021-12-31", acknowledged=lacking)
    outcome = office.ask("publish_assessment", assessment_id="a", actor="user:chen")
    after = lines(office.service.self_assessment_sheet(office.hall, 2021))
    asked_anew = lines(office.service.self_assessment_sheet(office.hall, 2021, as_of="2021-12-31"))

    assert "模拟数据 · 暂评（未发布）" in before
    assert "模拟数据 · 已发布" in after
    assert f"结果 SHA-256：{outcome['result_sha256']}" in after
    assert "模拟数据 · 暂评（未发布）" in asked_anew


# --- the command line --------------------------------------------------------------------------------------------


def envelope(recorded: Recorded, **more: Any) -> bytes:
    """An event as a line of a file."""
    names = ("id", "source", "type", "facility")
    told = {name: getattr(recorded, name) for name in names}
    times = {"time": timestamp(recorded.time), "recordedat": timestamp(recorded.recordedat)}
    return orjson.dumps({**told, **times, "data": recorded.event.data(), **more}, default=str)


def run(folder: Path, *options: str, history: list[Recorded] | None = None, **more: Any) -> Result:
    """`xunjian forms` of a history, into `out`."""
    file = folder / "events.jsonl"
    file.write_bytes(b"\n".join(envelope(one, **more) for one in history or year.bad_year()))
    return CliRunner().invoke(forms_command, [str(file), "-o", str(folder / "out"), *options])


def test_every_form_is_written_from_a_file_of_events(tmp_path: Path) -> None:
    outcome = run(tmp_path, "--rulebook", "mof-2020", "--as-of", "2021-12-31")

    names = {f"{file.name}-2021.{file.ending}" for file in FILES.values()}
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert {Path(line).name for line in outcome.stdout.splitlines()} == names


def test_forms_from_events_that_are_marked_simulated_are_marked_too(tmp_path: Path) -> None:
    run(tmp_path, "--as-of", "2021-12-31", simulated=True)

    assert {"模拟数据" in path.name for path in (tmp_path / "out").iterdir()} == {True}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--as-of", "2021-02-30"], "as_of: expected a date YYYY-MM-DD"),
        (["--known-at", "2021-12-31"], "known_at: expected a timestamp with offset (RFC 3339)"),
        (["--rulebook", "no-such"], "no-such: expected a rulebook's file or one of"),
        (["-o", "/dev/null/x"], "/dev/null/x: expected a folder that can be written to"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(tmp_path: Path, options: list[str], said: str) -> None:
    outcome = run(tmp_path, *options)

    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(said)
    assert outcome.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
