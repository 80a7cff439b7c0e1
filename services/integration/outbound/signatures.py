"""How a receiver knows that a call is ours: Standard Webhooks (HMAC-SHA256), or a request signature with SM2 and SM3.

Standard Webhooks signs `id.timestamp.body`; while a secret is being replaced there is a signature with either. The SM2
scheme follows what platforms of the administration ask of each other: parameters sorted by name, joined like a query,
signed (docs/integration-outbound.md).
"""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from gmalg import SM3
from standardwebhooks import Webhook as Signer

from shared.signing import PrivateKey, key_id

SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105  what every secret of this kind begins with


def new_secret() -> str:
    """A secret of the system's random numbers, as Standard Webhooks writes it."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def standard_headers(message_id: str, at: datetime, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """The headers of Standard Webhooks, with a signature for each secret, the newest first."""
    # The library drops the zone of what it is given and takes the rest as UTC.
    signed = [Signer(key).sign(message_id, at.astimezone(UTC), body.decode()) for key in keys]
    return {**_named(message_id, at), "webhook-signature": " ".join(signed)}


def sm2_headers(
    message_id: str, at: datetime, body: bytes, *, app_id: str, nonce: str, key: PrivateKey
) -> dict[str, str]:
    """The headers of a call signed with SM2; `app_id` is the webhook's id, which the receiver may have chosen."""
    parameters = {
        "appid": app_id,
        "body-sm3": sm3(body),
        "id": message_id,
        "nonce": nonce,
        "timestamp": str(int(at.timestamp())),
    }
    return {
        **_named(message_id, at),
        "x-sm2-appid": app_id,
        "x-sm2-nonce": nonce,
        "x-sm2-body-sm3": parameters["body-sm3"],
        "x-sm2-key-id": key_id(key.public),
        "x-sm2-signature": base64.b64encode(key.sign(string_to_sign(parameters))).decode(),
    }


def string_to_sign(parameters: Mapping[str, str]) -> bytes:
    """Parameters by name, as `name=value` joined by `&`; no value has anything that would have to be escaped."""
    return "&".join(f"{name}={parameters[name]}" for name in sorted(parameters)).encode()


def sm3(content: bytes) -> str:
    """SM3 (GM/T 0004) in hexadecimal."""
    hashing = SM3()
    hashing.update(content)
    return str(hashing.value().hex())


def _named(message_id: str, at: datetime) -> dict[str, str]:
    return {"webhook-id": message_id, "webhook-timestamp": str(int(at.timestamp()))}
