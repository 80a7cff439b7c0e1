"""Forms of answers that several services give: a kept file, an event in its envelope."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from shared.schema import Count, Id, Sha256


@dataclass(frozen=True, kw_only=True)
class KeptFile:
    """A file that was sent and is kept, under the SHA-256 of its bytes; `size` in bytes."""

    sha256: Sha256
    media_type: str
    size: Count


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """An event as it was recorded and hashed: CloudEvents 1.0, structured JSON.

    `data` is of the form that the catalogue of events gives for its `type`; `time` is when it happened, `recordedat` when
    it was appended. `hash` is over the envelope without itself. `simulated` is there only on data that is made up.
    """

    specversion: Literal["1.0"]
    id: Id
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: Literal["application/json"]
    data: dict[str, Any]
    facility: Id
    position: Count
    streamversion: Count
    recordedat: datetime
    actor: str
    correlationid: str
    causationid: str
    prevhash: str
    hash: str
    simulated: bool = False
