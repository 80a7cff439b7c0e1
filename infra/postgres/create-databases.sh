#!/usr/bin/env bash
# Runs once, when the server's data folder is empty: a database and its owner for each service, closed to the others.
set -euo pipefail

for service in asset_registry scheduling work_orders scoring integration access; do
    variable="XUNJIAN_PASSWORD_${service^^}"
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set service="$service" --set password="${!variable:?}" <<'SQL'
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
SQL
done
