#!/usr/bin/env bash
# Publishes native programs without a warning, and runs them: build/check-aot.sh
# They are a worker with the dashboard, the sample host, whose crash demo kills the native process, and the command line.
# It needs a C compiler (apt-get install gcc zlib1g-dev). With TASKRECOVERY_TEST_POSTGRES the first one uses that server, without it SQLite.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
target="$root/artifacts/aot"

publish() { # the project's folder, and its name
    printf '\n== %s\n' "$2"
    dotnet publish "$root/$1" -c Release -o "$target/$2" -v q -nologo -p:RunAnalyzers=false -p:PublishAot=true -p:TrimmerSingleWarn=false
    if [ -e "$target/$2/$2.dll" ]; then
        echo "The published program is not native." >&2
        exit 1
    fi
}

rm -rf "$target"
publish build/aot TaskRecovery.Aot
"$target/TaskRecovery.Aot/TaskRecovery.Aot"

publish samples/TaskRecovery.SampleHost TaskRecovery.SampleHost
"$target/TaskRecovery.SampleHost/TaskRecovery.SampleHost" --crash-demo

publish src/TaskRecovery.Cli TaskRecovery.Cli
export TASKRECOVERY_CONNECTION="Data Source=$target/check.db"
cli="$target/TaskRecovery.Cli/TaskRecovery.Cli"
"$cli" migrate --yes
"$cli" status
"$cli" status --json >/dev/null
"$cli" doctor || [ $? -eq 1 ] # a disk may be almost full
echo "OK"
