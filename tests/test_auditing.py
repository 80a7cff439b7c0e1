"""An auditor at the door of a whole platform: what is published, why, what came to be known since, and who looked."""

import http.client
import json
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image

from shared.clock import SystemClock
from shared.contracts.scoring import EvidenceExported, EvidenceRead
from shared.database import Database
from shared.event import read
from shared.ledger import Ledger
from tests.api import SIGNED_IN
from tests.conftest import Start, run_xunjian
from tests.processes import Platform
from tests.story import MANAGER, Story, moment

AS_OF = "2021-03-31"
YEAR = "/assessments/2021"
MISSING = YEAR + "/missing"
ID = "/assessments/assessment-2021"


@dataclass(frozen=True)
class Answer:
    """Status and bytes."""

    status: int
    body: bytes


def get(platform: Platform, path: str, **headers: str) -> Answer:
    """Ask for a file, or as somebody."""
    connection = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=60)
    try:
        connection.request(
            "GET", f"/v1/facilities/hall{path}" if path.startswith("/a") else f"/v1{path}", None, SIGNED_IN | headers
        )
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


class Photographed(Story):
    """A story in which each round has a photo of its first point."""

    photo = ""

    def tell(self, path: str, body: dict[str, Any], actor: str = MANAGER) -> Any:
        """Send a command; with results goes the photo."""
        if path.endswith("/inspect") and self.photo:
            first, *others = body["results"]
            body = {**body, "results": [{**first, "photos": [self.photo]}, *others]}
        return super().tell(path, body, actor)


def keep_photo(platform: Platform) -> str:
    """Send a photo; its SHA-256."""
    picture = BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "png")
    connection = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=60)
    connection.request(
        "POST", "/v1/facilities/hall/photos", picture.getvalue(), SIGNED_IN | {"Content-Type": "image/png"}
    )
    sha256_: str = json.loads(connection.getresponse().read())["sha256"]
    connection.close()
    return sha256_


def published(story: Story) -> Any:
    """Let two people sign the quarter as it is known now, and publish it."""
    story.platform.settle()
    lacking = [one["code"] for one in story.ask(MISSING, as_of=AS_OF)]
    for who in ("user:zhao", "user:qian"):
        story.tell(f"{ID}/sign", {"as_of": AS_OF, "acknowledged": lacking}, who)
    answer = story.tell(f"{ID}/publish", {})
    story.platform.settle()
    return answer


def looks(platform: Platform) -> list[EvidenceRead | EvidenceExported]:
    """What was recorded of readings and exports, oldest first."""
    database = Database(platform.databases["scoring"])
    told = (read(text.encode()).event for text in Ledger(database, "scoring", SystemClock()).raw("hall", limit=10_000))
    found = [event for event in told if isinstance(event, EvidenceRead | EvidenceExported)]
    database.close()
    return found


def test_what_is_published_is_handed_out_checked_and_explained(start: Start, tmp_path: Path) -> None:
    with start() as platform:
        story = Photographed(platform)
        story.begin()
        story.photo = keep_photo(platform)
        for month in (1, 2, 3):
            story.month(month)
        story.end()
        answer = published(story)
        bundle, seal, key = (tmp_path / name for name in ("b.zip", "seal.json", "key.pem"))
        for file, path in ((bundle, f"{YEAR}/bundle.zip"), (seal, f"{YEAR}/seal.json"), (key, "/seal-key.pem")):
            got = get(platform, path)
            assert got.status == 200, got.body
            file.write_bytes(got.body)

        checked = run_xunjian("audit", "check", bundle, "--key", key)
        option, environment = platform.found_by
        verified = run_xunjian("audit", "verify", option, "--seal", seal, "--key", key, **environment)

        assert (checked.returncode, checked.stderr) == (0, "")
        assert checked.stdout.startswith("held: hall assessment-2021 as of 2021-03-31, total ")
        assert checked.stdout.splitlines()[0].endswith(", 1 photo")
        with zipfile.ZipFile(bundle) as archive:
            assert sha256(archive.read(f"photos/{story.photo}")).hexdigest() == story.photo
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert story.ask(f"{YEAR}/status")["published"]["result_sha256"] == answer["result_sha256"]
        (export,) = looks(platform)
        assert export == EvidenceExported(
            what=f"/v1/facilities/hall{YEAR}/bundle.zip",
            sha256=sha256(bundle.read_bytes()).hexdigest(),
            exported_by="service:operator",
        )


def test_what_comes_to_be_known_later_changes_nothing_published_and_is_explained(start_embedded: Start) -> None:
    with start_embedded() as platform:
        story = Story(platform)
        story.tell_all()
        answer = published(story)
        known_at = story.ask(f"{YEAR}/status")["published"]["known_at"]
        story.move_clock(moment(2021, 4, 20))
        told = {"occurred_at": moment(2021, 3, 5), "description": "a fall that nobody spoke of"}
        story.tell("/incidents", {"incident_id": "incident-2", **told})
        story.tell("/incidents/incident-2/confirm", {**told, "harms": ["life"], "visitors_affected": True})
        platform.settle()

        difference = story.ask(f"{YEAR}/diff", as_of=AS_OF, known_at=known_at, to_known_at=moment(2021, 4, 20))

        assert story.ask(f"{YEAR}/status")["published"]["result_sha256"] == answer["result_sha256"]
        told_of = json.dumps(difference)
        assert "incident_confirmed" in told_of
        option, environment = platform.found_by
        replayed = run_xunjian("audit", "replay", option, **environment)
        assert replayed.returncode == 0, replayed.stdout


def test_what_an_auditor_reads_is_recorded_before_it_is_shown(start_embedded: Start) -> None:
    with start_embedded() as platform:
        story = Story(platform)
        story.begin()
        auditor = {"X-Actor": "user:auditor", "X-Roles": "auditor"}

        path = f"{YEAR}?as_of={AS_OF}&rulebook={quote('chenggong-2021')}"
        shown = get(platform, path, **auditor)
        for others in ({"X-Roles": "manager"}, {}):
            assert get(platform, path, **others).status == 200

        assert shown.status == 200
        assert looks(platform) == [EvidenceRead(what=f"/v1/facilities/hall{path}", read_by="user:auditor")]
        status, problem = platform.api.once("POST", f"/facilities/hall{ID}/sign", {"as_of": AS_OF}, X_Roles="auditor")
        assert (status, problem["title"]) == (403, "Forbidden")


def test_what_is_not_published_is_not_handed_out(start_embedded: Start) -> None:
    with start_embedded() as platform:
        Story(platform).begin()

        answers = [get(platform, f"{YEAR}/{file}") for file in ("bundle.zip", "seal.json", "seal.png")]

        for answer in answers:
            assert (answer.status, json.loads(answer.body)["detail"]) == (404, "nothing is published of 2021 in hall")
        assert looks(platform) == []
