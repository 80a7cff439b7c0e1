"""What the document says of a kind of value is what is checked."""

from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import pytest

from services.openapi.schemas import Json, Schemas
from shared.schema import Id, Money
from shared.tests.test_schema import BAD, GOOD, Form

NOT_JSON = (float("nan"), float("inf"))
SAID_ELSEWHERE: dict[str, list[Any]] = {
    "text": ["a\0b", "\ud800", "a\udfff"],
    "count": [1.0],
    "year": [2021.0],
    "moment": ["2021-03-09T12:00:60Z"],
}
"""What JSON Schema cannot refuse: NUL and half characters are refused by the gateway in every text, JSON Schema's integers
include 1.0, and RFC 3339 has leap seconds."""


@dataclass(frozen=True, kw_only=True)
class Inner:
    """A part."""

    id: Id


@dataclass(frozen=True, kw_only=True)
class Outer:
    """A whole."""

    name: Id
    parts: tuple[Inner, ...]
    last: Inner | None
    price: Money | int | None
    chosen: Inner | Id = "none"


def made(kind: type, *, body: bool = False, in_path: tuple[str, ...] = ()) -> Json:
    """The components of a document of this one command or answer."""
    schemas = Schemas(title="t", version="v")
    if body:
        schemas.body(kind, in_path)
    else:
        schemas.answer(kind)
    found: Json = schemas.spec.to_dict()["components"]["schemas"]
    return found


@pytest.fixture(scope="module")
def form() -> Any:
    """A validator by the document of the form that has every kind."""
    schema = {"$ref": "#/components/schemas/shared.Form", "components": {"schemas": made(Form, body=True)}}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


@pytest.mark.parametrize(("member", "value"), [(member, value) for member, value, _ in GOOD])
def test_what_is_taken_is_of_the_document(form: Any, member: str, value: Any) -> None:
    assert form.is_valid({member: value})


@pytest.mark.parametrize(("member", "value"), [(member, value) for member, values in BAD.items() for value in values])
def test_what_is_refused_is_not_of_the_document(form: Any, member: str, value: Any) -> None:
    if repr(value) in map(repr, (*NOT_JSON, *SAID_ELSEWHERE.get(member, ()))):
        return

    assert not form.is_valid({member: value})


def test_null_is_of_the_document_just_where_it_is_taken(form: Any) -> None:
    assert form.is_valid(dict.fromkeys(["id", "day", "money", "reading", "choice", "either", "named", "anything"]))
    assert not form.is_valid({"parts": None})


def test_a_body_is_closed_and_an_answer_may_gain_members() -> None:
    asked, told = made(Inner, body=True), made(Inner)

    assert asked["openapi.Inner"]["additionalProperties"] is False
    assert "additionalProperties" not in told["openapi.Inner"]


def test_what_the_path_says_is_no_member_of_the_body() -> None:
    outer = made(Outer, body=True, in_path=("facility", "name"))["openapi.Outer"]

    assert set(outer["properties"]) == {"parts", "last", "price", "chosen"}
    assert outer["required"] == ["last", "parts", "price"]


def test_objects_within_objects_are_referred_to_also_where_they_may_be_null_or_something_else() -> None:
    members = made(Outer)["openapi.Outer"]["properties"]

    inner = {"$ref": "#/components/schemas/openapi.Inner"}
    assert members["parts"]["items"] == inner
    assert members["last"] == {"anyOf": [inner, {"type": "null"}]}
    assert members["chosen"]["anyOf"][0] == inner
    assert {"type": "null"} in members["price"]["anyOf"]


def test_the_docstring_is_the_description() -> None:
    assert made(Inner)["openapi.Inner"]["description"] == "A part."
