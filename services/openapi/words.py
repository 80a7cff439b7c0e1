"""The words of the document that no docstring has: names in Chinese, and what parameters and statuses mean."""

from collections.abc import Mapping

from shared.catalogue.page import SERVICES
from shared.rights import Role

TAGS: Mapping[str, str] = {**SERVICES, "gateway": "平台"}
"""The services as those who read Chinese call them."""

KINDS: Mapping[str, str] = {
    "command": "指令",
    "query": "查询",
    "list": "列表",
    "upload": "上传",
    "download": "下载",
    "feed": "事件流",
    "receive": "接收",
}
"""The kinds of operation."""

ROLES: Mapping[Role, str] = {
    "inspector": "巡检员",
    "supervisor": "主管",
    "manager": "负责人",
    "finance": "财务",
    "auditor": "审计",
    "integrator": "对接系统",
    "admin": "管理员",
}

PARAMETERS: Mapping[str, str] = {
    "as_of": "up to and with which local date facts count; by default today",
    "known_at": "by what had been recorded up to when; by default everything",
    "rulebook": "by which rulebook: its id or sha256; by default the official one",
    "to_as_of": "`as_of` of the second question; by default the first's",
    "to_known_at": "`known_at` of the second question; by default the first's",
    "to_rulebook": "`rulebook` of the second question; by default the first's",
    "cursor": "where the page before ended, as its header Link says",
    "limit": "how many rows a page has at most",
    "sort": "by which column, with - before it for backwards",
    "q": "words to look for",
    "year": "the calendar year, YYYY",
    "period": "a month, YYYY-MM",
    "since": "whose window ends on this day or later",
    "until": "whose window begins on this day or earlier",
    "dry_run": "true: only say what would be done",
    "format": "of the file",
    "after": "the number of the last event that is known; by default 0, before the first",
    "wait": "for how many seconds to wait for an event where there is none yet",
    "types": "of which types events are, by commas; by default all",
    "sources": "of which services events are, by commas; by default all",
    "day": "a local date, YYYY-MM-DD",
    "return_to": "where to go on after the sign-in: a path of this address",
}
"""What parameters mean by their names, where the name and the kind of value do not say it."""

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "integration.feed": ("facility",),
    "integration.receive_file": ("source_id",),
}
"""Query parameters without which a question cannot be answered, by the target."""

SAID: Mapping[str, str] = {
    "asset_registry.facilities": "The facilities in which the caller holds a role.",
    "integration.feed": "The events of a facility behind a number, in one sequence without a gap over all services.\n\n"
    "Go on where the header `Link` says, also where there was nothing: with `wait` the answer is held back until there is.",
    "integration.receive_events": "Receive CloudEvents: one, structured or with its attributes in headers, or a batch.\n\n"
    "Answers what became of each, in the order in which they were sent. A single one that is refused is answered with 422 "
    "instead; it is kept all the same, if it says what it is and for whom.",
    "work_orders.work_orders": "The work orders of a facility.",
}
"""What is said of a method whose docstring speaks to the gateway, and not to whoever asks it."""

ABOUT = """\
巡检平台的接口：各服务的全部指令和查询。路径为名词；列表分页，下一页在响应头 `Link` 中；错误一律为 RFC 9457 问题文档，逐项指出哪个字段应是什么。

Every command and every question of Xunjian, under `/v1`.

- A question is a GET. Its answer has an `ETag`; sent back as `If-None-Match`, an answer that is still the same comes as 304.
- A command is a POST. It is carried out once per `Idempotency-Key`: repeat it, with the same key, until it is answered.
- What is one stream of events (a work order, an assessment …) has its version first in the `ETag`. A command with that as
  `If-Match` is refused with 412 if anything has happened to it since.
- A list is an array of rows; where the next page is, stands in the header `Link` (RFC 8288).
- A score has two times: `as_of`, the local date up to which facts count, and `known_at`, by when they had been recorded.
- Whatever is refused is answered with a problem document (RFC 9457), whose `errors` name each field and what was expected.
- Amounts of money are strings with two decimals, in CNY. Timestamps are RFC 3339, with offset. Answers may gain members.
"""

STATUSES: Mapping[int, tuple[str, str, str]] = {
    304: ("NotModified", "未变更", "The answer is still the one that `If-None-Match` names."),
    400: ("BadRequest", "请求无法解析", "The request cannot be read: malformed JSON, with its `line` and `column`, or a body that broke off."),
    401: ("Unauthorized", "未登录", "Nobody signed in, or what was shown does not hold any more."),
    403: ("Forbidden", "无权限", "The caller holds none of the roles that are needed in this facility."),
    404: ("NotFound", "不存在", "There is no such thing."),
    409: ("Conflict", "与规则或他人操作冲突", "A rule of the domain says no, somebody else was faster, or the key was used for another command."),
    412: ("PreconditionFailed", "版本已变", "The stream has gone on since the version that `If-Match` names."),
    413: ("ContentTooLarge", "内容过大", "The body is longer than it may be."),
    415: ("UnsupportedMediaType", "媒体类型不支持", "The body is not of a media type that is read here."),
    422: ("Invalid", "内容不合要求", "Members are not what they should be; `errors` names each and what was expected."),
    429: ("TooManyRequests", "请求过于频繁", "The caller asks too often; `Retry-After` says for how long to wait."),
    503: ("Unavailable", "服务暂不可用", "A service did not answer in time. Repeat the request, a command under the same `Idempotency-Key`."),
}  # fmt: skip
"""By status: the response's name in the document, and what it says in both languages."""
