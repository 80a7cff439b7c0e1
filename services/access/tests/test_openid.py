"""People sign in at a real OpenID provider, by the whole code flow."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from eventlet.greenpool import GreenPool

from services.access.tests.given import HERE, Hall
from services.access.tests.issuer import issuer, signed
from shared.contracts.access import AccountCreated, IdentityLinked, SignedIn, SignInRefused
from shared.errors import Invalid, Rejected, Unauthenticated, Unavailable

ADDRESS = "https://hall.example.org"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of a provider in a process of its own."""
    program = Path(__file__).parent / "provider_process.py"
    command = [sys.executable, str(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        address = f"http://127.0.0.1:{port}"
        requests.get(f"{address}/jwks", timeout=60).raise_for_status()  # its first answer takes longest
        yield address
        process.kill()


@pytest.fixture
def office(access: Hall, provider: str) -> Hall:
    """An installation at which people sign in there."""
    access.wall.set(datetime.now(UTC))  # the provider's clock is the machine's, and so must ours be
    access.open(OIDC_ISSUER=provider, OIDC_CLIENT_ID="xunjian", OIDC_CLIENT_SECRET="s", PUBLIC_URL=ADDRESS)
    return access


def known_there(provider: str, subject: str, **claims: str) -> None:
    """Let the provider know somebody."""
    requests.put(f"{provider}/users/{subject}", json=claims, timeout=5).raise_for_status()


def sent_back(office: Hall, subject: str, return_to: str = "/") -> tuple[str, str]:
    """Code and state with which a browser comes back that was sent to the provider."""
    begun = office.service.oidc_begin(return_to)
    answer = requests.post(begun["redirect_to"], data={"sub": subject}, allow_redirects=False, timeout=5)
    back = urlsplit(answer.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"{ADDRESS}/v1/session/oidc/callback"
    told = parse_qs(back.query)
    assert told["state"] == [begun["state"]]
    return told["code"][0], begun["state"]


def test_whom_the_provider_knows_gets_an_account_without_a_role_at_the_first_sign_in(
    office: Hall, provider: str
) -> None:
    known_there(provider, "s-1", name="王五", preferred_username="Wang.Wu")

    let_in = office.service.oidc_finish(*sent_back(office, "s-1", "/v1/docs"), HERE)

    assert (let_in["actor"], let_in["return_to"]) == ("user:wang.wu", "/v1/docs")
    principal = office.identify(let_in["token"])
    assert (principal["kind"], principal["name"], principal["roles"]) == ("account", "王五", {})
    created, linked, signed_in = office.events(AccountCreated, IdentityLinked, SignedIn)
    assert (created.origin, linked.issuer, linked.subject, signed_in.way) == ("oidc", provider, "s-1", "oidc")

    again = office.service.oidc_finish(*sent_back(office, "s-1"), HERE)
    assert again["actor"] == "user:wang.wu"
    assert len(office.events(AccountCreated)) == 1


def test_an_account_of_the_same_name_is_not_taken_over(office: Hall, provider: str) -> None:
    office.first("chen")
    known_there(provider, "s-2", preferred_username="chen")

    let_in = office.service.oidc_finish(*sent_back(office, "s-2"), HERE)

    assert let_in["actor"] == "user:chen-2"
    assert office.identify(let_in["token"])["roles"] == {}


def test_an_account_that_an_admin_linked_is_the_one_that_is_signed_in_to(office: Hall, provider: str) -> None:
    office.first("chen")
    office.ask("link_identity", username="chen", issuer=provider, subject="s-3")

    let_in = office.service.oidc_finish(*sent_back(office, "s-3"), HERE)

    assert office.identify(let_in["token"])["roles"] == {"*": ["admin"]}


def test_several_who_come_for_the_first_time_at_once_get_an_account_each(office: Hall, provider: str) -> None:
    for number in range(3):
        known_there(provider, f"s-4-{number}", preferred_username="zhao")
    back = [sent_back(office, f"s-4-{number}") for number in range(3)]

    actors = list(GreenPool(3).imap(lambda told: office.service.oidc_finish(*told, HERE)["actor"], back))

    assert sorted(actors) == ["user:zhao", "user:zhao-2", "user:zhao-3"]


def test_a_state_is_good_once_for_ten_minutes_and_for_whoever_began(office: Hall, provider: str) -> None:
    code, state = sent_back(office, "s-5")
    office.service.oidc_finish(code, state, HERE)

    with pytest.raises(Unauthenticated, match="begin anew"):
        office.service.oidc_finish(code, state, HERE)
    with pytest.raises(Unauthenticated, match="begin anew"):
        office.service.oidc_finish(sent_back(office, "s-5")[0], "xo_of-nobody", HERE)
    late = sent_back(office, "s-5")
    office.wall.wait(minutes=10)
    with pytest.raises(Unauthenticated, match="begin anew"):
        office.service.oidc_finish(*late, HERE)

    assert [one.why for one in office.events(SignInRefused)] == 3 * ["wrong_state"]


def test_a_code_of_another_sign_in_is_refused_by_the_provider(office: Hall, provider: str) -> None:
    mine, theirs = sent_back(office, "s-6"), sent_back(office, "s-7")

    with pytest.raises(Unauthenticated, match="the provider refused: invalid_grant"):
        office.service.oidc_finish(theirs[0], mine[1], HERE)


def test_a_disabled_account_is_refused_whatever_the_provider_says(office: Hall, provider: str) -> None:
    known_there(provider, "s-8", preferred_username="qian")
    office.service.oidc_finish(*sent_back(office, "s-8"), HERE)
    office.ask("disable_account", username="qian", reason="调离")

    with pytest.raises(Unauthenticated, match="the account is disabled"):
        office.service.oidc_finish(*sent_back(office, "s-8"), HERE)


@pytest.mark.parametrize("elsewhere", ["https://x.org", "//x.org", "/\\x.org", "v1", "/a\r\nb", "/" + 500 * "a"])
def test_nobody_is_sent_elsewhere_afterwards(office: Hall, elsewhere: str) -> None:
    with pytest.raises(Invalid, match="return_to: expected a path of this address"):
        office.service.oidc_begin(elsewhere)


def test_where_no_provider_is_configured_or_none_answers_it_is_said(access: Hall) -> None:
    with pytest.raises(Rejected, match="OIDC_ISSUER"):
        access.service.oidc_begin("/")

    with issuer() as found:
        found.is_away = True
        access.open(OIDC_ISSUER=found.address, OIDC_CLIENT_ID="xunjian")
        with pytest.raises(Unavailable, match="did not answer"):
            access.service.oidc_begin("/")


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "of another sign-in": ({"nonce": "another"}, "of another sign-in"),
    "without a nonce": ({"nonce": None}, "of another sign-in"),
    "for another client": ({"aud": "them"}, "not meant for xunjian"),
    "made for another client": ({"aud": ["xunjian", "them"], "azp": "them"}, "made for another client"),
    "of another issuer": ({"iss": "https://x.org"}, "not of http"),
    "of yesterday": ({"exp": 1_000_000_000}, "has expired"),
    "of nobody": ({"sub": None}, "whose it is"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_provider_is_not_believed_without_looking(access: Hall, lie: str) -> None:
    changed, said = LIES[lie]
    with issuer() as found:
        access.open(OIDC_ISSUER=found.address, OIDC_CLIENT_ID="xunjian")
        begun = access.service.oidc_begin("/")
        nonce = parse_qs(urlsplit(begun["redirect_to"]).query)["nonce"][0]
        claims = found.claims(access.wall.now().timestamp(), **{"nonce": nonce, **changed})
        found.gives = {"access_token": "x", "token_type": "Bearer", "id_token": signed(claims)}

        with pytest.raises(Unauthenticated, match=said):
            access.service.oidc_finish("code", begun["state"], HERE)

    (refused,) = access.events(SignInRefused)
    assert refused.shown == "oidc"


def test_a_provider_that_is_believed_says_so_in_every_respect(access: Hall) -> None:
    with issuer() as found:
        access.open(OIDC_ISSUER=found.address, OIDC_CLIENT_ID="xunjian")
        begun = access.service.oidc_begin("/")
        nonce = parse_qs(urlsplit(begun["redirect_to"]).query)["nonce"][0]
        claims = found.claims(access.wall.now().timestamp(), nonce=nonce, preferred_username="sun@hall")
        found.gives = {"access_token": "x", "token_type": "Bearer", "id_token": signed(claims, "ES256")}

        assert access.service.oidc_finish("code", begun["state"], HERE)["actor"] == "user:sun"


@pytest.mark.parametrize("gives", [{}, {"access_token": "x", "token_type": "Bearer"}, {"id_token": 7}])
def test_a_provider_that_gives_no_token_lets_nobody_in(access: Hall, gives: dict[str, Any]) -> None:
    with issuer() as found:
        access.open(OIDC_ISSUER=found.address, OIDC_CLIENT_ID="xunjian")
        begun = access.service.oidc_begin("/")
        found.gives = gives

        with pytest.raises(Unauthenticated, match="the provider"):
            access.service.oidc_finish("code", begun["state"], HERE)


def test_whoever_says_to_be_another_issuer_is_not_asked(access: Hall) -> None:
    with issuer() as found:
        access.open(OIDC_ISSUER=f"{found.address}/", OIDC_CLIENT_ID="xunjian")

        with pytest.raises(Unavailable, match="of another issuer"):
            access.service.oidc_begin("/")
