#!/usr/bin/env bash
# A PostgreSQL server for development, on loopback, in a folder of its own.
#
#   build/postgres.sh start            starts it (creates it the first time) and prints how to use it
#   build/postgres.sh stop             stops it; its data are kept
#   build/postgres.sh reset            stops it and removes its data
#   build/postgres.sh url              prints its connection string
#   build/postgres.sh run COMMAND...   runs a command with TASKRECOVERY_TEST_POSTGRES set to a throw-away server
#
# TASKRECOVERY_POSTGRES_DIR and TASKRECOVERY_POSTGRES_PORT choose another folder and port.
set -euo pipefail
umask 077

# Not in a folder for temporary files: another user could create a folder of this name first, and read the password.
if [ "$(id -u)" -eq 0 ]; then
    folder=${TASKRECOVERY_POSTGRES_DIR:-/var/lib/taskrecovery-postgres}
else
    folder=${TASKRECOVERY_POSTGRES_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/taskrecovery-postgres}
fi
port=${TASKRECOVERY_POSTGRES_PORT:-54329}

find_binaries() {
    local found
    found=$(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin /opt/homebrew/opt/postgresql*/bin \
        /usr/local/opt/postgresql*/bin /Applications/Postgres.app/Contents/Versions/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
    if [ -z "$found" ] && command -v initdb >/dev/null; then
        found=$(dirname "$(command -v initdb)")
    fi
    if [ -z "$found" ]; then
        echo "No PostgreSQL found. Debian, Ubuntu: apt-get install postgresql. macOS: brew install postgresql@17." >&2
        exit 1
    fi
    echo "$found"
}

# PostgreSQL refuses to run as root. If this script runs as root, the server runs as the user postgres, or nobody.
as_user() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
    else
        setpriv --reuid="$user" --regid="$user" --clear-groups -- "$@"
    fi
}

running() {
    [ -d "$folder/data" ] && as_user "$binaries/pg_ctl" -D "$folder/data" status >/dev/null 2>&1
}

create() {
    if [ ! -d "$folder/data" ]; then
        mkdir -p "$folder"
        head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n' > "$folder/password"
        chmod 700 "$folder"
        [ "$(id -u)" -ne 0 ] || chown -R "$user" "$folder"
        as_user "$binaries/initdb" -D "$folder/data" -U postgres -A scram-sha-256 --pwfile="$folder/password" -E UTF8 --locale=C >/dev/null
        cat >> "$folder/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
CONF
    fi
}

launch() {
    (cd "$folder" && as_user "$binaries/pg_ctl" -D "$folder/data" -o "-p $port" -l "$folder/log" -w -t 300 start >/dev/null)
}

fail() {
    tail -n 20 "$folder/log" >&2
    exit 1
}

start() {
    create
    running || launch || fail
}

stop() {
    if running; then
        as_user "$binaries/pg_ctl" -D "$folder/data" -m fast -w -t 300 stop >/dev/null
    fi
}

# Another program may listen on a random port already.
start_on_any_port() {
    create
    for _ in {1..10}; do
        rm -f "$folder/log"
        port=$((20000 + RANDOM % 10000))
        if launch; then return; fi
        grep -q 'could not bind' "$folder/log" || break
    done
    fail
}

throw_away() {
    as_user "$binaries/pg_ctl" -D "$folder/data" -m immediate -w -t 300 stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}

url() {
    if [ ! -f "$folder/password" ]; then
        echo "There is no server in $folder yet: build/postgres.sh start" >&2
        exit 1
    fi
    echo "Host=127.0.0.1;Port=$port;Username=postgres;Password=$(cat "$folder/password");Database=postgres"
}

binaries=$(find_binaries)
user=postgres
id postgres >/dev/null 2>&1 || user=nobody

case "${1:-}" in
    start)
        start
        echo "export TASKRECOVERY_TEST_POSTGRES='$(url)'"
        ;;
    stop)
        stop
        ;;
    reset)
        stop
        rm -rf "$folder"
        ;;
    url)
        url
        ;;
    run)
        shift
        folder=$(mktemp -d)
        trap throw_away EXIT
        start_on_any_port
        TASKRECOVERY_TEST_POSTGRES=$(url) "$@"
        ;;
    *)
        sed -n '2,10s/^# \{0,1\}//p' "$0"
        exit 2
        ;;
esac
