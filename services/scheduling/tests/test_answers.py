"""Every answer has a form of its own; scheduling under test is held to them (shared.tests.answered) in every test."""

from services.scheduling.service import Scheduling
from services.scheduling.tests.office import MONTHLY, Office
from shared.tests.answered import without_a_form

JANUARY, FEBRUARY = "hvac:2021-01:1", "hvac:2021-02:1"


def test_every_answer_has_a_form_but_the_calendar_file() -> None:
    assert without_a_form(Scheduling) == {"calendar"}


def test_visits_that_were_excused_and_withdrawn_are_answered_in_their_form(office: Office) -> None:
    office.adopt(MONTHLY)
    office.look("2021-01-10")
    service, hall = office.alone.service, office.alone.hall
    office.alone.ask("excuse_occurrence", occurrence_id=JANUARY, reason="停电", actor="user:chen")
    office.end("2021-01-20")
    office.look("2021-01-21")

    excused, withdrawn = service.occurrence(hall, JANUARY), service.occurrence(hall, FEBRUARY)
    (duty,) = service.plan(hall, "p")["items"]
    (system,) = service.year_view(hall, 2021)["systems"]

    assert ([one["point_ids"] for one in excused["excuses"]], excused["excused"]) == ([None], True)
    assert (withdrawn["status"], withdrawn["because"]) == ("withdrawn", "plan")
    assert (duty["withdrawn"], duty["rrule"], len(duty["terms"])) == (True, None, 2)
    assert [visit["status"] for month in system["months"] for visit in month["occurrences"]] == ["planned", "withdrawn"]


def test_a_year_that_nobody_knows_anything_of_is_answered_in_its_form(office: Office) -> None:
    service, hall = office.alone.service, office.alone.hall

    for year in (1000, 2999):
        assert service.workdays(hall, year)["year"] == year
        assert service.year_view(hall, year)["year"] == year
