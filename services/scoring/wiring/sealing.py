"""Gives the service the key that it seals with."""

from pathlib import Path
from typing import Any

from nameko.extensions import DependencyProvider

from shared.config import setting
from shared.key_files import key_of
from shared.signing import PrivateKey


class SealingKey(DependencyProvider):
    """Injects the key that SEAL_KEY names, read at each use: None where none is named."""

    def setup(self) -> None:
        """Know the file."""
        name = setting(self.container.config, "SEAL_KEY")
        self._file = Path(name) if name else None

    def get_dependency(self, worker_ctx: Any) -> "SealingKey":
        """Itself; the key is asked for only where something is sealed."""
        return self

    def key(self) -> PrivateKey | None:
        """The key; raises Unavailable where it cannot be read."""
        return None if self._file is None else key_of(self._file)
