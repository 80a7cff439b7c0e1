"""A broker that goes away while a service works costs callers an answer, and never the service."""

from time import monotonic
from typing import ClassVar

import eventlet
import pytest
from eventlet.event import Event
from nameko.amqp.publish import Publisher
from nameko.runners import ServiceRunner

from shared.errors import Unavailable
from shared.rpc import caller, offered
from shared.tests.between import between
from shared.tests.hosted import configuration

DEADLINE_SECONDS = 20


class Slow:
    """Answers when it is told to."""

    name = "slow"
    asked: ClassVar[Event]
    told: ClassVar[Event]

    @offered
    def work(self) -> str:
        """Begin, and wait."""
        if not self.asked.ready():
            self.asked.send()
        self.told.wait()
        return "done"


def answered(config: dict[str, object]) -> str | None:
    """The answer of a call, None where nobody can be reached."""
    try:
        with caller(config, 2.0) as call:
            return str(call("slow", "work"))
    except Unavailable:
        return None


def test_a_service_whose_reply_cannot_be_sent_lives_on_and_answers_again(
    amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Publisher, "retry", False)  # it would try for six seconds
    Slow.asked, Slow.told = Event(), Event()
    with between(amqp_url) as broker:
        runner = ServiceRunner(configuration(broker.address))
        runner.add_service(Slow)
        runner.start()
        (container,) = runner.containers
        first = eventlet.spawn(answered, configuration(amqp_url))
        Slow.asked.wait()

        broker.cut()
        Slow.told.send()
        container._worker_pool.waitall()
        unheard = first.wait()
        broker.mend()
        give_up = monotonic() + DEADLINE_SECONDS
        while (heard := answered(configuration(amqp_url))) is None and monotonic() < give_up:
            eventlet.sleep(0.1)
        died = container._died.ready()
        runner.kill()

    assert unheard is None
    assert not died
    assert heard == "done"
