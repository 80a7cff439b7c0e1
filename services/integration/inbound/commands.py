"""What callers may ask of integration about what other systems tell."""

from dataclasses import dataclass

from shared.schema import Id, Sha256, Text


@dataclass(frozen=True, kw_only=True)
class MapSource:
    """Say what another system's messages mean; `mapping` is a whole YAML file, see docs/integration-inbound.md."""

    source_id: Id
    mapping: Text


@dataclass(frozen=True, kw_only=True)
class RetryMessage:
    """Try a message again that was refused; by the mapping that its source has now."""

    message: Sha256


@dataclass(frozen=True, kw_only=True)
class ReceiveFile:
    """Take the rows of a sheet as messages of a source; `file` is base64, in CSV or xlsx as `media_type` says."""

    source_id: Id
    file: str
    media_type: Text
