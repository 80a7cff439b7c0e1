"""A browser signs in at the district's OpenID provider and comes back: the whole code flow, through the gateway."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime

import pytest
import requests

from tests.processes import ROOT, Platform, embedded

PROVIDER = ROOT / "services" / "access" / "tests" / "provider_process.py"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of a provider in a process of its own."""
    with subprocess.Popen([sys.executable, str(PROVIDER)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        requests.put(f"{address}/users/zhang", json={"preferred_username": "zhang", "name": "张三"}, timeout=60)
        yield address
        process.kill()


@pytest.fixture(scope="module")
def platform(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A real installation at which people sign in there."""
    told = {"oidc_issuer": provider, "oidc_client_id": "xunjian", "oidc_client_secret": "secret"}
    with embedded(tmp_path_factory.mktemp("openid"), simulated=False, **told) as platform:
        yield platform


def begun(platform: Platform, browser: requests.Session, return_to: str = "/v1/session") -> str:
    """Where a browser is sent that wants to sign in."""
    address = f"http://127.0.0.1:{platform.port}/v1/session/oidc"
    answer = browser.get(address, params={"return_to": return_to}, allow_redirects=False, timeout=60)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def test_a_browser_comes_back_signed_in(platform: Platform) -> None:
    browser = requests.Session()

    landed = browser.post(begun(platform, browser), data={"sub": "zhang"}, timeout=60)

    assert landed.url == f"http://127.0.0.1:{platform.port}/v1/session"
    assert (landed.status_code, landed.json()["actor"], landed.json()["roles"]) == (200, "user:zhang", {})
    cookie = next(one for one in browser.cookies if one.name == "xunjian_session")
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.expires == int(datetime.fromisoformat(landed.json()["expires_at"]).timestamp())
    assert not any(one.name == "xunjian_oidc" for one in browser.cookies)


def test_a_browser_that_did_not_begin_does_not_come_in(platform: Platform) -> None:
    victim, attacker = requests.Session(), requests.Session()
    lured = attacker.post(begun(platform, attacker), data={"sub": "zhang"}, allow_redirects=False, timeout=60)

    answer = victim.get(lured.headers["Location"], timeout=60)

    assert answer.status_code == 401
    assert "did not begin this sign-in" in answer.json()["detail"]
    assert "xunjian_session" not in victim.cookies


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_elsewhere_afterwards(elsewhere: str, platform: Platform) -> None:
    address = f"http://127.0.0.1:{platform.port}/v1/session/oidc"

    answer = requests.get(address, params={"return_to": elsewhere}, allow_redirects=False, timeout=60)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "return_to"


def test_what_the_provider_refuses_is_said(platform: Platform) -> None:
    address = f"http://127.0.0.1:{platform.port}/v1/session/oidc/callback"

    answer = requests.get(address, params={"error": "access_denied", "error_description": "no"}, timeout=60)

    assert (answer.status_code, answer.json()["detail"]) == (401, "the provider refused: access_denied no")


def test_without_a_way_back_the_session_is_shown(platform: Platform) -> None:
    browser = requests.Session()
    address = f"http://127.0.0.1:{platform.port}/v1/session/oidc"

    landed = browser.post(
        browser.get(address, allow_redirects=False, timeout=60).headers["Location"], data={"sub": "zhang"}, timeout=60
    )

    assert landed.json()["name"] == "张三"
