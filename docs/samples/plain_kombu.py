"""Reads all that a service has published and goes on with what comes: from its stream, with kombu and nothing of ours.

python plain_kombu.py amqp://reader.district:PASSWORD@HOST:5672/xunjian work_orders
"""

import json
import sys

from kombu import Connection, Consumer, Queue


def main(address: str, source: str) -> None:
    """Print one line an event, each event once."""
    reached: dict[str, int] = {}  # facility → position; keep it, and what you make of the event, in one transaction

    def hear(_: object, message: object) -> None:
        event = json.loads(message.body)
        facility, position = event["facility"], event["position"]
        if position == reached.get(facility, 0) + 1:  # what is below came before, and comes again after trouble
            print(facility, position, event["type"], event["hash"], flush=True)
            reached[facility] = position
        message.ack()

    arguments = {"x-stream-offset": "first"}  # later: the offset that you kept, of message.headers["x-stream-offset"]
    stream = Queue(f"{source}.events.stream", no_declare=True, consumer_arguments=arguments)
    with (
        Connection(address, heartbeat=30) as connection,
        Consumer(connection.channel(), [stream], callbacks=[hear], prefetch_count=100, accept=["json"]),
    ):
        while True:
            try:
                connection.drain_events(timeout=10)
            except TimeoutError:
                connection.heartbeat_check()


if __name__ == "__main__":
    main(*sys.argv[1:])
