"""What every form says about itself: made up or real, published or provisional, as of when and by what. Pure."""

from collections.abc import Iterator
from datetime import datetime

from services.scoring.forms.form import Form

SIMULATED = "模拟数据"
PROVISIONAL = "暂评（未发布）"
PUBLISHED = "已发布"


def banner(form: Form, *, of_result: bool = True) -> str:
    """The words for the head of every page, empty where there is nothing to say; `of_result` where it shows a score."""
    said = [SIMULATED] if form.simulated else []
    if of_result:
        said.append(PUBLISHED if form.publication else PROVISIONAL)
    return " · ".join(said)


def dates(form: Form) -> str:
    """As of which day, and by which knowledge."""
    known = _local(form, form.known_at) if form.known_at else "全部已记录数据"
    return f"评价截止日：{form.result.as_of}　　数据截至：{known}"


def sources(form: Form, *, of_result: bool = True) -> Iterator[str]:
    """Notes for the foot: by which rulebook, and the hash by which the result can be checked."""
    rulebook = form.rulebook
    yield f"评分标准：{rulebook.id}（SHA-256：{rulebook.sha256}）；{rulebook.source}"
    if of_result:
        yield f"结果 SHA-256：{form.result_sha256}"
    if form.simulated:
        yield f"{SIMULATED}：本表由模拟安装生成，不是真实业绩。"


def _local(form: Form, moment: datetime) -> str:
    return f"{moment.astimezone(form.zone):%Y-%m-%d %H:%M}"
