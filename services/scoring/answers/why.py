"""The form of what a score rests on: the rule's words, what was counted, and each deduction's evidence."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from services.scoring.answers.questions import Named
from services.scoring.answers.result import Amount, Asked, DeductedFor, Measured, Totals
from shared.schema import Id, Sha256


@dataclass(frozen=True, kw_only=True)
class Words:
    """An indicator's words as they stand on the sheet."""

    level_1: str
    level_2: str
    level_3: str
    comparator: str
    unit: str
    attribute: str
    standard: str
    content: str
    basis: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How the words are read: a type of rule and its parameters; `proportional` scores by the actual value."""

    type: str
    proportional: bool
    parameters: dict[str, int | str | tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class CountedEvent(Named):
    """An event that was counted, and the day that decides about it."""

    day: date | None


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The figures that the actual value is made of, and the events that they were read from."""

    figures: dict[str, int | str | dict[str, int]]
    events: tuple[CountedEvent, ...]


@dataclass(frozen=True, kw_only=True)
class Shown(Named):
    """An event with its hashes and its data; of results only those of the point concerned, or how many there are."""

    prevhash: str
    hash: str
    data: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What should have come of a visit, and by when."""

    window_start: date
    window_end: date
    record_until: date
    points: int


@dataclass(frozen=True, kw_only=True)
class Place:
    """A point as it was known; null where nothing was told of it."""

    point_id: Id
    label: str | None
    location: str | None
    equipment: str | None
    system_id: Id | None


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photo of a result, and the event that names it."""

    sha256: Sha256
    point_id: Id
    event_id: Id


@dataclass(frozen=True, kw_only=True)
class ExplainedDeduction(DeductedFor):
    """A deduction, what was expected and did not come in both languages, and all that it rests on."""

    points: Amount
    zh: str
    en: str
    waived_by: tuple[Shown, ...]
    expected: Expected | None
    points_concerned: tuple[Place, ...]
    photos: tuple[Photo, ...]
    events: tuple[Shown, ...]


@dataclass(frozen=True, kw_only=True)
class ExplainedIndicator(Measured):
    """One indicator with all that its result rests on."""

    id: Id
    words: Words
    rule: Rule
    readings: tuple[str, ...]
    counted: Counted
    deductions: tuple[ExplainedDeduction, ...]


@dataclass(frozen=True, kw_only=True)
class Why(Asked, Totals):
    """What a result rests on, of all its indicators or of one."""

    facility: Id
    readings: tuple[str, ...]
    indicators: tuple[ExplainedIndicator, ...]
