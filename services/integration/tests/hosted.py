"""Integration and one service that it follows, hosted: `python -m services.integration.tests.hosted CONFIG`, until killed."""

import sys

if __name__ == "__main__":
    import warnings

    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
    import eventlet

    eventlet.monkey_patch()

import json
from typing import Any

from nameko.runners import ServiceRunner

from services.integration.service import Integration
from shared import embedded  # noqa: F401  the embedded broker is known once it is imported
from shared.tests.hosted import Followed


def configuration(broker: str, urls: dict[str, str]) -> dict[str, Any]:
    """The configuration of both, impatient as tests are."""
    return {
        "AMQP_URI": broker,
        "DATABASES": urls,
        "PARTITIONS": 1,
        "POLL_SECONDS": 0.05,
        "CATCH_UP_SECONDS": 0.2,
        "WEBHOOK_HOSTS": ["127.0.0.1"],
        "serializer": "json",
        "max_workers": 4,
    }


def main(config: dict[str, Any]) -> None:
    """Host both for ever."""
    runner = ServiceRunner(config)
    for service in (Followed, Integration):
        runner.add_service(service)
    runner.start()
    runner.wait()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
