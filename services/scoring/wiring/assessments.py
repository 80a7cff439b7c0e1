"""The yearly self-assessment (自评): opened, its official rulebook chosen, signed by two people, published, withdrawn."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, text

from services.scoring import commands, evaluation, views
from services.scoring.aggregate import Assessment
from services.scoring.answers.assessment import Published, Signed
from services.scoring.answers.result import Result
from services.scoring.evaluation import evaluate, result_bytes, result_sha256
from services.scoring.live import LiveFacts, LiveFactsProvider
from services.scoring.publishing.seal import sealed
from services.scoring.questions.missing import missing
from services.scoring.wiring import rulebooks
from services.scoring.wiring.sealing import SealingKey
from shared.contracts.scoring import AssessmentOpened, AssessmentPublished, AssessmentSigned
from shared.errors import Invalid, NotFound, Rejected
from shared.event import timestamp
from shared.rpc import Peer
from shared.service import answers, command, query
from shared.unit import Unit


class Assessing(rulebooks.Rulebooks):
    """The part of the service that gives an assessment its life."""

    asset_registry = Peer("asset_registry")
    scheduling = Peer("scheduling")
    work_orders = Peer("work_orders")
    live: LiveFacts = LiveFactsProvider()
    sealing = SealingKey()

    @command(commands.OpenAssessment)
    def open_assessment(self, do: Unit, asked: commands.OpenAssessment) -> None:
        """Open a year's assessment, the only one of its year, by rulebooks of that year that are known here."""
        if self._assessments(do.facility, asked.year):
            raise Rejected(f"the assessment of {asked.year} is open already")
        for number, book in enumerate(asked.rulebooks):
            known = self._rulebook(book.sha256)
            if known is None or known.id != book.rulebook_id or known.year != asked.year:
                expected = f"expected a rulebook of {asked.year} that was added, with its id"
                raise Invalid({f"rulebooks[{number}]": [expected]})
        do.find(Assessment, asked.assessment_id).open(AssessmentOpened(**vars(asked)), do.now)

    @command(commands.ChooseOfficialRulebook)
    def choose_official_rulebook(self, do: Unit, asked: commands.ChooseOfficialRulebook) -> None:
        """Let another rulebook count."""
        assessment = do.edit(Assessment, asked.assessment_id)
        assessment.choose_official(asked.rulebook_id, asked.reason, do.actor, do.now)

    @answers(Signed)
    @command(commands.SignAssessment)
    def sign_assessment(self, do: Unit, asked: commands.SignAssessment) -> dict[str, Any]:
        """Stand for a result; answers {result_sha256, total, signatures: how many there are}."""
        assessment = do.edit(Assessment, asked.assessment_id)
        self._hear_all(do.facility)
        known_at = asked.known_at or _last_known_at(assessment, asked.as_of) or do.now
        self._must_have_been(do, asked.as_of, known_at)
        rulebook = self._must_have(assessment.official_sha256)
        with self.live.facts(do.facility) as (facts, _):
            lacking = tuple(one.code for one in missing(facts, rulebook, asked.as_of, known_at))
            result = evaluate(facts, rulebook, asked.as_of, known_at)
        _must_acknowledge(lacking, asked.acknowledged)
        signature = AssessmentSigned(
            assessment_id=assessment.id,
            as_of=asked.as_of,
            known_at=known_at,
            rulebook_sha256=rulebook.sha256,
            result_sha256=self._kept(result),
            acknowledged=lacking,
            signed_by=do.actor,
            total=result.total,
        )
        if asked.result_sha256 not in (None, signature.result_sha256):
            raise Rejected(f"the result is {signature.result_sha256}, not the one that was to be signed")
        assessment.sign(signature, do.now)
        return {**_summary(result), "signatures": len(assessment.signatures)}

    @answers(Published)
    @command(commands.PublishAssessment)
    def publish_assessment(self, do: Unit, asked: commands.PublishAssessment) -> dict[str, Any]:
        """Freeze and seal the official result that two people signed; answers {result_sha256, total}."""
        assessment = do.edit(Assessment, asked.assessment_id)
        key = self.sealing.key()
        if key is None:
            raise Rejected("no key to seal with; name one in SEAL_KEY")
        self._hear_all(do.facility)
        signed, rulebook = assessment.signed, self._must_have(assessment.official_sha256)
        result, heads = self.live.score(do.facility, rulebook, signed.as_of, signed.known_at)
        publication = AssessmentPublished(
            assessment_id=assessment.id,
            as_of=signed.as_of,
            known_at=signed.known_at,
            rulebook_sha256=rulebook.sha256,
            heads=dict(heads),
            result_sha256=result_sha256(result),
            published_by=do.actor,
            total=result.total,
        )
        simulated = self.ledger.clock.simulated
        assessment.publish(sealed(publication, do.facility, do.now, key, simulated=simulated), do.now)
        return _summary(result)

    @command(commands.WithdrawAssessment)
    def withdraw_assessment(self, do: Unit, asked: commands.WithdrawAssessment) -> None:
        """Withdraw a published result."""
        do.edit(Assessment, asked.assessment_id).withdraw(asked.reason, do.now)

    @answers(Result)
    @query
    def assessment(
        self,
        facility: str,
        year: str,
        as_of: str | None = None,
        known_at: str | None = None,
        rulebook: str | None = None,
    ) -> dict[str, Any]:
        """The score of a year, as `xunjian score --json` prints it; by the official rulebook unless one is named.

        `as_of` is a local date, by default today but no later than the year's last day; `known_at` RFC 3339.
        """
        opened = self._opened(facility, int(year))
        book = self._must_have(opened["official"]) if rulebook is None else self._named(rulebook, int(year))
        today = min(self.live.today(facility, self.ledger.clock.now()), date(int(year), 12, 31))
        day = date.fromisoformat(as_of) if as_of else today
        moment = datetime.fromisoformat(known_at) if known_at else None
        result, _ = self.live.score(facility, book, day, moment, known_at)
        return result.as_json()

    def _hear_all(self, facility: str) -> None:
        """Wait until everything that the others have recorded is in the journal."""
        for source in (self.asset_registry, self.scheduling, self.work_orders):
            self.must_have_heard(source, facility)

    def _must_have_been(self, do: Unit, as_of: date, known_at: datetime) -> None:
        if as_of > self.live.today(do.facility, do.now):
            raise Rejected(f"as_of {as_of} lies in the future")
        if known_at > do.now:
            raise Rejected(f"known_at {timestamp(known_at)} lies in the future")

    def _kept(self, result: evaluation.Result) -> str:
        """Keep a result's bytes under their SHA-256, and return that."""
        row = {"sha256": result_sha256(result), "body": result_bytes(result)}
        with self.ledger.database.write() as connection:
            connection.execute(text("INSERT INTO result VALUES (:sha256, :body) ON CONFLICT DO NOTHING"), row)
        return str(row["sha256"])

    def _opened(self, facility: str, year: int) -> dict[str, Any]:
        """The assessment of a year, as a row of the view; raises NotFound."""
        opened = self._assessments(facility, year)
        if not opened:
            raise NotFound(f"no assessment of {year} is open in {facility}")
        return opened[0]

    def _assessments(self, facility: str, year: int) -> list[dict[str, Any]]:
        table = views.assessments.c
        return self.ledger.database.mappings(
            select(views.assessments).where(table.facility == facility, table.year == year)
        )


def _last_known_at(assessment: Assessment, as_of: date) -> datetime | None:
    """What the signature before was given for, if it was as of the same day."""
    before = assessment.signatures[-1:]
    return before[0].known_at if before and before[0].as_of == as_of else None


def _must_acknowledge(lacking: Sequence[str], acknowledged: Sequence[str]) -> None:
    """Raise Invalid unless just what is missing is named."""
    if set(lacking) != set(acknowledged):
        named = ", ".join(lacking) or "nothing"
        raise Invalid({"acknowledged": [f"expected just what is missing, {named}"]})


def _summary(result: evaluation.Result) -> dict[str, Any]:
    return {"result_sha256": result_sha256(result), "total": result.as_json()["total"]}
