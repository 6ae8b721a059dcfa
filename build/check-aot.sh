#!/usr/bin/env bash
# Publishes a native program with a worker and the dashboard, without a warning, and runs it: build/check-aot.sh
# It needs a C compiler (apt-get install gcc zlib1g-dev). With TASKRECOVERY_TEST_POSTGRES it uses that server, without it SQLite.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
target="$root/artifacts/aot"

rm -rf "$target"
dotnet publish "$root/build/aot" -c Release -o "$target" -v q -nologo -p:RunAnalyzers=false
if [ -e "$target/TaskRecovery.Aot.dll" ]; then
    echo "The published program is not native." >&2
    exit 1
fi
"$target/TaskRecovery.Aot"
