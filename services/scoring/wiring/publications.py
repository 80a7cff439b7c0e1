"""What stands published, handed out: how an assessment stands, its seal as file and code, the bundle of its evidence."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import orjson

from services.scoring.aggregate import SIGNATURES, Assessment
from services.scoring.answers.assessment import AssessmentStatus
from services.scoring.publishing.bundle import write_bundle
from services.scoring.publishing.evidence import gather, life_of, published, standing
from services.scoring.publishing.seal import seal_of
from services.scoring.publishing.seal_code import seal_code
from services.scoring.questions.missing import missing
from services.scoring.wiring import assessments
from shared.contracts.scoring import AssessmentPublished, AssessmentSigned, AssessmentWithdrawn, OfficialRulebookChosen
from shared.errors import NotFound
from shared.event import Recorded, timestamp
from shared.service import answers, query
from shared.signing import public_pem


class Publications(assessments.Assessing):
    """The part of the service that hands out what was published."""

    @answers(AssessmentStatus)
    @query
    def assessment_status(self, facility: str, year: int) -> dict[str, Any]:
        """How a year's assessment stands.

        {assessment_id, year, official, rulebooks, status: open | ready | signed | published, missing (codes of what is
        missing today, as of the year's end once it is over), signatures_needed, signatures (that stand), published (what
        stands, with its seal, or null), history: every decision, oldest first}. It is ready when nothing is missing.
        """
        opened = self._opened(facility, year)
        life = life_of(self.ledger.database, facility, opened["assessment_id"])
        assessment = Assessment.replay(opened["assessment_id"], (recorded.event for recorded in life))
        publication = standing(life)
        lacking = self._lacking(facility, year, assessment.official_sha256)
        unsigned = "open" if lacking else "ready"
        status = "signed" if len(assessment.signatures) >= SIGNATURES else unsigned
        return {
            "assessment_id": assessment.id,
            "year": year,
            "official": assessment.official,
            "rulebooks": life[0].event.data()["rulebooks"],
            "status": "published" if publication else status,
            "missing": lacking,
            "signatures_needed": SIGNATURES,
            "signatures": [signature.data() for signature in assessment.signatures],
            "published": None if publication is None else _published(publication),
            "history": [_decision(recorded) for recorded in life],
        }

    @query
    def seal(self, facility: str, year: int) -> dict[str, str]:
        """The seal of what stands published, as a file to be kept elsewhere; raises NotFound."""
        content = published(self.ledger.database, facility, year).seal.as_bytes()
        return _file(content, "application/json", f"seal-{facility}-{year}.json")

    @query
    def seal_code(self, facility: str, year: int) -> dict[str, str]:
        """The same as a QR code."""
        content = seal_code(published(self.ledger.database, facility, year).seal, "png")
        return _file(content, "image/png", f"seal-{facility}-{year}.png")

    @query
    def seal_key(self) -> dict[str, str]:
        """The public half of the key that seals here; whoever trusts it takes it from elsewhere. Raises NotFound."""
        key = self.sealing.key()
        if key is None:
            raise NotFound("no key to seal with is named")
        return _file(public_pem(key.public).encode(), "application/x-pem-file", "seal.pub.pem")

    @query
    def bundle(self, facility: str, year: int) -> dict[str, str]:
        """All that stands published of a year with what it rests on, photos included, as one zip; raises NotFound."""
        publication = published(self.ledger.database, facility, year)
        bare = gather(self.ledger.database, publication)
        whole = replace(bare, photos=dict(self._photos(facility, bare.opened().photos())))
        return _file(write_bundle(whole), "application/zip", f"evidence-{facility}-{year}.zip")

    def _lacking(self, facility: str, year: int, official: str) -> list[str]:
        now = self.ledger.clock.now()
        as_of = min(self.live.today(facility, now), date(year, 12, 31))
        with self.live.facts(facility) as (facts, _):
            return [one.code for one in missing(facts, self._must_have(official), as_of, now)]

    def _photos(self, facility: str, named: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Those of some photos that work_orders keeps."""
        for sha256 in named:
            try:
                found = self.work_orders.call("photo", facility=facility, sha256=sha256)
            except NotFound:
                continue
            yield sha256, b64decode(found["body"])


def _published(recorded: Recorded) -> dict[str, Any]:
    seal = seal_of(recorded)
    said = orjson.loads(orjson.dumps(recorded.event.data()))
    return {**said, "seal": None if seal is None else orjson.loads(seal.as_bytes())}


_DECISIONS = {
    AssessmentPublished: "published_by",
    AssessmentSigned: "signed_by",
    OfficialRulebookChosen: "chosen_by",
    AssessmentWithdrawn: None,
}

_TOLD = ("as_of", "official", "reason", "result_sha256", "rulebook_id", "total")


def _decision(recorded: Recorded) -> dict[str, Any]:
    """Who decided what, and when."""
    event = recorded.event
    named = _DECISIONS.get(type(event))
    by = getattr(event, named) if named else recorded.actor
    what = {"event": event.event_name, "by": by, "at": timestamp(recorded.recordedat), "position": recorded.position}
    return what | {name: value for name, value in event.data().items() if name in _TOLD}


def _file(content: bytes, media_type: str, name: str) -> dict[str, str]:
    return {"media_type": media_type, "body": b64encode(content).decode(), "filename": name}
