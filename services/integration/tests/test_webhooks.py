"""What may be asked about webhooks: where they lead, who signs, and that the secret is told once and kept nowhere else."""

import base64
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from services.integration.outbound.addresses import Outside, is_outside
from services.integration.outbound.calling import Calling
from services.integration.outbound.signatures import sm3
from services.integration.outbound.tables import secrets
from services.integration.tests.receivers import Receiver, receiver
from services.integration.tests.told import HALL, QUICK_SECONDS, Told, Wall, carried, told
from shared.errors import Conflict, Invalid, NotFound, Rejected
from shared.ledger import commands
from shared.signing import key_id, read_public


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Told]:
    """A hall with two events and an SM2 key to be made."""
    with told(tmp_path, key_file=tmp_path / "webhook.pem") as here:
        here.tell(2)
        here.follow()
        yield here


def delivered(hall: Told, there: Receiver, at: datetime | None = None) -> None:
    """Let the courier bring everything, on the clock of the wall or another."""
    wall = Wall()
    wall.at = at or datetime.now(UTC)
    carried(hall.courier(wall), lambda: hall.listed()["lag"] == 0)
    assert there.calls


# --- where to -------------------------------------------------------------------------------------------------------

INTERNAL = [
    "127.0.0.1",
    "127.1.2.3",
    "[::1]",
    "0.0.0.0",
    "[::]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "255.255.255.255",
    "240.0.0.1",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[fec0::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:db8::1]",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "127.1",
    "127.0.0.1.",
    "10",
    "[fe80::1%25eth0]",
]
WRONG = [
    *(f"http://{host}/" for host in INTERNAL),
    *(f"https://{host}:8443/" for host in INTERNAL),
    "ftp://receiver.example/",
    "file:///etc/passwd",
    "gopher://receiver.example/",
    "//receiver.example/",
    "receiver.example",
    "http:///nowhere",
    "http://user@receiver.example/",
    "http://user:word@receiver.example/",
    "http://receiver.example@127.0.0.1/",
    "http://receiver.example/#part",
    "http://receiver.example:22/",
    "http://receiver.example:25/",
    "http://receiver.example:99999/",
    "http://receiver.example:x/",
    "http://receiver.example\\@127.0.0.1/",
    "http://receiver.example/ a",
    "http://receiver.example/\r\nHost: other",
    "http://受理.example/",
    "http://-receiver.example/",
    "http://[::1/",
    "http://%31%32%37.0.0.1/",
    "http://receiver.example/" + 2000 * "x",
]


@pytest.mark.parametrize("url", WRONG)
def test_an_address_that_leads_inside_or_nowhere_is_refused(url: str) -> None:
    outside = Outside((), lambda host, port: ["93.184.215.14"])

    with pytest.raises(Invalid) as refused:
        outside.must_be_outside(url)

    assert list(refused.value.errors) == ["url"]


GOOD = [
    "https://receiver.example/hook",
    "http://receiver.example",
    "https://receiver.example:8443/hook?of=hall",
    "https://93.184.215.14/",
    "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
    "https://RECEIVER.example./",
]


@pytest.mark.parametrize("url", GOOD)
def test_an_address_outside_is_taken(url: str) -> None:
    Outside((), lambda host, port: ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]).must_be_outside(url)


def addresses() -> Iterator[str]:
    """Those of INTERNAL that are written as a resolver answers them."""
    for host in INTERNAL:
        with suppress(ValueError):
            yield str(ip_address(host.strip("[]")))


@pytest.mark.parametrize("address", list(addresses()))
def test_a_name_that_stands_for_an_address_inside_is_refused(address: str) -> None:
    outside = Outside((), lambda name, port: ["93.184.215.14", address])

    with pytest.raises(
        Invalid, match=r"url: expected a host outside, but receiver[.]example is at the internal address"
    ):
        outside.must_be_outside("https://receiver.example/")


@given(st.ip_addresses())
def test_no_address_that_is_not_global_is_outside(address: Any) -> None:
    if is_outside(address):
        assert address.is_global
        assert not any((address.is_private, address.is_loopback, address.is_link_local, address.is_multicast))


def test_a_name_that_moves_inside_after_it_was_subscribed_is_not_called() -> None:
    where = ["93.184.215.14"]
    outside = Outside((), lambda host, port: where)
    with receiver() as there:
        url = there.url.replace("127.0.0.1", "receiver.example")
        outside.must_be_outside(url)
        where[:] = ["127.0.0.1"]

        answer = Calling(outside, QUICK_SECONDS).post(url, {}, b"{}")

    assert there.calls == []
    assert answer.error == "expected a host outside, but receiver.example is at the internal address 127.0.0.1"


def test_a_call_goes_to_the_address_that_was_looked_at_and_looks_up_no_more() -> None:
    looks = []

    def resolve(host: str, port: int) -> list[str]:
        looks.append(host)
        return ["127.0.0.1"]

    with receiver() as there:
        url = there.url.replace("127.0.0.1", "receiver.example")
        answer = Calling(Outside(["Receiver.Example"], resolve), QUICK_SECONDS).post(url, {}, b"{}")

    assert (answer.status, answer.error, looks) == (200, None, ["receiver.example"])
    assert there.calls[0].headers["host"] == url.split("/")[2]
    assert there.calls[0].path == "/hook?of=hall"


def test_a_redirect_is_not_followed_and_no_proxy_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver("redirect") as there, receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        answer = Calling(Outside(["127.0.0.1"]), QUICK_SECONDS).post(there.url, {}, b"{}")

    assert (answer.status, answer.error) == (307, "answered 307")
    assert (len(there.calls), proxy.calls) == (1, [])


def test_a_certificate_of_nobody_known_is_not_taken(tmp_path: Path) -> None:
    import eventlet
    from eventlet.green import ssl

    certificate = tmp_path / "c.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
    names = ["-keyout", str(certificate), "-out", str(tmp_path / "o.pem"), "-subj", "/CN=127.0.0.1"]
    subprocess.run([*make, *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "o.pem", certificate)
    listening = eventlet.listen(("127.0.0.1", 0))
    heard: list[bytes] = []

    def serve() -> None:
        connection, _ = listening.accept()
        secured = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with secured, suppress(OSError):
            secured.do_handshake()
            heard.append(secured.recv(10))

    serving = eventlet.spawn(serve)
    url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
    answer = Calling(Outside(["127.0.0.1"]), 5).post(url, {}, b"{}")
    serving.wait()
    listening.close()

    assert (answer.status, heard) == (None, [])
    assert "certificate verify failed" in str(answer.error)


def test_what_the_other_side_says_is_not_in_the_error(hall: Told) -> None:
    with receiver("garbage") as there:
        answer = Calling(Outside(["127.0.0.1"]), QUICK_SECONDS).post(there.url, {}, b"{}")

    assert answer.error == "the answer is no whole HTTP answer: BadStatusLine"


# --- who signs ------------------------------------------------------------------------------------------------------


def test_a_receiver_verifies_by_the_standard_with_the_secret_that_it_was_told(hall: Told) -> None:
    with receiver() as there:
        secret = hall.subscribe(there.url)["secret"]
        delivered(hall, there)

    for call in there.calls:
        assert Verifier(secret).verify(call.body, call.headers) == call.event
        assert call.headers["content-type"].startswith("application/cloudevents+json")
        assert "." not in call.headers["webhook-id"]
    with pytest.raises(WebhookVerificationError):
        Verifier("whsec_AAAA").verify(there.calls[0].body, there.calls[0].headers)


def test_the_secret_is_told_once_and_is_in_no_event_and_no_remembered_answer(hall: Told) -> None:
    first = hall.ask("subscribe_webhook", key="k-1", url="http://127.0.0.1:9/", webhook_id="w-1")
    again = hall.ask("subscribe_webhook", key="k-1", url="http://127.0.0.1:9/", webhook_id="w-1")

    assert first["secret"].startswith("whsec_")
    assert len(base64.b64decode(first["secret"][6:])) == 32
    assert again == {**first, "secret": None}
    kept = [*hall.ledgers["integration"].raw(HALL), *(str(row) for row in hall.database.rows(select(commands)))]
    assert kept
    assert not any(first["secret"][6:] in text for text in kept)
    with pytest.raises(Conflict):
        hall.ask("subscribe_webhook", key="k-1", url="http://127.0.0.1:10/", webhook_id="w-1")


def test_who_was_cut_off_before_the_secret_was_made_gets_it_by_repeating(hall: Told) -> None:
    hall.ask("subscribe_webhook", key="k-1", url="http://127.0.0.1:9/", webhook_id="w-1")
    with hall.database.write() as connection:  # as it stands after a kill between the two
        connection.execute(secrets.delete())

    again = hall.ask("subscribe_webhook", key="k-1", url="http://127.0.0.1:9/", webhook_id="w-1")

    assert again["secret"].startswith("whsec_")


def test_for_a_day_after_a_rotation_both_secrets_verify(hall: Told) -> None:
    with receiver() as there:
        old = hall.subscribe(there.url)["secret"]
        new = hall.ask("rotate_webhook_secret", webhook_id="w-1")["secret"]
        delivered(hall, there)
        signatures = there.calls[0].headers["webhook-signature"].split(" ")
        for secret in (old, new):
            Verifier(secret).verify(there.calls[0].body, there.calls[0].headers)
        hall.tell()
        hall.follow()
        delivered(hall, there, datetime.now(UTC) + timedelta(days=1, seconds=1))

    assert len(signatures) == 2
    assert new != old
    assert len(there.calls[-1].headers["webhook-signature"].split(" ")) == 1


def test_a_call_signed_with_sm2_verifies_with_the_public_key_and_with_openssl(hall: Told, tmp_path: Path) -> None:
    with receiver() as there:
        told_ = hall.subscribe(there.url, signature="sm2")
        delivered(hall, there)
    call, pem = there.calls[0], base64.b64decode(hall.service.webhook_key()["body"])
    said = {name.removeprefix("x-sm2-"): value for name, value in call.headers.items() if name.startswith("x-sm2-")}
    named = {"id": call.headers["webhook-id"], "timestamp": call.headers["webhook-timestamp"]}
    parameters = {name: said[name] for name in ("appid", "body-sm3", "nonce")} | named
    signed = "&".join(f"{name}={parameters[name]}" for name in sorted(parameters)).encode()
    signature = base64.b64decode(said["signature"])

    key = read_public(pem.decode())
    for name, content in (("key.pem", pem), ("signed", signed), ("signature", signature)):
        (tmp_path / name).write_bytes(content)
    options = ["-verify", "-pubin", "-inkey", "key.pem", "-in", "signed", "-sigfile", "signature", "-rawin"]
    scheme = ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]
    openssl = subprocess.run(["openssl", "pkeyutl", *options, *scheme], cwd=tmp_path, capture_output=True, check=False)

    assert told_["secret"] is None
    assert "webhook-signature" not in call.headers
    assert (said["appid"], said["body-sm3"], said["key-id"]) == ("w-1", sm3(call.body), key_id(key))
    assert key.verifies(signature, signed)
    assert not key.verifies(signature, signed + b"x")
    assert openssl.returncode == 0, openssl.stderr
    assert len({call.headers["x-sm2-nonce"] for call in there.calls}) == len(there.calls)
    with pytest.raises(Rejected, match="has no secret"):
        hall.ask("rotate_webhook_secret", webhook_id="w-1")


# --- what is asked --------------------------------------------------------------------------------------------------


def test_a_test_call_tells_of_no_event_and_answers_how_it_was_answered(hall: Told) -> None:
    with receiver("error") as there:
        secret = hall.subscribe(there.url)["secret"]

        first = hall.ask("test_webhook", key="t-1", webhook_id="w-1")
        again = hall.ask("test_webhook", key="t-1", webhook_id="w-1")

    assert (first["status"], first["error"], again) == (500, "answered 500", first)
    (call,) = there.calls
    assert Verifier(secret).verify(call.body, call.headers)["type"] == "integration.test"
    assert hall.listed()["delivered"] == 0


REFUSED: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("subscribe_webhook", {"url": "http://127.0.0.1:9/", "after": 3}, Invalid, "after: expected a number from 0 to 2"),
    ("subscribe_webhook", {"url": "http://10.0.0.1/"}, Invalid, "url: expected a host outside"),
    ("subscribe_webhook", {"url": "http://127.0.0.1:9/", "types": ["x"]}, Invalid, "types: expected types of events"),
    ("subscribe_webhook", {"url": "http://127.0.0.1:9/", "signature": "md5"}, Invalid, "signature"),
    ("subscribe_webhook", {}, Invalid, "url: missing"),
    ("subscribe_webhook", {"url": "http://127.0.0.1:9/", "webhook_id": "w-1"}, Rejected, "its id is taken for good"),
    ("resume_webhook", {"webhook_id": "w-1"}, Rejected, "w-1 is active, and cannot be resumed"),
    ("replay_webhook", {"webhook_id": "w-1", "after": 99}, Invalid, "after: expected a number"),
    ("pause_webhook", {"webhook_id": "w-2"}, NotFound, "no webhook w-2"),
    ("test_webhook", {"webhook_id": "w-2"}, NotFound, "no webhook w-2"),
    ("deliveries", {"webhook_id": "w-2"}, NotFound, "no webhook w-2"),
]


def test_what_cannot_be_is_refused_and_changes_nothing(hall: Told, subtests: pytest.Subtests) -> None:
    hall.subscribe("http://127.0.0.1:9/")
    before = hall.ledgers["integration"].raw(HALL)
    for command, asked, fault, what in REFUSED:
        with subtests.test(what), pytest.raises(fault, match=what):
            hall.service.deliveries(HALL, **asked) if command == "deliveries" else hall.ask(command, **asked)

    assert hall.ledgers["integration"].raw(HALL) == before


def test_a_removed_webhook_is_gone_for_good(hall: Told) -> None:
    hall.subscribe("http://127.0.0.1:9/")
    hall.ask("remove_webhook", webhook_id="w-1")

    assert hall.courier(Wall()).step() is None
    assert hall.listed()["status"] == "removed"
    for command in ("remove_webhook", "pause_webhook", "resume_webhook", "rotate_webhook_secret"):
        with pytest.raises(Rejected, match="removed"):
            hall.ask(command, webhook_id="w-1")


def test_without_a_number_a_webhook_begins_with_what_happens_next(hall: Told) -> None:
    with receiver() as there:
        hall.ask("subscribe_webhook", webhook_id="w-1", url=there.url)
        hall.tell()
        hall.follow()
        delivered(hall, there)

    assert [call.number for call in there.calls] == [3, 4]


def test_an_address_that_cannot_be_found_is_refused() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    outside = Outside((), resolve)

    with pytest.raises(Invalid, match=r"url: expected a host that can be found, and receiver[.]example cannot"):
        outside.must_be_outside("https://receiver.example/")
