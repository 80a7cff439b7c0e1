"""How far a service has followed each of its sources, facility by facility."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from shared.ledger import metadata

checkpoints = Table(
    "checkpoint",
    metadata,
    Column("source", String(80), primary_key=True),
    Column("facility", String(80), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("hash", String(80), nullable=False),
    Column("parked", Text),  # why what follows is not applied
)
