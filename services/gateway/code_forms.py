"""Pages behind a one-time code: the first account, which is an administrator's, and a new password for an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.wrappers import Response

from services.gateway.answers import with_policy

_pages = Environment(loader=PackageLoader("services.gateway"), autoescape=True, undefined=StrictUndefined)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a form: its name, what it is called in Chinese and English, what it must be, what browsers may fill in."""

    name: str
    zh: str
    en: str
    rule: str
    autocomplete: str
    type: str = "text"


USERNAME = Field(
    name="username",
    zh="用户名",
    en="Username",
    rule="用户名只能用小写字母、数字和 . _ -，且不能与已有的相同。",
    autocomplete="username",
)
NAME = Field(name="display_name", zh="姓名", en="Name", rule="请填写姓名。", autocomplete="name")
PASSWORD = Field(
    name="password",
    zh="密码（至少12个字符）",
    en="Password (12 characters or more)",
    rule="密码须为12至200个字符，且不能与用户名相同。",
    autocomplete="new-password",
    type="password",
)
SPENT = "链接无效：已经用过、已过期，或已被新的链接代替。请向管理员索取新的链接。"


@dataclass(frozen=True, kw_only=True)
class CodeForm:
    """A form that whoever has a code may fill in, once."""

    path: str
    title: str
    zh: str
    en: str
    button: str
    fields: tuple[Field, ...]

    def page(
        self,
        code: str,
        faults: Mapping[str, Any] | None = None,
        said: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        """The form, with what is wrong beside each field and what was typed, but for the password."""
        html = _pages.get_template("code_form.html").render(
            form=self, code=code, faults=faults or {}, said=said or {}, spent=SPENT
        )
        return with_policy(Response(html, status=status, content_type="text/html; charset=utf-8"))


FIRST_ACCOUNT = CodeForm(
    path="/welcome",
    title="设置首个账户",
    zh="此链接只能使用一次；创建的账户是系统管理员。",
    en="This link works once. The account that it makes is an administrator's.",
    button="创建并登录",
    fields=(USERNAME, NAME, PASSWORD),
)
NEW_PASSWORD = CodeForm(
    path="/password",
    title="设置密码",
    zh="此链接只能使用一次。",
    en="This link works once.",
    button="设置并登录",
    fields=(PASSWORD,),
)
