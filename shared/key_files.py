"""Keys to sign with: each a PEM file that only its owner can read, its public half beside it."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

import structlog

from shared.errors import Invalid, Unavailable
from shared.signing import Algorithm, PrivateKey, key_id, new_key, private_pem, public_pem, read_private

log = structlog.get_logger()


def public_half(file: Path) -> Path:
    """Where the public half of a key file lies."""
    return file.with_suffix(f".pub{file.suffix}")


def make_key(file: Path, algorithm: Algorithm = "Ed25519") -> PrivateKey:
    """Make a new key and both its files; raises FileExistsError where one is there, which is never overwritten.

    The private half appears whole or not at all, also to a replica that looks for it at the same moment.
    """
    key = new_key(algorithm)
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=file.parent, prefix=f".{file.name}.") as private:  # readable by its owner alone
        private.write(private_pem(key))
        private.flush()
        os.fsync(private.fileno())
        file.hardlink_to(private.name)
    public_half(file).write_text(public_pem(key.public))
    return key


def key_of(file: Path, algorithm: Algorithm = "Ed25519") -> PrivateKey:
    """The key in a file, made where there is none; raises Unavailable with the reason."""
    try:
        if not file.exists():
            try:
                key = make_key(file, algorithm)
            except FileExistsError:  # another replica was faster
                return key_of(file, algorithm)
            log.info("signing key made", file=str(file), key_id=key_id(key.public))
            return key
        return read_private(file.read_text())
    except (OSError, UnicodeDecodeError, Invalid) as fault:
        raise Unavailable(f"the key {file} cannot be used: {fault}") from fault
