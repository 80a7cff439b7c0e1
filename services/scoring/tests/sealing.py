"""A key to seal with in tests, as the service is given it."""

from dataclasses import dataclass

from shared.signing import PrivateKey, new_key

KEY = new_key()
"""What everything in a run of the tests is sealed with."""


@dataclass(frozen=True)
class Sealing:
    """What scoring is given to seal with; None: nothing."""

    private: PrivateKey | None

    def key(self) -> PrivateKey | None:
        """The key."""
        return self.private
