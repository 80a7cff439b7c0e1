"""The limits that docs/limits.md states are those of the code, and who goes beyond one is told so and leaves nothing behind.

That n are taken and n + 1 are not is held elsewhere for: points that a command names (services/asset_registry/tests/
test_system.py, test_many_points.py), documents of a description and a group's name (test_system.py), labels
(test_labels.py), rows of sheets (test_sheets.py), a JSON body (services/gateway/tests/test_bad_input.py), requests in a
minute (test_callers.py), rows of a page (shared/tests/test_pages.py), items and changes of plans
(services/scheduling/tests/test_plan.py), levels of an event (services/integration/tests/test_envelopes.py), a mapping
(test_mapping.py).
"""

import ast
import base64
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import event, func, select, text
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from services.asset_registry.aggregate import MOST_POINTS
from services.asset_registry.service import MOST_BYTES as LARGEST_DOCUMENT
from services.asset_registry.service import AssetRegistry
from services.asset_registry.tests.hall import open_hall
from services.gateway.problems import Unreadable
from services.gateway.reading import read, read_head
from services.gateway.route import Route
from services.gateway.routes import ROUTES
from services.integration.inbound.file_drop import LARGEST_FILE
from services.limits_page import LIMITS, page
from services.project import checks
from services.work_orders.service import LARGEST_PHOTO, WorkOrders
from shared.checkpoints import checkpoints
from shared.errors import Invalid
from shared.subscription import Reader
from shared.tests.alone import alone
from shared.tests.given import history, ledger_at
from tests.processes import ROOT

KINDS = ("MOST", "LARGEST", "LONGEST", "MAX_")
"""How the names of limits begin."""
UPLOADS = {route.target: route for route in ROUTES if route.kind == "upload"}


def named_limits(folder: str) -> Iterator[str]:
    """Every constant of a package that is called a limit, as the table says where it stands."""
    for file in sorted((ROOT / folder).rglob("*.py")):
        if "tests" not in file.parts:
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            names = (target for line in ast.parse(file.read_text()).body for target in assigned(line))
            yield from (f"{module}:{name}" for name in names if name.startswith(KINDS))


def assigned(line: ast.stmt) -> Iterator[str]:
    """The names that a line of a module gives a value."""
    targets = line.targets if isinstance(line, ast.Assign) else [line.target] if isinstance(line, ast.AnnAssign) else []
    for target in targets:
        for name in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(name, ast.Name):
                yield name.id


def test_the_table_of_limits_is_that_of_the_code() -> None:
    written = (ROOT / "docs" / "limits.md").read_text()

    assert page(written) == written, "make catalogue writes it anew"


def test_every_limit_that_the_code_names_stands_in_the_table() -> None:
    told = {limit.constant for limits in LIMITS.values() for limit in limits}

    found = {*named_limits("shared"), *named_limits("services")}

    assert found - told == set()
    assert len(found) > 20


def test_what_the_edge_lets_in_is_what_the_service_takes() -> None:
    assert {target: route.max_bytes for target, route in UPLOADS.items()} == {
        "work_orders.keep_photo": LARGEST_PHOTO,
        "asset_registry.keep_document": LARGEST_DOCUMENT,
        "integration.receive_file": LARGEST_FILE,
        "asset_registry.import_assets": LARGEST_FILE,
    }
    assert checks.MOST_POINTS == MOST_POINTS


@pytest.mark.parametrize("target", UPLOADS)
def test_a_file_of_a_byte_too_many_is_not_read(target: str) -> None:
    most = UPLOADS[target].max_bytes or 0

    assert len(base64.b64decode(sent(UPLOADS[target], most))) == most
    with pytest.raises(Unreadable) as refused:
        sent(UPLOADS[target], most + 1)

    assert refused.value.status == 413


def sent(route: Route, size: int) -> str:
    """A file of so many bytes as the gateway reads it."""
    kind = route.media_types[0]
    request = Request(EnvironBuilder(route.path, method="POST", data=bytes(size), content_type=kind).get_environ())
    head = read_head(request, route, {"facility": "hall"})
    data = read(request, head, None, [], 1024, "c").arguments["data"]
    return str(data["file"])


@pytest.mark.parametrize(
    ("service", "command", "most"),
    [(AssetRegistry, "keep_document", LARGEST_DOCUMENT), (WorkOrders, "keep_photo", LARGEST_PHOTO)],
)
def test_a_file_of_a_byte_too_many_is_not_kept(
    service: type, command: str, most: int, sqlite_url: str, tmp_path: Path
) -> None:
    with alone(service, sqlite_url, tmp_path) as office:
        if service is AssetRegistry:
            open_hall(office)

        def keep(size: int) -> Any:
            file = base64.b64encode(picture().ljust(size, b"\0")).decode()
            return office.ask(command, file=file, media_type="image/png", key=f"key-of-{size}")

        kept = keep(most)
        before = office.ledger.tips()
        with pytest.raises(Invalid) as refused:
            keep(most + 1)

        assert kept["size"] == most
        assert list(refused.value.errors) == ["file"]
        assert [row.size for row in office.ledger.database.rows(text("SELECT size FROM attachment"))] == [most]
        assert office.ledger.tips() == before
        assert office.ledger.remembered(f"key-of-{most + 1}") is None


def test_a_reader_that_is_level_with_its_source_asks_once_for_all_facilities(sqlite_url: str, tmp_path: Path) -> None:
    asked: list[str] = []
    with ledger_at(sqlite_url) as source, ledger_at(f"sqlite:///{tmp_path / 'reader.db'}") as ours:
        for number in range(20):
            history(source, 1, f"hall-{number}")
        reader = Reader(ours, "work_orders", [], source.raw)
        reader.catch_up(source.tips())
        event.listen(ours.database._reader, "before_cursor_execute", lambda *told: asked.append(told[2]))

        reader.catch_up(source.tips())

        assert len(asked) == 1
        assert ours.database.rows(select(func.count()).select_from(checkpoints))[0][0] == 20


def picture() -> bytes:
    """A small photo."""
    drawn = BytesIO()
    Image.new("RGB", (8, 8), "red").save(drawn, "PNG")
    return drawn.getvalue()
