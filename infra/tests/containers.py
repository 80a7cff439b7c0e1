"""An installation in containers of its own, as `infra/compose up` brings it up, beside whatever else runs on this machine."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker

from tests.api import Api
from tests.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
FACILITY = "/facilities/chenggong-hall"
PATIENCE_SECONDS = 120


class Containers:
    """One simulated installation of its own, beside whatever else runs on this machine."""

    def __init__(self, folder: Path) -> None:
        self.project = f"xunjian-test-{secrets.token_hex(4)}"
        self.port = free_port()
        self.secrets = folder / "secrets"
        self.settings = folder / "settings.env"
        self._environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": self.project,
            "XUNJIAN_ENV_FILE": str(self.settings),
            "XUNJIAN_SECRETS": str(self.secrets),
            "XUNJIAN_PORT": str(self.port),
            "XUNJIAN_SIMULATED": "true",
        }

    @property
    def key(self) -> str:
        """The operator's key, which `infra/compose up` has made."""
        return (self.secrets / "operator_key").read_text()

    @property
    def api(self) -> Api:
        """The API, under the operator's key."""
        return Api(self.port, self.key)

    def compose(self, *arguments: str) -> str:
        """Run infra/compose; what it printed."""
        return self._run(str(ROOT / "infra" / "compose"), *arguments)

    def backup(self, *arguments: str) -> str:
        """Run infra/backup; what it printed."""
        return self._run(str(ROOT / "infra" / "backup"), *arguments)

    def xunjian(self, *arguments: str) -> str:
        """Run the command line, against the published port."""
        url = f"http://127.0.0.1:{self.port}"
        return self._run(sys.executable, "-m", "services.cli", *arguments, "--url", url)

    def begin_xunjian(self, *arguments: str) -> "subprocess.Popen[str]":
        """The command line against the published port, in a process that the caller waits for."""
        url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "services.cli", *arguments, "--url", url]
        environment = self._environment | {"XUNJIAN_KEY": self.key}
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(command, cwd=ROOT, env=environment, **streams)

    @contextmanager
    def said(self, **variables: str) -> Iterator[None]:
        """Within the block compose sees other variables, too."""
        before, self._environment = self._environment, self._environment | variables
        try:
            yield
        finally:
            self._environment = before

    def container(self, service: str) -> Any:
        """The one container of a service."""
        return docker.from_env().containers.get(self.compose("ps", "--quiet", service).strip())

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for a condition."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < give_up, (
                f"waited {PATIENCE_SECONDS} s until {what}\n{self.compose('logs')[-5000:]}"
            )
            time.sleep(0.2)

    def settle(self) -> None:
        """Wait until every event was applied everywhere."""
        self.wait_until(lambda: self.api.once("GET", "/installation")[1]["settled"], "all is settled")

    def accident(self, name: str) -> None:
        """Somebody came to harm in February, which changes the score."""
        told = {"incident_id": name, "occurred_at": "2021-02-05T09:00:00+08:00", "description": "a fall"}
        home = f"{FACILITY}/incidents"
        self.api.post(home, told, key=f"{name}:1", actor="user:qian")
        confirmed = {**told, "harms": ["life"], "visitors_affected": True}
        self.api.post(f"{home}/{name}/confirm", confirmed, key=f"{name}:2", actor="user:qian")
        self.settle()

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What PostgreSQL's superuser is answered."""
        ask = ["psql", "--username=postgres", f"--dbname={database}", "--tuples-only", "--no-align"]
        return self.compose("exec", "-T", "postgres", *ask, f"--command={statement}").strip()

    def score(self) -> Any:
        """The year as it stands on 10 March."""
        return self.api.get(f"{FACILITY}/assessments/2021", as_of="2021-03-10")

    def _run(self, *command: str) -> str:
        known = {"XUNJIAN_KEY": self.key} if self.secrets.exists() else {}
        environment = self._environment | known
        finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout
