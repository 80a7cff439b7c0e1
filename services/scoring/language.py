"""In which language the terminal is written to: Chinese, or English by `XUNJIAN_LANG=en`."""

import os
from typing import Literal

Language = Literal["zh", "en"]


def language() -> Language:
    """The language that the environment asks for."""
    return "en" if os.environ.get("XUNJIAN_LANG", "").startswith("en") else "zh"
