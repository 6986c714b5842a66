#!/bin/sh
# What this project uses of the ordinary PostgreSQL image: POSTGRES_PASSWORD for its superuser, *.sql of
# /docker-entrypoint-initdb.d run once on a new volume, and `postgres -c name=value …` as the command.
set -eu
scripts=/docker-entrypoint-initdb.d

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    (umask 077 && printf '%s' "$POSTGRES_PASSWORD" >/tmp/password)
    initdb -D "$PGDATA" -U postgres --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 \
        --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --no-sync --no-instructions >/dev/null
    rm /tmp/password
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    # Not over TCP yet: a health check that asks there must not take this server for the one that follows.
    pg_ctl -D "$PGDATA" -o '-c listen_addresses= -c unix_socket_directories=/tmp' --wait --silent start
    for script in "$scripts"/*.sql; do
        [ ! -e "$script" ] || psql -X -q -v ON_ERROR_STOP=1 -h /tmp -U postgres -f "$script"
    done
    pg_ctl -D "$PGDATA" --mode=fast --wait --silent stop
fi
[ "${1:-postgres}" != postgres ] || shift
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
