"""Every call ends: with the answer, with the refusal that the callee raised, or as Unavailable at its deadline."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

import eventlet
import pytest
from eventlet.event import Event
from kombu import Connection, Exchange, Queue, pools
from nameko.rpc import rpc
from nameko.runners import ServiceRunner
from nameko.testing.services import entrypoint_hook
from nameko.testing.utils import get_extension

from shared import embedded
from shared.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Rejected, Unavailable
from shared.rpc import Caller, Failed, Peer, caller

Host = Callable[..., ServiceRunner]

REFUSALS: dict[str, Refused] = {
    "invalid": Invalid({"items[3].rrule": ["expected an RRULE", "巡检"], "year": ["expected an integer"]}),
    "not found": NotFound("no work order wo-1 in 程功"),
    "conflict": Conflict("somebody else was faster"),
    "rejected": Rejected("work is accepted by someone other than its doer"),
    "forbidden": Forbidden("not yours"),
    "unavailable": Unavailable("work_orders is not running"),
}


class Callee:
    name = "callee"
    begun: ClassVar[list[str]] = []

    @rpc(expected_exceptions=Refused)
    def refuse(self, how: str) -> None:
        raise REFUSALS[how]

    @rpc
    def break_down(self) -> None:
        raise KeyError("a secret, and half a character: \ud800")

    @rpc
    def echo(self, value: Any) -> Any:
        return value

    @rpc
    def work(self, name: str, seconds: float) -> str:
        self.begun.append(name)
        eventlet.sleep(seconds)
        return name


class Caller_:  # noqa: N801  a service called `caller`
    name = "caller"
    callee = Peer("callee")
    stranger = Peer("stranger")

    @rpc(expected_exceptions=Refused)
    def call(self, method: str, kwargs: dict[str, Any], service: str = "callee", deadline: float | None = None) -> Any:
        return getattr(self, service).call(method, deadline=deadline, **kwargs)

    @rpc
    def call_often(self, times: int) -> list[int]:
        pool = eventlet.GreenPool(50)
        return list(pool.imap(lambda number: self.callee.call("echo", value=number), range(times)))


@pytest.fixture(params=["embedded", "rabbitmq"])
def config(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """The configuration of services that talk over each broker in turn."""
    address = embedded.fresh() if request.param == "embedded" else request.getfixturevalue("amqp_url")
    Callee.begun.clear()
    yield {"AMQP_URI": address, "RPC_DEADLINE_SECONDS": 5}
    pools.reset()


@pytest.fixture
def host(config: dict[str, Any]) -> Iterator[Host]:
    """Starts services, and kills them in the end."""
    runners = []

    def start(*services: type) -> ServiceRunner:
        runner = ServiceRunner(config)
        for service in services:
            runner.add_service(service)
        runner.start()
        runners.append(runner)
        return runner

    yield start
    for runner in runners:
        runner.kill()


class Wire:
    """A line to the broker that can be cut, or go dead without a word."""

    def __init__(self, address: str) -> None:
        url = urlsplit(address)
        self._target = (url.hostname, url.port or 5672)
        self._listener = eventlet.listen(("127.0.0.1", 0))
        self._sockets: list[Any] = []
        self._pumps: list[Any] = []
        self._accepting = eventlet.spawn(self._accept)
        port = self._listener.getsockname()[1]
        self.address = urlunsplit(url._replace(netloc=f"{url.username}:{url.password}@127.0.0.1:{port}"))

    def go_dead(self) -> None:
        """Carry nothing any more."""
        for pump in (self._accepting, *self._pumps):
            pump.kill()

    def cut(self) -> None:
        """Break all connections and take no new ones."""
        self.go_dead()
        for end in (self._listener, *self._sockets):
            end.close()

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            far = eventlet.connect(self._target)
            self._sockets += [near, far]
            self._pumps += [eventlet.spawn(self._pump, near, far), eventlet.spawn(self._pump, far, near)]

    @staticmethod
    def _pump(source: Any, target: Any) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)


def declare_queue_of(service: str, address: str) -> None:
    """What a service that ran once, and is gone, has left on the broker."""
    exchange = Exchange("nameko-rpc", type="topic", durable=True)
    with Connection(address) as connection:
        Queue(f"rpc-{service}", exchange, f"{service}.*", durable=True)(connection).declare()


def pending_replies(runner: ServiceRunner) -> int:
    replies = get_extension(runner.service_map["caller"], type(Peer.rpc_reply_listener))
    return len(replies._reply_events)


def test_a_refusal_arrives_as_it_was_raised(config: dict[str, Any], host: Host) -> None:
    host(Callee)

    with caller(config) as call:
        for how, refusal in REFUSALS.items():
            with pytest.raises(type(refusal)) as raised:
                call("callee", "refuse", how=how)
            assert str(raised.value) == str(refusal)
            assert getattr(raised.value, "errors", None) == getattr(refusal, "errors", None)


def test_a_refusal_passes_through_a_service_in_between(config: dict[str, Any], host: Host) -> None:
    host(Callee, Caller_)

    with caller(config) as call, pytest.raises(Rejected, match="other than its doer"):
        call("caller", "call", method="refuse", kwargs={"how": "rejected"})


def test_what_broke_in_the_callee_is_not_told(config: dict[str, Any], host: Host) -> None:
    host(Callee)

    with caller(config) as call, pytest.raises(Failed) as raised:
        call("callee", "break_down")

    assert str(raised.value) == "callee broke on break_down"


@pytest.mark.parametrize("service", ["callee", "stranger"])
def test_a_service_that_is_not_there_is_unavailable_within_the_deadline(
    service: str, config: dict[str, Any], host: Host
) -> None:
    host(Caller_)
    if service == "callee":
        declare_queue_of("callee", config["AMQP_URI"])
    began = time.monotonic()

    with caller(config) as call, pytest.raises(Unavailable):
        call("caller", "call", service=service, method="echo", kwargs={"value": 1}, deadline=0.5)

    assert time.monotonic() - began < 1


def test_a_late_reply_is_dropped_and_its_place_forgotten(config: dict[str, Any], host: Host) -> None:
    runner = host(Callee, Caller_)

    with caller(config) as call:
        with pytest.raises(Unavailable, match=r"did not answer work within 0\.2 s"):
            call("caller", "call", method="work", kwargs={"name": "late", "seconds": 0.5}, deadline=0.2)
        waiting = pending_replies(runner)
        eventlet.sleep(0.5)
        answer = call("caller", "call", method="echo", kwargs={"value": "next"})

    assert Callee.begun == ["late"]
    assert waiting == 0
    assert answer == "next"


def test_work_whose_caller_has_gone_is_not_begun(config: dict[str, Any], host: Host) -> None:
    host(Caller_)
    declare_queue_of("callee", config["AMQP_URI"])
    with caller(config) as call, pytest.raises(Unavailable):
        call("caller", "call", method="work", kwargs={"name": "stale", "seconds": 0}, deadline=0.2)

    host(Callee)
    with caller(config) as call:
        call("callee", "work", name="fresh", seconds=0)

    assert Callee.begun == ["fresh"]


def test_a_callee_that_dies_over_a_call_leaves_it_unavailable(config: dict[str, Any], host: Host) -> None:
    host(Caller_)
    doomed = host(Callee)
    ended = Event()

    def ask() -> None:
        with caller(config) as call:
            try:
                call("caller", "call", method="work", kwargs={"name": "cut off", "seconds": 30}, deadline=1.5)
            except Unavailable as fault:
                ended.send(fault)

    eventlet.spawn(ask)
    while not Callee.begun:
        eventlet.sleep(0.01)
    doomed.kill()

    with eventlet.Timeout(4):
        assert "did not answer work within 1.5 s" in str(ended.wait())


def test_many_calls_at_once_get_each_their_own_answer(config: dict[str, Any], host: Host) -> None:
    runner = host(Callee, Caller_)

    with caller(config, deadline=30) as call:
        answers = call("caller", "call_often", times=500)

    assert answers == list(range(500))
    assert pending_replies(runner) == 0


def test_a_caller_outside_any_service_does_not_wait_for_ever(config: dict[str, Any], host: Host) -> None:
    host(Callee)

    with caller(config, deadline=0.3) as call:
        with pytest.raises(Unavailable, match=r"within 0\.3 s"):
            call("callee", "work", name="slow", seconds=1)
        eventlet.sleep(1)
        answer = call("callee", "echo", value="next")

    assert answer == "next"


def test_a_broker_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="broker cannot be reached"), Caller({"AMQP_URI": "amqp://127.0.0.1:9//"}):
        pass


@pytest.mark.parametrize("fate", ["go_dead", "cut"])
def test_a_broker_that_is_lost_leaves_calls_unavailable_within_their_deadline(fate: str, amqp_url: str) -> None:
    wire = Wire(amqp_url)
    runner = ServiceRunner({"AMQP_URI": wire.address})
    runner.add_service(Callee)
    runner.add_service(Caller_)
    runner.start()
    with entrypoint_hook(runner.service_map["caller"], "call") as call:
        assert call(method="echo", kwargs={"value": "so far"}) == "so far"

        getattr(wire, fate)()

        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(Unavailable):
                call(method="echo", kwargs={"value": 1}, deadline=0.5)
            assert time.monotonic() - began < 0.8
    assert pending_replies(runner) == 0
    wire.cut()
    with eventlet.Timeout(3, False):
        runner.kill()


def test_members_named_like_kombus_own_are_left_as_they_are(config: dict[str, Any], host: Host) -> None:
    host(Callee)
    value = {"__type__": "datetime", "__value__": "no date"}

    with caller(config, deadline=1) as call:
        assert call("callee", "echo", value=value) == value


def test_json_values_cross_unharmed(config: dict[str, Any], host: Host) -> None:
    host(Callee)
    values: list[Any] = [None, 2**70, 0.1, "巡检\ud800\0", [[]] * 3, {"": {"深": [1, "a", None]}}]

    with caller(config, deadline=1) as call:
        assert [call("callee", "echo", value=value) for value in values] == values
