"""How long to wait before a call is made again, and when to give up; the chance in it is passed in."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SHORTEST_SECONDS = 5.0
LONGEST_SECONDS = 3600.0
MOST_ASKED_SECONDS = 6 * 3600.0
"""How long a receiver may ask us to stay away (Retry-After)."""
GIVE_UP_AFTER = timedelta(days=5)
"""How long a receiver may fail before nothing more is sent to it until somebody resumes it."""


def seconds_before(attempt: int, fraction: float, asked: float | None = None) -> float:
    """Seconds to wait after the attempt of this number (from 1) failed: 5 s, doubled each time, an hour at most.

    `fraction` (0 ≤ fraction < 1) takes up to half of that away, so that receivers that failed together are not called
    together. What the receiver `asked` for is respected, up to six hours.
    """
    whole = min(SHORTEST_SECONDS * 2.0 ** min(attempt - 1, 20), LONGEST_SECONDS)
    return max(whole * (1 - fraction / 2), min(asked or 0.0, MOST_ASKED_SECONDS))


def asked_seconds(retry_after: str | None, now: datetime) -> float | None:
    """What a Retry-After header asks for: a number of seconds, or a date (RFC 9110, 10.2.3); None where it says neither."""
    if retry_after is None:
        return None
    words = retry_after.strip()
    if words.isascii() and words.isdigit():
        return float(words[:9])
    try:
        until = parsedate_to_datetime(words)
    except ValueError:
        return None
    return max(0.0, ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds())
