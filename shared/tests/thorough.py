"""How many examples tests try that try many: few enough for `make test`, or, in `make test-long`, all that are worth it."""

import os

LONG = bool(os.environ.get("XUNJIAN_TEST_LONG"))


def examples(few: int, *, many: int) -> int:
    """As many as the target that runs the tests has time for."""
    return many if LONG else few
