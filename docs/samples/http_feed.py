"""Follows all events of a facility by HTTP, with the standard library and nothing of ours; checks every hash.

XUNJIAN_KEY=xk_… python http_feed.py http://127.0.0.1:8000 chenggong-hall [NUMBER]
"""

import hashlib
import json
import os
import re
import sys
from urllib.parse import quote, urljoin
from urllib.request import Request, urlopen


def main(address: str, facility: str, after: str = "0") -> None:
    """Print one line an event; NUMBER is the last one that you have kept."""
    url = urljoin(address, f"/v1/events?facility={quote(facility)}&after={after}&wait=30")
    while True:
        asked = Request(url, headers={"Authorization": f"Bearer {os.environ['XUNJIAN_KEY']}"})
        with urlopen(asked, timeout=60) as answer:
            for item in json.load(answer):
                event = item["event"]
                assert hash_of(event) == event["hash"], f"number {item['number']} was changed on its way"
                print(item["number"], event["source"], event["position"], event["type"], event["hash"], flush=True)
            url = urljoin(url, re.search("<(.*)>", answer.headers["Link"])[1])  # where to go on, also at the end


def hash_of(event: dict) -> str:
    """The hash over the canonical form (RFC 8785) of all but the hash itself; of our events that is sorted, compact JSON."""
    rest = {name: value for name, value in event.items() if name != "hash"}
    body = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256((event["prevhash"] + body).encode()).hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
