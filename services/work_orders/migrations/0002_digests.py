"""Files get a digest of their rows."""

import hashlib

import orjson
import sqlalchemy as sa
from alembic import op

revision = "work_orders_0002"
down_revision = "work_orders_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add attachment.digest, file by file: they are large."""
    op.add_column("attachment", sa.Column("digest", sa.String(64), nullable=False, server_default=sa.text("''")))
    connection = op.get_bind()
    update = sa.text("UPDATE attachment SET digest = :digest WHERE facility = :facility AND sha256 = :sha256")
    for key in connection.execute(sa.text("SELECT facility, sha256 FROM attachment")).mappings().all():
        columns = "facility, sha256, media_type, size, content"
        one = f"SELECT {columns} FROM attachment WHERE facility = :facility AND sha256 = :sha256"  # noqa: S608
        row = {str(k): v for k, v in connection.execute(sa.text(one), dict(key)).mappings().one().items()}
        row["content"] = [hashlib.sha256(row["content"]).hexdigest()]
        found = hashlib.sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).hexdigest()
        connection.execute(update, {**key, "digest": found})
