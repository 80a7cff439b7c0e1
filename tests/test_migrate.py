"""`xunjian migrate` brings databases to the newest schema once; what may not, waits for it or refuses, and writes nothing."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from alembic import command as alembic
from click.testing import CliRunner, Result
from sqlalchemy import make_url, text

import shared.database
from services.audit.folded import VIEWS
from services.migrate import migrate_command
from shared.database import Database, newest_revisions, revisions
from shared.errors import Rejected
from shared.provider import open_ledger
from shared.upgrade import named
from tests.conftest import run_xunjian
from tests.least_privilege import Templates, execute


def test_an_empty_database_is_brought_up_and_then_used_by_a_role_that_owns_nothing(
    postgres_url: str, database_templates: Templates, tmp_path: Path
) -> None:
    role = database_templates.name("scoring")
    config = written(tmp_path, {"scoring": postgres_url}, {"scoring": role})
    running = {"DATABASES": {"scoring": database_templates.url(str(make_url(postgres_url).database), role)}}
    with pytest.raises(Rejected, match=r"database of an older schema \(found none, expected .*\): run xunjian migrate"):
        open_ledger(running, "scoring")

    first, second = migrate(config), migrate(config, "scoring")

    newest = named(newest_revisions("scoring"))
    assert (first.stdout, first.stderr) == (f"migrated: scoring, none → {newest}\n", "")
    assert (second.stdout, second.stderr) == (f"up to date: scoring, {newest}\n", "")
    open_ledger(running, "scoring", VIEWS["scoring"]).database.close()


def test_a_table_that_is_held_for_long_stops_the_migration_and_not_the_service(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.database, "LOCK_SECONDS", 0.1)
    database = Database(postgres_url)
    with database.engine.connect() as connection:
        configuration = revisions("access")
        configuration.attributes["connection"] = connection
        alembic.upgrade(configuration, "ledger_0001")
    config = written(tmp_path, {"access": postgres_url})

    with database.write() as long:
        long.execute(text("SELECT count(*) FROM command"))
        refused = migrate(config)
        database.rows(text("SELECT count(*) FROM command"))  # and nobody queues behind the migration
    again = migrate(config)
    database.close()

    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert "access: somebody has held a table for too long" in refused.stderr
    assert "run xunjian migrate again (" in refused.stderr
    assert again.stdout.startswith("migrated: access, access_0001 → ")  # what needed no table that is held was done
    assert again.stdout.endswith(f" → {named(newest_revisions('access'))}\n")


def test_a_database_of_a_newer_schema_is_refused_by_service_and_migration_alike(
    database_templates: Templates, tmp_path: Path
) -> None:
    with database_templates.copies(["work_orders"]) as urls:
        owner = database_templates.url(str(make_url(urls["work_orders"]).database))
        execute(owner, "UPDATE alembic_version SET version_num = 'ledger_9999' WHERE version_num < 'm'")

        migrated = migrate(written(tmp_path, {"work_orders": owner}))
        for url in (urls["work_orders"], owner):
            with pytest.raises(Rejected, match=r"of a newer schema \(found ledger_9999, work_orders_\d+, expected "):
                open_ledger({"DATABASES": {"work_orders": url}}, "work_orders")
        database = Database(owner)
        marks = database.rows(text("SELECT 1 FROM installation"))
        database.close()

    assert (migrated.exit_code, migrated.stdout) == (2, "")
    assert "database of a newer schema" in migrated.stderr
    assert marks == []


def test_a_folder_of_a_newer_schema_is_not_served_and_not_touched(tmp_path: Path) -> None:
    for service in ("asset_registry", "scoring"):
        database = Database(f"sqlite:///{tmp_path / service}.db")
        if service == "scoring":
            database.migrate(service)
            execute(
                str(database.url), "UPDATE alembic_version SET version_num = 'scoring_9999' WHERE version_num > 's'"
            )
        else:
            execute(str(database.url), "CREATE TABLE of_before (a int)")
        database.close()
    before = {file.name: file.read_bytes() for file in tmp_path.glob("*.db")}

    served = run_xunjian("serve", f"--data={tmp_path}", "--port=0")

    assert served.returncode == 2
    assert "database of a newer schema (found ledger_" in served.stderr
    assert "scoring_9999, expected " in served.stderr
    assert served.stderr.count("\n") == 1
    assert {file.name: file.read_bytes() for file in tmp_path.glob("*.db")} == before


def test_what_cannot_be_migrated_is_told_in_one_line(postgres_url: str, tmp_path: Path) -> None:
    nobody = {"access": postgres_url}
    cases = {
        "no role nobody_there, which RUNTIME_ROLES names": written(tmp_path, nobody, {"access": "nobody_there"}),
        "RUNTIME_ROLES.acess: expected a role of PostgreSQL": written(tmp_path, nobody, {"acess": "x"}),
        "expected a database for access: ": written(tmp_path, {"access": f"{postgres_url}_not"}),
        "gone.yaml: ": tmp_path / "gone.yaml",
    }

    for said, config in cases.items():
        refused = migrate(config, "access")

        assert (refused.exit_code, refused.stdout) == (2, "")
        assert refused.stderr.startswith("xunjian: ")
        assert refused.stderr.count("\n") == 1
        assert said in refused.stderr


def migrate(config: Path, *services: str) -> Result:
    """Run the command."""
    environment = {name: None for name in os.environ if name.startswith("XUNJIAN_")}
    return CliRunner(env=environment).invoke(
        migrate_command, ["--config", str(config), *services], catch_exceptions=False
    )


def written(folder: Path, urls: Mapping[str, str], roles: Mapping[str, str] | None = None) -> Path:
    """A configuration of its own."""
    file = folder / f"{len(list(folder.iterdir()))}.yaml"
    said: dict[str, Any] = {"DATABASES": dict(urls), "RUNTIME_ROLES": dict(roles or {})}
    file.write_text(yaml.safe_dump(said))
    return file
