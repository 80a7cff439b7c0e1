#!/usr/bin/env bash
# A database for each service, all owned by the role that migrates them, and for each a role that may only use it.
# Runs when the server's data folder is new. Running it again changes nothing; infra/compose does where a service was
# added, where databases have owners of before, and after a restore, when passwords may be others than they were.
set -euo pipefail

sql() { # in the database $1, with what psql is told beyond
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "$1" "${@:2}"
}

role() { # $1, with the password that its secret holds
    sql postgres --set role="$1" --set password="$(<"/run/secrets/database_$1")" <<'SQL'
SELECT format('CREATE ROLE %I', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
SQL
}

role migrator
sql postgres <<<'REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;'
for service in asset_registry scheduling work_orders scoring integration access; do
    role "$service"
    sql postgres --set service="$service" <<'SQL'
SELECT format('CREATE DATABASE %I OWNER migrator TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C''', :'service')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'service') \gexec
ALTER DATABASE :"service" OWNER TO migrator;
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"service" TO :"service";
SQL
    sql "$service" --set service="$service" <<<'REASSIGN OWNED BY :"service" TO migrator;'
done
