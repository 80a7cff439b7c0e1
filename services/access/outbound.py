"""What is asked of other web servers: small JSON documents, with a deadline, and nowhere but where we were told to ask."""

from typing import Any

import orjson
import requests
import structlog

from shared.errors import Unavailable

log = structlog.get_logger()

SECONDS = (2.0, 3.0)
"""To connect, and between two bytes."""
LARGEST = 512 * 1024
"""In bytes."""


def json_at(address: str) -> dict[str, Any]:
    """The JSON object at an address; redirects are not followed. Raises Unavailable where there is none."""
    try:
        with requests.get(address, timeout=SECONDS, allow_redirects=False, stream=True) as response:
            body = response.raw.read(LARGEST + 1, decode_content=True)
            if response.status_code != 200 or len(body) > LARGEST:
                raise ValueError(f"status {response.status_code}, {len(body)} bytes")
        found = orjson.loads(body)
        if not isinstance(found, dict):
            raise ValueError("no JSON object")
    except (requests.RequestException, OSError, ValueError) as fault:
        log.warning("no answer", address=address, fault=repr(fault))
        raise Unavailable(f"{address} did not answer with a JSON object") from fault
    return found
