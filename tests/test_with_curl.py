"""docs/with-curl.md, as it stands: every block is run by a shell against the platform, and what it prints is read."""

import json
import re
import subprocess
from typing import Any

import pytest

from tests.api import KEY
from tests.conftest import run_xunjian
from tests.processes import ROOT, embedded, free_port

PAGE = ROOT / "docs" / "with-curl.md"


def blocks() -> str:
    """The indented blocks of the page, as they are pasted."""
    lines = PAGE.read_text().splitlines()
    return "\n".join(line[4:] for line in lines if line.startswith("    "))


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the blocks print, on a loaded project whose year is over."""
    folder = tmp_path_factory.mktemp("curl")
    with embedded(folder, webhook_hosts="[127.0.0.1]") as platform:
        address = f"http://127.0.0.1:{platform.port}"
        loaded = run_xunjian("load", "projects/chenggong-2021", "--url", address, XUNJIAN_KEY=KEY)
        assert loaded.returncode == 0, loaded.stderr
        platform.api.post("/simulation/clock", {"now": "2022-01-08T09:00:00+08:00"}, "clock")
        platform.settle()
        code = re.search(r"welcome\?code=(\S+)", (folder / "platform.log").read_text())
        assert code
        script = blocks().replace("http://127.0.0.1:8000", address).replace("PORT=9000", f"PORT={free_port()}")
        script = script.replace("CODE=xo_…", f"CODE={code[1]}").replace("$(mktemp -d)", str(folder))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout.splitlines()


def documents(printed: list[str]) -> list[Any]:
    """The JSON among the lines."""
    return [json.loads(line) for line in printed if line.startswith(("{", "[")) and not line.startswith("[{'")]


def test_who_signed_in_did_the_round(printed: list[str]) -> None:
    session, *_ = documents(printed)
    (history,) = (one for one in documents(printed) if isinstance(one, list) and one and "subject" in one[0])

    assert (session["actor"], session["roles"]) == ("user:li", {"chenggong-hall": ["inspector"]})
    assert [event["actor"] for event in history] == ["user:li", "user:zhao", *3 * ["user:li"], "user:zhao"]


def test_what_is_not_allowed_and_what_is_stale_was_refused(printed: list[str]) -> None:
    problems = [one for one in documents(printed) if isinstance(one, dict) and "status" in one and "title" in one]

    assert [problem["status"] for problem in problems] == [403, 412]


def test_the_ratings_changed_the_indicator_once(printed: list[str]) -> None:
    before, after = (line for line in printed if line.startswith("[{'id': 'satisfaction'"))
    receipt, (day,) = (
        next(one for one in documents(printed) if isinstance(one, dict) and "items" in one),
        next(one for one in documents(printed) if isinstance(one, list) and one and "agrees" in one[0]),
    )

    assert "'status': 'not_assessable'" in before
    assert "'actual': '0.00'" in after
    assert [item["status"] for item in receipt["items"]] == 20 * ["accepted"]
    assert (day["received"], day["accepted"], day["ratings"]) == (20, 20, 20)


def test_the_webhook_heard_everything_in_order_and_nothing_twice(printed: list[str]) -> None:
    (webhook,) = next(one for one in documents(printed) if isinstance(one, list) and one and "lag" in one[0])
    deliveries = documents(printed)[-1]

    assert webhook["lag"] == 1
    assert "REFUSED" in webhook["last_error"]
    assert deliveries[0]["status"] == 204
    assert printed[printed.index("in order") - 1] == "0"
