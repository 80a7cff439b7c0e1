"""Keys and signatures of both algorithms: read back, and understood by OpenSSL in both directions."""

import subprocess
from pathlib import Path
from typing import get_args

import pytest

from shared.errors import Invalid
from shared.signing import Algorithm, key_id, new_key, private_pem, public_pem, read_private, read_public, sm2_key

each_algorithm = pytest.mark.parametrize("algorithm", get_args(Algorithm))
SAID = "封印".encode()
BY_OPENSSL = {
    "Ed25519": ["-rawin"],
    "SM2": ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"],
}


def openssl(*arguments: str | Path) -> str:
    """What OpenSSL's command prints."""
    finished = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    return finished.stdout + finished.stderr


@each_algorithm
def test_a_signature_holds_for_its_key_and_content_alone(algorithm: Algorithm) -> None:
    key, other = new_key(algorithm), new_key(algorithm)

    signature = key.sign(SAID)

    public = read_public(public_pem(key.public))
    assert public.verifies(signature, SAID)
    assert not public.verifies(signature, SAID + b"!")
    assert not public.verifies(bytes([signature[0], signature[1] ^ 1, *signature[2:]]), SAID)
    assert not public.verifies(b"", SAID)
    assert not other.public.verifies(signature, SAID)


@each_algorithm
def test_keys_are_read_back_from_their_files(algorithm: Algorithm) -> None:
    key = new_key(algorithm)

    again = read_private(private_pem(key))

    assert again.public.verifies(again.sign(SAID), SAID)
    assert key_id(again.public) == key_id(read_public(public_pem(key.public)))
    assert again.public.algorithm == algorithm


def test_a_secret_that_begins_with_zeros_is_a_key_like_any_other() -> None:
    key = sm2_key(b"\x07")

    again = read_private(private_pem(key))

    assert private_pem(again) == private_pem(key)
    assert key.public.verifies(again.sign(SAID), SAID)


@each_algorithm
def test_openssl_reads_our_keys_and_verifies_our_signatures(algorithm: Algorithm, tmp_path: Path) -> None:
    key = new_key(algorithm)
    (tmp_path / "key").write_text(private_pem(key))
    (tmp_path / "public").write_text(public_pem(key.public))
    (tmp_path / "said").write_bytes(SAID)
    (tmp_path / "signature").write_bytes(key.sign(SAID))

    derived = openssl("pkey", "-in", tmp_path / "key", "-pubout")
    named: list[str | Path] = [
        "-pubin",
        "-inkey",
        tmp_path / "public",
        "-in",
        tmp_path / "said",
        "-sigfile",
        tmp_path / "signature",
    ]
    verified = openssl("pkeyutl", "-verify", *named, *BY_OPENSSL[algorithm])

    assert derived == public_pem(key.public)
    assert verified == "Signature Verified Successfully\n"


@each_algorithm
def test_we_read_keys_of_openssl_and_verify_its_signatures(algorithm: Algorithm, tmp_path: Path) -> None:
    openssl("genpkey", "-algorithm", algorithm, "-out", tmp_path / "key")
    (tmp_path / "said").write_bytes(SAID)
    named: list[str | Path] = ["-inkey", tmp_path / "key", "-in", tmp_path / "said", "-out", tmp_path / "signature"]
    openssl("pkeyutl", "-sign", *named, *BY_OPENSSL[algorithm])

    key = read_private((tmp_path / "key").read_text())

    assert key.public.verifies((tmp_path / "signature").read_bytes(), SAID)


def _without_its_last_byte(pem: str) -> str:
    first, *middle, last = pem.strip().splitlines()
    return "\n".join([first, *middle[:-1], middle[-1][:-4], last])


@pytest.mark.parametrize(
    "pem",
    ["", "no key", "-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----", private_pem(new_key()),
     _without_its_last_byte(public_pem(new_key().public)), _without_its_last_byte(public_pem(new_key("SM2").public))],
    ids=["nothing", "text", "no base64", "a private key", "a part of an Ed25519 key", "a part of an SM2 key"],
)  # fmt: skip
def test_what_is_no_public_key_is_refused(pem: str) -> None:
    with pytest.raises(Invalid, match="expected"):
        read_public(pem)


def test_keys_of_other_algorithms_are_refused(tmp_path: Path) -> None:
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", tmp_path / "key")

    with pytest.raises(Invalid, match="expected an Ed25519 or SM2 private key"):
        read_private((tmp_path / "key").read_text())
    with pytest.raises(Invalid, match="expected an Ed25519 or SM2 public key"):
        read_public(openssl("pkey", "-in", tmp_path / "key", "-pubout"))


def test_an_sm2_key_whose_halves_do_not_belong_together_is_refused() -> None:
    one, other = private_pem(new_key("SM2")).splitlines(), private_pem(new_key("SM2")).splitlines()

    with pytest.raises(Invalid, match="halves belong together"):
        read_private("\n".join([*one[:2], *other[2:]]))


def test_an_sm2_point_that_is_not_on_the_curve_is_refused() -> None:
    first, *middle, last = public_pem(new_key("SM2").public).splitlines()
    other = "A" if middle[-1][0] != "A" else "B"

    with pytest.raises(Invalid, match="not on the curve"):
        read_public("\n".join([first, *middle[:-1], other + middle[-1][1:], last]))
