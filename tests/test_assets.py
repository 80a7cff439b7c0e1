"""`xunjian assets` as an office uses it: an empty form, filled in, imported, exported again, and labels printed."""

import csv
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.conftest import run_xunjian
from tests.processes import Platform, embedded

HALL = {
    "facility_id": "hall",
    "name": "新区政务服务中心",
    "uscc": "11530121MB198972XH",
    "region_code": "530114",
    "timezone": "Asia/Shanghai",
}
GAS = ["gas", "气体灭火", "消防", "2021-01-01"]
CYLINDER = ["CYL-1", "gas", "瓶组", "1 号瓶", "档案室", "MPa", 3.78, 5.3, 4.2, 90, "某厂", None, "SN-1"]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """An installation with an empty hall."""
    with embedded(tmp_path_factory.mktemp("assets"), simulated=False) as platform:
        platform.api.post("/facilities", HALL, "hall", actor=None)
        yield platform


def assets(platform: Platform, *arguments: str | Path) -> Any:
    """Run a command about the hall's assets."""
    url = f"http://127.0.0.1:{platform.api.port}"
    return run_xunjian("assets", *arguments, "--facility", "hall", "--url", url)


def filled_in(template: Path, *points: list[Any]) -> Path:
    """The form with a system and some points."""
    book = openpyxl.load_workbook(template)
    book["系统"].append(GAS)
    for point in points:
        book["点位"].append(point)
    book.save(template)
    return template


@pytest.fixture
def form(tmp_path: Path) -> Path:
    """An empty form."""
    path = tmp_path / "资产表.xlsx"
    finished = run_xunjian("assets", "template", "-o", path)
    assert (finished.returncode, finished.stderr) == (0, "")
    return path


def test_mistakes_are_a_line_each_and_nothing_happens(platform: Platform, form: Path) -> None:
    wrong = ["CYL-2", "gas", None, "2 号瓶", None, None, None, None, None, None, None, None, 1.5]

    finished = assets(platform, "import", filled_in(form, CYLINDER, wrong))

    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.splitlines() == [
        "点位!C3: expected text, found nothing",
        "点位!M3: expected text, found the number 1.5: format the cell as text",
    ]
    assert platform.api.get("/facilities/hall/systems") == []


def test_a_form_is_filled_in_imported_and_exported_again(platform: Platform, form: Path, tmp_path: Path) -> None:
    filled_in(form, CYLINDER)
    counts = "1 systems, 1 groups of equipment, 1 points"

    tried = assets(platform, "import", form, "--dry-run")
    done = assets(platform, "import", form)
    sheet, table, page = tmp_path / "out.xlsx", tmp_path / "out.csv", tmp_path / "labels.html"
    written = [
        assets(platform, "export", "-o", sheet),
        assets(platform, "export", "-o", table),
        assets(platform, "labels", "-o", page, "--system", "gas", "--base", "https://hall.example.org/"),
    ]
    again = assets(platform, "import", sheet)
    early = assets(platform, "export", "-o", sheet, "--as-of", "2020-12-31")

    assert tried.stdout == f"hall: {counts} would be new; 0 rows unchanged\n"
    assert done.stdout == f"hall: {counts} new; 0 rows unchanged\n"
    assert [(finished.returncode, finished.stderr) for finished in (*written, early)] == [(0, "")] * 4
    assert again.stdout.endswith("; 2 rows unchanged\n")
    rows = list(csv.reader(table.read_text("utf-8-sig").splitlines()))
    assert rows[1][:7] == ["CYL-1", "gas", "瓶组", "1 号瓶", "档案室", "MPa", "3.78"]
    assert openpyxl.load_workbook(BytesIO(sheet.read_bytes()))["点位"].max_row == 1
    assert re.findall("<code>(.*?)</code>", page.read_text()) == ["CYL-1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["import", "form.pdf"], "form.pdf: expected a name that ends with .xlsx or .csv\n"),
        (["import", "none.csv"], "none.csv: No such file or directory\n"),
        (["export", "-o", "nowhere/out.csv"], "nowhere/out.csv: No such file or directory\n"),
    ],
)
def test_wrong_use_is_said_in_one_line(platform: Platform, arguments: list[str], said: str) -> None:
    finished = assets(platform, *arguments)

    assert (finished.returncode, finished.stderr) == (2, said)


def test_what_the_server_refuses_is_said_in_one_line(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")

    for arguments in (["labels", "--base", "hall"], ["export", "--as-of", "yesterday"]):
        finished = assets(platform, *arguments, "-o", tmp_path / "out.csv")
        assert (finished.returncode, len(finished.stderr.splitlines())) == (2, 1), finished.stderr
    assert assets(platform, "import", tmp_path / "a.csv").stderr == "file: expected a file, not an empty body\n"
