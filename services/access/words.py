"""Words from outside, as they can be recorded anywhere: one line, and not too long."""

LONGEST = 200
"""In characters."""


def line(words: str) -> str:
    """What of some words can be printed."""
    return "".join(letter for letter in words if letter.isprintable())[:LONGEST]
