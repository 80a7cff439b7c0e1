"""Published = replayed, always: whatever was recorded, heard and asked in whatever order, before and after."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.audit.check import check_bundle
from services.audit.replay import Replay, Replayed
from services.audit.seals import Seals
from services.audit.tests.installation import HALL, Installation, installation
from services.scoring.live import LiveFacts
from services.scoring.publishing.bundle import write_bundle
from services.scoring.publishing.evidence import gather
from services.scoring.publishing.evidence import published as publication
from services.scoring.tests.histories import RULEBOOKS, local
from services.scoring.tests.sealing import KEY
from services.scoring.tests.strategies import histories
from services.scoring.views import VIEWS as SCORING
from shared.config import SCORED
from shared.event import Recorded
from shared.rebuild import Rebuild
from shared.tests.thorough import examples

PHASES = [phase for phase in Phase if phase is not Phase.shrink]  # shrinking an installation takes minutes
YEAR_END = "2021-12-31"
STEPS = st.lists(
    st.sampled_from(["tell", "tell", "tell", "hear", "ask", "restart", "rebuild", "publish", "switch"]), max_size=40
)


class Office:
    """A hall in which the steps of one example happen."""

    def __init__(self, hall: Installation, history: list[Recorded]) -> None:
        self.hall = hall
        for source in SCORED[:-1]:
            hall.ledgers[source].fold = None  # a made-up history agrees with no view; the score asks for none
        self.history = iter(history)
        self.versions: dict[str, int] = {}
        self.books = [
            hall.scoring.add_rulebook("", {"text": (RULEBOOKS / f"{name}.yaml").read_text()}, {})
            for name in ("chenggong-2021", "mof-2020")
        ]
        opening = {"assessment_id": "a", "year": 2021, "rulebooks": self.books, "official": "chenggong-2021"}
        hall.command("open_assessment", **opening)
        self.official, self.published = 0, False

    def do(self, step: str) -> None:
        """One step."""
        getattr(self, f"_{step}")()

    def _tell(self) -> None:
        if recorded := next(self.history, None):
            stream = f"any/{recorded.id}"
            self.hall.tell(stream, recorded.event, on=YEAR_END)

    def _hear(self) -> None:
        self.hall.follow()

    def _ask(self) -> None:
        self.hall.scoring.assessment(HALL, 2021, as_of=YEAR_END)

    def _restart(self) -> None:
        """What was kept in memory is gone, and is folded anew."""
        self.hall.scoring.live = LiveFacts(self.hall.databases["scoring"], "scoring")

    def _rebuild(self) -> None:
        """The views are folded anew."""
        assert Rebuild(self.hall.databases["scoring"], "scoring", SCORING, {}).run().differing == ()

    def _switch(self) -> None:
        self._withdraw()
        self.official = 1 - self.official
        id_ = self.books[self.official]["rulebook_id"]
        self.hall.command("choose_official_rulebook", assessment_id="a", rulebook_id=id_, reason="比较")

    def _withdraw(self) -> None:
        if self.published:
            self.hall.command("withdraw_assessment", assessment_id="a", reason="重新发布")
        self.published = False

    def _publish(self) -> None:
        self._withdraw()
        self.hall.follow()
        lacking = [one["code"] for one in self.hall.scoring.missing(HALL, 2021, as_of=YEAR_END)]
        for who in ("user:li", "user:sun"):
            asked: dict[str, Any] = {"assessment_id": "a", "as_of": YEAR_END, "acknowledged": lacking}
            self.hall.command("sign_assessment", who, **asked)
        self.hall.command("publish_assessment", assessment_id="a")
        self.published = True
        self.hall.clock.advance(local("2022-02-01"))


@settings(
    max_examples=examples(8, many=30),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=PHASES,
)
@given(history=histories(), steps=STEPS)
def test_published_is_replayed(
    tmp_path_factory: pytest.TempPathFactory, history: list[Recorded], steps: list[str]
) -> None:
    folder: Path = tmp_path_factory.mktemp("replayed")
    with installation(f"sqlite:///{folder / 'any.db'}") as hall:
        hall.clock.advance(local("2022-01-03"))  # by then the year is over in every time zone
        office = Office(hall, history)
        for step in [*steps, "publish", "tell", "tell", "hear", "ask"]:
            office.do(step)

        for from_sources in (False, True):
            found = list(Replay(hall.databases, from_sources=from_sources).of(HALL))
            assert all(isinstance(one, Replayed) and not one.differences for one in found), found
        assert list(Seals(hall.databases, [], [KEY.public]).faults()) == []
        bundle = gather(hall.databases["scoring"], publication(hall.databases["scoring"], HALL, 2021))
        assert list(check_bundle(write_bundle(bundle), bundle, bundle.opened(), [KEY.public])) == []
        assert set(bundle.events) <= set(SCORED)
