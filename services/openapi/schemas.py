"""Commands and answers as schemas of an OpenAPI document: apispec, taught the kinds of `shared.schema`."""

import inspect
from collections.abc import Collection
from typing import Any, get_args, get_origin

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import RAISE, Schema
from marshmallow.fields import Field
from marshmallow.validate import Regexp

from shared.schema import schema_class, schema_of

Json = dict[str, Any]


class _Converter(OpenAPIConverter):
    """What apispec does not know of our kinds: they say it themselves (`json_schema`), and may be one of several."""

    def init_attribute_functions(self) -> None:
        super().init_attribute_functions()  # type: ignore[no-untyped-call]  # apispec's converters are untyped
        # First what a kind is by nature, which apispec's own functions narrow by its validators; last what they leave open.
        self.attribute_functions.insert(1, self.kind2properties)
        self.attribute_functions += [self.ways2nullable, self.pattern2portable]

    def kind2properties(self, field: Field[Any], **_: Any) -> Json:
        ways = [self.field2property(way) for way in getattr(field, "ways", ())]
        return {**getattr(field, "json_schema", {}), **({"anyOf": ways} if ways else {})}

    def ways2nullable(self, field: Field[Any], ret: Json) -> Json:
        if not field.allow_none or "$ref" in ret or {"type": "null"} in ret.get("anyOf", ()):
            return {}
        return {"anyOf": [*ret["anyOf"], {"type": "null"}]} if "anyOf" in ret else {}

    def pattern2portable(self, field: Field[Any], ret: Json) -> Json:
        for rule in field.validators:
            if isinstance(rule, Regexp):
                return {
                    "pattern": ret["pattern"].replace(r"\Z", "$"),
                    "description": str(rule.error).removeprefix("expected "),
                }
        return {}


class _Plugin(MarshmallowPlugin):
    Converter = _Converter

    def schema_helper(self, name: str, _: Any, schema: Any = None, **kwargs: Any) -> Json | None:  # type: ignore[override]  # apispec's own plugin differs from its base
        found: Json | None = super().schema_helper(name, _, schema, **kwargs)  # type: ignore[no-untyped-call]  # as above
        if schema is None or found is None:
            return found
        described = inspect.getdoc(schema if inspect.isclass(schema) else type(schema))
        return {"description": described, **found} if described else found


class Schemas:
    """The schemas of one document; each becomes a component of it where it is first asked for."""

    def __init__(self, **document: Any) -> None:
        self._plugin = _Plugin(self._name)
        self.spec = APISpec(openapi_version="3.1.0", plugins=[self._plugin], **document)

    def body(self, command: type, in_path: Collection[str] = ()) -> Json:
        """What a command's body must be: its members but for those that the path says; no others are known."""
        known = schema_class(command, RAISE)
        excluded = set(in_path) & set(known._declared_fields)  # noqa: SLF001  marshmallow has no other word for them
        return self._reference(known(exclude=sorted(excluded)))

    def answer(self, form: Any) -> Json:
        """What an answer is: a dataclass, a list of one, or null; readers pass over members that they do not know."""
        if form is None:
            return {"type": "null"}
        if get_origin(form) is list:
            return {"type": "array", "items": self.answer(get_args(form)[0])}
        return self._reference(schema_of(form))

    def kind(self, field: Field[Any]) -> Json:
        """What a single value is: a parameter of a path or a query."""
        return dict(self._converter.field2property(field))

    def required(self, reference: Json) -> bool:
        """Whether an object that was referred to has members that must be there."""
        return bool(self.spec.components.schemas[reference["$ref"].rpartition("/")[2]].get("required"))

    @property
    def _converter(self) -> _Converter:
        converter = self._plugin.converter
        assert isinstance(converter, _Converter)
        return converter

    def _reference(self, schema: Schema) -> Json:
        return dict(self._converter.resolve_nested_schema(schema))  # type: ignore[no-untyped-call]  # as above

    def _name(self, schema: Any) -> str:
        """`work_orders.Assign`; what is closed as a command and open as an answer, or in part in the path, goes by two names."""
        of = schema if inspect.isclass(schema) else type(schema)
        name = f"{_service(of.__module__)}.{of.__name__.removesuffix('Schema')}"
        if name in self.spec.components.schemas:
            excluded = sorted(getattr(schema, "exclude", ()))
            name = f"{name}.by_{'_'.join(excluded)}" if excluded else f"{name}.open"
        return name


def _service(module: str) -> str:
    """Whose a class is: that of `services.<name>.…`, or of `shared.contracts.<name>`."""
    package, *path = module.split(".")
    return path[1] if path[0] == "contracts" else path[0] if package == "services" else package
