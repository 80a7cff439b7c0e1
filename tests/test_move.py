"""An installation moved to other databases and back is the same byte for byte; what keeps it from that leaves nothing."""

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import orjson
import pytest
import yaml
from click.testing import CliRunner, Result
from sqlalchemy import insert, text

from services.access.tables import credentials
from services.audit.cli import audit_group
from services.audit.snapshot import tables_of
from services.audit.tests.installation import HALL
from services.audit.tests.whole import Whole, two_months
from services.data_folder import sole_user_of
from services.move import move_command
from shared.config import SERVICES
from shared.database import Database
from shared.digest import digested
from shared.installation import clock_of
from shared.rights import INSTALLATION

SHORT_LIVED = ("session", "one_time", "attempt")


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of an installation that was stopped after two months, while somebody was signed in."""
    folder = tmp_path_factory.mktemp("lived-in")
    _live_in({service: f"sqlite:///{folder / service}.db" for service in SERVICES})
    (folder / "seal.pem").write_text("a secret")
    return folder


@pytest.fixture
def folder(lived_in: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(lived_in, tmp_path / "data"))


@pytest.fixture
def config(service_databases: Mapping[str, str], tmp_path: Path) -> Path:
    """A configuration that names an empty PostgreSQL database for each service."""
    return _written(tmp_path / "config.yaml", service_databases)


def test_there_and_back_every_table_is_the_same_byte_for_byte(
    folder: Path, config: Path, service_databases: Mapping[str, str], tmp_path: Path
) -> None:
    before, score = _dump(folder), _score(_urls(folder))

    there = move(folder, config)
    assert (there.exit_code, there.stderr) == (0, "")
    verified, score_there = verify("--config", config), _score(service_databases)
    back = move(config, tmp_path / "back")

    assert (back.exit_code, back.stderr) == (0, "")
    assert there.stdout.splitlines()[: len(SERVICES)] == [_told(service, before[service]) for service in SERVICES]
    assert f"carry along: {folder / 'seal.pem'} → SEAL_KEY of {config}\n" in there.stdout
    assert "a secret" not in there.stdout
    assert (verified, verify("--data", tmp_path / "back")) == (0, 0)
    assert score == score_there == _score(_urls(tmp_path / "back"))
    lasting = _without_short_lived(before["access"])
    assert len(before["access"]) - len(lasting) == len(SHORT_LIVED)
    assert _dump(tmp_path / "back") == {**before, "access": lasting}
    assert _dump(folder) == before


def test_what_was_written_on_postgresql_holds_in_a_folder(
    config: Path, service_databases: Mapping[str, str], tmp_path: Path
) -> None:
    _live_in(service_databases)

    moved = move(config, tmp_path / "data")

    assert (moved.exit_code, moved.stdout.count("moved: "), moved.stderr) == (0, len(SERVICES), "")
    assert _score(_urls(tmp_path / "data")) == _score(service_databases)


def test_a_source_that_does_not_hold_is_not_moved(
    folder: Path, config: Path, service_databases: Mapping[str, str]
) -> None:
    with closing(Database(_urls(folder)["work_orders"])) as database, database.write() as connection:
        connection.execute(text("UPDATE attachment SET content = content || x'00'"))

    moved = move(folder, config)

    assert moved.exit_code == 1
    assert "work_orders, facility hall: table attachment" in moved.stdout
    assert "nothing was moved: the source does not hold: " in moved.stdout
    assert _rows(service_databases) == {}


def test_a_folder_in_use_and_a_wrong_configuration_are_refused(folder: Path, tmp_path: Path) -> None:
    lacking = _written(tmp_path / "lacking.yaml", {"access": "postgresql+psycopg://x@127.0.0.1/x"})
    other = _written(tmp_path / "sqlite.yaml", _urls(folder))
    with sole_user_of(folder):
        in_use = move(folder, tmp_path / "new")

    found = [in_use, *(move(*which) for which in ((folder, lacking), (other, folder), (tmp_path / "no", folder)))]

    assert [one.exit_code for one in found] == [2, 2, 2, 2]
    assert [one.stderr for one in found] == [
        f"xunjian: {folder} is in use by another process\n",
        f"xunjian: {lacking}: DATABASES.asset_registry: expected the URL of a PostgreSQL database\n",
        f"xunjian: {other}: DATABASES.asset_registry: expected the URL of a PostgreSQL database;"
        " a data folder is said by its path\n",
        f"xunjian: {tmp_path / 'no'}: no such folder\n",
    ]
    assert not {"new", "no"} & {one.name for one in tmp_path.iterdir()}


def test_a_target_that_is_not_empty_or_in_use_or_of_the_other_kind_is_refused(
    folder: Path, config: Path, service_databases: Mapping[str, str], lived_in: Path, tmp_path: Path
) -> None:
    taken = Path(shutil.copytree(lived_in, tmp_path / "taken"))
    before = _dump(taken)
    with closing(Database(service_databases["scoring"])) as database:
        database.migrate("scoring")
        with database.read():
            in_use = move(folder, config)
        clock_of(database, simulated=False)
    otherwise = _rows(service_databases)

    found = [in_use, move(folder, config), move(folder, taken)]

    assert [one.exit_code for one in found] == [2, 2, 2]
    assert f"the database of scoring in {config} is in use: unnamed (pid " in found[0].stderr
    assert found[1].stderr == f"xunjian: {config}: scoring: a real installation, expected a simulated one\n"
    assert f"{taken}: asset_registry: expected an empty database, but there are rows in " in found[2].stderr
    assert _dump(taken) == before
    assert _rows(service_databases) == otherwise == {"scoring.alembic_version": 2, "scoring.installation": 1}


def test_what_fails_half_way_leaves_the_target_empty_and_can_be_done_again(
    folder: Path, config: Path, service_databases: Mapping[str, str]
) -> None:
    failed, left = [], []
    for last in ("RAISE EXCEPTION 'No space left on device';", "RETURN NULL;"):  # the second loses every row, silently
        with closing(Database(service_databases["access"])) as database:
            database.migrate("access")
            _execute(database, _AT_THE_END.format(last), _BEFORE_ANY)
        failed.append(move(folder, config))
        left.append({name.partition(".")[2] for name in _rows(service_databases)})

    with closing(Database(service_databases["access"])) as database:
        _execute(database, "DROP FUNCTION fail() CASCADE")
    again = move(folder, config)

    assert [(one.exit_code, one.stderr.count("\n")) for one in failed] == [(2, 1), (2, 1)]
    assert "access: table role_binding: No space left on device" in failed[0].stderr
    assert "access: table role_binding: the copy is not what it was made from" in failed[1].stderr
    assert left == [{"alembic_version"}, {"alembic_version"}]
    assert (again.exit_code, again.stderr) == (0, "")


_AT_THE_END = "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$"
_BEFORE_ANY = "CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON role_binding FOR EACH ROW EXECUTE FUNCTION fail()"
"""In the last database; all others are filled by then."""


def move(source: Path, target: Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(move_command, ["--from", str(source), "--to", str(target)], catch_exceptions=False)


def verify(option: str, place: Path) -> int:
    """The exit status of an audit."""
    return CliRunner().invoke(audit_group, ["verify", option, str(place)]).exit_code


def _live_in(urls: Mapping[str, str]) -> None:
    with closing(Whole(urls)) as here:
        two_months(here)
        meter = {"username": "meter"}
        _ask_access(here, "create_account", **meter, display_name="电表", kind="machine")
        _ask_access(here, "link_identity", **meter, issuer="https://id.example.org", subject="meter")
        _ask_access(here, "grant_role", **meter, facility_id=HALL, role="supervisor")
        with here.databases["access"].write() as connection:
            secret = {"kind": "password", "name": "li", "hash": "$argon2id$…"}
            connection.execute(insert(credentials), digested(secret))
        _execute(
            here.databases["access"],
            "INSERT INTO session VALUES ('t', 's', 'li', 1, 1, 2)",
            "INSERT INTO one_time VALUES ('c', 'h', 'invite', '{}', 1, NULL)",
            "INSERT INTO attempt VALUES ('k', '1', 1)",
        )


def _ask_access(here: Whole, command: str, **data: str) -> None:
    context = {"command_id": command, "actor": "user:chen", "roles": ["admin"], "correlation_id": "c", "time": None}
    getattr(here.services["access"], command)(INSTALLATION, data, context)


def _score(urls: Mapping[str, str]) -> bytes:
    with closing(Whole(urls)) as here:
        return orjson.dumps(here.services["scoring"].assessment(HALL, "2021", as_of="2021-03-01"))


def _urls(folder: Path) -> dict[str, str]:
    return {service: f"sqlite:///{folder / service}.db" for service in SERVICES}


def _written(file: Path, urls: Mapping[str, str]) -> Path:
    file.write_text(yaml.safe_dump({"DATABASES": dict(urls)}))
    return file


def _dump(folder: Path) -> dict[str, list[str]]:
    """What SQLite itself writes of every file: each table, trigger and row, in any order."""
    found = {}
    for service in SERVICES:
        connection = sqlite3.connect(folder / f"{service}.db")
        found[service] = sorted(connection.iterdump())
        connection.close()
    return found


def _without_short_lived(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith(tuple(f'INSERT INTO "{name}"' for name in SHORT_LIVED))]


def _rows(urls: Mapping[str, str]) -> dict[str, int]:
    """How many rows each table has that has any, as service.table."""
    found = {}
    for service, url in urls.items():
        with closing(Database(url)) as database, database.read() as connection:
            for table in tables_of(connection):
                if count := connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one():
                    found[f"{service}.{table}"] = count
    return found


def _told(service: str, lines: list[str]) -> str:
    """What is said of a service whose database was dumped."""
    events = sum(line.startswith('INSERT INTO "event"') for line in lines)
    named = {line.split()[2].strip('"(') for line in lines if line.startswith("CREATE TABLE ")}
    return f"moved: {service}, {events:,} events, {len(named - {'alembic_version', *SHORT_LIVED})} tables"


def _execute(database: Database, *statements: str) -> None:
    with database.write() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
