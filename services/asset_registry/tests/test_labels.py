"""Labels to print: what their codes say, and that nothing of a name becomes markup."""

import base64
import re
import xml.etree.ElementTree as ET
from html import unescape

import pytest
import segno

from services.asset_registry.labels import MOST_LABELS, prefix_of, print_labels, qr_svg
from services.asset_registry.tests.hall import add
from shared.errors import Invalid, NotFound
from shared.tests.alone import Alone

TEXT = "xunjian:hall-1:P-1"


def page(registry: Alone, **chosen: str) -> str:
    """The page of labels."""
    answer = registry.service.labels(registry.hall, **chosen)
    assert answer["media_type"] == "text/html"
    return base64.b64decode(answer["body"]).decode()


def matrix_of(svg: str) -> list[list[int]]:
    """The dark modules of a code drawn by segno: rows of strokes, one module high."""
    root = ET.fromstring(svg)
    side = int(root.attrib["viewBox"].split()[2])
    found = [[0] * side for _ in range(side)]
    x = y = 0.0
    (path,) = (element for element in root.iter() if element.tag.endswith("path"))
    for step, numbers in re.findall(r"([Mmh])([-0-9. ]+)", path.attrib["d"]):
        values = [float(number) for number in re.findall(r"-?[0-9.]+", numbers)]
        if step == "h":
            for column in range(int(x), int(x + values[0])):
                found[int(y)][column] = 1
            x += values[0]
        else:
            x, y = values if step == "M" else (x + values[0], y + values[1])
    return found


def codes_of(text: str) -> list[list[list[int]]]:
    """The codes on a page."""
    return [matrix_of(svg) for svg in re.findall(r"<svg.*?</svg>", text)]


def code(text: str) -> list[list[int]]:
    """A code of level M in its quiet zone of four modules."""
    made = segno.make(text, error="m", micro=False, boost_error=False)
    assert made.error == "M"
    return [[int(module) for module in row] for row in made.matrix_iter(border=4)]


def test_a_code_says_which_point_of_which_hall_it_is() -> None:
    assert matrix_of(qr_svg(TEXT)) == code(TEXT)
    assert matrix_of(qr_svg(TEXT)) != code("xunjian:hall-1:P-2")


def test_every_point_in_use_has_a_label(registry: Alone) -> None:
    add(registry, "P-1", "P-2")
    add(registry, "W-1", system="water")
    registry.ask("retire_points", system_id="hvac", point_ids=["P-2"], reason="拆除")

    text = page(registry)

    ids = ["P-1", "W-1"]
    assert re.findall(r"<code>(.*?)</code>", text) == ids
    assert codes_of(text) == [code(f"xunjian:{registry.hall}:{id_}") for id_ in ids]
    assert "空调 · 室内机" in text
    assert "一层" in text
    assert re.findall(r"<code>(.*?)</code>", page(registry, system_id="water")) == ["W-1"]


def test_a_code_may_be_an_address_instead(registry: Alone) -> None:
    add(registry, "P-1")

    text = page(registry, base="https://hall.example.org:8443/app/")

    assert codes_of(text) == [code(f"https://hall.example.org:8443/app/p/{registry.hall}/P-1")]


def test_names_stay_text_and_the_page_runs_nothing(registry: Alone) -> None:
    words = "<script>alert(1)</script>&\"'"
    registry.ask(
        "add_points", system_id="hvac", equipment=words, points=[{"point_id": "P-1", "label": words, "location": words}]
    )

    text = page(registry)

    assert "<script" not in text
    assert unescape(text).count(words) == 3
    assert re.findall(r"style=|\son\w+=|src=|href=|url\(", text) == []
    assert text.count("<style>") == 1


@pytest.mark.parametrize(
    "base",
    [
        "",
        "hall.example.org",
        "ftp://hall.example.org",
        "javascript:alert(1)",
        "https://",
        "https://hall.example.org/?a=b",
        "https://hall.example.org/#a",
        "https://user@hall.example.org",
        "https://hall.example.org:port",
        "https://hall.example.org:0",
        "https://hall.example.org/a b",
        "https://hall.example.org/\n",
        "https://大厅.example.org",
        "https://[::1",
        "https://hall.example.org/" + 200 * "a",
    ],
)
def test_an_address_is_one_of_the_web_and_ends_with_its_path(base: str) -> None:
    with pytest.raises(Invalid) as refused:
        prefix_of(base, "hall")

    assert list(refused.value.errors) == ["base"]


def test_a_page_has_some_labels_and_not_too_many(registry: Alone) -> None:
    add(registry, *(f"P-{number}" for number in range(MOST_LABELS + 1)))

    for chosen, count in (({}, MOST_LABELS + 1), ({"system_id": "water"}, 0)):
        with pytest.raises(Invalid, match=f"expected a choice of 1 to {MOST_LABELS} points, found {count}"):
            registry.service.labels(registry.hall, **chosen)
    with pytest.raises(NotFound):
        registry.service.labels("elsewhere")


def test_every_label_of_a_simulated_installation_says_so(registry: Alone) -> None:
    add(registry, "P-1", "P-2")

    assert page(registry).count("模拟数据") == 2


def test_no_label_of_a_real_installation_says_that_it_is_simulated() -> None:
    point = {"point_id": "P-1", "label": "1", "system": "空调", "equipment": "室内机", "location": None}

    printed = print_labels({"facility_id": "hall", "name": "政务中心"}, [point], None, simulated=False)

    assert "模拟" not in base64.b64decode(printed["body"]).decode()
