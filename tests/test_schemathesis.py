"""Whatever a request of the API's document is like, and whoever sends it, the answer is one that the document knows.

Schemathesis makes requests up from the generated document, right ones and wrong ones, and every role, a stranger and nobody
send each of them to a real platform. `make fuzz` does so for longer, at the limits of every parameter, too.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi.checks import ignored_auth

from services.gateway.routes import PICTURES, SHEETS
from shared.rights import ROLES
from tests.conftest import run_xunjian
from tests.processes import EVERYWHERE, ROOT, Platform, embedded
from tests.story import RULEBOOK, Story

EXAMPLES = int(os.environ.get("XUNJIAN_FUZZ_EXAMPLES") or 0)
"""How many requests of each operation; unset, a few that are the same each time."""
FEW = 2
HALL, OTHER = "north-hall", "south-hall"
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)
"""A red dot, as PNG."""
KNOWN: Mapping[str, Sequence[Any]] = {
    "facility": [HALL],
    "facility_id": [HALL, "third-hall"],
    "system_id": ["water", "hvac", "lighting"],
    "point_id": ["water-1", "hvac-2"],
    "plan_id": ["plan-2021"],
    "plan_item_id": ["water-inspection"],
    "occurrence_id": ["water-inspection:2021-02:1", "hvac-inspection:2021-01:1"],
    "work_order_id": ["wo:water-inspection:2021-02:1", "wo:hvac-inspection:2021-01:1"],
    "assessment_id": ["assessment-2021"],
    "cost_id": ["cost-1"],
    "document": ["index.html", "asyncapi.yaml"],
    "event_document": ["work_orders.work_performed.v1.json"],
    "key_id": ["spare"],
    "username": ["someone"],
    "sha256": [sha256(RULEBOOK.read_bytes()).hexdigest()],
    "rulebook_id": ["chenggong-2021"],
    "rulebook": ["chenggong-2021"],
    "official": ["chenggong-2021"],
    "uscc": ["11530121MB198972XH"],
    "region_code": ["530114"],
    "timezone": ["Asia/Shanghai"],
    "rrule": ["FREQ=MONTHLY"],
    "year": ["2021"],
    "period": ["2021-02"],
    "as_of": ["2021-01-31"],
    "indicator": ["hvac"],
    "now": ["2021-02-03T09:00:00+08:00"],
    "url": ["https://127.0.0.1/events"],
    "text": [RULEBOOK.read_text()],
}
"""What is there, or is right, by the name of a member; made-up values alone would seldom meet anything."""
FILES: Mapping[str, Sequence[bytes]] = {"image/png": [PICTURE], "application/pdf": [b"%PDF-1.4\n%%EOF\n"]}
"""Files that are what their media type says."""
FOR_OPERATORS = ("X-Actor", "X-Roles", "X-Simulated-Time")
LEFT_OUT = ("cursor", "after", "sort", "wait")
"""Parameters that would end nearly every request with 422, or in waiting; they are left to the wrong requests."""


@dataclass(frozen=True)
class Caller:
    """Somebody who asks, the roles that they hold, and where: in a hall, or in all (`*`)."""

    name: str
    headers: Mapping[str, str]
    roles: frozenset[str] = frozenset()
    where: str = ""

    def roles_in(self, hall: Any) -> frozenset[str]:
        """What they hold in a hall; where none is named, in any."""
        return self.roles if hall is None or self.where in ("*", hall) else frozenset()


@dataclass(frozen=True)
class Office:
    """A platform with two halls, those who call it, and the connections that they keep."""

    platform: Platform
    callers: Mapping[str, Caller]
    session: requests.Session
    asked: Counter[str] = field(default_factory=Counter)

    def next_callers(self, case: Case) -> list[Caller]:
        """Who sends the next request of an operation: nobody, somebody who may do all, a stranger, half of the roles.

        Files take long to make: they are asked for in one role. The many requests at the limits of parameters are sent by two.
        """
        if is_at_limits(case):
            return [self.callers[name] for name in ("everywhere", "stranger")]
        turn = self.asked[case.operation.label]
        self.asked[case.operation.label] += 1
        is_file = case.operation.definition.raw["x-kind"] == "download"
        roles = [ROLES[turn % len(ROLES)]] if is_file else ROLES[turn % 2 :: 2]
        return [self.callers[name] for name in ("nobody", "everywhere", "stranger", *roles)]

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.platform.port}"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A platform in February 2021; afterwards nothing is parked, nothing broke, and every chain holds."""
    with ExitStack() as stack:
        platform = stack.enter_context(embedded(tmp_path_factory.mktemp("schemathesis"), "gateway/unlimited"))
        for hall in (OTHER, HALL):
            story = Story(platform, hall)
            story.begin()
            story.month(1)
        story.move_clock("2021-02-03T09:00:00+08:00")
        publish(story, "2021-01-31")
        yield Office(platform, callers(platform), stack.enter_context(requests.Session()))
        platform.settle()
        health = platform.api.get("/health")
        assert health["status"] == "ok", health
        data = Path(platform.databases["scoring"].removeprefix("sqlite:///")).parent
        verified = run_xunjian("audit", "verify", "--data", data)
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert "Traceback" not in platform.processes[EVERYWHERE].log.read_text()


def publish(story: Story, as_of: str) -> None:
    """Have two people sign the score of a day, and publish it."""
    lacking = [one["code"] for one in story.ask("/assessments/2021/missing", as_of=as_of)]
    for who in ("user:signer-1", "user:signer-2"):
        story.tell("/assessments/assessment-2021/sign", {"as_of": as_of, "acknowledged": lacking}, who)
    story.tell("/assessments/assessment-2021/publish", {})


def callers(platform: Platform) -> dict[str, Caller]:
    """A key for everybody: with all roles everywhere, with each role in the hall alone, with all of them in another hall."""
    bound = {"everywhere": ("*", ROLES), **{role: (HALL, (role,)) for role in ROLES}, "stranger": (OTHER, ROLES)}
    account = {"username": "someone", "display_name": "Somebody"}
    platform.api.post("/accounts", account, "account")
    platform.api.post("/keys", {"key_id": "spare", "description": "spare"}, "key:spare")
    found = {"nobody": Caller("nobody", {})}
    for name, (facility, roles) in bound.items():
        key = {"key_id": name, "description": name, "roles": [{"facility_id": facility, "role": one} for one in roles]}
        secret = platform.api.post("/keys", key, f"key:{name}")["secret"]
        found[name] = Caller(name, {"Authorization": f"Bearer {secret}"}, frozenset(roles), facility)
    return found


# --- requests -------------------------------------------------------------------------------------------------------


def document() -> Any:
    """The document that the gateway serves, as Schemathesis reads it."""
    checks = {
        # A right request may still be one that a rule of the domain refuses.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "302", "303", "4xx"]},
        "negative_data_rejection": {"expected-statuses": ["4xx"]},
        # `…/work-orders/accept` is also what `…/work-orders/{work_order_id}` may be, and allows what both do.
        "allow_header_conformance": {"enabled": False},
    }
    generation = {"with-security-parameters": False, "allow-x00": False, "deterministic": not EXAMPLES}
    told = {"checks": checks, "generation": generation, "phases": {"coverage": {"enabled": bool(EXAMPLES)}}}
    text = (ROOT / "services" / "gateway" / "openapi.json").read_text()
    return schemathesis.openapi.from_dict(json.loads(text), config=SchemathesisConfig.from_dict(told))


def _of(name: str, value: Any, *, always: bool = False) -> Any:
    """A value, or, mostly or always, one that is known by its name; which one depends on the value alone."""
    known = KNOWN.get(name, ())
    place = crc32(repr(value).encode()) % (6 * len(known) + 1)
    if not known or value is None or (place == 6 * len(known) and not always):
        return value
    likely = known[place % len(known)]
    return int(likely) if isinstance(value, int) else likely


def _likely(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _likely(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_likely(member, name.removesuffix("s")) for member in value]
    return _of(name, value)


API = document()


@API.hook
def map_case(context: HookContext, case: Case) -> Case:
    """Let right requests ask for what is there; wrong ones stay as they are."""
    for header in FOR_OPERATORS:
        case.headers.pop(header, None)
    if not is_right(case):
        return case
    case.path_parameters = {name: _of(name, value, always=True) for name, value in case.path_parameters.items()}
    case.query = {name: _of(name, value) for name, value in case.query.items() if name not in LEFT_OUT}
    if isinstance(case.body, dict):
        case.body = _likely(case.body)
    return case


for _media_type in {*PICTURES, *SHEETS, "application/pdf"}:
    schemathesis.openapi.media_type(
        _media_type, st.sampled_from(FILES.get(_media_type, [b""])) | st.binary(max_size=100)
    )


# --- answers --------------------------------------------------------------------------------------------------------


@API.parametrize()
@settings(
    max_examples=EXAMPLES or FEW,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_everybody_gets_an_answer_that_the_document_knows(case: Case, office: Office) -> None:
    right = is_right(case) and not is_at_limits(case)  # where `0` is taken for an ETag

    for caller in office.next_callers(case):
        answer = case.call(office.address, office.session, dict(caller.headers), allow_redirects=False)

        case.validate_response(
            answer,
            headers=dict(caller.headers),
            transport_kwargs={"session": office.session},
            excluded_checks=[] if caller.name == "everywhere" else [ignored_auth],
        )
        if not may(caller, case):
            refused = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
            assert answer.status_code in refused or (not right and 400 <= answer.status_code < 500), caller.name
        if caller.name == "stranger" and answer.status_code == HTTPStatus.OK:
            assert HALL.encode() not in answer.content


def is_right(case: Case) -> bool:
    """Whether a request was made to be as the document says."""
    return case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE


def is_at_limits(case: Case) -> bool:
    """Whether a request was made to try the limits of a parameter; only `make fuzz` does."""
    return case.meta is not None and case.meta.phase.name == TestPhase.COVERAGE


def may(caller: Caller, case: Case) -> bool:
    """Whether somebody might have an operation carried out, as far as the document says."""
    told = case.operation.definition.raw
    if told.get("security") == []:
        return True
    if not caller.headers:
        return False
    needed = set(told["x-roles"])
    if not needed:
        return True
    hall = case.path_parameters.get("facility", case.path_parameters.get("facility_id"))
    held = caller.roles_in(hall)
    return bool(needed & held)
