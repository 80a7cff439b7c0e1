"""What integration keeps."""

from sqlalchemy import Connection

from services.integration.inbound import tables as inbound
from services.integration.outbound import views as outbound
from services.integration.tables import metadata
from shared.event import Recorded
from shared.views import Views


def fold(connection: Connection, recorded: Recorded) -> None:
    """Bring the tables on by one event."""
    inbound.fold(connection, recorded)
    outbound.fold(connection, recorded)


VIEWS = Views(metadata=metadata, fold=fold, hears=inbound.HEARS)
