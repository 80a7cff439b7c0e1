"""Machines show signed tokens of issuers that are trusted; whatever is wrong with one is said, and lets nobody in."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from services.access.doors import Doors
from services.access.tests.given import Hall
from services.access.tests.issuer import OTHERS, Issuer, base64_of, by_the_public_key, issuer, signed, unsigned
from shared.contracts.access import SignInRefused
from shared.errors import Invalid, Unauthenticated, Unavailable


@pytest.fixture
def machines() -> Iterator[Issuer]:
    """An issuer of tokens for machines."""
    with issuer() as found:
        yield found


@pytest.fixture
def robot(access: Hall, machines: Issuer) -> Hall:
    """An installation that trusts it, and knows one of its machines."""
    access.open(JWT_ISSUERS={machines.address: {"audience": "xunjian"}})
    access.ask("create_account", username="robot", display_name="机器人", kind="machine")
    access.ask("link_identity", username="robot", issuer=machines.address, subject="robot-17")
    access.ask("grant_role", username="robot", facility_id="hall", role="integrator")
    return access


def now_of(access: Hall) -> float:
    return access.wall.now().timestamp()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_machine_is_let_in_by_a_token_of_its_issuer_until_that_expires(
    robot: Hall, machines: Issuer, algorithm: str
) -> None:
    token = signed(machines.claims(now_of(robot)), algorithm)

    assert robot.identify(token) == {
        "actor": "system:robot",
        "kind": "machine",
        "name": "机器人",
        "roles": {"hall": ["integrator"]},
        "session": False,
        "expires_at": "2026-03-02T08:05:00Z",
    }


def _changed(token: str) -> str:
    """Another subject under the signature of this one."""
    header, claims, signature = token.split(".")
    other = base64_of({**json.loads(urlsafe_b64decode(claims + "==")), "sub": "root"})
    return f"{header}.{other}.{signature}"


def _critical(claims: dict[str, Any]) -> str:
    """A token that may only be taken by whoever understands a header that nobody does."""
    _, told, signature = signed(claims).split(".")
    return f"{base64_of({'alg': 'RS256', 'kid': 'rsa-1', 'crit': ['x'], 'x': 1})}.{told}.{signature}"


BAD: dict[str, tuple[Callable[[dict[str, Any]], str], str, str]] = {
    "expired": (lambda claims: signed({**claims, "exp": claims["iat"] - 61}), "expired", "has expired"),
    "not yet valid": (lambda claims: signed({**claims, "nbf": claims["iat"] + 61}), "not_yet_valid", "not valid yet"),
    "issued tomorrow": (lambda claims: signed({**claims, "iat": claims["iat"] + 86400}), "not_yet_valid", "not valid"),
    "another audience": (lambda claims: signed({**claims, "aud": "them"}), "wrong_audience", "not meant for xunjian"),
    "no audience": (lambda claims: signed({**claims, "aud": None}), "wrong_audience", "not meant for xunjian"),
    "audiences": (lambda claims: signed({**claims, "aud": ["a", "b"]}), "wrong_audience", "not meant for xunjian"),
    "another issuer": (lambda claims: signed({**claims, "iss": "https://x.org"}), "wrong_issuer", "not trusted here"),
    "no issuer": (lambda claims: signed({**claims, "iss": 7}), "wrong_issuer", "not trusted here"),
    "no end": (lambda claims: signed({**claims, "exp": None}), "malformed", "when it expires"),
    "an end in words": (lambda claims: signed({**claims, "exp": "soon"}), "malformed", "exp is no number"),
    "of nobody": (lambda claims: signed({**claims, "sub": ""}), "malformed", "whose it is"),
    "unsigned": (unsigned, "wrong_algorithm", "signed by none, expected one of RS256, ES256, EdDSA"),
    "signed by the public key": (by_the_public_key, "wrong_algorithm", "signed by HS256"),
    "signed by a secret": (
        lambda claims: signed(claims, "HS256", OctKey.generate_key(256, {"kid": "rsa-1"})),
        "wrong_algorithm",
        "signed by HS256",
    ),
    "signed by somebody else": (lambda claims: signed(claims, key=OTHERS), "bad_signature", "not its issuer's"),
    "the wrong kind of key": (lambda claims: signed(claims, kid="ec-1"), "bad_signature", "not its issuer's"),
    "an unknown key": (lambda claims: signed(claims, kid="rsa-9"), "unknown_key", "does not publish"),
    "no key named": (lambda claims: signed(claims, kid=""), "unknown_key", "does not publish"),
    "changed": (lambda claims: _changed(signed(claims)), "bad_signature", "not its issuer's"),
    "critical": (_critical, "wrong_algorithm", "expected one of"),
    "no JWT": (lambda _: "xx.yy.zz", "malformed", "is no JWT"),
    "of nobody known": (lambda claims: signed({**claims, "sub": "other-18"}), "not_linked", "subject other-18"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_token_with_a_fault_is_refused_and_the_fault_is_said_and_recorded(
    robot: Hall, machines: Issuer, name: str
) -> None:
    make, why, said = BAD[name]
    token = make(machines.claims(now_of(robot)))

    with pytest.raises(Unauthenticated, match=said):
        robot.identify(token)

    (refused,) = robot.events(SignInRefused)
    assert (refused.shown, refused.why) == ("bearer", why)


@pytest.mark.parametrize(("name", "seconds"), [("exp", -59), ("nbf", 60), ("iat", 60)])
def test_clocks_may_differ_by_a_minute(robot: Hall, machines: Issuer, name: str, seconds: int) -> None:
    token = signed(machines.claims(now_of(robot), **{name: int(now_of(robot)) + seconds}))

    assert robot.identify(token)["actor"] == "system:robot"


def test_keys_are_asked_for_once_and_again_when_a_token_names_another(robot: Hall, machines: Issuer) -> None:
    claims = machines.claims(now_of(robot))
    for _ in range(3):
        robot.identify(signed(claims))
    assert machines.asked["/jwks"] == 1

    rolled = RSAKey.generate_key(2048, {"kid": "rsa-2"})
    machines.published = [rolled.as_dict(private=False)]
    robot.wall.wait(seconds=10)

    assert robot.identify(signed(claims, key=rolled))["actor"] == "system:robot"
    assert machines.asked["/jwks"] == 2
    for number in range(5):
        with pytest.raises(Unauthenticated, match="does not publish"):
            robot.identify(signed(claims, kid=f"rsa-{number + 3}"))
    assert machines.asked["/jwks"] == 2, "whatever tokens name, an issuer is not asked all the time"


def test_an_issuer_that_is_away_keeps_out_only_whose_keys_are_unknown(robot: Hall, machines: Issuer) -> None:
    machines.is_away = True
    with pytest.raises(Unavailable, match="did not answer"):
        robot.identify(signed(machines.claims(now_of(robot))))
    machines.is_away = False
    with pytest.raises(Unavailable, match="just now"):
        robot.identify(signed(machines.claims(now_of(robot))))

    robot.wall.wait(seconds=10)
    robot.identify(signed(machines.claims(now_of(robot))))
    machines.is_away = True
    robot.wall.wait(hours=2)

    assert robot.identify(signed(machines.claims(now_of(robot))))["actor"] == "system:robot"


def test_keys_may_be_elsewhere_and_audiences_several(access: Hall, machines: Issuer) -> None:
    told = {"audience": ["a", "b"], "jwks_uri": f"{machines.address}/jwks"}
    access.open(JWT_ISSUERS={"https://machines.example.org": told})
    access.ask("create_account", username="robot", display_name="robot", kind="machine")
    access.ask("link_identity", username="robot", issuer="https://machines.example.org", subject="robot-17")

    token = signed(machines.claims(now_of(access), iss="https://machines.example.org", aud=["z", "b"]))

    assert access.identify(token)["actor"] == "system:robot"
    assert set(machines.asked) == {"/jwks"}


def test_the_provider_of_people_vouches_for_machines_too_but_people_show_no_tokens(
    access: Hall, machines: Issuer
) -> None:
    access.open(OIDC_ISSUER=machines.address, OIDC_CLIENT_ID="xunjian", PUBLIC_URL="https://hall.example.org/")
    access.first()
    access.ask("create_account", username="robot", display_name="robot", kind="machine")
    access.ask("link_identity", username="robot", issuer=machines.address, subject="robot-17")
    access.ask("link_identity", username="chen", issuer=machines.address, subject="chen-1")

    for audience in ("xunjian", "https://hall.example.org"):
        token = signed(machines.claims(now_of(access), aud=audience))
        assert access.identify(token)["actor"] == "system:robot"
    with pytest.raises(Unauthenticated, match="for machines"):
        access.identify(signed(machines.claims(now_of(access), sub="chen-1")))


def test_a_disabled_machine_is_out_at_once(robot: Hall, machines: Issuer) -> None:
    token = signed(machines.claims(now_of(robot)))
    robot.identify(token)

    robot.ask("disable_account", username="robot", reason="停用")

    with pytest.raises(Unauthenticated, match="the account is disabled"):
        robot.identify(token)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"JWT_ISSUERS": {"https://x.org": {}}}, r"JWT_ISSUERS\.https://x\.org"),
        ({"JWT_ISSUERS": {"https://x.org": "xunjian"}}, r"JWT_ISSUERS\.https://x\.org"),
        ({"JWT_ISSUERS": ["https://x.org"]}, "JWT_ISSUERS"),
        ({"OIDC_ISSUER": "https://x.org"}, "OIDC_CLIENT_ID"),
    ],
)
def test_access_does_not_begin_with_settings_that_say_half(config: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid, match=f"{field}: expected"):
        Doors(config)
