"""What was released is still given and still read; whatever breaks is told with the field and the consumers that break."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from compatibility import since_release, unmet
from consumers import Consumer, consumers
from contracts import RELEASED, breaks, main, matrix, present, released
from kinds import ENVELOPE, ID, TEXT, Maybe, holding, many, one_of

Contract = dict[str, Any]
Change = Callable[[dict[str, Any]], object]

READERS = (
    Consumer("planner", {"jobs.done.v1": holding(job_id=ID, kind=one_of("round", "repair"), note=Maybe(TEXT))}),
    Consumer("judge", {"jobs.done.v1": holding(points=many(holding(point_id=ID)))}, follows_all_of=("jobs",)),
)
DONE = holding(
    job_id=ID,
    kind=one_of("round", "repair"),
    points=many(holding(point_id=ID, label=TEXT)),
    note=Maybe(TEXT),
    count={"type": "integer", "minimum": 0},
)


def test_nothing_breaks() -> None:
    assert [str(one) for one in breaks(present(), consumers())] == []


def test_every_consumer_reads_what_is_promised() -> None:
    assert [str(one) for one in unmet(present(), consumers())] == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda done: _take(done, "job_id"), "job_id: is gone; breaks planner"),
        (lambda done: _take(done, "note"), "note: is gone; breaks planner"),
        (lambda done: _take(done, "count"), "count: is gone; breaks no consumer of ours, but others may read it"),
        (lambda done: _retype(done, "job_id", type="integer"), "job_id: is integer instead of string; breaks planner"),
        (
            lambda done: _retype(done, "job_id", pattern="^.*$"),
            f"job_id: may be other than {ID['pattern']}; breaks planner",
        ),
        (lambda done: _retype(done, "points", type="object"), "points: is object instead of array; breaks judge"),
        (lambda done: done["required"].remove("job_id"), "job_id: may be missing; breaks planner"),
        (
            lambda done: _retype(done, "job_id", type=["string", "null"]),
            "job_id: may be null; breaks planner",
        ),
        (
            lambda done: _retype(done, "kind", enum=["round", "repair", "visit"]),
            "kind: may be visit, not only round, repair; breaks planner",
        ),
        (
            lambda done: done["properties"]["points"]["items"]["properties"].pop("point_id"),
            "points[].point_id: is gone; breaks judge",
        ),
        (
            lambda done: _retype(done, "count", minimum=-5),
            "count: may be beyond the minimum 0; breaks no consumer of ours, but others may read it",
        ),
        (
            lambda done: _retype(done, "kind", enum=["round"]),
            "kind: as it was released, may be repair, not only round; breaks every replay of what was recorded",
        ),
        (
            lambda done: done["required"].append("note"),
            "note: as it was released, may be missing; breaks every replay of what was recorded",
        ),
        (
            lambda done: done.update(holding(**done["properties"], by=TEXT)),
            "by: as it was released, is missing; breaks every replay of what was recorded",
        ),
    ],
)
def test_a_break_names_the_event_the_field_and_who_breaks(change: Change, told: str) -> None:
    before, now = {"jobs.done.v1": DONE}, {"jobs.done.v1": deepcopy(DONE)}
    change(now["jobs.done.v1"])

    assert f"jobs.done.v1 {told}" in [str(one) for one in since_release(before, now, READERS)]


def test_an_event_that_is_gone_breaks_those_too_who_only_keep_it() -> None:
    before = {"jobs.done.v1": DONE, "jobs.begun.v1": DONE}

    found = [str(one) for one in since_release(before, {}, READERS)]

    assert found == ["jobs.begun.v1: is gone; breaks judge", "jobs.done.v1: is gone; breaks planner, judge"]


@pytest.mark.parametrize(
    "change",
    [
        lambda done: done["properties"].update(weather=Maybe(TEXT).kind),
        lambda done: _retype(done, "count", description="of points"),
        lambda done: _retype(done["properties"]["points"]["items"], "label", title="name"),
    ],
    ids=["an optional field", "a description", "a title"],
)
def test_what_may_be_added_breaks_nobody(change: Change) -> None:
    before, now = {"jobs.done.v1": DONE}, {"jobs.done.v1": deepcopy(DONE), "jobs.paid.v1": DONE}
    change(now["jobs.done.v1"])

    assert list(since_release(before, now, READERS)) == []


def test_a_need_that_nobody_promises_names_its_consumer() -> None:
    promised = {"envelope": ENVELOPE, "jobs.done.v1": holding(**{**DONE["properties"], "kind": TEXT})}

    found = {str(one) for one in unmet(promised, READERS)}

    assert "jobs.done.v1 kind: may be any string, not only round, repair; breaks planner" in found
    assert "jobs.done.v1 note: may be missing" not in " ".join(found)


def test_a_field_of_the_envelope_breaks_everybody() -> None:
    now = deepcopy(present())
    del now["envelope"]["properties"]["position"]

    (found,) = since_release(released(), now, consumers())

    assert str(found) == f"envelope position: is gone; breaks {', '.join(one.name for one in consumers())}"


def test_the_matrix_tells_who_reads_how_much_of_what() -> None:
    lines = list(matrix({"envelope": {}, "jobs.done.v1": DONE, "jobs.begun.v1": DONE}, READERS))

    assert lines == [
        "event          planner  judge",
        "jobs.begun.v1        .  keeps",
        "jobs.done.v1         3      1",
    ]


def test_the_command_prints_the_matrix_and_that_nothing_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    status = main([])

    said = capsys.readouterr()
    assert (status, said.err) == (0, "")
    assert said.out.splitlines()[:-1] == list(matrix(present(), consumers()))
    assert said.out.splitlines()[-1].endswith("nothing breaks")


def test_the_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--forget"]) == 2
    assert "--release" in capsys.readouterr().err


def test_a_release_is_kept_as_it_was(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contracts.RELEASED", tmp_path / RELEASED.name)

    status = main(["--release"])

    assert status == 0
    assert released() == present()


def _take(done: dict[str, Any], name: str) -> None:
    del done["properties"][name]
    done["required"] = [one for one in done["required"] if one != name]


def _retype(done: dict[str, Any], name: str, **change: Any) -> None:
    done["properties"][name] = {**done["properties"][name], **change}
