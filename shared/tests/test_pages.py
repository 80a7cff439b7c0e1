"""Lists in pages: whatever the size of a page and the order, all rows come once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, String, Table, select

from shared.database import Database
from shared.errors import Invalid
from shared.pages import MOST_ROWS, page

jobs = Table("job", MetaData(), Column("job_id", String(10), primary_key=True), Column("due", Integer, nullable=False))
ORDER = {"job_id": [jobs.c.job_id], "due": [jobs.c.due, jobs.c.job_id]}
DUE = {f"j-{number}": number % 3 for number in range(17)}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder: Path = tmp_path_factory.mktemp("pages")
    database = Database(f"sqlite:///{folder / 'pages.db'}")
    jobs.metadata.create_all(database.engine)
    with database.write() as connection:
        connection.execute(jobs.insert(), [{"job_id": job_id, "due": due} for job_id, due in DUE.items()])
    yield database
    database.close()


def walked(database: Database, sort: str, limit: int) -> list[str]:
    """The ids on all pages, one after the other."""
    ids, cursor = [], None
    while True:
        found = page(database, select(jobs), ORDER, sort, cursor, limit)
        assert len(found["items"]) <= limit
        ids += [row["job_id"] for row in found["items"]]
        cursor = found["next"]
        if cursor is None:
            return ids


@settings(deadline=None, max_examples=60)
@given(sort=st.sampled_from(["job_id", "-job_id", "due", "-due"]), limit=st.integers(1, 20))
def test_all_pages_together_are_the_list_in_its_order(database: Database, sort: str, limit: int) -> None:
    by = (lambda id_: (DUE[id_], id_)) if "due" in sort else (lambda id_: (id_,))

    assert walked(database, sort, limit) == sorted(DUE, key=by, reverse=sort.startswith("-"))


def test_the_first_order_holds_where_nobody_names_one(database: Database) -> None:
    found = page(database, select(jobs), ORDER)

    assert [row["job_id"] for row in found["items"]] == sorted(DUE)
    assert found["next"] is None


def test_a_row_that_goes_meanwhile_hides_no_other(database: Database) -> None:
    first = page(database, select(jobs), ORDER, limit=5)
    last_shown = first["items"][-1]["job_id"]

    rest = page(database, select(jobs).where(jobs.c.job_id != last_shown), ORDER, cursor=first["next"])

    assert [row["job_id"] for row in rest["items"]] == [id_ for id_ in sorted(DUE) if id_ > last_shown]


@pytest.mark.parametrize("limit", [0, -1, MOST_ROWS + 1])
def test_a_page_has_1_to_1000_rows(database: Database, limit: int) -> None:
    with pytest.raises(Invalid, match="limit: expected 1 to 1000"):
        page(database, select(jobs), ORDER, limit=limit)


@pytest.mark.parametrize("sort", ["", "done", "--due", "due,job_id"])
def test_an_unknown_order_is_refused(database: Database, sort: str) -> None:
    if sort == "":
        assert page(database, select(jobs), ORDER, sort)["items"]
        return
    with pytest.raises(Invalid, match="sort: expected one of job_id, due"):
        page(database, select(jobs), ORDER, sort)


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!", "W10", "bnVsbA", "WyJqb2JfaWQiLG51bGxd", "WyJkdWUiLDEsImotMSJd", "昆"]
)
def test_a_cursor_that_no_answer_gave_is_refused(database: Database, cursor: str) -> None:
    with pytest.raises(Invalid, match="cursor: expected a cursor"):
        page(database, select(jobs), ORDER, "job_id", cursor)
