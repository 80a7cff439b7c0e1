"""The report as PDF and the charts as pictures: what can be read in them, and that every type is there."""

import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest
from PIL import Image

from services.scoring.forms.charts import LOOKS, inspections_chart, score_chart
from services.scoring.forms.report import report_pdf
from services.scoring.forms.tables import Cell, Table
from services.scoring.forms.typefaces import SANS, SERIF, characters, printable
from services.scoring.questions.matrix import SEVERITY
from services.scoring.tests import forms_data as year
from services.scoring.tests import histories as h

BAD = year.form(*year.bad_year(), simulated=True)


@pytest.fixture(scope="module")
def report() -> bytes:
    """The report of the bad year, made up."""
    return report_pdf(BAD)


@pytest.fixture(scope="module")
def national() -> bytes:
    """A report by the national rulebook of a real hall, not published, as it was known on a morning in July."""
    form = year.form(*year.bad_year(), rulebook=h.MOF, as_of="2021-06-30", known_at="2021-07-05 09:30")
    return report_pdf(form)


def texts(pdf: bytes) -> list[str]:
    """What can be read on each page, without line ends: a name may be broken."""
    pages = pypdfium2.PdfDocument(pdf)
    return ["".join(page.get_textpage().get_text_range().split()) for page in pages]


def flat(words: str) -> str:
    """Words as `texts` has them."""
    return "".join(words.split())


def test_the_report_names_every_indicator_with_its_words_and_draft(report: bytes) -> None:
    said = "".join(texts(report))

    for one in BAD.result.indicators:
        row = one.indicator
        for words in (row.level_3, row.standard, row.content, row.basis, BAD.deviations[row.id]):
            assert flat(words) in said
    assert "昆明市呈贡区政务服务管理局" in said
    assert flat(h.CHENGGONG.project.goals[0].words) in said  # type: ignore[union-attr]
    assert BAD.result_sha256 in said


def test_every_page_of_a_simulated_installation_says_so(report: bytes, national: bytes) -> None:
    assert all("模拟数据" in page for page in texts(report))
    assert not any("模拟" in page for page in texts(national))


def test_every_page_of_what_is_not_published_says_so_and_is_numbered(national: bytes) -> None:
    pages = texts(national)

    for number, page in enumerate(pages, start=1):
        assert "暂评（未发布）" in page
        assert f"第{number}页共{len(pages)}页" in page
    assert "评价截止日：2021-06-30" in pages[0]


def test_every_page_of_a_long_form_repeats_its_headings(report: bytes) -> None:
    of_goals = [page for page in texts(report) if "根据上年支出情况" in page]

    assert len(of_goals) > 1
    assert all("评（扣）分标准" in page and "三级指标" in page for page in of_goals)


def test_no_type_is_missing_in_what_is_printed(report: bytes, national: bytes) -> None:
    for pdf in (report, national):
        for page in pypdfium2.PdfDocument(pdf):
            assert not {"〓", "\ufffe", "\ufffd", "\x00"} & set(page.get_textpage().get_text_range())


def test_the_faces_are_embedded_as_the_subset_that_is_used(report: bytes) -> None:
    fonts = {
        (font.get_base_name(), font.is_embedded) for page in pypdfium2.PdfDocument(report) for font in _fonts(page)
    }

    assert {name.partition("+")[2] for name, _ in fonts} == {"NotoSansSC", "NotoSerifSC"}
    assert all(embedded for _, embedded in fonts)
    assert len(report) < 1_000_000


def _fonts(page: Any) -> Iterator[Any]:
    for one in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_TEXT]):
        yield one.get_font()


def test_nothing_is_printed_beyond_the_page(report: bytes) -> None:
    for page in pypdfium2.PdfDocument(report):
        width, height = page.get_size()
        for one in page.get_objects():
            left, bottom, right, top = one.get_bounds()
            assert left >= 0
            assert bottom >= 0
            assert right <= width
            assert top <= height


def test_a_character_that_no_face_has_is_marked_as_missing() -> None:
    assert printable("电梯\nཀ1", SERIF) == "电梯\n〓1"


def test_the_report_is_dated_by_the_question_and_not_by_the_clock(report: bytes, national: bytes) -> None:
    metadata = pypdfium2.PdfDocument(national).get_metadata_dict()

    assert metadata["CreationDate"].startswith("D:20210705013000")  # 09:30 in Shanghai
    assert pypdfium2.PdfDocument(report).get_metadata_dict()["CreationDate"].startswith("D:20211230160000")
    assert report_pdf(BAD) == report


def test_every_status_has_a_sign_and_a_colour_of_its_own() -> None:
    looks = [LOOKS[status] for status in SEVERITY]

    assert len({sign for sign, _, _ in looks}) == len({color for _, _, color in looks}) == len(SEVERITY)
    assert all(ord(character) in characters(SANS) for sign, words, _ in looks for character in sign + words)


def test_the_matrix_shows_each_month_in_the_colour_of_its_status() -> None:
    image = Image.open(BytesIO(inspections_chart(BAD))).convert("RGB")
    colors = {color for _, color in image.getcolors(maxcolors=1_000_000) or []}
    areas = {color: number for number, color in image.getcolors(maxcolors=1_000_000) or []}
    in_legend = {status: _rgb(LOOKS[status][2]) for status in SEVERITY}

    assert colors >= set(in_legend.values())
    # bad_year: 57 months done, one each incomplete, missed and not scheduled; the others stand in the legend only.
    assert areas[in_legend["done"]] > 30 * areas[in_legend["missed"]] > 30 * areas[in_legend["late"]]


def _rgb(color: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(color[1:]))


@pytest.mark.parametrize("chart", [inspections_chart, score_chart])
@pytest.mark.parametrize("history", [year.bad_year(), [h.told(h.facility("Asia/Shanghai").event)]])
def test_a_chart_is_a_picture_that_says_nothing_of_when_it_was_made(chart: Any, history: Any) -> None:
    form = year.form(*history)

    picture = chart(form)

    assert Image.open(BytesIO(picture)).text.keys() <= {"dpi"}  # type: ignore[attr-defined]
    assert chart(form) == picture


def test_the_course_of_the_score_is_what_each_months_end_scores() -> None:
    form = year.form(*year.bad_year(), as_of="2021-08-15")

    days = [one.as_of.isoformat() for one in form.course]

    assert days[0] == "2021-01-31"
    assert days[-2:] == ["2021-07-31", "2021-08-15"]
    # satisfaction is first reported for the half-year that ends on June 30th: nothing to rate before, a provisional total.
    assert [str(one.total) for one in form.course[3:6]] == ["None", "None", "70.00"]
    # March −5 (water), and before ratings 80 of 100 can be assessed; May −5 is beyond the weight of 5.
    assert [str(one.subtotal) for one in form.course] == [
        *("80.00", "80.00", "75.00", "75.00", "75.00", "70.00", "70.00", "55.00"),
    ]


def test_a_cell_that_reaches_into_rows_below_takes_their_place() -> None:
    rows = [[Cell(value="a", rows=2), Cell(value="b", columns=2)], [Cell(value="c"), Cell(value="d")]]
    table = Table(title="t", banner="", lines=[], widths=[1, 1, 1], rows=rows, headings=range(1))

    assert [(one.row, one.column, one.cell.value) for one in table.placed()] == [
        *((0, 0, "a"), (0, 1, "b"), (1, 1, "c"), (1, 2, "d"))
    ]


def test_only_what_is_printed_loads_what_prints_it() -> None:
    program = (
        "import sys; import services.scoring.forms.files; "
        "print(*sorted({'matplotlib', 'nameko', 'eventlet', 'sqlalchemy'} & set(sys.modules)))"
    )

    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert outcome.stdout.strip() == ""
