"""Run the revisions on the connection that `Database.migrate` hands over: on SQLite within its one transaction, on
PostgreSQL in one for each revision, which an index that is built beside writers has to leave (`autocommit_block`)."""

from alembic import context

connection = context.config.attributes["connection"]
if connection.dialect.name == "sqlite":
    context.configure(connection=connection, transactional_ddl=False)
    context.run_migrations()
else:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
