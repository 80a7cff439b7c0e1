"""What goes wrong in a made-up year, and who is in it; drawn from a seed alone, so two runs tell the same story.

Every text that a simulation writes begins with 模拟 (simulated), and every account is named sim-….
"""

from collections.abc import Iterable, Mapping
from random import Random
from typing import Literal

from shared.rights import Role

Visit = tuple[str, int]
"""A system and the month of its inspection."""

Lapse = Literal["missed", "excused", "late", "backfilled", "forgotten", "returned"]
"""What became of a visit; `late` was written down after the limit, `backfilled` before it."""

LAPSES: tuple[Lapse, ...] = ("missed", "excused", "late", "backfilled", "forgotten", "forgotten", "returned")
LAST_MONTH = 11
"""No lapse falls into December, so that what follows from it still falls into the year."""

INSPECTORS = ("user:sim-li", "user:sim-wang", "user:sim-zhang")
CONTRACTORS = ("user:sim-ma", "user:sim-hu")
DISPATCHER = "user:sim-zhou"
SUPERVISOR = "user:sim-zhao"
MANAGER = "user:sim-qian"
FINANCE = "user:sim-sun"
RECEPTION = "user:sim-xu"
RATINGS = "system:sim-ratings"
ROLES: Mapping[str, Role] = {
    **dict.fromkeys((*INSPECTORS, *CONTRACTORS, RECEPTION), "inspector"),
    **dict.fromkeys((DISPATCHER, SUPERVISOR), "supervisor"),
    MANAGER: "manager",
    FINANCE: "finance",
    RATINGS: "integrator",
}
"""As what each of them acts."""

FAULT_RATE = 0.0015
"""Of one point at one inspection; about 18 faults a year in a thousand points."""
NOT_APPLICABLE_RATE = 0.0003
FAULTS = ("松动", "渗漏", "指示灯不亮", "锈蚀", "异响", "外壳破损", "标识脱落")


def told(text: str) -> str:
    """A text marked as made up."""
    return f"模拟：{text}"


def lapses(systems: Iterable[str], random: Random) -> Mapping[Visit, Lapse]:
    """Which visits go wrong, and how: each lapse once or twice, on different systems as far as there are enough."""
    deck = [(system, month) for system in sorted(systems) for month in range(1, LAST_MONTH + 1)]
    random.shuffle(deck)
    drawn: dict[Visit, Lapse] = {}
    for lapse in LAPSES[: len(deck)]:
        used = {system for system, _ in drawn}
        visit = next((visit for visit in deck if visit[0] not in used), deck[0])
        deck.remove(visit)
        drawn[visit] = lapse
    return drawn


def ratings(random: Random) -> dict[str, int]:
    """A month's ratings of visitors (好差评): some thousands, about 92 in 100 good."""
    rated = random.randint(5200, 7600)
    very, basic, bad, worst = (round(rated * random.gauss(share, share / 12)) for share in (0.61, 0.08, 0.052, 0.026))
    return {
        "very_satisfied": very,
        "satisfied": rated - very - basic - bad - worst,
        "basically_satisfied": basic,
        "dissatisfied": bad,
        "very_dissatisfied": worst,
        "defaulted": round(basic * random.uniform(0.4, 0.7)),
        "overturned": round((bad + worst) * random.uniform(0.02, 0.08)),
    }


def yuan(random: Random, low: int, high: int) -> str:
    """An amount between two numbers of whole CNY, to the fen."""
    fen = random.randint(low * 100, high * 100)
    return f"{fen // 100}.{fen % 100:02}"
