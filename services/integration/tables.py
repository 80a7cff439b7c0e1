"""The tables of integration belong together: one set of metadata, which inbound and outbound each add theirs to."""

from sqlalchemy import MetaData

metadata = MetaData()
