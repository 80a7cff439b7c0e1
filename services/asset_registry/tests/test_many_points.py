"""A hall with 20,000 points: whatever is asked of its registry takes a few statements, not one for each point."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from services.asset_registry.service import AssetRegistry
from services.asset_registry.tests.hall import HALL, HVAC, MARCH_1, add, describe
from shared.tests.alone import Alone, alone, on_each_database

GROUPS = [[f"P-{group}-{number:04}" for number in range(5000)] for group in range(4)]
NAMEPLATE = {"maker": "某消防设备厂", "serial": "20190311", "warranty_until": "2024-05-19"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def full(
    request: pytest.FixtureRequest, test_servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Alone]:
    """A hall with 20,000 points in one system, of which 15,000 are in as many groups as commands may name points."""
    folder = tmp_path_factory.mktemp("many_points")
    with (
        on_each_database(request.param, test_servers["XUNJIAN_TEST_POSTGRES"], folder) as url,
        alone(AssetRegistry, url, folder) as service,
    ):
        service.set_time(MARCH_1)
        service.ask("register_facility", **HALL, facility_id=service.new_hall())
        service.ask("register_system", **HVAC)
        for number, ids in enumerate(GROUPS[:3]):
            add(service, *ids, equipment=f"组 {number}", nameplate=NAMEPLATE)
        yield service


@contextmanager
def statements(registry: Alone) -> Iterator[list[str]]:
    """The statements sent to the registry's database meanwhile; many rows of one statement are one."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    database = registry.ledger.database
    for engine in (database.engine, database._reader):
        event.listen(engine, "before_cursor_execute", note)
    yield sent
    for engine in (database.engine, database._reader):
        event.remove(engine, "before_cursor_execute", note)


def test_commands_about_few_points_or_many_take_a_few_statements(full: Alone) -> None:
    with statements(full) as sent:
        add(full, *GROUPS[3], equipment="组 3", nameplate=NAMEPLATE)
        describe(full, *GROUPS[0], equipment="组 0", maker="乙")
        describe(full, equipment="组 1", maker="丙")
        full.ask("retire_points", system_id="hvac", point_ids=GROUPS[2], reason="拆除")
        full.ask("relocate_point", point_id=GROUPS[0][0], location="二层")
        full.ask("replace_equipment", point_id=GROUPS[0][0], replaced_on="2021-03-01")

    assert len(sent) < 6 * 20, "\n".join(statement[:100] for statement in sent)


def test_questions_take_one_statement_or_two(full: Alone) -> None:
    point = GROUPS[1][7]

    with statements(full) as sent:
        page = full.service.points(full.hall, q="消防", limit=1000)
        groups = full.service.equipment(full.hall)["items"]
        one = full.service.point(full.hall, point, as_of="2021-03-01")

    assert (len(page["items"]), len(groups) >= 3, one["maker"]) == (1000, True, "某消防设备厂")
    assert [told["data"]["points"][0]["point_id"] for told in one["history"] if told["what"] == "points_added"] == [
        point
    ]
    assert len(sent) < 10
