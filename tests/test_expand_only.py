"""A revision runs while the version before it still serves: it adds, and takes nothing away (CONTRIBUTING.md)."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from alembic import command as alembic
from alembic import op
from alembic.script import ScriptDirectory
from sqlalchemy import text

from shared.config import SERVICES
from shared.database import Database, revisions
from tests.expand_only import harm_of

BEFORE_THE_RULE = {
    "ledger_0002",
    "asset_registry_0002",
    "scheduling_0002",
    "work_orders_0002",
}
"""Revisions that compute over what is there, or build an index beside nobody; no more come to these."""


def test_every_revision_only_adds() -> None:
    scripts = {
        one.revision: one.module
        for service in SERVICES
        for one in ScriptDirectory.from_config(revisions(service)).walk_revisions()
    }

    found = {name: harm_of(module.upgrade) for name, module in scripts.items() if name not in BEFORE_THE_RULE}

    assert set(scripts) > BEFORE_THE_RULE
    assert {name: harm for name, harm in found.items() if harm} == {}


@pytest.mark.parametrize(
    ("upgrade", "harm"),
    [
        (lambda: op.drop_table("event"), "DropTableOp"),
        (lambda: op.drop_column("event", "type"), "DropColumnOp"),
        (lambda: op.rename_table("event", "events"), "RenameTableOp"),
        (lambda: op.alter_column("event", "type", new_column_name="kind"), "AlterColumnOp"),
        (lambda: op.create_unique_constraint("u", "event", ["hash"]), "CreateUniqueConstraintOp"),
        (lambda: op.add_column("event", sa.Column("a", sa.Text, nullable=False)), "event.a, which may not be null"),
        (lambda: op.create_index("i", "event", ["type"]), "builds an index on event"),
        (lambda: op.execute("ALTER TABLE event RENAME COLUMN a TO b"), "executes ALTER TABLE event RENAME"),
        (lambda: op.get_bind().execute(text("DROP TABLE event")), "executes DROP TABLE"),
    ],
)
def test_what_an_older_version_would_miss_is_found(upgrade: Callable[[], None], harm: str) -> None:
    (found,) = harm_of(upgrade)

    assert harm in found


def test_an_index_is_built_while_others_write(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def upgrade() -> None:
        op.add_column("command", sa.Column("more", sa.Text))
        with op.get_context().autocommit_block():
            op.create_index("command_by_more", "command", ["more"], postgresql_concurrently=True)

    database = Database(postgres_url)
    with database.engine.connect() as connection:
        configuration = revisions("access")
        configuration.attributes["connection"] = connection
        alembic.upgrade(configuration, "ledger_0001")
    scripts = ScriptDirectory.from_config(revisions("access"))
    monkeypatch.setattr(ScriptDirectory, "from_config", lambda _: scripts)
    monkeypatch.setattr(scripts.get_revision("ledger_0002").module, "upgrade", upgrade)

    database.migrate("access")

    query = text("SELECT indisvalid FROM pg_index WHERE indexrelid = 'command_by_more'::regclass")
    assert [row.indisvalid for row in database.rows(query)] == [True]
    database.close()
    assert harm_of(upgrade) == []
