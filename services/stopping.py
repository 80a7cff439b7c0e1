"""How a process ends: it takes nothing new, finishes what is in hand, and goes; and if that takes too long, it goes."""

import os
from typing import Any

import eventlet
import structlog

from shared.monitor import note_ending

log = structlog.get_logger(__name__)

FIRST = "gateway"
"""It is stopped before the services, which its requests in hand still need where one process hosts all."""


class Ending:
    """The end of what a runner hosts, once somebody asks for it; to be asked again changes nothing."""

    def __init__(self, runner: Any, seconds: float) -> None:
        self._runner = runner
        self._seconds = seconds
        self._begun = False

    def begin(self) -> None:
        """Say that it is not ready any more, and stop gracefully; after so many seconds the process is ended as it is."""
        if self._begun:
            return
        self._begun = True
        services = self._runner.service_map
        log.info("stopping", services=sorted(services))
        for container in services.values():
            note_ending(container)
        try:
            with eventlet.Timeout(self._seconds):
                if FIRST in services:
                    services[FIRST].stop()
                self._runner.stop()
        except eventlet.Timeout:
            log.error("not stopped in time, ended as it is", seconds=self._seconds)
            os._exit(1)
        except Exception:
            log.exception("broke while stopping, ended as it is")
            os._exit(1)
