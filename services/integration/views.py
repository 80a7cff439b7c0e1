"""What integration keeps."""

from sqlalchemy import Connection, MetaData

from shared.event import Recorded
from shared.views import Views

metadata = MetaData()


def fold(connection: Connection, recorded: Recorded) -> None:
    """Fold nothing yet."""


VIEWS = Views(metadata=metadata, fold=fold)
