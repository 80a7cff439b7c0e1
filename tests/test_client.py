"""The HTTP client of load and simulate, against a server on a real socket that answers as it is told."""

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest
from click.testing import CliRunner

from services.project.cli import load_command, simulate_command
from services.project.client import Client
from shared.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Rejected, Unavailable

Answer = tuple[int, bytes] | None
"""Status and body; None drops the connection."""


class Told(ThreadingHTTPServer):
    """Answers one request after another from a list, the last for ever; `heard` are the requests with their keys.

    The first answers carry `links`, one each.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.links: list[str] = []
        self.heard: list[tuple[str, str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Told

    def do_GET(self) -> None:
        self.server.heard.append((self.command, self.path, self.headers.get("Idempotency-Key")))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer[0])
        self.send_header("Content-Length", str(len(answer[1])))
        if self.server.links:
            self.send_header("Link", self.server.links.pop(0))
        self.end_headers()
        self.wfile.write(answer[1])

    do_POST = do_GET  # noqa: N815  # http.server's name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
        pass


@pytest.fixture
def told() -> Iterator[Told]:
    with Told() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


SIMULATED = 200, b'{"simulated":true}'
"""What a client asks before its first command: in whose name it may be given."""


def problem(status: int, kind: str, detail: str = "", **members: object) -> Answer:
    document = {"type": f"urn:xunjian:problem:{kind}", "title": kind, "status": status, "detail": detail, **members}
    return status, orjson.dumps(document)


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (403, "forbidden", Forbidden),
        (404, "not-found", NotFound),
        (409, "conflict", Conflict),
        (409, "rejected", Rejected),
        (503, "unavailable", Unavailable),
    ],
)
def test_a_problem_document_is_the_error_that_it_was(told: Told, status: int, kind: str, error: type[Refused]) -> None:
    told.answers = [problem(status, kind, "no such hall")]

    with Client(told.url, patience=0.0) as client, pytest.raises(error, match=r"GET /v1/facilities/x: no such hall"):
        client.get("/facilities/x")


def test_invalid_input_is_told_field_by_field(told: Told) -> None:
    told.answers = [SIMULATED, problem(422, "invalid", errors=[{"field": "items[3].rrule", "expected": "an RRULE"}])]

    with Client(told.url) as client, pytest.raises(Invalid) as refused:
        client.send("/facilities/x/plans", {}, key="k", actor="user:li")

    assert refused.value.errors == {"POST /v1/facilities/x/plans: items[3].rrule": ["an RRULE"]}


def test_a_command_whose_answer_was_lost_is_sent_again_under_its_key(told: Told) -> None:
    told.answers = [SIMULATED, None, problem(503, "unavailable"), (200, b'{"done":true}')]

    with Client(told.url) as client:
        outcome = client.send("/facilities", {}, key="load:1", actor="user:li")

    assert outcome == {"done": True}
    assert told.heard[1:] == [("POST", "/v1/facilities", "load:1")] * 3


def test_a_list_is_asked_for_page_after_page(told: Told) -> None:
    told.answers = [(200, b'[{"id":1},{"id":2}]'), (200, b'[{"id":3}]')]
    told.links = ['</v1/points?q=%E6%B3%B5&cursor=WyJ4Il0>; rel="next"']

    with Client(told.url) as client:
        rows = client.rows("/points", q="泵")

    assert rows == [{"id": 1}, {"id": 2}, {"id": 3}]
    assert [path for _, path, _ in told.heard] == [
        "/v1/points?q=%E6%B3%B5",
        "/v1/points?q=%E6%B3%B5&cursor=WyJ4Il0",
    ]


def test_it_gives_up_when_its_patience_ends(told: Told) -> None:
    told.answers = [None]

    with Client(told.url, patience=0.7) as client, pytest.raises(Unavailable, match=r"GET http.*/v1/facilities"):
        client.get("/facilities")

    assert len(told.heard) in {2, 3}  # at once, after 0.2 s, and after 0.4 s more if the machine is quick


def test_a_server_that_is_no_installation_is_named(told: Told) -> None:
    told.answers = [(200, b"<html>hello</html>")]

    with Client(told.url) as client, pytest.raises(Invalid, match="is this an installation of Xunjian"):
        client.get("/facilities")


def test_a_server_that_says_nothing_ends_in_unavailable(told: Told) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"

        with Client(url, timeout=0.05, patience=0.0) as client, pytest.raises(Unavailable, match="no answer in time"):
            client.get("/facilities")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    "command",
    [
        lambda url: (load_command, ["projects/chenggong-2021", "--url", url]),
        lambda url: (simulate_command, ["--year", "2021", "--seed", "1", "--url", url]),
    ],
)
def test_where_nothing_listens_it_is_one_line_and_exit_2(command: Callable[[str], tuple[object, list[str]]]) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    outcome = CliRunner().invoke(*command(url))  # type: ignore[arg-type]

    assert outcome.exit_code == 2
    assert outcome.stderr == f"{url}: nothing answers there; start it with `xunjian serve`\n"


@pytest.mark.parametrize("url", ["ftp://example.org", "localhost:8000", "http://", "http://localhost:port"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        Client(url)
