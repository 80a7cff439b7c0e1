"""Secrets that an answer tells once. They are attached beside the command, whose answer is remembered without them.

Whoever repeats a request under the same idempotency key gets the answer again, and null for the secret: it stands
nowhere any more. Were we stopped between the command and the secret, nobody was told any, and the repetition tells it.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

Attach = Callable[[Any, Mapping[str, Any]], dict[str, Any]]
"""(service, the remembered answer) → what is told beside it, or instead."""


def telling(attach: Attach) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Attach to the answer of a `@command` what must not be remembered; stands above it."""

    def decorate(carry_out: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(carry_out)
        def tell(self: Any, facility: str, data: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
            return attach(self, carry_out(self, facility, data, context))

        return tell

    return decorate
