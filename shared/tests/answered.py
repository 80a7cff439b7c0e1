"""Holds every answer of a service under test against the form that its method declares, member by member."""

import functools
import inspect
import json
from collections.abc import Callable
from typing import Any, TypeVar, get_args, get_origin

from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR
from nameko.rpc import Rpc

from shared.event import flat
from shared.pages import Page
from shared.schema import schema_of
from shared.service import LedgerService

Service = TypeVar("Service", bound=LedgerService)


def held_to_its_forms(service: type[Service]) -> type[Service]:
    """The same service; a method whose answer is not of the form that it declares (`shared.service.answers`) fails."""
    declared = {
        name: _held(method)
        for name, method in inspect.getmembers(service, inspect.isfunction)
        if hasattr(method, "answers")
    }
    return type(service.__name__, (service,), declared)


def faults_of(form: Any, answer: Any) -> dict[str, list[str]]:
    """What of an answer, as it goes over the wire, is not of a form: a dataclass, or a list of one."""
    if get_origin(form) is not list:
        return flat(schema_of(form, strict=True).validate(answer))
    (row,) = get_args(form)
    return flat(schema_of(row, strict=True).validate(answer, many=True))


def without_a_form(service: type[LedgerService]) -> set[str]:
    """The methods of a service that answer something and do not say of what form, as those do that answer a file.

    Not those that every service has, which are not of the API.
    """
    return {
        name
        for name, method in inspect.getmembers(service, inspect.isfunction)
        if any(isinstance(point, Rpc) for point in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ()))
        and not hasattr(LedgerService, name)
        and not hasattr(method, "answers")
        and inspect.signature(method).return_annotation is not None
    }


def _held(method: Callable[..., Any]) -> Callable[..., Any]:
    form: Any = method.answers  # type: ignore[attr-defined]  # see shared.service.answers
    in_pages = inspect.signature(method).return_annotation is Page

    @functools.wraps(method)
    def answer(*arguments: Any, **named: Any) -> Any:
        found = method(*arguments, **named)
        told = json.loads(json.dumps(found))
        faults = faults_of(list[form], told["items"]) if in_pages else faults_of(form, told)
        assert faults == {}, f"{method.__name__} answers {told}"
        return found

    return answer
