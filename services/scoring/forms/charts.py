"""The charts of a year as PNG pictures: month × system, and the score over the year; legible in black and white as well."""

from io import BytesIO
from typing import TYPE_CHECKING, Any

from services.scoring.forms.figures import points
from services.scoring.forms.form import Form
from services.scoring.forms.marks import banner, dates
from services.scoring.forms.typefaces import SANS, printable
from services.scoring.questions.matrix import Cell, Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOKS: dict[Status, tuple[str, str, str]] = {
    "done": ("✓", "按期完成", "#b7dfc0"),
    "backfilled": ("补", "期内完成、限期内补录", "#dcedc8"),
    "excused": ("免", "漏检已免责", "#bbdefb"),
    "incomplete": ("缺", "已检查但漏检点位", "#ffe082"),
    "late": ("迟", "逾期完成（计漏检）", "#ffab91"),
    "missed": ("漏", "漏检", "#e57373"),
    "not_scheduled": ("无", "未安排（计漏检）", "#ce93d8"),
    "open": ("·", "未到期", "#f5f5f5"),
}
"""The sign, the words and the colour of each status, from good to bad; a sign tells them apart where colours do not."""
DPI = 150
INK, GREY = "#222222", "#777777"


def inspections_chart(form: Form) -> bytes:
    """Month × system: what became of each month's inspections."""
    rows = form.matrix
    height = 2.4 + 0.42 * max(len(rows), 1)
    figure = _figure(11.0, height)
    axes = figure.add_axes((0.22, 1.1 / height, 0.76, 1 - 2.2 / height))
    axes.set(xlim=(0, 12), ylim=(max(len(rows), 1), 0))
    for number, row in enumerate(rows):
        _text(axes, -0.15, number + 0.5, row.name, size=10, ha="right")
        for month, cell in enumerate(row.cells):
            _month(axes, month, number, cell)
    for month in range(12):
        _text(axes, month + 0.5, -0.25, f"{month + 1}月", size=10)
    if not rows:
        _text(axes, 6, 0.5, "暂缺：没有登记安排检查的系统", size=11)
    axes.axis("off")
    _legend(figure, 0.85 / height)
    _caption(figure, form, f"{form.rulebook.year}年度安全检查情况（系统×月份）")
    return _png(figure)


def _month(axes: "Axes", month: int, number: int, cell: Cell) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415

    sign, _, color = LOOKS[cell.status] if cell.status else ("", "", "#ffffff")
    axes.add_patch(Rectangle((month, number), 1, 1, facecolor=color, edgecolor=GREY, linewidth=0.6, clip_on=False))
    if cell.status == "incomplete":
        sign = f"{sign}{cell.missed_points}"
    _text(axes, month + 0.5, number + 0.52, sign, size=11)


def _legend(figure: "Figure", height: float) -> None:
    """Two lines of all the signs, so high a part of the picture."""
    from matplotlib.patches import Rectangle  # noqa: PLC0415

    axes = figure.add_axes((0.03, 0.02, 0.94, height))
    axes.set(xlim=(0, 4), ylim=(2, 0))
    axes.axis("off")
    for number, (sign, words, color) in enumerate(LOOKS.values()):
        column, line = number % 4, number // 4
        axes.add_patch(Rectangle((column, line + 0.12), 0.12, 0.76, facecolor=color, edgecolor=GREY, linewidth=0.6))
        _text(axes, column + 0.06, line + 0.5, sign, size=10)
        _text(axes, column + 0.16, line + 0.5, words, size=9.5, ha="left")


def score_chart(form: Form) -> bytes:
    """The total as of each month's end, by what is known; hollow where it is only what could be assessed."""
    figure = _figure(11.0, 5.6)
    axes = figure.add_axes((0.06, 0.14, 0.85, 0.68))
    days = [one.as_of for one in form.course]
    scores = [float(one.subtotal) for one in form.course]
    numbers = list(range(len(days)))
    axes.plot(numbers, scores, color="#1f4e79", linewidth=1.8, zorder=2)
    for number, one in zip(numbers, form.course, strict=True):
        fill = "#1f4e79" if one.total is not None else "white"
        axes.plot([number], [float(one.subtotal)], "o", color="#1f4e79", markerfacecolor=fill, markersize=7, zorder=3)
        _text(axes, number, float(one.subtotal) + 3, f"{one.subtotal:f}", size=10, va="bottom", over=True)
    for grade in form.rulebook.grades:
        axes.axhline(float(grade.minimum), color=GREY, linewidth=0.7, linestyle=(0, (4, 4)), zorder=1)
        _text(axes, 11.6, float(grade.minimum), f"{grade.name}（{points(grade.minimum)}分起）", size=9, ha="left")
    axes.set(xlim=(-0.5, 11.5), ylim=(0, 110), xticks=[], yticks=[])
    for number, day in zip(numbers, days, strict=True):
        _text(axes, number, -2, f"{day:%m-%d}", size=10, va="top")
    for score in range(0, 101, 20):
        _text(axes, -0.6, score, str(score), size=10, ha="right")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    hollow = any(one.total is None for one in form.course)
    said = "空心：尚有指标无法评定，只计可评定部分" if hollow else "各月末得分"
    _note(figure, 0.06, 0.02, f"{said}（{form.rulebook.id}）")
    _caption(figure, form, f"{form.rulebook.year}年度得分变化")
    return _png(figure)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # a second that only pictures need
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _face(size: float) -> Any:
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415

    return FontProperties(fname=str(SANS), size=size)


def _text(
    axes: "Axes",
    x: float,
    y: float,
    words: str,
    *,
    size: float,
    ha: str = "center",
    va: str = "center",
    over: bool = False,
) -> None:
    """Words at a place of the axes; those that lie over lines hide them."""
    axes.text(
        x,
        y,
        printable(words, SANS),
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5} if over else None,
        fontproperties=_face(size),
        color=INK,
        horizontalalignment=ha,
        verticalalignment=va,
        parse_math=False,
        clip_on=False,
    )


def _note(figure: "Figure", x: float, y: float, words: str, **look: Any) -> None:
    text = {"color": GREY, "ha": "left", "va": "bottom", "parse_math": False, **look}
    figure.text(x, y, printable(words, SANS), fontproperties=_face(9), **text)


def _caption(figure: "Figure", form: Form, title: str) -> None:
    """What it shows, whose it is and what it stands on, above; what is made up or provisional, in red."""
    below = 1 - 0.4 / float(figure.get_figheight())
    figure.text(0.5, below, title, fontproperties=_face(14), color=INK, ha="center", va="top", parse_math=False)
    _note(figure, 0.02, 0.99, f"{form.facility}　{dates(form)}", va="top")
    _note(figure, 0.98, 0.99, banner(form), va="top", ha="right", color="#c00000")


def _png(figure: "Figure") -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
