"""What access needs beside its ledger: the settings, the clock on the wall, and those who vouch for somebody elsewhere."""

from collections.abc import Mapping
from typing import Any

from argon2 import PasswordHasher
from nameko.extensions import DependencyProvider

from services.access.bearer import Bearers
from services.access.openid import OpenIdProvider
from services.access.passwords import Passwords
from services.access.settings import settings_of
from shared.clock import Clock, SystemClock


class Doors:
    """The ways in that a configuration opens; `clock` is real also where the ledger's is simulated."""

    def __init__(
        self, config: Mapping[str, Any], clock: Clock | None = None, hasher: PasswordHasher | None = None
    ) -> None:
        self.settings = settings_of(config)
        self.clock = clock or SystemClock()
        self.passwords = Passwords(hasher)
        self.bearers = Bearers(self.settings.jwt_issuers, self.clock)
        oidc = self.settings.oidc
        self.provider = None if oidc is None else OpenIdProvider(oidc, self.settings.public_url, self.clock)


class DoorsProvider(DependencyProvider):
    """Injects the doors of this process."""

    def setup(self) -> None:
        """Read the configuration; raises Invalid where access cannot begin with it."""
        self.doors = Doors(self.container.config)

    def get_dependency(self, worker_ctx: Any) -> Doors:
        """The doors."""
        return self.doors
