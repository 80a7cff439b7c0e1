"""A seal as a QR code, to be kept on paper: it holds the whole seal, so any reader of codes gives the file back."""

from io import BytesIO
from typing import Literal

import segno

from services.scoring.publishing.seal import Seal

SCALE = 4
"""Pixels, or millimetres' quarters in print, for each module; a seal has about 130 modules a side."""


def seal_code(seal: Seal, kind: Literal["png", "svg"]) -> bytes:
    """The code (ISO/IEC 18004, error correction L) with its quiet zone, as a picture."""
    code = segno.make_qr(seal.as_bytes().decode(), error="l", boost_error=False)
    picture = BytesIO()
    code.save(picture, kind=kind, scale=SCALE)
    return picture.getvalue()
