"""Facts as they stood right after one event was recorded: seen through, not copied, so that any moment is cheap to ask."""

from services.scoring.facts import E, Fact, Facts, Known
from shared.event import Recorded


class FactsUpTo(Facts):
    """The facts recorded up to an event and with it, by (`recordedat`, `id`); of none where `last` is None.

    They evaluate as facts built of just these events would, also where several events were recorded at one instant.
    """

    def __init__(self, facts: Facts, last: Recorded | None) -> None:
        super().__init__(facts.facility)
        self._known = _KnownUpTo(facts, last)

    def known(self, at: object = None) -> Known:
        """What had been recorded by then; `at` has no say."""
        return self._known


class _KnownUpTo(Known):
    def __init__(self, facts: Facts, last: Recorded | None) -> None:
        super().__init__(facts, None)
        self._last = None if last is None else (last.recordedat, last.id)

    def all(self, kind: type[E]) -> list[Fact[E]]:
        if self._last is None:
            return []
        at, id_ = self._last
        return [
            fact for fact in self._facts.all(kind) if fact.recordedat < at or (fact.recordedat == at and fact.id <= id_)
        ]
