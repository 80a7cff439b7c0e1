"""The document says what the table of routes and the services say, and the files that are served are made from it."""

import inspect
import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.gateway.route import Route
from services.gateway.routes import ROUTES
from services.openapi import gateway
from services.openapi.document import document, document_bytes, service_of
from services.openapi.examples import example
from services.openapi.page import page
from services.openapi.schemas import Json
from shared.rights import PUBLIC, RIGHTS, SIGNED_IN

STALE = "the document is not what the code says any more; make catalogue writes it anew"
OURS = files("services.gateway")


@pytest.fixture(scope="module")
def made() -> Json:
    """The document as the code says it now."""
    return document()


def operation(made: Json, route: Route) -> Json:
    found: Json = made["paths"][route.path][route.method.lower()]
    return found


def test_the_files_that_are_served_are_the_ones_that_the_code_says(made: Json) -> None:
    assert document_bytes(made) == OURS.joinpath("openapi.json").read_bytes(), STALE
    assert page(made) == OURS.joinpath("api.html").read_bytes(), STALE


def test_the_document_is_openapi_3_1(made: Json) -> None:
    assert made["openapi"] == "3.1.0"
    assert [str(fault) for fault in OpenAPIV31SpecValidator(made).iter_errors()] == []


def test_every_line_of_the_table_is_an_operation_and_nothing_else_is(made: Json) -> None:
    said = [(method, path) for path, methods in made["paths"].items() for method in methods]

    assert sorted(said) == sorted((route.method.lower(), route.path) for route in ROUTES)
    names = [told["operationId"] for methods in made["paths"].values() for told in methods.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_method_of_the_api_says_of_what_form_its_answer_is_or_answers_null(route: Route) -> None:
    method = getattr(service_of(route), route.rpc)

    if route.service == "gateway":
        assert route.rpc in {**gateway.ANSWERS, **gateway.SUCCESSES} or route.rpc in {"sign_out", "change_password"}
        assert route.kind != "command" or route.rpc in {**gateway.ASKS, "sign_out": None}
    elif route.kind != "download":
        assert hasattr(method, "answers") or inspect.signature(method).return_annotation is None


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_an_operation_names_the_roles_of_the_table_of_rights(route: Route, made: Json) -> None:
    told = operation(made, route)

    public, signed_in = route.target in PUBLIC, route.target in SIGNED_IN
    assert tuple(told["x-roles"]) == (() if public or signed_in else RIGHTS[route.target])
    assert ("security" in told) == public
    assert all(f"`{role}`" in told["description"] for role in told["x-roles"])


@pytest.mark.parametrize("route", [one for one in ROUTES if one.kind == "command"], ids=lambda one: one.path)
def test_a_command_can_be_repeated_under_a_key_and_one_of_a_stream_be_bound_to_its_version(
    route: Route, made: Json
) -> None:
    told = operation(made, route)

    taken = {one["$ref"].rpartition("/")[2] for one in told["parameters"] if "$ref" in one}
    assert "IdempotencyKey" in taken
    assert ("IfMatch" in taken) == ("412" in told["responses"]) == (route.stream is not None)


def test_the_shared_schema_of_a_problem_names_each_field(made: Json) -> None:
    problem = made["components"]["schemas"]["gateway.Problem"]

    (expected,) = {
        told["content"]["application/problem+json"]["schema"]["$ref"]
        for told in made["components"]["responses"].values()
        if "content" in told
    }
    assert expected == "#/components/schemas/gateway.Problem"
    assert problem["properties"]["errors"]["items"] == {"$ref": "#/components/schemas/gateway.Fault"}


@pytest.mark.parametrize("route", [one for one in ROUTES if one.kind == "command"], ids=lambda one: one.path)
def test_the_example_of_a_body_has_what_must_be_there(route: Route, made: Json) -> None:
    body = operation(made, route).get("requestBody")
    if body is None:
        return
    schema = body["content"]["application/json"]["schema"]

    shown = example(schema, made)

    of = made["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    assert sorted(shown) == of.get("required", [])


# --- the page ------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What of a page matters here: its elements, its anchors, and where it links to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.anchors: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        told = dict(attrs)
        self.tags.add(tag)
        self.attributes |= told.keys()
        self.anchors += [told["id"] or ""] if "id" in told else []
        self.links += [told["href"] or ""] if "href" in told else []


@pytest.fixture(scope="module")
def shown(made: Json) -> Page:
    """The page of the document."""
    return Page(page(made).decode())


def test_the_page_needs_nothing_that_a_strict_policy_forbids(made: Json, shown: Page) -> None:
    text = page(made).decode()

    assert not shown.tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert not {name for name in shown.attributes if name.startswith("on") or name in ("style", "src", "srcset")}
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style


def test_every_link_of_the_page_leads_somewhere_on_it_or_to_the_document(shown: Page) -> None:
    assert len(set(shown.anchors)) == len(shown.anchors)
    assert {link for link in shown.links if not link.startswith("#")} == {"openapi.json", "catalogue/index.html"}
    assert {link[1:] for link in shown.links if link.startswith("#")} <= set(shown.anchors)


def test_the_page_has_every_operation_and_every_schema(made: Json, shown: Page) -> None:
    operations = {told["operationId"] for methods in made["paths"].values() for told in methods.values()}
    schemas = {f"schema-{name}" for name in made["components"]["schemas"]}

    assert operations | schemas <= set(shown.anchors)


def test_what_is_written_in_a_docstring_is_no_markup_of_the_page(made: Json) -> None:
    told: Any = {**made, "info": {**made["info"], "description": "a <b>bold</b> `<i>` word"}}

    text = page(told).decode()

    assert "a &lt;b&gt;bold&lt;/b&gt; <code>&lt;i&gt;</code> word" in text
