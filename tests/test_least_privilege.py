"""A service's role may do with its tables what is declared, and nothing else; nobody may change or delete an event."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.audit.folded import VIEWS
from services.audit.snapshot import tables_of
from shared.config import SERVICES
from shared.database import Database
from shared.errors import Rejected
from shared.grants import grant, rights_of
from shared.rebuild import Rebuild
from tests.least_privilege import Templates, execute

_GRANTED = text(
    "SELECT table_name, string_agg(privilege_type, ', ') AS rights FROM ("
    " SELECT table_name, privilege_type FROM information_schema.table_privileges"
    " WHERE grantee = :role AND table_schema = 'public' ORDER BY privilege_type) AS granted GROUP BY table_name"
)


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_has_its_rights_declared_and_every_view_can_be_built_anew(service: str, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / service}.db")
    database.migrate(service)
    with database.read() as connection:
        there = tables_of(connection)
    database.close()

    declared = rights_of(service)

    assert set(declared) == there
    assert {declared[table.name] for table in VIEWS[service].tables} == {"SELECT, INSERT, UPDATE, DELETE"}
    assert declared["event"] == declared["command"] == "SELECT, INSERT"


def test_each_role_has_what_is_declared_and_no_more(database_templates: Templates) -> None:
    granted = {}
    for service in SERVICES:
        owner = Database(database_templates.url(database_templates.name(service)))
        rows = owner.rows(_GRANTED, {"role": database_templates.name(service)})
        granted[service] = {row.table_name: set(row.rights.split(", ")) for row in rows}
        owner.close()

    assert granted == {
        service: {table: set(rights.split(", ")) for table, rights in rights_of(service).items()}
        for service in SERVICES
    }


def test_neither_the_service_nor_the_owner_of_its_tables_may_touch_an_event(database_templates: Templates) -> None:
    name = database_templates.name("scoring")
    own, owner = database_templates.url(name, name), database_templates.url(name)
    for url in (own, owner):
        for statement in ("UPDATE event SET hash = ''", "DELETE FROM event", "TRUNCATE event"):
            assert "permission denied for table event" in refusal(url, statement)
    for statement in (
        "DROP TRIGGER event_append_only ON event",
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "UPDATE journal SET body = ''",
        "DELETE FROM command",
        "CREATE TABLE more (a int)",
        "CREATE TEMPORARY TABLE more (a int)",
    ):
        assert refusal(own, statement), statement
    foreign = database_templates.url(database_templates.name("access"), name)
    assert "permission denied for database" in refusal(foreign, "SELECT 1")


def test_a_table_that_nobody_thought_of_is_refused_rather_than_forgotten(database_templates: Templates) -> None:
    name = database_templates.name("access")
    owner = Database(database_templates.url(name))

    with owner.engine.connect() as connection:  # and nothing is committed
        connection.execute(text("CREATE TABLE forgotten (a int)"))
        with pytest.raises(
            Rejected, match=r"table forgotten: expected a line in services/access/migrations/rights\.yaml"
        ):
            grant(connection, "access", name)

    owner.close()


def test_views_are_built_anew_under_that_role(database_templates: Templates) -> None:
    with database_templates.copies(["access"]) as urls:
        database = Database(urls["access"])
        with database.write() as connection:
            connection.execute(text("INSERT INTO role_binding VALUES ('', 'user:li', '*', 'admin', 'nobody', '2021')"))

        rebuilt = Rebuild(database, "access", VIEWS["access"], {}).run()

        database.close()
    assert [one.table for one in rebuilt.differing] == ["role_binding"]


def refusal(url: str, statement: str) -> str:
    """What PostgreSQL says against a statement; fails where it is carried out."""
    with pytest.raises(DBAPIError) as refused:
        execute(url, statement)
    return str(refused.value.orig)
