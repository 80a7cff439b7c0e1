"""nameko's engine: sockets, locks and sleeps are eventlet's before any test module is imported."""

import eventlet

eventlet.monkey_patch()
