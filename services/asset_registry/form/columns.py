"""The form of the asset sheets (资产表): which columns it has, what each means, and how wide it is printed.

Import and export share it, so what one writes the other reads. The form is described in docs/assets-form.md; a test
holds that page against this module.
"""

import unicodedata
from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "reading", "date"]

EXPLANATION = "说明"
"""A sheet that the empty form carries, and an import passes over."""
LIMITS = ("unit", "low", "high", "design", "low_percent")
"""The columns that together say what is expected of a reading."""
NAMEPLATE = ("maker", "model", "serial", "supplier", "installed_on", "warranty_until")
"""The columns that together say what stands at a point."""


@dataclass(frozen=True)
class Column:
    """One column; `meaning` is what the office is told about it, `example` what could be typed there."""

    field: str
    title: str
    kind: Kind
    width: int
    meaning: str
    example: str
    required: bool = False

    @property
    def heading(self) -> str:
        """As it is printed: 点位编号 (point_id)."""
        return f"{self.title} ({self.field})"

    def is_headed(self, heading: str) -> bool:
        """Whether a heading is this column's: as printed, the title alone, or the id alone."""
        return _plain(heading) in {_plain(text) for text in (self.heading, self.title, self.field)}


@dataclass(frozen=True)
class Form:
    """One sheet of the form."""

    name: str
    columns: tuple[Column, ...]

    def column(self, heading: str) -> Column | None:
        """The column that a heading is of, if any."""
        return next((column for column in self.columns if column.is_headed(heading)), None)


def _plain(heading: str) -> str:
    """A heading without what nobody sees: blanks, and full-width brackets and letters."""
    return "".join(unicodedata.normalize("NFKC", heading).split())


_ID = "1–80 个字符：A–Z a–z 0–9 . _ : -"

SYSTEMS = Form(
    "系统",
    (
        Column("system_id", "系统编号", "id", 22, f"在本单位内唯一，{_ID}", "gas-suppression", required=True),
        Column("name", "系统名称", "text", 24, "如何称呼", "气体灭火（档案区）", required=True),
        Column("category", "类别", "text", 16, "系统的种类", "气体灭火", required=True),
        Column("commissioned_on", "投用日期", "date", 18, "投入使用的日期", "2021-01-01", required=True),
    ),
)
POINTS = Form(
    "点位",
    (
        Column("point_id", "点位编号", "id", 18, f"在本单位内唯一，{_ID}；停用后也不再使用", "CYL-001", required=True),
        Column("system_id", "系统编号", "id", 18, "所属系统：见“系统”表，或已登记", "gas-suppression", required=True),
        Column("equipment", "设备组", "text", 20, "同类设备的名称", "七氟丙烷瓶组", required=True),
        Column("label", "名称", "text", 20, "点位标签上的名称", "1 号瓶", required=True),
        Column("location", "位置", "text", 20, "安装在何处", "一层档案室"),
        Column("unit", "读数单位", "text", 12, "需要读数时填写；填了上下限就必须填写", "MPa"),
        Column("low", "下限", "reading", 12, "正常读数的最小值（含），单位同读数单位", "3.78"),
        Column("high", "上限", "reading", 12, "正常读数的最大值（含），单位同读数单位", "5.3"),
        Column("design", "设计值", "reading", 12, "设备的设计读数，单位同读数单位", "4.2"),
        Column("low_percent", "下限占设计值百分比", "reading", 22, "下限按设计值的百分之几确定，单位 %", "90"),
        Column("maker", "生产厂家", "text", 20, "铭牌上的生产厂家", "某消防设备厂"),
        Column("model", "型号", "text", 16, "铭牌上的型号", "QMP70/4.2"),
        Column("serial", "出厂编号", "text", 18, "铭牌上的出厂编号", "20190311"),
        Column("supplier", "供应商", "text", 20, "由谁供货", "某消防工程公司"),
        Column("installed_on", "安装日期", "date", 18, "安装的日期", "2019-05-20"),
        Column("warranty_until", "质保截止", "date", 18, "质保的最后一天（含）", "2024-05-19"),
    ),
)
FORMS = (SYSTEMS, POINTS)
