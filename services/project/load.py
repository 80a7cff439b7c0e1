"""Sending a project to an installation, by the same commands that anyone could send.

Every command has an idempotency key that is made of what it is about and not of what it says. So a second load repeats
the same commands and adds nothing, while a file that was changed since is refused by the installation: what was
registered is changed by commands of its own, with a reason, and never by loading.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from services.project.client import Client
from services.project.files import Project
from services.project.forms import Group
from shared.contracts.asset_registry import Nameplate
from shared.errors import Conflict, NotFound, Rejected, Unavailable

ACTOR = "user:loader"
SETTLED_SECONDS = 60.0
"""How long a load waits until every service has heard what the others recorded."""

Progress = Callable[[str, float], None]
"""Told what is being done and which fraction of all is done."""

Held = Mapping[str, Mapping[str, Any]]
"""What the installation already has of one kind, by id."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command: where it goes, what it says, the place in the files that it comes from, what is held of it already.

    `comparable`: what is held tells all that the command says; so it is compared, and not sent again.
    """

    what: str
    place: str
    path: str
    body: dict[str, Any]
    held: Mapping[str, Any] | None = None
    comparable: bool = False


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """How many commands were sent, and how many of them were new to the installation."""

    sent: int
    new: int


def load_project(project: Project, client: Client, progress: Progress = lambda *_: None) -> Loaded:
    """Load a project: facility, systems, points, rulebooks, baseline, budget, assessment, and last the plan.

    The plan is adopted when scheduling has heard of all points, since an occurrence asks for those that it knows.
    Raises Conflict, with the place in the files, where something was loaded before that reads differently.
    """
    at = _moment(project, client)
    *before, plan = _steps(project, client)
    for done, step in enumerate(before):
        progress(step.what, done / (len(before) + 1))
        _send(project, client, step, at)
    settle(client, project.facility_id)
    progress(plan.what, len(before) / (len(before) + 1))
    _send(project, client, plan, at)
    settle(client, project.facility_id)
    progress("loaded", 1.0)
    return Loaded(sent=len(before) + 1, new=sum(step.held is None for step in (*before, plan)))


def settle(client: Client, facility: str, seconds: float = SETTLED_SECONDS) -> None:
    """Wait until every service has applied all that the others recorded of a facility; raises Unavailable after `seconds`."""
    deadline, pause = time.monotonic() + seconds, 0.005
    while not client.get("/installation", facility=facility)["settled"]:
        if time.monotonic() > deadline:
            raise Unavailable(f"{client.url}: the services did not settle within {seconds:.0f} s; see /v1/health")
        time.sleep(pause)
        pause = min(2 * pause, 0.1)


def key(project: Project, what: str) -> str:
    """The idempotency key of a command: the same for ever, whatever the files say."""
    return f"load:{project.facility_id}:{what}"


def assessment_id(year: int) -> str:
    """The id of a facility's assessment of a year."""
    return f"assessment-{year}"


def _moment(project: Project, client: Client) -> datetime | None:
    """The time that commands carry to a simulated installation: a December morning before the year, or its present."""
    installation = client.get("/installation")
    if not installation["simulated"]:
        return None
    start = datetime(project.year - 1, 12, 1, 9, tzinfo=ZoneInfo(project.facility.facility.timezone))
    return max(start, datetime.fromisoformat(installation["now"]).astimezone(start.tzinfo))


def _send(project: Project, client: Client, step: Step, at: datetime | None) -> None:
    """Send one command; that it was carried out before, by whomever, is as good."""
    if step.comparable and step.held is not None:
        if differences := list(_differences(step)):
            raise _conflict(step, "; ".join(differences))
        return
    try:
        client.send(step.path, step.body, key=key(project, step.what), actor=ACTOR, at=at)
    except (Conflict, Rejected) as fault:
        differences = list(_differences(step))
        if isinstance(fault, Rejected) and step.held and not differences:
            return
        raise _conflict(step, "; ".join(differences) or f"was loaded before and read otherwise ({fault})") from fault


def _conflict(step: Step, said: str) -> Conflict:
    return Conflict(f"{step.place}: {said}; what is registered is changed by a command, not by loading")


def _differences(step: Step) -> Iterator[str]:
    """What the files say other than the installation, of what both tell."""
    for name, said in step.body.items():
        there = (step.held or {}).get(name, said)
        if isinstance(said, list) and there != said:
            yield f"{name} differ from those of the installation"
        elif there != said:
            yield f"{name} is {there!r} in the installation and {said!r} here"


def _steps(project: Project, client: Client) -> Iterator[Step]:
    """Every command in the order in which it is sent, beside what is held of it already."""
    home = f"/facilities/{project.facility_id}"
    plan = _plan(project, home, _by_id(client, f"{home}/plans", "plan_id"))
    yield Step(
        what="facility",
        place="facility.yaml: facility",
        path="/facilities",
        body=_json(project.facility.facility),
        held=_by_id(client, "/facilities", "facility_id").get(project.facility_id),
        comparable=True,
    )
    yield from _systems(project, client, home)
    yield from _rulebooks(project, client)
    yield from _scoring(project, home, None if plan.held is None else {})
    yield plan


def _systems(project: Project, client: Client, home: str) -> Iterator[Step]:
    held = _by_id(client, f"{home}/systems", "system_id")
    for n, system in enumerate(project.systems.systems):
        yield Step(
            what=f"system:{system.system_id}",
            place=f"systems.yaml: systems[{n}]",
            path=f"{home}/systems",
            body=_json(system.registration()),
            held=held.get(system.system_id),
            comparable=True,
        )
    for n, system in enumerate(project.systems.systems):
        path = f"{home}/systems/{system.system_id}/points"
        points = _by_id(client, path, "point_id") if system.equipment and system.system_id in held else {}
        for m, group in enumerate(system.equipment):
            yield _points(group, f"systems.yaml: systems[{n}].equipment[{m}]", path, points)
    yield from _nameplates(project, client, home)


def _points(group: Group, place: str, path: str, held: Held) -> Step:
    points = [_json(point) for point in group.each()]
    there = [held[point["point_id"]] for point in points if point["point_id"] in held]
    return Step(
        what=f"points:{group.key}",
        place=place,
        path=path,
        body={"equipment": group.equipment, "points": points},
        held=_as_asked(there, points, group.equipment) if there else None,
        comparable=True,
    )


def _as_asked(there: list[Mapping[str, Any]], points: list[dict[str, Any]], equipment: str) -> dict[str, Any]:
    """The points that the installation holds, in the shape of the command that would add them."""
    same = [{name: _bare(held.get(name)) for name in point} for held, point in zip(there, points, strict=False)]
    return {"equipment": there[0].get("equipment", equipment), "points": same}


def _nameplates(project: Project, client: Client, home: str) -> Iterator[Step]:
    """What is said of groups; where the installation knows anything of one already, that is compared."""
    said = [
        (system.system_id, group, group.nameplate, f"systems.yaml: systems[{n}].equipment[{m}].nameplate")
        for n, system in enumerate(project.systems.systems)
        for m, group in enumerate(system.equipment)
        if group.nameplate is not None
    ]
    rows = _rows(client, f"{home}/equipment") if said else []
    for system_id, group, nameplate, place in said:
        body = _json(nameplate)
        there = [row for row in rows if (row["system_id"], row["equipment"]) == (system_id, group.equipment)]
        known = there and any(there[0].get(name) is not None for name in Nameplate.__dataclass_fields__)
        yield Step(
            what=f"equipment:{group.key}",
            place=place,
            path=f"{home}/systems/{system_id}/equipment/describe",
            body={"equipment": group.equipment, "nameplate": body},
            held={"nameplate": {name: there[0].get(name) for name in body}} if known else None,
            comparable=True,
        )


def _rulebooks(project: Project, client: Client) -> Iterator[Step]:
    held = _by_id(client, "/rulebooks", "sha256")
    for n, rulebook in enumerate(project.rulebooks):
        yield Step(
            what=f"rulebook:{rulebook.sha256}",
            place=f"project.yaml: rulebooks.files[{n}]",
            path="/rulebooks",
            body={"text": rulebook.text},
            held=held.get(rulebook.sha256),
        )


def _scoring(project: Project, home: str, held: Mapping[str, Any] | None) -> Iterator[Step]:
    """What scoring is told; it cannot be asked for these, but whoever has the plan has them, since that comes last."""
    terms, budget = project.terms, project.terms.budget
    if (baseline := terms.cost_baseline) is not None:
        yield Step(
            what=f"cost-baseline:{baseline.year}",
            place="project.yaml: cost_baseline",
            path=f"{home}/cost-baselines",
            body={"year": baseline.year, "amount": str(baseline.amount), "basis": baseline.basis},
            held=held,
        )
    yield Step(
        what=f"budget:{terms.year}",
        place="project.yaml: budget",
        path=f"{home}/budgets",
        body={
            "year": terms.year,
            "initial": str(budget.initial),
            "annual": str(budget.annual),
            "executed": "0.00",
            "as_of": terms.starts_on.isoformat(),
        },
        held=held,
    )
    yield Step(
        what=f"assessment:{terms.year}",
        place="project.yaml: rulebooks",
        path=f"{home}/assessments",
        body={
            "assessment_id": assessment_id(terms.year),
            "year": terms.year,
            "rulebooks": [{"rulebook_id": one.rulebook_id, "sha256": one.sha256} for one in project.rulebooks],
            "official": terms.rulebooks.official,
        },
        held=held,
    )


def _plan(project: Project, home: str, held: Held) -> Step:
    plan = project.plan
    return Step(
        what=f"plan:{plan.plan_id}",
        place="plan.yaml",
        path=f"{home}/plans",
        body={"plan_id": plan.plan_id, "year": plan.year, "items": [_json(item.planned()) for item in plan.items]},
        held=held.get(plan.plan_id),
    )


def _by_id(client: Client, path: str, name: str) -> Held:
    """What a query lists, by id."""
    return {entry[name]: entry for entry in _rows(client, path)}


def _rows(client: Client, path: str) -> list[dict[str, Any]]:
    """What a query lists; nothing where the facility is not known yet."""
    try:
        return client.rows(path)
    except NotFound:
        return []


def _json(value: Any) -> dict[str, Any]:
    """The members of a contract's dataclass as JSON values, without those that are None."""
    members: dict[str, Any] = _bare(msgspec.to_builtins(value))
    return members


def _bare(value: Any) -> Any:
    """A JSON value without the members, at any depth of objects, that are null."""
    if not isinstance(value, Mapping):
        return value
    return {name: _bare(member) for name, member in value.items() if member is not None}
