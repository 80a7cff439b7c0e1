"""Each sentence of domain.md (Exact semantics, Readings taken where the seed is open) has one test, named by it."""

import ast
import re
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent
SENTENCES = [line for line in (TESTS / "sentences.txt").read_text().splitlines() if line]
"""The whole passage, word for word, a checkable clause a line."""

SPELLED = {
    "≤": "at most",
    "≥": "at least",
    "<": "below",
    ">": "above",
    "=": "is",
    "÷": "divided by",
    "×": "times",
    "−": "less",
    "+": "plus",
    "%": "percent",
    "'": "",
    "安全检查及维修维护": "safety inspection and repair and maintenance",
    "设备更换要及时": "timely replacement of equipment",
    "生命及财产": "life and property",
    "基本满意": "basically satisfied",
    "优": "excellent",
    "良": "good",
    "中": "fair",
    "差": "poor",
    "给排水": "water supply",
    "指标内容": "content",
    "定性": "qualitative",
    "月/次": "month per time",
}
"""How a name says what no name of Python may hold."""


def name_of(sentence: str) -> str:
    """The name of a sentence's test."""
    for sign, words in SPELLED.items():
        sentence = sentence.replace(sign, f" {words} " if words else "")
    return "test_" + re.sub(r"[^a-z0-9_]+", "_", sentence.lower()).strip("_")


def names_and_docstrings() -> list[tuple[str, str]]:
    """The name and the docstring, on one line, of each test in the modules of sentences."""
    modules = [ast.parse(path.read_text()) for path in sorted(TESTS.glob("test_sentences_*.py"))]
    functions = [node for module in modules for node in module.body if isinstance(node, ast.FunctionDef)]
    tests = [function for function in functions if function.name.startswith("test_")]
    return [(test.name, " ".join((ast.get_docstring(test) or "").split())) for test in tests]


def test_every_sentence_has_exactly_one_test_whose_name_and_docstring_it_is() -> None:
    asked = Counter((name_of(sentence), sentence) for sentence in SENTENCES)

    told = Counter(names_and_docstrings())

    assert (asked - told, told - asked) == (Counter(), Counter())


def test_no_two_sentences_have_one_name() -> None:
    names = Counter(name_of(sentence) for sentence in SENTENCES)

    assert [name for name, number in names.items() if number > 1] == []
