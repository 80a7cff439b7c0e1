"""TypeScript's declarations of objects read as JSON Schema, in which nothing may stand that is not declared."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any] | bool

_NAMED_IN_COMMENT = re.compile(r"/\*\*(?:(?!\*/).)*?@schema \w+#(\S+)\s*\*/\s*readonly \w+(\??):", re.DOTALL)
"""Where names were turned into TypeScript's own manner, the comment above says what they are called in the object."""
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_WORD = re.compile(r'"[^"]*"|[\w$.]+|[^\s\w]')
_DECLARED = re.compile(r"^export (?:declare )?(interface|type|enum|class) (\w+)", re.MULTILINE)
_ALSO_CALLED = re.compile(r"(\w+) as (\w+)")
_PLAIN: dict[str, Schema] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "Date": {"type": "string"},
    "any": True,
}


@dataclass
class _Members:
    """What stands between braces."""

    properties: dict[str, Schema] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    others: Schema = False

    def schema(self) -> Schema:
        return {
            "type": "object",
            "properties": self.properties,
            "required": sorted(self.required),
            "additionalProperties": self.others,
        }


class Declarations:
    """All that some files declare; what they take from other packages, Kubernetes' own, may be anything."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._places: dict[str, tuple[str, str]] = {}
        self._aliases: dict[str, str] = {}
        self._schemas: dict[str, Schema] = {}
        for text in texts:
            plain = _COMMENT.sub("", _NAMED_IN_COMMENT.sub(r'"\1"\2:', text))
            for found in _DECLARED.finditer(plain):
                self._places.setdefault(found[2], (found[1], plain[found.end() :]))
            self._aliases |= {other: name for name, other in _ALSO_CALLED.findall(plain)}

    def schema(self, name: str) -> dict[str, Any]:
        """The schema of one declaration, with those that it needs; raises KeyError where there is none."""
        self._places[name]
        self._look_up(name)
        return {"$ref": f"#/$defs/{name}", "$defs": self._schemas}

    def _look_up(self, name: str) -> Schema:
        """A reference to a name that is declared, anything for one that is not."""
        name = self._aliases.get(name, name)
        if name not in self._places:
            return True
        if name not in self._schemas:
            self._schemas[name] = True  # until it is known: it may hold itself
            kind, text = self._places[name]
            self._schemas[name] = self._declared(kind, _Words(text))
        return {"$ref": f"#/$defs/{name}"}

    def _declared(self, kind: str, words: "_Words") -> Schema:
        match kind:
            case "interface":
                return self._interface(words).schema()
            case "enum":
                return {"enum": re.findall(r'= "([^"]*)"', words.until("}"))}
            case "class":  # a quantity, or a number or a name of a port
                return {"type": ["number", "string"]}
        words.expect("=")
        return self._type(words)

    def _interface(self, words: "_Words") -> _Members:
        parents = []
        while words.next() != "{":
            if words.last not in ("extends", ","):
                parents.append(self._aliases.get(words.last, words.last))
        members = self._members(words)
        for parent in parents:
            if parent in self._places:
                above = self._interface(_Words(self._places[parent][1]))
                members.properties = above.properties | members.properties
                members.required |= above.required
        return members

    def _members(self, words: "_Words") -> _Members:
        members = _Members()
        while (name := words.next().strip('"')) != "}":
            if name == "[":
                words.until("]")
                words.expect(":")
                members.others = self._type(words)
            else:
                if words.peek() == "?":
                    words.next()
                else:
                    members.required.add(name)
                words.expect(":")
                members.properties[name] = self._type(words)
            words.expect(";")
        return members

    def _type(self, words: "_Words") -> Schema:
        alternatives = [self._one(words)]
        while words.peek() == "|":
            words.next()
            alternatives.append(self._one(words))
        return alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}

    def _one(self, words: "_Words") -> Schema:
        found: Schema
        match word := words.next():
            case "{":
                found = self._members(words).schema()
            case "Array":
                words.expect("<")
                found = {"type": "array", "items": self._type(words)}
                words.expect(">")
            case _ if word.startswith('"'):
                found = {"const": word.strip('"')}
            case _:
                found = _PLAIN[word] if word in _PLAIN else self._look_up(word)
        while words.peek() == "[":
            words.next()
            words.expect("]")
            found = {"type": "array", "items": found}
        return found


class _Words:
    """The words of a text, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.last = ""

    def peek(self) -> str:
        """The word to come; raises ValueError at the end."""
        found = _WORD.search(self._text, self._at)
        if found is None:
            raise ValueError(f"expected more after {self._text[-80:]!r}")
        return found[0]

    def next(self) -> str:
        """Take the word to come."""
        found = _WORD.search(self._text, self._at)
        if found is None:
            raise ValueError(f"expected more after {self._text[-80:]!r}")
        self._at, self.last = found.end(), found[0]
        return self.last

    def expect(self, word: str) -> None:
        """Take this word; raises ValueError where another one comes."""
        if self.next() != word:
            raise ValueError(
                f"expected {word!r}, not {self.last!r}, in {self._text[max(0, self._at - 80) : self._at]!r}"
            )

    def until(self, word: str) -> str:
        """Take all up to a word, and it."""
        end = self._text.index(word, self._at)
        taken, self._at = self._text[self._at : end], end + len(word)
        return taken
