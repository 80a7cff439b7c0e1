"""What a service needs around it before it starts: its database and the broker.

Of each it is told whether it is wrong for good, which is raised, or only not there yet, which is worth waiting for.
"""

import re
import socket
from collections.abc import Mapping
from typing import Any, Never

from kombu import Connection
from sqlalchemy import URL, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from shared.config import database_url, database_variable
from shared.database import Database
from shared.errors import Invalid

OLDEST_RABBITMQ = (3, 10)
NEWEST_RABBITMQ = 4
"""The newest major version that is known to do."""
GREETING_SECONDS = 5

_HELLO = b"AMQP\x00\x00\x09\x01"
_ANSWERED = b"\x01\x00\x00"
"""How an AMQP 0-9-1 broker begins its answer: a method, on no channel."""

# What libpq says of a server that cannot be reached, and PostgreSQL of itself while it starts, stops or is full up; the
# server speaks the language that it is set to. It gives no code for what keeps a client from connecting.
_NOT_THERE = re.compile(
    r"refused\b.*(?:\n|$)|resolve host|timeout|timed out|unreachable|no route|reset by peer|unexpectedly|No such file"
    r"|starting up|shutting down|recovery|not (?:yet )?accepting|too many|connection slots|启动|关闭|停止|恢复|太多",
    re.IGNORECASE,
)


def missing_database(config: Mapping[str, Any], service: str) -> str | None:
    """Why the database of a service is not there yet, None where it is; raises Invalid where that will not change."""
    variable = f"DATABASES.{service} ({database_variable(service)})"
    try:
        database = Database(database_url(config, service))
    except ArgumentError as fault:
        raise Invalid({variable: ["expected a SQLAlchemy URL, postgresql+psycopg://…"]}) from fault
    if database.sqlite:
        return None
    try:
        database.rows(text("SELECT 1"))
    except DBAPIError as fault:
        said = _said(fault)
        if _NOT_THERE.search(said):
            return f"{_place(database.url)}: {said}"
        raise Invalid({variable: [_of_database(database.url, said)]}) from fault
    finally:
        database.close()
    return None


def missing_broker(config: Mapping[str, Any]) -> str | None:
    """Why the broker is not there yet, None where it is; raises Invalid where that will not change."""
    address = config["AMQP_URI"]
    with Connection(address, connect_timeout=GREETING_SECONDS) as connection:
        place = f"{connection.hostname}:{connection.port}"
        try:
            if connection.transport_cls in ("amqp", "pyamqp"):
                _must_answer_as_broker(connection.hostname, connection.port)
            session = connection.transport.establish_connection()
        except connection.connection_errors + connection.channel_errors as fault:
            if (said := _of_broker(fault, connection)) is None:
                return f"{place}: {_line(fault)}"
            raise Invalid({"AMQP_URI (XUNJIAN_AMQP_URI)": [f"{place}: {said}"]}) from fault
        properties = session.server_properties
        connection.transport.close_connection(session)
    _must_do(place, properties)
    return None


def _must_answer_as_broker(host: str, port: int) -> None:
    """Raise Invalid where something else answers; ConnectionError where nobody says a word."""
    with socket.create_connection((host, port), GREETING_SECONDS) as peer:
        peer.sendall(_HELLO)
        answer = peer.recv(len(_HELLO))
    if not answer:
        raise ConnectionResetError("closed the connection without a word")
    if not _ANSWERED.startswith(answer[: len(_ANSWERED)]):
        _refuse_broker(f"{host}:{port}: something answers that is no AMQP 0-9-1 broker")


def _must_do(place: str, properties: Mapping[str, Any]) -> None:
    """Raise Invalid unless it is a RabbitMQ of a version that is known to do."""
    product, version = str(properties.get("product")), str(properties.get("version"))
    if product != "RabbitMQ":
        _refuse_broker(f"{place} is {product!r}")
    numbers = re.match(r"(\d+)\.(\d+)", version)
    found = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    if not OLDEST_RABBITMQ <= found < (NEWEST_RABBITMQ + 1,):
        _refuse_broker(f"{place} is RabbitMQ {version}")


def _refuse_broker(found: str) -> Never:
    expected = f"RabbitMQ from {'.'.join(map(str, OLDEST_RABBITMQ))} to {NEWEST_RABBITMQ}.x"
    raise Invalid(
        {"AMQP_URI (XUNJIAN_AMQP_URI)": [f"{found}; expected {expected}: name another broker, or install that"]}
    )


def _of_broker(fault: BaseException, connection: Connection) -> str | None:
    """What is wrong for good with how we come to the broker; None where it is only away."""
    said = _line(fault)
    if "ACCESS_REFUSED" in said:
        return (
            f"the broker refused user {connection.userid!r}; expected its password in XUNJIAN_BROKER_PASSWORD_FILE,"
            " XUNJIAN_BROKER_PASSWORD or the address: mend that, or the user (rabbitmqctl change_password)"
        )
    if "NOT_ALLOWED" in said:
        vhost = connection.virtual_host
        return (
            f"user {connection.userid!r} may not use the virtual host {vhost!r}, or there is none; expected one of this"
            f" installation alone: rabbitmqctl add_vhost {vhost}, and set_permissions for the user"
        )
    return None


def _of_database(url: URL, said: str) -> str:
    """What is wrong for good with a database, and how to mend it."""
    place = _place(url)
    passwords = "XUNJIAN_DATABASE_PASSWORD_FILE, XUNJIAN_DATABASE_PASSWORD or the address"
    if "no password supplied" in said:
        return f"{place} asks for the password of {url.username}, and none is set; expected it in {passwords}"
    if "password authentication failed" in said:
        return (
            f"{place} refused the password of {url.username}; expected the right one in {passwords}: mend that, or the"
            " role (ALTER ROLE … PASSWORD …)"
        )
    if re.search("database .* does not exist", said):
        return (
            f"there is no database {url.database!r} at {place}; expected one of this service alone: CREATE DATABASE"
            f" {url.database}, or name another"
        )
    return f"{place}: {said}; expected a database that {url.username} may use"


def _said(fault: DBAPIError) -> str:
    """What the driver says, without where it tried to connect."""
    return _line(fault.orig or fault).rpartition(" failed: ")[2]


def _place(url: URL) -> str:
    return f"PostgreSQL at {url.host or 'this machine'}:{url.port or 5432}"


def _line(fault: BaseException) -> str:
    return " ".join(str(fault).split())
