"""Our ledger under eventlet, which is how the services run: what `threading` starts is a greenlet here."""

import eventlet

eventlet.monkey_patch()

from benchmarks.ours import append  # noqa: E402  patched before anything else is imported

__all__ = ["append"]
