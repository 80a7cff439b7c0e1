"""A service under test is held to the forms that it declares: what is there too much, too little or otherwise fails."""

from dataclasses import dataclass
from typing import Any

import pytest

from shared import service
from shared.pages import Page
from shared.schema import Id
from shared.service import answers, query
from shared.tests.answered import held_to_its_forms, without_a_form


@dataclass(frozen=True, kw_only=True)
class Lamp:
    """A lamp, where that is known, and how bright it is, where that was measured."""

    lamp_id: Id
    room: str | None
    lux: int | None = None


class Lamps(service.LedgerService):
    """Answers whatever it is asked to."""

    name = "lamps"

    @answers(Lamp)
    @query
    def lamp(self, answer: Any) -> Any:
        """One."""
        return answer

    @answers(Lamp)
    @query
    def lamps(self, *answer: Any) -> Page:
        """A page of them."""
        return Page(items=list(answer), next=None)

    @answers(list[Lamp])
    @query
    def all_lamps(self, *answer: Any) -> Any:
        """All of them."""
        return answer

    @query
    def photo(self) -> dict[str, str]:
        """A file."""
        return {"body": ""}

    @query
    def switch(self) -> None:
        """Nothing."""


RIGHT: list[dict[str, Any]] = [{"lamp_id": "a", "room": None}, {"lamp_id": "a", "room": "101", "lux": 3}]
WRONG: list[Any] = [
    None,
    {},
    {"lamp_id": "a"},
    {"lamp_id": None, "room": None},
    {"lamp_id": "a b", "room": None},
    {"lamp_id": "a", "room": None, "lux": "3"},
    {"lamp_id": "a", "room": None, "colour": "red"},
]


@pytest.mark.parametrize("answer", RIGHT)
def test_an_answer_in_its_form_is_given(answer: Any) -> None:
    lamps = held_to_its_forms(Lamps)()

    assert lamps.lamp(answer) == answer
    assert lamps.lamps(answer) == {"items": [answer], "next": None}
    assert lamps.all_lamps(*RIGHT) == tuple(RIGHT)


@pytest.mark.parametrize("answer", WRONG)
def test_an_answer_in_another_form_fails(answer: Any) -> None:
    lamps = held_to_its_forms(Lamps)()

    for ask in (lamps.lamp, lambda wrong: lamps.lamps(*RIGHT, wrong), lambda wrong: lamps.all_lamps(*RIGHT, wrong)):
        with pytest.raises(AssertionError):
            ask(answer)


def test_what_answers_something_without_a_form_is_named() -> None:
    assert without_a_form(Lamps) == {"photo"}
