"""A strict reader of YAML data: nothing is guessed, repeated or lost on the way.

Text that looks like a decimal number or a date stays text, so that it can be read exactly; only integers, true, false
and null are anything else. A key told twice, an alias and a tag are refused.
"""

import re
from typing import Any

import yaml

from shared.errors import Invalid

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_BOOLEAN = re.compile(r"(true|false)\Z")
_NULL = re.compile(r"(null|~|)\Z")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader without what YAML 1.1 guesses (`no`, `1:30`, `1.5`, `2021-01-01`), aliases and merges."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # declared by PyYAML

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refusal("expected the value itself, not an alias", event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise _refusal("expected a value without a tag", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        known: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str) or key in known:
                raise _refusal(f"expected each key only once, and as text: {key!r}", key_node.start_mark)
            known.add(key)
        return super().construct_mapping(node, deep)


def _refusal(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INTEGER, list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOLEAN, ["t", "f"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", _NULL, ["n", "~", ""])


def read_yaml(text: bytes) -> Any:
    """One document's data; raises Invalid with line and column where it is not well formed."""
    try:
        return yaml.load(text.decode(), Loader=_Loader)  # noqa: S506  # a subclass of SafeLoader
    except UnicodeDecodeError as fault:
        line = text.count(b"\n", 0, fault.start) + 1
        raise Invalid(f"expected UTF-8, see line {line}") from fault
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Invalid(place + ", ".join(filter(None, (fault.context, fault.problem)))) from fault
    except (yaml.YAMLError, ValueError, OverflowError) as fault:  # "\UFFFFFFFF" is beyond what chr() takes
        raise Invalid(f"malformed YAML: {' '.join(str(fault).split())}") from fault
    except RecursionError as fault:
        raise Invalid("expected a tree of a few levels") from fault
